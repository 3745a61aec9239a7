//! Scopes: for a closure, and for a future.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use serde_json::Value;

use super::GuardContext;

thread_local! {
    static CONTEXT: RefCell<Option<GuardContext>> = const { RefCell::new(None) };
    /// One entry for each scope that is entered, outermost first; empty once it was taken.
    static METADATA: RefCell<Vec<Option<Value>>> = const { RefCell::new(Vec::new()) };
}

/// The scope's context, else the default. None at all while the thread is being torn down: a
/// call there cannot tell its scope, and must not run under another.
pub(super) fn current(default: impl FnOnce() -> Option<GuardContext>) -> Option<GuardContext> {
    match CONTEXT.try_with(|context| context.borrow().clone()) {
        Ok(Some(context)) => Some(context),
        Ok(None) => default(),
        Err(_) => None,
    }
}

/// Takes the metadata that the scopes around the next call hold for it.
pub(crate) fn take_metadata() -> Vec<Value> {
    let take = |scopes: &RefCell<Vec<Option<Value>>>| {
        scopes
            .borrow_mut()
            .iter_mut()
            .filter_map(Option::take)
            .collect()
    };
    METADATA.try_with(take).unwrap_or_default()
}

/// Makes a context this thread's for as long as it lives, then puts back the one before.
struct ContextScope<'v> {
    context: &'v mut Option<GuardContext>,
    is_entered: bool,
}

impl<'v> ContextScope<'v> {
    fn enter(context: &'v mut Option<GuardContext>) -> Self {
        let mut scope = Self {
            // Without a context to enter, the one that is there stays.
            is_entered: context.is_some(),
            context,
        };
        scope.swap();
        scope
    }

    /// Nothing happens while the thread is being torn down.
    fn swap(&mut self) {
        if self.is_entered {
            let _ = CONTEXT.try_with(|held| std::mem::swap(&mut *held.borrow_mut(), self.context));
        }
    }
}

impl Drop for ContextScope<'_> {
    fn drop(&mut self) {
        self.swap();
    }
}

/// Holds metadata out to this thread's next call for as long as it lives, then takes back what
/// no call took.
struct MetadataScope<'v>(&'v mut Option<Value>);

impl<'v> MetadataScope<'v> {
    fn enter(metadata: &'v mut Option<Value>) -> Self {
        let _ = METADATA.try_with(|scopes| scopes.borrow_mut().push(metadata.take()));
        Self(metadata)
    }
}

impl Drop for MetadataScope<'_> {
    fn drop(&mut self) {
        let _ = METADATA.try_with(|scopes| *self.0 = scopes.borrow_mut().pop().flatten());
    }
}

/// Calls a closure within a context: guarded calls made by it, on this thread, are judged under
/// it.
///
/// A runtime that the closure blocks on may poll other tasks on this thread, which are then within
/// the context, too. For a future, use [`GuardFutureExt::with_context`].
pub fn with_context<T>(context: &GuardContext, call: impl FnOnce() -> T) -> T {
    let mut context = Some(context.clone());
    let _scope = ContextScope::enter(&mut context);
    call()
}

/// Calls a closure whose first guarded call carries metadata: a JSON object, seen by policy and
/// the log, never by the function. Calls made within that tool do not inherit it. Scopes within
/// scopes add up; a key that two of them set is a refusal.
pub fn with_metadata<T>(metadata: impl Into<Value>, call: impl FnOnce() -> T) -> T {
    let mut metadata = Some(metadata.into());
    let _scope = MetadataScope::enter(&mut metadata);
    call()
}

/// Scopes for futures, on any executor.
pub trait GuardFutureExt: Future + Sized {
    /// Runs the future within a context: guarded calls made by it are judged under it, wherever
    /// it is polled.
    fn with_context(self, context: &GuardContext) -> WithContext<Self> {
        WithContext {
            future: Some(self),
            context: Some(context.clone()),
        }
    }

    /// Runs the future within the context that is current here and now. A spawned task starts
    /// without its parent's scope; this hands it over.
    fn in_current_context(self) -> WithContext<Self> {
        WithContext {
            future: Some(self),
            context: GuardContext::current(),
        }
    }

    /// Gives the first guarded call of the future metadata: a JSON object, seen by policy and
    /// the log, never by the function. Calls made within that tool do not inherit it.
    fn with_metadata(self, metadata: impl Into<Value>) -> WithMetadata<Self> {
        WithMetadata {
            future: self,
            metadata: Some(metadata.into()),
        }
    }
}

impl<F: Future> GuardFutureExt for F {}

pin_project! {
    /// A future that runs within a [`GuardContext`]; made by
    /// [`with_context`](GuardFutureExt::with_context).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WithContext<F> {
        // An option, so that it can be dropped within the scope.
        #[pin]
        future: Option<F>,
        context: Option<GuardContext>,
    }

    impl<F> PinnedDrop for WithContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _scope = ContextScope::enter(this.context);
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for WithContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = ContextScope::enter(this.context);
        match this.future.as_pin_mut() {
            Some(future) => future.poll(context),
            None => Poll::Pending,
        }
    }
}

pin_project! {
    /// A future whose first guarded call carries metadata; made by
    /// [`with_metadata`](GuardFutureExt::with_metadata).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WithMetadata<F> {
        #[pin]
        future: F,
        metadata: Option<Value>,
    }
}

impl<F: Future> Future for WithMetadata<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = MetadataScope::enter(this.metadata);
        this.future.poll(context)
    }
}

//! Scopes: for a closure, and for a future.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::LocalKey;

use pin_project_lite::pin_project;
use serde_json::Value;

use super::GuardContext;

thread_local! {
    static CONTEXT: RefCell<Option<GuardContext>> = const { RefCell::new(None) };
    static METADATA: RefCell<Option<Value>> = const { RefCell::new(None) };
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

/// Takes the metadata meant for the next call, if there is any.
pub(crate) fn take_metadata() -> Option<Value> {
    METADATA
        .try_with(|metadata| metadata.borrow_mut().take())
        .ok()
        .flatten()
}

/// Exchanges what a thread holds; nothing happens while the thread is being torn down.
fn swap<T: 'static>(slot: &'static LocalKey<RefCell<Option<T>>>, value: &mut Option<T>) {
    let _ = slot.try_with(|held| std::mem::swap(&mut *held.borrow_mut(), value));
}

/// Puts a value in a thread's slot for as long as it lives, then puts back what was there. What
/// is left of the value by then is kept in `value`.
struct Entered<'v, T: 'static> {
    slot: &'static LocalKey<RefCell<Option<T>>>,
    value: &'v mut Option<T>,
}

impl<'v, T> Entered<'v, T> {
    fn new(slot: &'static LocalKey<RefCell<Option<T>>>, value: &'v mut Option<T>) -> Self {
        swap(slot, value);
        Self { slot, value }
    }
}

impl<T> Drop for Entered<'_, T> {
    fn drop(&mut self) {
        swap(self.slot, self.value);
    }
}

/// Calls a closure within a context: guarded calls made by it, on this thread, are judged under
/// it.
pub fn with_context<T>(context: &GuardContext, call: impl FnOnce() -> T) -> T {
    let mut context = Some(context.clone());
    let _entered = Entered::new(&CONTEXT, &mut context);
    call()
}

/// Calls a closure whose first guarded call carries metadata: a JSON object, seen by policy and
/// the log, never by the function. Calls made within that tool do not inherit it.
pub fn with_metadata<T>(metadata: impl Into<Value>, call: impl FnOnce() -> T) -> T {
    let mut metadata = Some(metadata.into());
    let _entered = Entered::new(&METADATA, &mut metadata);
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
            let _entered = Entered::new(&CONTEXT, this.context);
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for WithContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = Entered::new(&CONTEXT, this.context);
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
        let _entered = Entered::new(&METADATA, this.metadata);
        this.future.poll(context)
    }
}

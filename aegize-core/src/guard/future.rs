//! The thin generic shims around a body: one for functions, one future.
//!
//! The invariant: they are all that is compiled anew for each tool, so they call what is compiled
//! once, and hold nothing that they would have to drop.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::Entry;
use super::ending::Ending;
use super::entering::Entering;
use super::permit::Permit;
use super::polls::{PolledCall, Turn};
use crate::error::GuardError;

/// What a guarded tool returns: `Result<T, E>` with `E: From<GuardError>`.
#[diagnostic::on_unimplemented(
    message = "a guarded tool must return `Result<T, E>` with `E: From<GuardError>`, so that a refusal can be returned",
    label = "not a result that can hold a refusal",
    note = "`std::io::Error`, `anyhow::Error`, `Box<dyn Error + Send + Sync>` and `String` work as they are; for an error type of your own, write `impl From<aegize::GuardError> for YourError`; for those of rmcp and rig, enable the feature of that name",
    note = "for any other return type, say how to refuse: `refuse_with = path`, a `fn(GuardError) -> ReturnType`"
)]
pub trait ToolResult {
    /// What the tool returns when all went well.
    type Value;
    /// What it returns otherwise, a refusal included.
    type Error;

    /// The result of a call that did not run.
    fn refused(error: GuardError) -> Self;

    /// The result by reference.
    ///
    /// # Errors
    ///
    /// The tool's own.
    fn as_result(&self) -> Result<&Self::Value, &Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<GuardError>> ToolResult for Result<T, E> {
    type Value = T;
    type Error = E;

    fn refused(error: GuardError) -> Self {
        Err(error.into())
    }

    fn as_result(&self) -> Result<&T, &E> {
        self.as_ref()
    }
}

/// What a tool returns of a call that was refused.
#[expect(clippy::boxed_local, reason = "as it is in an `Entry`")]
#[cold]
#[inline(never)]
pub fn refused<R: ToolResult>(error: Box<GuardError>) -> R {
    R::refused(*error)
}

/// What a tool returns of a call that was refused, if `refuse` makes it.
#[expect(clippy::boxed_local, reason = "as it is in an `Entry`")]
#[cold]
#[inline(never)]
pub fn refused_by<R>(error: Box<GuardError>, refuse: fn(GuardError) -> R) -> R {
    refuse(*error)
}

/// Runs a body if the call was permitted, and records how it ended.
#[inline]
pub fn run<R, W>(entry: Entry, body: impl FnOnce() -> R, _ending: impl FnOnce(&R) -> W) -> R
where
    R: ToolResult,
    W: Ending<R>,
{
    match entry {
        Ok(permit) => finish::<R, W>(permit, body()),
        Err(error) => refused(error),
    }
}

/// Runs a body as [`run`] does, and returns what `refuse` makes of a refusal.
#[inline]
pub fn run_or<R, W: Ending<R>>(
    entry: Entry,
    body: impl FnOnce() -> R,
    _ending: impl FnOnce(&R) -> W,
    refuse: fn(GuardError) -> R,
) -> R {
    match entry {
        Ok(permit) => finish::<R, W>(permit, body()),
        Err(error) => refused_by(error, refuse),
    }
}

/// For each type of result, not for each tool. It takes the result and gives it back, so that a
/// tool need not know how to drop it.
#[inline(never)]
fn finish<R, W: Ending<R>>(permit: Permit, returned: R) -> R {
    permit.finish(&W::outcome(&returned));
    returned
}

/// A future that runs a body, which hands its permit over when it is first polled, and records
/// how it ended.
#[inline]
pub fn run_async<F, W>(body: F, _ending: impl FnOnce(&F::Output) -> W) -> Guarded<F, W>
where
    F: Future,
    W: Ending<F::Output>,
{
    Guarded {
        call: PolledCall::New,
        body,
        ending: PhantomData,
    }
}

pin_project! {
    /// The future of a guarded call.
    ///
    /// Nothing happens before it is first polled. Polled again after it ended, it stays pending.
    #[must_use = "futures do nothing unless polled"]
    pub struct Guarded<F, W> {
        // Declared first, so dropped first: the outcome is recorded even if dropping the body
        // panics.
        call: PolledCall,
        #[pin]
        body: F,
        ending: PhantomData<fn() -> W>,
    }
}

impl<F: Future, W: Ending<F::Output>> Future for Guarded<F, W> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(turn) = this.call.resume() else {
            return Poll::Pending;
        };
        end_turn::<F::Output, W>(turn, this.body.poll(context))
    }
}

/// For each type of result, not for each tool, as [`finish`].
#[inline(never)]
fn end_turn<R, W: Ending<R>>(turn: Turn<'_>, polled: Poll<R>) -> Poll<R> {
    match &polled {
        Poll::Ready(returned) => turn.finish(&W::outcome(returned)),
        Poll::Pending => turn.suspend(),
    }
    polled
}

/// A future that is made once the call may run: `enter` asks for permission when it is first
/// polled, and gives what makes the future. The output of a refused call is made by `refuse`.
#[inline]
pub fn lazy<F: Future, B: FnOnce() -> F>(
    enter: impl FnOnce() -> (Entering, B),
    refuse: impl FnOnce(Box<GuardError>) -> F::Output,
) -> impl Future<Output = F::Output> {
    Lazy {
        stage: Stage::New { enter: Some(enter) },
        refuse: Some(refuse),
    }
}

pin_project! {
    struct Lazy<E, B, F, R> {
        #[pin]
        stage: Stage<E, B, F>,
        refuse: Option<R>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<E, B, F> {
        New {
            enter: Option<E>,
        },
        Entering {
            entering: Entering,
            begin: Option<B>,
        },
        Made {
            #[pin]
            future: F,
        },
    }
}

impl<E, B, F, R> Future for Lazy<E, B, F, R>
where
    E: FnOnce() -> (Entering, B),
    B: FnOnce() -> F,
    F: Future,
    R: FnOnce(Box<GuardError>) -> F::Output,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        loop {
            let next = match this.stage.as_mut().project() {
                StageProjection::New { enter } => enter.take().map(|enter| {
                    let (entering, begin) = enter();
                    Stage::Entering {
                        entering,
                        begin: Some(begin),
                    }
                }),
                StageProjection::Entering { entering, begin } => {
                    match ready!(Pin::new(entering).poll(context)) {
                        Ok(()) => begin.take().map(|begin| Stage::Made { future: begin() }),
                        Err(error) => match this.refuse.take() {
                            Some(refuse) => return Poll::Ready(refuse(error)),
                            None => None,
                        },
                    }
                }
                StageProjection::Made { future } => return future.poll(context),
            };
            match next {
                Some(next) => this.stage.set(next),
                None => return Poll::Pending,
            }
        }
    }
}

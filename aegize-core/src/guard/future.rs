//! The thin generic shims around a body: one for functions, one future.
//!
//! They are all that is compiled anew for each tool.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::permit::{Outcome, Permit};
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

/// Runs a body if the call was permitted, and records how it ended.
#[inline]
pub fn run<R, B, D>(entry: Result<Permit, GuardError>, body: B, describe: D) -> R
where
    R: ToolResult,
    B: FnOnce() -> R,
    D: for<'r> FnOnce(Result<&'r R::Value, &'r R::Error>) -> Outcome<'r>,
{
    match entry {
        Ok(mut permit) => {
            let result = body();
            permit.finish(&describe(result.as_result()));
            result
        }
        Err(error) => R::refused(error),
    }
}

/// Runs a body as [`run`] does, and returns what `refuse` makes of a refusal.
#[inline]
pub fn run_or<R, B, D>(
    entry: Result<Permit, GuardError>,
    body: B,
    describe: D,
    refuse: fn(GuardError) -> R,
) -> R
where
    B: FnOnce() -> R,
    D: for<'r> FnOnce(&'r R) -> Outcome<'r>,
{
    match entry {
        Ok(mut permit) => {
            let returned = body();
            permit.finish(&describe(&returned));
            returned
        }
        Err(error) => refuse(error),
    }
}

/// A future that asks for permission when it is first polled, then runs the body.
#[inline]
pub fn run_async<R, S, F, D>(start: S, describe: D) -> Guarded<S, F, D>
where
    S: FnOnce() -> Result<(Permit, F), GuardError>,
    F: Future<Output = R>,
    R: ToolResult,
    D: for<'r> FnOnce(Result<&'r R::Value, &'r R::Error>) -> Outcome<'r>,
{
    Guarded {
        state: State::Start {
            call: Some((start, describe)),
        },
        result: ResultOf {
            refused: R::refused,
            finish: |permit, describe, result| permit.finish(&describe(result.as_result())),
        },
    }
}

/// A future as [`run_async`] makes it, that resolves to what `refuse` makes of a refusal.
#[inline]
pub fn run_async_or<R, S, F, D>(
    start: S,
    describe: D,
    refuse: fn(GuardError) -> R,
) -> Guarded<S, F, D>
where
    S: FnOnce() -> Result<(Permit, F), GuardError>,
    F: Future<Output = R>,
    D: for<'r> FnOnce(&'r R) -> Outcome<'r>,
{
    Guarded {
        state: State::Start {
            call: Some((start, describe)),
        },
        result: ResultOf {
            refused: refuse,
            finish: |permit, describe, returned| permit.finish(&describe(returned)),
        },
    }
}

/// What the future has to know of what it resolves to.
///
/// As functions and not as a bound `R: ToolResult` on the `Future` impl: the compiler would report
/// a return type that is no result a second time, as a future that is none.
struct ResultOf<R, D> {
    refused: fn(GuardError) -> R,
    finish: fn(&mut Permit, D, &R),
}

pin_project! {
    /// The future of a guarded call.
    ///
    /// Nothing happens before it is first polled. Polled again after it ended, it stays pending.
    #[must_use = "futures do nothing unless polled"]
    pub struct Guarded<S, F, D> where F: Future {
        #[pin]
        state: State<S, F, D>,
        result: ResultOf<F::Output, D>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, D> {
        Start {
            call: Option<(S, D)>,
        },
        Running {
            // Declared first, so dropped first: the outcome is recorded even if dropping the
            // body's future panics. On the stack while the body is polled: should it panic, that
            // is recorded at once, and not when the caller drops the future.
            permit: Option<Permit>,
            describe: Option<D>,
            #[pin]
            body: F,
        },
        Ended,
    }
}

impl<S, F, D> Future for Guarded<S, F, D>
where
    S: FnOnce() -> Result<(Permit, F), GuardError>,
    F: Future,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut state = this.state;
        loop {
            match state.as_mut().project() {
                StateProjection::Start { call } => {
                    let Some((start, describe)) = call.take() else {
                        return Poll::Pending;
                    };
                    match start() {
                        Ok((permit, body)) => state.set(State::Running {
                            permit: Some(permit),
                            describe: Some(describe),
                            body,
                        }),
                        Err(error) => {
                            state.set(State::Ended);
                            return Poll::Ready((this.result.refused)(error));
                        }
                    }
                }
                StateProjection::Running {
                    permit,
                    describe,
                    body,
                } => {
                    let Some(mut running) = permit.take() else {
                        return Poll::Pending;
                    };
                    running.set_running(true);
                    let Poll::Ready(result) = body.poll(context) else {
                        running.set_running(false);
                        *permit = Some(running);
                        return Poll::Pending;
                    };
                    if let Some(describe) = describe.take() {
                        (this.result.finish)(&mut running, describe, &result);
                    }
                    state.set(State::Ended);
                    return Poll::Ready(result);
                }
                StateProjection::Ended => return Poll::Pending,
            }
        }
    }
}

//! A call whose body is a future, from poll to poll.
//!
//! The body's future has the arguments, so it asks for permission itself, and waits until it is given.
//! The permit is not its to keep, for it cannot know how it ends: it hands it over to whoever
//! polls it, on the thread's stack of calls that are being polled. The invariant: a permit goes to
//! the innermost call, and no further.

use std::cell::RefCell;
use std::mem;

use super::ending::Outcome;
use super::permit::Permit;
use crate::error::GuardError;

thread_local! {
    /// One entry for each call that is being polled without a permit, outermost first.
    static ENTERING: RefCell<Vec<Option<Permit>>> = const { RefCell::new(Vec::new()) };
}

/// Gives a permit to the call that is being polled.
///
/// # Errors
///
/// If there is none, the call is refused.
pub(super) fn hand_over(permit: Permit) -> Result<(), Box<GuardError>> {
    let mut permit = Some(permit);
    let _ = ENTERING.try_with(|entering| {
        if let Some(place) = entering.borrow_mut().last_mut() {
            *place = permit.take();
        }
    });
    match permit {
        None => Ok(()),
        // The thread is being torn down.
        Some(permit) => Err(permit.take_back()),
    }
}

/// A guarded call, as its future keeps it.
pub(super) enum PolledCall {
    /// It has no permit yet.
    New,
    /// It is being polled without a permit, which may be handed over.
    Entering,
    /// It is being polled again, or waits to be.
    Open(Permit),
    /// It was refused, or its outcome is recorded.
    Ended,
}

impl PolledCall {
    /// Begins a poll of the body; `None` if the call has ended.
    pub(super) fn resume(&mut self) -> Option<Turn<'_>> {
        match self {
            Self::New => {
                let _ = ENTERING.try_with(|entering| entering.borrow_mut().push(None));
                *self = Self::Entering;
            }
            Self::Open(permit) => permit.set_running(true),
            Self::Entering | Self::Ended => return None,
        }
        Some(Turn { call: Some(self) })
    }
}

/// One poll of a body. If it is dropped before its end, the body has panicked, and that is
/// recorded.
pub(super) struct Turn<'c> {
    /// `None` when the poll has ended.
    call: Option<&'c mut PolledCall>,
}

impl Turn<'_> {
    /// The body will be polled again.
    pub(super) fn suspend(mut self) {
        if let Some(call) = self.call.take() {
            *call = match take_permit(call) {
                Some(mut permit) => {
                    permit.set_running(false);
                    PolledCall::Open(permit)
                }
                None => PolledCall::New,
            };
        }
    }

    /// The body has ended. Nothing is recorded of a call that was refused.
    pub(super) fn finish(mut self, outcome: &Outcome<'_>) {
        if let Some(permit) = self.call.take().and_then(take_permit) {
            permit.finish(outcome);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        drop(self.call.take().and_then(take_permit));
    }
}

fn take_permit(call: &mut PolledCall) -> Option<Permit> {
    match mem::replace(call, PolledCall::Ended) {
        PolledCall::Entering => ENTERING
            .try_with(|entering| entering.borrow_mut().pop().flatten())
            .unwrap_or_default(),
        PolledCall::Open(permit) => Some(permit),
        PolledCall::New | PolledCall::Ended => None,
    }
}

//! Between the decision and the body: until what was decided is as durable as the log promises.
//!
//! The invariant: a thread may wait for that, a task gives its thread back.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Entry;
use super::polls::hand_over;
use crate::error::GuardError;

/// Waits on this thread until the decision is durable.
pub(crate) fn confirmed(entry: Entry) -> Entry {
    let permit = entry?;
    match permit.wait() {
        Ok(()) => Ok(permit),
        Err(source) => Err(permit.unconfirmed(source)),
    }
}

/// Waits until the decision is durable, and then gives the permit to the call that is polled.
#[must_use = "futures do nothing unless polled"]
pub struct Entering(Option<Entry>);

impl Entering {
    /// What a task waits for that has asked for permission.
    pub fn new(mut entry: Entry) -> Self {
        if let Ok(permit) = &mut entry {
            permit.set_running(false);
        }
        Self(Some(entry))
    }
}

impl Future for Entering {
    type Output = Result<(), Box<GuardError>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let confirmed = match &self.0 {
            Some(Ok(permit)) => ready!(permit.poll(context.waker())),
            // A refusal waits for nothing.
            Some(Err(_)) => Ok(()),
            None => return Poll::Pending,
        };
        let Some(entry) = self.0.take() else {
            return Poll::Pending;
        };
        let mut permit = entry?;
        Poll::Ready(match confirmed {
            Ok(()) => {
                permit.set_running(true);
                hand_over(permit)
            }
            Err(source) => Err(permit.unconfirmed(source)),
        })
    }
}

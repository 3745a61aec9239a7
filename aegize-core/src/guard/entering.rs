//! Between the decision and the body: until a person has decided where one is asked, and what was
//! decided is as durable as the log promises.
//!
//! The invariant: a thread may wait for that, a task gives its thread back.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::polls::hand_over;
use super::{Admission, Entry};
use crate::approval::block_on;
use crate::error::GuardError;

/// Waits on this thread until the decision is made and durable.
pub(crate) fn confirmed(admission: Admission) -> Entry {
    let mut permit = match admission {
        Admission::Decided(entry) => entry,
        Admission::Waiting(deciding) => block_on(deciding),
    }?;
    match permit.wait() {
        Ok(()) => {
            permit.set_running(true);
            Ok(permit)
        }
        Err(source) => Err(permit.unconfirmed(source)),
    }
}

/// Waits until the decision is made and durable, and then gives the permit to the call that is
/// polled.
#[must_use = "futures do nothing unless polled"]
pub struct Entering(Option<Admission>);

impl Entering {
    /// What a task waits for that has asked for permission.
    pub(crate) fn new(mut admission: Admission) -> Self {
        if let Admission::Decided(Ok(permit)) = &mut admission {
            permit.set_running(false);
        }
        Self(Some(admission))
    }
}

impl Future for Entering {
    type Output = Result<(), Box<GuardError>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(Admission::Waiting(deciding)) = &mut self.0 {
            let entry = ready!(deciding.as_mut().poll(context));
            self.0 = Some(Admission::Decided(entry));
        }
        let confirmed = match &self.0 {
            Some(Admission::Decided(Ok(permit))) => ready!(permit.poll(context.waker())),
            // A refusal waits for nothing.
            Some(Admission::Decided(Err(_))) => Ok(()),
            Some(Admission::Waiting(_)) | None => return Poll::Pending,
        };
        let Some(Admission::Decided(entry)) = self.0.take() else {
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

//! A store as everyone uses it: with a limit to how long it may take to answer, and safe from what
//! it does wrong.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use time::OffsetDateTime;

use super::background::Until;
use super::binding::{BindingKey, Bindings};
use super::desk::ApprovalDesk;
use super::error::{ApprovalError, ApprovalErrorKind};
use super::memory::MemoryApprovals;
use super::request::{ApprovalRequest, Question};
use super::store::{ApprovalStore, StoreFuture};
use crate::audit::AuditLog;

/// Where requests for approval are kept, and how long they and grants live. Cheap to clone.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::{Approvals, Approver, GuardContext, GuardError, ToolCall};
///
/// # fn example(context: GuardContext) -> Result<(), Box<dyn std::error::Error>> {
/// let approvals = Approvals::in_memory();
/// let context = context.approvals(approvals.clone());
/// let pay = || context.guard(ToolCall::new("payments", "refund")).run_blocking(|| Ok::<_, GuardError>("paid"));
///
/// let Err(GuardError::ApprovalRequired(pending)) = pay() else { return Ok(()) };
/// let desk = approvals.desk(context.audit_log());
/// let alice = Approver::new("alice@acme.com")?;
/// pollster::block_on(desk.approve(pending.request_id(), &alice, Some("as agreed")))?;
/// assert_eq!(pay()?, "paid");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Approvals {
    store: Arc<dyn ApprovalStore>,
    key: Arc<OnceLock<BindingKey>>,
    answers_within: Duration,
    request_ttl: Duration,
    grant_ttl: Duration,
}

impl Approvals {
    /// Approvals that are kept by a store.
    pub fn new(store: impl ApprovalStore + 'static) -> Self {
        Self {
            store: Arc::new(store),
            key: Arc::default(),
            answers_within: Duration::from_secs(10),
            request_ttl: Duration::from_secs(24 * 60 * 60),
            grant_ttl: Duration::from_secs(15 * 60),
        }
    }

    /// Approvals that are gone with the process.
    pub fn in_memory() -> Self {
        Self::new(MemoryApprovals::new())
    }

    /// The same, where people have so long to answer unless a rule says `expires_in`; otherwise 24
    /// hours.
    #[must_use]
    pub fn request_ttl(mut self, time: Duration) -> Self {
        self.request_ttl = time;
        self
    }

    /// The same, where a grant has to be used within this time unless a rule says `expires_in`;
    /// otherwise 15 minutes.
    #[must_use]
    pub fn grant_ttl(mut self, time: Duration) -> Self {
        self.grant_ttl = time;
        self
    }

    /// The same, where the store has so long for each answer; otherwise 10 seconds. A call whose
    /// approval it does not tell in time is refused.
    #[must_use]
    pub fn answers_within(mut self, time: Duration) -> Self {
        self.answers_within = time;
        self
    }

    /// Where people decide. What they do is recorded in that log.
    pub fn desk(&self, audit_log: &AuditLog) -> ApprovalDesk {
        ApprovalDesk::new(self.clone(), audit_log.clone())
    }

    /// Asks the store, with everything that can go wrong as an error.
    pub(crate) async fn ask<'s, T>(
        &'s self,
        question: impl FnOnce(&'s dyn ApprovalStore) -> StoreFuture<'s, T>,
    ) -> Result<T, ApprovalError> {
        let asked = catch_unwind(AssertUnwindSafe(|| question(&*self.store)));
        Answer {
            coming: asked.map_err(|_| panicked())?,
            limit: Until::after(self.answers_within),
            time: self.answers_within,
        }
        .await
    }

    /// Waits until a request may have changed, or some time has passed.
    pub(crate) async fn changed(
        &self,
        request: &ApprovalRequest,
        limit: Duration,
    ) -> Result<(), ApprovalError> {
        let (id, revision) = (request.id(), request.revision());
        let changed = self.within(limit, |store| store.changed(id, revision));
        changed.await.map(drop)
    }

    /// Waits for the store, but only for some time.
    pub(crate) async fn within<'s, T>(
        &'s self,
        limit: Duration,
        question: impl FnOnce(&'s dyn ApprovalStore) -> StoreFuture<'s, T>,
    ) -> Result<Option<T>, ApprovalError> {
        let asked = catch_unwind(AssertUnwindSafe(|| question(&*self.store)));
        let answer = Answer {
            coming: asked.map_err(|_| panicked())?,
            limit: Until::after(limit),
            time: limit,
        };
        match answer.await {
            Err(error) if error.kind() == ApprovalErrorKind::NoAnswer => Ok(None),
            answer => answer.map(Some),
        }
    }

    pub(crate) async fn key(&self) -> Result<BindingKey, ApprovalError> {
        if let Some(key) = self.key.get() {
            return Ok(key.clone());
        }
        let key = self.ask(|store| store.key()).await?;
        Ok(self.key.get_or_init(|| key).clone())
    }

    pub(crate) fn request(
        &self,
        bindings: Bindings,
        question: Question,
        now: OffsetDateTime,
    ) -> ApprovalRequest {
        ApprovalRequest::new(bindings, question, now, self.request_ttl, self.grant_ttl)
    }
}

impl fmt::Debug for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approvals").finish_non_exhaustive()
    }
}

fn panicked() -> ApprovalError {
    ApprovalError::new(ApprovalErrorKind::Store, "the approval store panicked")
}

/// An answer of a store, for which there is a time.
struct Answer<'s, T> {
    coming: StoreFuture<'s, T>,
    limit: Until,
    time: Duration,
}

impl<T> Future for Answer<'_, T> {
    type Output = Result<T, ApprovalError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let polled = catch_unwind(AssertUnwindSafe(|| this.coming.as_mut().poll(context)));
        match polled {
            Err(_) => Poll::Ready(Err(panicked())),
            Ok(Poll::Ready(answer)) => Poll::Ready(answer),
            Ok(Poll::Pending) => Pin::new(&mut this.limit).poll(context).map(|()| {
                let time = this.time;
                let message = format!("the approval store did not answer within {time:?}");
                Err(ApprovalError::new(ApprovalErrorKind::NoAnswer, message))
            }),
        }
    }
}

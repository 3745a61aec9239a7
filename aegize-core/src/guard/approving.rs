//! The stage between policy and body for a call that needs a person: it finds a grant and uses it,
//! or asks for one, and waits if it may.
//!
//! The call's values are copied, since it may outlive those who lent them; what was asked about is
//! what is judged again. The invariant: a grant is used up before its call runs, and the policy
//! that is in force after that has the last word.

use std::future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use uuid::Uuid;

use super::attempt::{Attempt, Decided};
use super::copied::Copied;
use super::span::CallSpan;
use super::{Authority, Coordinates, Entry, Merged, Waiting, every_ruling, judge, links};
use crate::approval::{ApprovalError, ApprovalRequest, ApprovalState, Approvals, finish};
use crate::arguments::{Arguments, Call, ExactArgument};
use crate::audit::{AuditError, AuditEvent};
use crate::policy::{ApprovalTerms, Decision, Explanation, Facts};
use crate::secrets::Redactions;
use crate::source::PolicySource;

/// A call that needs a person, with all that is known of it.
pub(super) struct Held {
    pub(super) authority: Arc<Authority>,
    pub(super) approvals: Approvals,
    pub(super) action_id: Uuid,
    pub(super) timestamp: OffsetDateTime,
    pub(super) span: CallSpan,
    pub(super) coordinates: Coordinates,
    pub(super) input_summary: String,
    pub(super) metadata: Arc<Merged>,
    pub(super) redactions: Redactions,
    pub(super) copy: Copied,
}

/// What the policies in force say about a held call.
pub(super) struct Judged {
    pub(super) decision: Decision,
    pub(super) reason: String,
    pub(super) rule: Option<String>,
    pub(super) policy: String,
    pub(super) terms: Vec<ApprovalTerms>,
    pub(super) explanation: Option<Explanation>,
}

/// A step of the stage that ends it.
pub(super) enum End {
    Permit(Option<ApprovalRequest>, Judged),
    Pending(Uuid, Judged),
    Refused(ApprovalRequest, Judged),
    Denied(Judged),
    Unavailable(ApprovalError, Judged),
    Unrecorded(AuditError),
}

/// What may come of looking for a grant.
pub(super) enum Found {
    End(End),
    /// People are asked; with what this call asks, if it did not do so before.
    Asked(ApprovalRequest, Judged, Option<Asking>),
}

/// A request that this call asks, to be withdrawn if it goes away.
pub(super) struct Asking {
    held: Arc<Held>,
    request: Option<Uuid>,
}

impl Asking {
    /// A call that does not wait goes on asking when it has gone away.
    pub(super) fn new(held: Arc<Held>, request: Uuid) -> Self {
        let waits = held.authority.waiting != Waiting::No;
        Self {
            held,
            request: waits.then_some(request),
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(id) = self.request {
            let desk = self.held.approvals.desk(&self.held.authority.audit_log);
            // Nobody is left to tell what fails: the request then expires.
            finish(async move { drop(desk.withdraw(id).await) });
        }
    }
}

impl Held {
    /// Takes the call to a permit, or refuses it.
    pub(super) async fn decide(self: Arc<Self>) -> Entry {
        let mut recorded = None;
        let end = self.end(&mut recorded).await;
        self.conclude(end, recorded)
    }

    /// Comes to an end; tells of which request it is on record that this call needs it.
    async fn end(self: &Arc<Self>, recorded: &mut Option<Uuid>) -> End {
        let deadline = match self.authority.waiting {
            Waiting::No => Some(Instant::now()),
            Waiting::For(time) => Instant::now().checked_add(time),
            Waiting::UntilItEnds => None,
        };
        let mut asking: Option<Asking> = None;
        let mut news = 0;
        loop {
            // Before it looks for a grant, so that none is missed.
            if self.authority.waiting != Waiting::No {
                news = match self.approvals.ask(|store| store.news(0)).await {
                    Ok(news) => news,
                    Err(error) => return End::Unavailable(error, self.judge()),
                };
            }
            let asked = asking.as_ref().and_then(|asking| asking.request);
            let found = match self.find(asked, recorded).await {
                Ok(found) => found,
                Err(error) => return End::Unavailable(error, self.judge()),
            };
            let (request, judged, new) = match found {
                Found::Asked(request, judged, new) => (request, judged, new),
                Found::End(end) => {
                    // What is used up is asked no longer; anything else is withdrawn.
                    if let (End::Permit(Some(used), _), Some(asking)) = (&end, &mut asking)
                        && asked == Some(used.id())
                    {
                        asking.request = None;
                    }
                    return end;
                }
            };
            if self.authority.waiting == Waiting::No {
                return End::Pending(request.id(), judged);
            }
            // What it asked on other terms, it asks no longer.
            asking = new.or(asking);
            if let Err(error) = self.record_need(request.id(), &judged, recorded).await {
                return End::Unrecorded(error);
            }
            let is_remembered = judged.terms.iter().all(|terms| terms.remember().is_some());
            let news = is_remembered.then_some(news);
            match self.wait(request.id(), deadline, news).await {
                Ok(None) => {}
                Ok(Some(ended)) => {
                    if let Some(asking) = &mut asking {
                        asking.request = None;
                    }
                    return match ended.state() {
                        ApprovalState::Requested => End::Pending(ended.id(), judged),
                        _ => End::Refused(ended, judged),
                    };
                }
                Err(error) => return End::Unavailable(error, judged),
            }
        }
    }

    /// Waits until a request is granted or used, or some other grant may answer the call, of which there
    /// is `news`: `None`. Otherwise how it stands when it has ended, or when time is up.
    async fn wait(
        &self,
        id: Uuid,
        deadline: Option<Instant>,
        news: Option<u64>,
    ) -> Result<Option<ApprovalRequest>, ApprovalError> {
        let desk = self.approvals.desk(&self.authority.audit_log);
        loop {
            let (request, now) = desk.load(id).await?;
            match request.state() {
                ApprovalState::Granted | ApprovalState::Consumed => return Ok(None),
                ApprovalState::Requested => {}
                _ => return Ok(Some(request)),
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(Some(request));
            }
            let life = Duration::try_from(request.expires_at() - now).unwrap_or_default();
            let limit = left.map_or(life, |left| left.min(life));
            match news {
                Some(after) => {
                    let news = self.approvals.within(limit, |store| store.news(after));
                    if news.await?.is_some() {
                        return Ok(None);
                    }
                }
                None => self.approvals.changed(&request, limit).await?,
            }
        }
    }

    /// Asks the policies that are in force now.
    pub(super) fn judge(&self) -> Judged {
        let authority = &self.authority;
        let policy = authority.policy.current();
        let narrowing: Vec<_> = authority
            .narrowing
            .iter()
            .map(PolicySource::current)
            .collect();
        self.with_attempt(|attempt| {
            let host = links::Host::default();
            let facts = Facts::new(attempt.call, Some(&host));
            let ruling = judge(authority, &policy, &narrowing, &facts);
            let decision = ruling.verdict.decision();
            let mut terms = Vec::new();
            if decision == Decision::RequireApproval {
                for (policy, agent_id) in every_ruling(authority, &policy, &narrowing) {
                    terms.extend(policy.approval_terms(agent_id, &facts));
                }
                terms.sort();
                terms.dedup();
            }
            Judged {
                decision,
                reason: ruling.verdict.reason(),
                rule: ruling.verdict.rule().map(str::to_owned),
                policy: ruling.policy.digest().to_owned(),
                terms,
                explanation: (decision == Decision::Deny)
                    .then(|| ruling.policy.explain_refusal(ruling.agent_id, &facts)),
            }
        })
    }

    pub(super) fn with_attempt<T>(&self, use_it: impl FnOnce(&Attempt<'_>) -> T) -> T {
        let arguments: Vec<_> = self
            .copy
            .arguments
            .iter()
            .map(ExactArgument::lend)
            .collect();
        use_it(&Attempt {
            authority: &self.authority,
            action_id: self.action_id,
            timestamp: self.timestamp,
            span: &self.span,
            input_summary: &self.input_summary,
            shown_metadata: self.metadata.shown(),
            redactions: &self.redactions,
            call: Call {
                agent_id: &self.authority.agent.agent_id,
                tool_name: &self.coordinates.tool_name,
                operation: &self.coordinates.operation,
                risk_level: self.coordinates.risk_level,
                arguments: Arguments::Captured(&arguments),
                metadata: &self.metadata.judged,
                redactor: &self.authority.redactor,
            },
        })
    }

    /// Records that this call needs an approval, once for each request that may be it.
    pub(super) async fn record_need(
        &self,
        request_id: Uuid,
        judged: &Judged,
        recorded: &mut Option<Uuid>,
    ) -> Result<(), AuditError> {
        if *recorded == Some(request_id) {
            return Ok(());
        }
        let written = self.with_attempt(|attempt| {
            let event = AuditEvent::ApprovalRequired;
            attempt.record(judged.as_decided(event, Some(request_id)))
        })?;
        let log = &self.authority.audit_log;
        future::poll_fn(|context| log.poll_for(written, context.waker())).await?;
        *recorded = Some(request_id);
        Ok(())
    }
}

impl Judged {
    pub(super) fn as_decided(&self, event: AuditEvent, request_id: Option<Uuid>) -> Decided<'_> {
        Decided {
            event,
            reason: self.reason.as_str().into(),
            rule: self.rule.as_deref(),
            policy: &self.policy,
            request_id,
        }
    }
}

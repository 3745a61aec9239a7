//! What may answer a call that needs a person: a grant that is there, or people who are asked.
//!
//! The invariant: an attempt is on record before it uses a grant, and the policy is asked again
//! after that.

use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use super::approving::{Asking, End, Found, Held, Judged};
use super::{Waiting, links};
use crate::approval::{
    ApprovalError, ApprovalErrorKind, ApprovalRequest, ApprovalState, Bindings, BoundCall,
    Question, to_its_end,
};
use crate::arguments::{Arguments, ExactArgument, shown_arguments};
use crate::audit::{AuditError, Written};
use crate::policy::{Decision, Facts};

/// How often a call that does not wait tries to be counted among those that ask.
const UNCOUNTED: u32 = 3;

impl Held {
    /// Uses a grant if there is one, and else asks for one. `asked` is what this call asks already.
    pub(super) async fn find(
        self: &Arc<Self>,
        asked: Option<Uuid>,
        recorded: &mut Option<Uuid>,
    ) -> Result<Found, ApprovalError> {
        let copy = &self.copy;
        let authority = &self.authority;
        let bindings = self.approvals.key().await?.bind(&BoundCall {
            agent_id: &authority.agent.agent_id,
            acting_for: authority.parties().skip(1).collect(),
            tool_name: &self.coordinates.tool_name,
            operation: &self.coordinates.operation,
            risk_level: self.coordinates.risk_level,
            arguments: &copy.arguments,
            metadata: copy.metadata.clone(),
        });
        let mut overtaken = 0;
        loop {
            let seen = self
                .approvals
                .ask(|store| store.find(bindings.binding, bindings.scope))
                .await?;
            let judged = self.judge();
            match judged.decision {
                Decision::Allow => return Ok(Found::End(End::Permit(None, judged))),
                Decision::Deny => return Ok(Found::End(End::Denied(judged))),
                Decision::RequireApproval => {}
            }
            let live: Vec<_> = seen.value.iter().filter(|r| !r.is_over(seen.at)).collect();
            let in_state = |state| live.iter().filter(move |request| request.state() == state);
            let grant = in_state(ApprovalState::Granted)
                .find(|grant| self.is_answered_by(grant, bindings, &judged, seen.at));
            if let Some(grant) = grant {
                // First, so that whatever ends this process now, the log tells who used the grant and
                // ran nothing.
                if let Err(error) = self.record_need(grant.id(), &judged, recorded).await {
                    return Ok(Found::End(End::Unrecorded(error)));
                }
                let used = grant.consume(self.action_id, seen.at)?;
                let end = match self.take(&used).await? {
                    Some(Ok(_)) => self.used(grant, used, bindings, seen.at),
                    Some(Err(error)) => End::Unrecorded(error),
                    None => continue,
                };
                return Ok(Found::End(end));
            }
            if let Some(rejected) = in_state(ApprovalState::Rejected).next() {
                let end = End::Refused((**rejected).clone(), judged);
                return Ok(Found::End(end));
            }
            let on_these_terms =
                |request: &&&&ApprovalRequest| request.question().terms == judged.terms;
            if let Some(request) = in_state(ApprovalState::Requested).find(|r| on_these_terms(&r)) {
                if asked == Some(request.id()) {
                    return Ok(Found::Asked((**request).clone(), judged, None));
                }
                let next = request.ask_again(seen.at)?;
                if let Some(asking) = self.ask(&next).await? {
                    return Ok(Found::Asked(next, judged, Some(asking)));
                }
                overtaken += 1;
                // Many ask at once. A call that does not wait withdraws nothing, and need not be counted.
                if overtaken == UNCOUNTED && self.authority.waiting == Waiting::No {
                    return Ok(Found::Asked((**request).clone(), judged, None));
                }
                continue;
            }
            // What has expired is recorded as that before anything takes its place.
            for stale in seen
                .value
                .iter()
                .filter(|request| request.expire(seen.at).is_some())
            {
                let desk = self.approvals.desk(&authority.audit_log);
                desk.load(stale.id()).await?;
            }
            let question = self.question(&judged)?;
            let request = self.approvals.request(bindings, question, seen.at);
            if let Some(asking) = self.ask(&request).await? {
                return Ok(Found::Asked(request, judged, Some(asking)));
            }
        }
    }

    /// Has the store keep that this call asks: as a new request, or as one more call of one that is
    /// there. `None` if others were faster. What was kept is withdrawn even if the call goes away before it
    /// is told.
    async fn ask(
        self: &Arc<Self>,
        request: &ApprovalRequest,
    ) -> Result<Option<Asking>, ApprovalError> {
        let (held, request) = (Arc::clone(self), request.clone());
        to_its_end(async move {
            let id = request.id();
            let kept = held.approvals.ask(|store| match request.revision() {
                0 => store.insert(request),
                _ => store.replace(request),
            });
            Ok(kept.await?.then(|| Asking::new(Arc::clone(&held), id)))
        })
        .await
    }

    /// Whether a grant lets this call run, as the policies in force say.
    fn is_answered_by(
        &self,
        grant: &ApprovalRequest,
        bindings: Bindings,
        judged: &Judged,
        now: OffsetDateTime,
    ) -> bool {
        self.with_attempt(|attempt| {
            let host = links::Host::default();
            let facts = Facts::new(attempt.call, Some(&host));
            grant.answers(bindings, &facts, &judged.terms, now)
        })
    }

    /// Uses a grant and records that: both, even if the call goes away. `None` if the grant has
    /// changed.
    async fn take(
        self: &Arc<Self>,
        used: &ApprovalRequest,
    ) -> Result<Option<Result<Written, AuditError>>, ApprovalError> {
        let (held, used) = (Arc::clone(self), used.clone());
        to_its_end(async move {
            let taken = held.approvals.ask(|store| store.replace(used.clone()));
            let record = || held.with_attempt(|attempt| attempt.record_use(&used));
            Ok(taken.await?.then(record))
        })
        .await
    }

    /// A grant is used. Whatever changed until now counts.
    fn used(
        &self,
        grant: &ApprovalRequest,
        used: ApprovalRequest,
        bindings: Bindings,
        now: OffsetDateTime,
    ) -> End {
        let judged = self.judge();
        match judged.decision {
            Decision::Deny => End::Denied(judged),
            Decision::RequireApproval if !self.is_answered_by(grant, bindings, &judged, now) => {
                End::Refused(used, judged)
            }
            Decision::Allow | Decision::RequireApproval => End::Permit(Some(used), judged),
        }
    }

    fn question(&self, judged: &Judged) -> Result<Question, ApprovalError> {
        let arguments = self.copy.arguments.iter();
        let arguments: Vec<_> = arguments.map(ExactArgument::lend).collect();
        // More than the summary has: that may be cut before it comes to a secret.
        let mut redactions = self.redactions.clone();
        let lent = Arguments::Captured(&arguments);
        let shown = shown_arguments(lent, &self.authority.redactor, &mut redactions);
        let (arguments, paths) = shown.ok_or_else(|| {
            let message = "its arguments cannot be shown whole; pass less beside secrets";
            ApprovalError::new(ApprovalErrorKind::Inexact, message)
        })?;
        Ok(Question {
            action: self.with_attempt(|attempt| attempt.action_with(arguments, paths)),
            acting_for: self
                .authority
                .parties()
                .skip(1)
                .map(str::to_owned)
                .collect(),
            input_summary: self.input_summary.clone(),
            redacted: redactions.iter().map(str::to_owned).collect(),
            reason: judged.reason.clone(),
            rule: judged.rule.clone().unwrap_or_default(),
            policy: judged.policy.clone(),
            terms: judged.terms.clone(),
        })
    }
}

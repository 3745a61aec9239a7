//! A call on its way through the pipeline, and what is recorded of its decision.

use std::borrow::Cow;
use std::time::Instant;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::span::CallSpan;
use super::{Authority, Ruling, count};
use crate::action::ToolAction;
use crate::approval::{ApprovalError, ApprovalRequest};
use crate::arguments::{Call, own_arguments};
use crate::audit::{AuditError, AuditEvent, AuditRecord, Written};
use crate::error::{
    ApprovalRequired, ApprovalUnavailable, AuditUnavailable, GuardError, PolicyDenied,
};
use crate::observe::Histogram;
use crate::policy::{Decision, Facts};
use crate::secrets::Redactions;

/// A call that is being decided.
pub(super) struct Attempt<'a> {
    pub(super) authority: &'a Authority,
    pub(super) action_id: Uuid,
    pub(super) timestamp: OffsetDateTime,
    pub(super) span: &'a CallSpan,
    pub(super) input_summary: &'a str,
    /// The metadata as it may be shown.
    pub(super) shown_metadata: &'a Map<String, Value>,
    /// What was redacted in these.
    pub(super) redactions: &'a Redactions,
    pub(super) call: Call<'a>,
}

/// A decision, as it is recorded.
pub(super) struct Decided<'a> {
    pub(super) event: AuditEvent,
    pub(super) reason: Cow<'a, str>,
    pub(super) rule: Option<&'a str>,
    /// The digest of the policy that decided.
    pub(super) policy: &'a str,
    pub(super) request_id: Option<Uuid>,
}

impl<'a> Decided<'a> {
    /// What a policy decided, when nobody has been asked.
    pub(super) fn by(ruling: &Ruling<'a>) -> Self {
        Self {
            event: match ruling.verdict.decision() {
                Decision::Allow => AuditEvent::Allowed,
                Decision::Deny => AuditEvent::Denied,
                Decision::RequireApproval => AuditEvent::ApprovalRequired,
            },
            reason: ruling.verdict.reason().into(),
            rule: ruling.verdict.rule(),
            policy: ruling.policy.digest(),
            request_id: None,
        }
    }
}

impl Attempt<'_> {
    /// What the caller of a call gets that a policy does not allow.
    pub(super) fn refusal(&self, ruling: &Ruling<'_>, facts: &Facts<'_>) -> GuardError {
        let verdict = &ruling.verdict;
        if verdict.decision() == Decision::Deny {
            return GuardError::from(Box::new(PolicyDenied {
                action: self.action(),
                explanation: ruling.policy.explain_refusal(ruling.agent_id, facts),
            }));
        }
        GuardError::from(Box::new(ApprovalRequired {
            action: self.action(),
            reason: verdict.reason(),
            rule: verdict.rule().unwrap_or_default().to_owned(),
            request_id: None,
        }))
    }

    /// Refuses a call about which nobody can be asked, and records that.
    pub(super) fn unanswerable(&self, source: ApprovalError, ruling: &Ruling<'_>) -> GuardError {
        let action = self.action();
        let error = GuardError::from(Box::new(ApprovalUnavailable { action, source }));
        let mut decided = Decided::by(ruling);
        decided.reason = error.to_string().into();
        match self.record(decided) {
            Ok(_) => error,
            Err(source) => self.unrecorded(source),
        }
    }

    /// Records a decision.
    pub(super) fn record(&self, decided: Decided<'_>) -> Result<Written, AuditError> {
        let record = self.as_record(decided);
        // If that fails, it is told within the call's span.
        self.span.enter();
        let written = self.authority.audit_log.append(&record);
        self.span.exit();
        written
    }

    /// Records that a grant is used, which runs nothing yet.
    pub(super) fn record_use(&self, used: &ApprovalRequest) -> Result<Written, AuditError> {
        let question = used.question();
        let mut record = self.as_record(Decided {
            event: AuditEvent::ApprovalConsumed,
            reason: "".into(),
            rule: Some(&question.rule),
            policy: &question.policy,
            request_id: Some(used.id()),
        });
        record.reason = None;
        let people = used.approvals().iter();
        record.approvers = people.map(|vote| vote.approver.name().into()).collect();
        self.authority.audit_log.append_anew(&record)
    }

    fn as_record<'r>(&'r self, decided: Decided<'r>) -> AuditRecord<'r> {
        let mut record = AuditRecord::new(decided.event, self.action_id, self.shown_metadata);
        record.agent_id = self.call.agent_id.into();
        record.acting_for = self.authority.acting_for();
        record.tool_name = self.call.tool_name.into();
        record.operation = self.call.operation.into();
        record.risk_level = self.call.risk_level;
        record.input_summary = self.input_summary.into();
        record.reason = Some(decided.reason);
        record.rule = decided.rule.map(Cow::Borrowed);
        record.policy = Some(decided.policy.into());
        record.request_id = decided.request_id;
        record.redacted = self.redactions.iter().map(Cow::Borrowed).collect();
        record
    }

    /// Tells those who watch what was decided.
    pub(super) fn tell(&self, decision: Decision, started: Option<Instant>) {
        let decision = decision.as_str();
        self.span.decided(decision);
        count(
            self.authority,
            self.call.tool_name,
            self.call.operation,
            decision,
        );
        let Some(started) = started else { return };
        self.authority.audit_log.observing().tell(|observer| {
            let labels = [
                ("tool_name", self.call.tool_name),
                ("operation", self.call.operation),
                ("decision", decision),
            ];
            let seconds = started.elapsed().as_secs_f64();
            observer.record(Histogram::DecisionDuration, seconds, &labels);
        });
    }

    pub(super) fn unrecorded(&self, source: AuditError) -> GuardError {
        GuardError::from(Box::new(AuditUnavailable {
            action: self.action(),
            source,
        }))
    }

    /// The action as people and models may see it.
    pub(super) fn action(&self) -> ToolAction {
        let (arguments, path_arguments) = own_arguments(self.call.arguments, self.call.redactor);
        self.action_with(arguments, path_arguments)
    }

    /// The action with arguments as they may be shown.
    pub(super) fn action_with(
        &self,
        arguments: Map<String, Value>,
        path_arguments: Vec<String>,
    ) -> ToolAction {
        let mut action = ToolAction::new(
            self.call.agent_id.to_owned(),
            self.call.tool_name.to_owned(),
            self.call.operation.to_owned(),
        )
        .risk_level(self.call.risk_level);
        action.action_id = self.action_id;
        action.timestamp = self.timestamp;
        action.arguments = arguments;
        action.path_arguments = path_arguments;
        action.metadata.clone_from(self.shown_metadata);
        action
    }
}

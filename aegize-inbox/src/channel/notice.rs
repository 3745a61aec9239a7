//! What a channel tells: one request at one moment of its life.
//!
//! The invariant: it holds nothing that people at the inbox do not see; secrets were redacted when
//! the request was made.

use aegize_core::{ApprovalRequest, ApprovalTerms, ApprovalVote, EntitledApprover};
use aegize_store::DeliveryKind;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// One thing to tell, of a request as it is now.
#[derive(Debug)]
pub(super) struct Notice<'n> {
    pub(super) kind: DeliveryKind,
    pub(super) request: &'n ApprovalRequest,
    /// Where people reach the inbox, without a slash at the end.
    pub(super) url: Option<&'n str>,
    pub(super) now: OffsetDateTime,
}

impl Notice<'_> {
    /// What happened, as webhooks and commands are told it.
    pub(super) fn name(&self) -> String {
        match self.kind {
            DeliveryKind::Asked => "approval.requested".to_owned(),
            kind => format!("approval.{}", kind.as_str()),
        }
    }

    /// The same whenever this is told again, so that a receiver can drop what it has.
    pub(super) fn id(&self) -> String {
        format!("{}.{}", self.name(), self.request.id())
    }

    /// The request's page in the inbox.
    pub(super) fn link(&self) -> Option<String> {
        let id = self.request.id();
        self.url.map(|url| format!("{url}/requests/{id}"))
    }

    /// In the shape that Standard Webhooks recommends: `type`, `timestamp` and `data`.
    pub(super) fn to_json(&self) -> Value {
        let request = self.request;
        let question = request.question();
        let action = &question.action;
        json!({
            "type": self.name(),
            "timestamp": moment(self.now),
            "data": {
                "request_id": request.id(),
                "state": request.state(),
                "agent": action.agent_id,
                "acting_for": question.acting_for,
                "tool": action.tool_name,
                "operation": action.operation,
                "risk_level": action.risk_level,
                "environment": action.metadata.get("environment"),
                "arguments": action.arguments,
                "metadata": action.metadata,
                "redacted": question.redacted,
                "reason": question.reason,
                "rule": question.rule,
                "policy": question.policy,
                "terms": question.terms.iter().map(terms).collect::<Vec<_>>(),
                "asked": request.asked(),
                "created_at": moment(request.created_at()),
                "expires_at": moment(request.expires_at()),
                "approvals": request.approvals().iter().map(vote).collect::<Vec<_>>(),
                "refusal": request.refusal().map(vote),
                "link": self.link(),
            },
        })
    }
}

/// A time as texts have it.
fn moment(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

fn terms(terms: &ApprovalTerms) -> Value {
    json!({
        "approvers": names(terms.approvers()),
        "quorum": terms.quorum(),
        "escalate_to": names(terms.escalate_to()),
    })
}

/// People and groups, as policies write them.
pub(super) fn names(people: &[EntitledApprover]) -> Vec<String> {
    people.iter().map(ToString::to_string).collect()
}

fn vote(vote: &ApprovalVote) -> Value {
    json!({
        "approver": vote.approver.name(),
        "reason": vote.reason,
        "at": moment(vote.at),
    })
}

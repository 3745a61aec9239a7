//! A request for programs. Its shape is part of the command's interface: keys are added, and none is
//! renamed or removed.

use aegize::{ApprovalRequest, ApprovalTerms, ApprovalVote, Remember};
use serde_json::{Value, json};

use crate::layout::rfc3339;

pub(super) fn request(request: &ApprovalRequest) -> Value {
    let question = request.question();
    let action = &question.action;
    json!({
        "id": request.id(),
        "state": request.state(),
        "agent_id": action.agent_id,
        "acting_for": question.acting_for,
        "tool_name": action.tool_name,
        "operation": action.operation,
        "risk_level": action.risk_level,
        "arguments": action.arguments,
        "path_arguments": action.path_arguments,
        "metadata": action.metadata,
        "redacted": question.redacted,
        "input_summary": question.input_summary,
        "reason": question.reason,
        "rule": question.rule,
        "policy": question.policy,
        "terms": question.terms.iter().map(terms).collect::<Vec<_>>(),
        "asked": request.asked(),
        "created_at": rfc3339(request.created_at()),
        "updated_at": rfc3339(request.updated_at()),
        "expires_at": rfc3339(request.expires_at()),
        "approvals": request.approvals().iter().map(vote).collect::<Vec<_>>(),
        "refusal": request.refusal().map(vote),
        "remember": request.remember().map(remember),
        "uses": request.uses(),
        "consumed_by": request.consumed_by(),
    })
}

fn terms(terms: &ApprovalTerms) -> Value {
    let names = |entitled: &[_]| entitled.iter().map(ToString::to_string).collect::<Vec<_>>();
    let seconds = |time: Option<std::time::Duration>| time.map(|time| time.as_secs());
    json!({
        "approvers": names(terms.approvers()),
        "quorum": terms.quorum(),
        "expires_in_s": seconds(terms.expires_in()),
        "remember_s": seconds(terms.remember()),
        "remind_after_s": seconds(terms.remind_after()),
        "escalate_to": names(terms.escalate_to()),
    })
}

fn vote(vote: &ApprovalVote) -> Value {
    json!({
        "approver": vote.approver.name(),
        "groups": vote.approver.groups(),
        "reason": vote.reason,
        "remember": vote.remember.as_ref().map(remember),
        "at": rfc3339(vote.at),
    })
}

fn remember(remember: &Remember) -> Value {
    json!({
        "time_s": remember.time().as_secs(),
        "uses": remember.uses(),
        "conditions": remember.stated_conditions(),
    })
}

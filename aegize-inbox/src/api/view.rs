//! A request as programs see it: a form of its own, which stays when that of stores changes.

use aegize_core::{
    ApprovalList, ApprovalRequest, ApprovalState, ApprovalTerms, ApprovalVote, Approver, Remember,
};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::words::stamp;

/// A person.
#[derive(Serialize)]
pub(super) struct PersonView<'a> {
    name: &'a str,
    groups: &'a [String],
}

impl<'a> From<&'a Approver> for PersonView<'a> {
    fn from(approver: &'a Approver) -> Self {
        Self {
            name: approver.name(),
            groups: approver.groups(),
        }
    }
}

/// A part of a list, and where the next begins.
#[derive(Serialize)]
pub(super) struct ListView<'a> {
    requests: Vec<RequestView<'a>>,
    /// What to give as `before` for the next part.
    next: Option<Uuid>,
    /// What was met among them and cannot be read.
    unreadable: &'a [Uuid],
}

impl<'a> ListView<'a> {
    pub(super) fn new(found: &'a ApprovalList, most: usize) -> Self {
        let requests = &found.requests;
        let last = requests.last().filter(|_| requests.len() == most);
        Self {
            requests: requests.iter().map(RequestView::from).collect(),
            next: last.map(ApprovalRequest::id),
            unreadable: &found.unreadable,
        }
    }
}

/// A request.
#[derive(Serialize)]
pub(super) struct RequestView<'a> {
    id: Uuid,
    state: ApprovalState,
    created_at: String,
    updated_at: String,
    expires_at: String,
    asked: u64,
    agent: &'a str,
    acting_for: &'a [String],
    tool: &'a str,
    operation: &'a str,
    risk: &'static str,
    action_id: Uuid,
    arguments: &'a Map<String, Value>,
    path_arguments: &'a [String],
    metadata: &'a Map<String, Value>,
    redacted: &'a [String],
    reason: &'a str,
    rule: &'a str,
    policy: &'a str,
    terms: Vec<TermsView>,
    approvals: Vec<VoteView<'a>>,
    refusal: Option<VoteView<'a>>,
    remember: Option<RememberView<'a>>,
    consumed_by: &'a [Uuid],
}

impl<'a> From<&'a ApprovalRequest> for RequestView<'a> {
    fn from(request: &'a ApprovalRequest) -> Self {
        let question = request.question();
        let action = &question.action;
        Self {
            id: request.id(),
            state: request.state(),
            created_at: stamp(request.created_at()),
            updated_at: stamp(request.updated_at()),
            expires_at: stamp(request.expires_at()),
            asked: request.asked(),
            agent: &action.agent_id,
            acting_for: &question.acting_for,
            tool: &action.tool_name,
            operation: &action.operation,
            risk: action.risk_level.as_str(),
            action_id: action.action_id,
            arguments: &action.arguments,
            path_arguments: &action.path_arguments,
            metadata: &action.metadata,
            redacted: &question.redacted,
            reason: &question.reason,
            rule: &question.rule,
            policy: &question.policy,
            terms: question.terms.iter().map(TermsView::from).collect(),
            approvals: request.approvals().iter().map(VoteView::from).collect(),
            refusal: request.refusal().map(VoteView::from),
            remember: request.remember().map(RememberView::from),
            consumed_by: request.consumed_by(),
        }
    }
}

/// On whose word the call may run.
#[derive(Serialize)]
struct TermsView {
    approvers: Vec<String>,
    quorum: u32,
    expires_in_seconds: Option<u64>,
    remember_seconds: Option<u64>,
    remind_after_seconds: Option<u64>,
    escalate_to: Vec<String>,
}

impl From<&ApprovalTerms> for TermsView {
    fn from(terms: &ApprovalTerms) -> Self {
        Self {
            approvers: terms.approvers().iter().map(ToString::to_string).collect(),
            quorum: terms.quorum(),
            expires_in_seconds: terms.expires_in().map(|time| time.as_secs()),
            remember_seconds: terms.remember().map(|time| time.as_secs()),
            remind_after_seconds: terms.remind_after().map(|time| time.as_secs()),
            escalate_to: terms
                .escalate_to()
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }
}

/// One person's word.
#[derive(Serialize)]
struct VoteView<'a> {
    by: PersonView<'a>,
    at: String,
    reason: Option<&'a str>,
    remember: Option<RememberView<'a>>,
}

impl<'a> From<&'a ApprovalVote> for VoteView<'a> {
    fn from(vote: &'a ApprovalVote) -> Self {
        Self {
            by: PersonView::from(&vote.approver),
            at: stamp(vote.at),
            reason: vote.reason.as_deref(),
            remember: vote.remember.as_ref().map(RememberView::from),
        }
    }
}

/// What a grant is extended to.
#[derive(Serialize)]
struct RememberView<'a> {
    seconds: u64,
    uses: u32,
    conditions: Option<&'a str>,
}

impl<'a> From<&'a Remember> for RememberView<'a> {
    fn from(remember: &'a Remember) -> Self {
        Self {
            seconds: remember.time().as_secs(),
            uses: remember.uses(),
            conditions: remember.stated_conditions(),
        }
    }
}

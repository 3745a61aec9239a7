//! Terms, and what they still lack, in words.

use std::collections::BTreeSet;

use aegize::{ApprovalRequest, ApprovalTerms, ApprovalVote, EntitledApprover};

use crate::layout::duration;

/// Whose word a rule asks for: `2 of alice@acme.com, group:ops; within 10 min 0 s`.
pub(super) fn terms(terms: &ApprovalTerms) -> String {
    let mut told = vec![needed(terms, terms.quorum())];
    if let Some(time) = terms.expires_in() {
        told.push(format!("within {}", of(time)));
    }
    if let Some(time) = terms.remember() {
        told.push(format!("may be remembered for {}", of(time)));
    }
    if let Some(time) = terms.remind_after() {
        let also = if terms.escalate_to().is_empty() {
            String::new()
        } else {
            format!(", as are {}", names(terms.escalate_to()))
        };
        told.push(format!("reminded after {}{also}", of(time)));
    }
    told.join("; ")
}

/// What each rule's terms still lack; empty if nothing.
pub(super) fn missing(request: &ApprovalRequest) -> Vec<String> {
    let lacking = request.question().terms.iter().filter_map(|terms| {
        let counted: BTreeSet<_> = request
            .approvals()
            .iter()
            .map(|vote| &vote.approver)
            .filter(|person| terms.entitles(person.name(), person.groups()))
            .map(|person| person.name().to_lowercase())
            .collect();
        let counted = u32::try_from(counted.len()).unwrap_or(u32::MAX);
        let more = terms.quorum().saturating_sub(counted);
        (more > 0).then(|| needed(terms, more))
    });
    lacking.collect()
}

/// So many of those whom a rule names.
fn needed(terms: &ApprovalTerms, count: u32) -> String {
    let mut named = terms.approvers().to_vec();
    if named.is_empty() {
        return if count == 1 {
            "one person, whoever that is".to_owned()
        } else {
            format!("{count} people, whoever they are")
        };
    }
    named.extend_from_slice(terms.escalate_to());
    format!("{count} of {}", names(&named))
}

fn names(entitled: &[EntitledApprover]) -> String {
    let names: Vec<_> = entitled.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn of(time: std::time::Duration) -> String {
    duration(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

/// Who said what: `alice@acme.com: as agreed`.
pub(super) fn vote(vote: &ApprovalVote) -> String {
    let mut told = vote.approver.name().to_owned();
    if let Some(reason) = &vote.reason {
        told = format!("{told}: {reason}");
    }
    if let Some(remember) = &vote.remember {
        told = format!("{told} (to be remembered for {remember})");
    }
    told
}

/// For what else a grant counts, and how much of that is used.
pub(super) fn remembered(request: &ApprovalRequest) -> Option<String> {
    let used = request.consumed_by().len();
    let told = |remember| format!("{remember}; {used} used");
    request.remember().map(told)
}

/// Who makes the call, and for whom.
pub(super) fn agent(request: &ApprovalRequest) -> String {
    let question = request.question();
    if question.acting_for.is_empty() {
        question.action.agent_id.to_string()
    } else {
        let parties = question.acting_for.join(", ");
        format!("{} for {parties}", question.action.agent_id)
    }
}

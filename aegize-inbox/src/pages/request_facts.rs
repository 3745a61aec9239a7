//! What is known of a request: the call, why it needs a person, who said what, and earlier ones.

use aegize_core::{ApprovalRequest, ApprovalState, ApprovalTerms, ApprovalVote};
use maud::{Markup, html};
use time::OffsetDateTime;

use super::parts;
use crate::shown::{self, Line};
use crate::words;

/// How many earlier requests are listed.
const LISTED: usize = 8;

/// The arguments, one in a row.
pub(super) fn arguments(request: &ApprovalRequest) -> Markup {
    let question = request.question();
    let action = &question.action;
    let is_redacted = !question.redacted.is_empty();
    html! {
        section aria-labelledby="arguments-title" {
            h2 #arguments-title { "Arguments" }
            @if action.arguments.is_empty() {
                p.empty { "none" }
            } @else {
                table.values { tbody {
                    @for (name, value) in &action.arguments {
                        tr {
                            th scope="row" {
                                (Line(name))
                                @if action.path_arguments.contains(name) { " " span.kind { "path" } }
                            }
                            td { (shown::value(value, is_redacted)) }
                        }
                    }
                } }
            }
            @if is_redacted {
                p.hint {
                    "Secrets are not shown, and not kept: "
                    @for (index, name) in question.redacted.iter().enumerate() {
                        @if index > 0 { ", " }
                        code { (Line(name)) }
                    }
                    ". The approval counts for exactly the values that the call has."
                }
            }
        }
    }
}

/// Why the call needs a person, and which.
pub(super) fn reason(request: &ApprovalRequest) -> Markup {
    let question = request.question();
    html! {
        section aria-labelledby="reason-title" {
            h2 #reason-title { "Why it needs a person" }
            p.reason { (Line(&question.reason)) }
            table.values { tbody {
                tr { th scope="row" { "Rule" } td { code { (Line(&question.rule)) } } }
                tr { th scope="row" { "Policy" } td { code.digest { (Line(&question.policy)) } } }
                @for terms in &question.terms {
                    tr { th scope="row" { "Terms" } td { (in_words(request, terms)) } }
                }
                tr { th scope="row" { "Request" } td { code.id { (request.id()) } } }
                tr { th scope="row" { "Attempt" } td { code.id { (question.action.action_id) } } }
                @for attempt in request.consumed_by() {
                    tr { th scope="row" { "Used by" } td { code.id { (attempt) } } }
                }
            } }
        }
    }
}

/// Terms as people say them, and how far they are met.
fn in_words(request: &ApprovalRequest, terms: &ApprovalTerms) -> Markup {
    let people = words::count(terms.quorum().into(), "person", "people");
    html! {
        (people)
        @if terms.approvers().is_empty() {
            ", anyone but the agent"
        } @else {
            " of "
            @for (index, approver) in terms.approvers().iter().enumerate() {
                @if index > 0 { ", " }
                code { (Line(&approver.to_string())) }
            }
        }
        @if let Some(time) = terms.expires_in() {
            @let time = time::Duration::try_from(time).unwrap_or(time::Duration::MAX);
            ", within " (words::span(time))
        }
        @if let Some(time) = terms.remind_after() {
            @let time = time::Duration::try_from(time).unwrap_or(time::Duration::MAX);
            "; reminded after " (words::span(time))
        }
        @for (index, approver) in terms.escalate_to().iter().enumerate() {
            @if index == 0 { ", along with " } @else { ", " }
            code { (Line(&approver.to_string())) }
        }
        " " span.kind { (parts::counted(request, terms)) " so far" }
    }
}

/// Facts beside the arguments.
pub(super) fn metadata(request: &ApprovalRequest) -> Markup {
    let question = request.question();
    html! {
        @if !question.action.metadata.is_empty() {
            section aria-labelledby="metadata-title" {
                h2 #metadata-title { "Beside the arguments" }
                table.values { tbody {
                    @for (name, value) in &question.action.metadata {
                        tr {
                            th scope="row" { (Line(name)) }
                            td { (shown::value(value, !question.redacted.is_empty())) }
                        }
                    }
                } }
            }
        }
    }
}

/// Who said what so far.
pub(super) fn votes(request: &ApprovalRequest, now: OffsetDateTime) -> Markup {
    let verb = if request.state() == ApprovalState::Revoked {
        "took it back"
    } else {
        "rejected"
    };
    let approvals = request.approvals().iter().map(|vote| (vote, "approved"));
    let all: Vec<_> = approvals
        .chain(request.refusal().map(|vote| (vote, verb)))
        .collect();
    html! {
        @if !all.is_empty() {
            ul.votes { @for (vote, verb) in all { (voice(vote, verb, now)) } }
        }
    }
}

fn voice(vote: &ApprovalVote, verb: &str, now: OffsetDateTime) -> Markup {
    html! {
        li {
            p { strong { (Line(vote.approver.name())) } " " (verb) " " (parts::ago(vote.at, now)) }
            @if let Some(reason) = &vote.reason {
                blockquote { (shown::Block(reason)) }
            }
            @if let Some(remember) = &vote.remember {
                p.hint { "to be remembered: " (Line(&remember.to_string())) }
            }
        }
    }
}

/// What became of earlier calls of the same operation by the same agent.
pub(super) fn similar(similar: &[ApprovalRequest], now: OffsetDateTime) -> Markup {
    let in_states = |states: &[ApprovalState]| {
        let found = similar
            .iter()
            .filter(|request| states.contains(&request.state()));
        number(found.count())
    };
    let approved = in_states(&[ApprovalState::Granted, ApprovalState::Consumed]);
    let refused = in_states(&[ApprovalState::Rejected, ApprovalState::Revoked]);
    let waiting = in_states(&[ApprovalState::Requested]);
    let unanswered = in_states(&[ApprovalState::Expired, ApprovalState::Withdrawn]);
    html! {
        section aria-labelledby="similar-title" {
            h2 #similar-title { "Calls like this before" }
            @if similar.is_empty() {
                p.empty { "none: this agent asks for this for the first time" }
            } @else {
                p {
                    "Of the last " (words::count(number(similar.len()), "call", "calls")) ": "
                    strong { (approved) " approved" } ", "
                    strong { (refused) " rejected or taken back" } ", "
                    (unanswered) " without an answer"
                    @if waiting > 0 { ", " (waiting) " waiting" }
                    "."
                }
                ol.earlier {
                    @for request in similar.iter().take(LISTED) {
                        li {
                            a href={ "/requests/" (request.id()) } { (summary(request)) }
                            " " (parts::state(request)) " " (parts::ago(request.created_at(), now))
                        }
                    }
                }
            }
        }
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn summary(request: &ApprovalRequest) -> Markup {
    let summary = &request.question().input_summary;
    html! {
        @if summary.is_empty() { "no arguments" } @else { span.summary { (Line(summary)) } }
    }
}

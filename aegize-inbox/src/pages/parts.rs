//! What several pages show of a request.

use aegize_core::{ApprovalRequest, ApprovalState, ApprovalTerms, RiskLevel};
use maud::{Markup, html};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shown::Line;
use crate::words;

/// How much harm it could do.
pub(super) fn risk(level: RiskLevel) -> Markup {
    html! { span class={ "risk " (level) } { (level) span.unheard { " risk" } } }
}

/// Where it stands, in a word.
pub(super) fn state(request: &ApprovalRequest) -> Markup {
    html! { span class={ "state " (request.state()) } { (state_word(request.state())) } }
}

/// The word for a state.
pub(super) fn state_word(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Requested => "waiting",
        ApprovalState::Granted => "approved",
        ApprovalState::Consumed => "used",
        ApprovalState::Rejected => "rejected",
        ApprovalState::Expired => "expired",
        ApprovalState::Revoked => "revoked",
        ApprovalState::Withdrawn => "withdrawn",
    }
}

/// When that was, kept current by the script.
pub(super) fn ago(time: OffsetDateTime, now: OffsetDateTime) -> Markup {
    html! {
        time data-ago datetime=(words::stamp(time)) title=(words::moment(time)) {
            (words::ago(time, now))
        }
    }
}

/// How much time is left, kept current by the script.
pub(super) fn left(time: OffsetDateTime, now: OffsetDateTime) -> Markup {
    let is_soon = time - now < time::Duration::minutes(5);
    html! {
        time.soon[is_soon] data-left datetime=(words::stamp(time)) title=(words::moment(time)) {
            (words::left(time, now))
        }
    }
}

/// How many approvals count for terms.
pub(super) fn counted(request: &ApprovalRequest, terms: &ApprovalTerms) -> u32 {
    let votes = request.approvals().iter();
    let counted = votes.filter(|vote| terms.entitles(vote.approver.name(), vote.approver.groups()));
    u32::try_from(counted.count()).unwrap_or(u32::MAX)
}

/// How far it is, where more than one person has to approve: those terms that lack the most.
pub(super) fn progress(request: &ApprovalRequest) -> Markup {
    let terms = request.question().terms.iter();
    let terms = terms.max_by_key(|terms| terms.quorum().saturating_sub(counted(request, terms)));
    let needed = terms.map(|terms| (counted(request, terms), terms.quorum()));
    html! {
        @if let Some((counted, needed)) = needed.filter(|(_, needed)| *needed > 1) {
            span.progress {
                span.dots aria-hidden="true" {
                    @for place in 0..needed.min(8) { span.dot.filled[place < counted] {} }
                }
                (counted.min(needed)) " of " (needed) " approvals"
            }
        }
    }
}

/// Where the agent runs, if it says so.
pub(super) fn environment(request: &ApprovalRequest) -> Markup {
    let environment = request.question().action.metadata.get("environment");
    html! {
        @if let Some(Value::String(environment)) = environment {
            " in " span.environment { (Line(environment)) }
        }
    }
}

/// Which requests are left out, since they cannot be read. The page of one tells why.
pub(super) fn unreadable(ids: &[Uuid]) -> Markup {
    let count = words::count(ids.len() as u64, "request", "requests");
    html! {
        @if !ids.is_empty() {
            p.hint role="note" {
                (count) " cannot be read:"
                @for id in ids { " " a href={ "/requests/" (id) } { (id) } }
            }
        }
    }
}

/// A request in a list.
pub(super) fn entry(request: &ApprovalRequest, now: OffsetDateTime) -> Markup {
    let question = request.question();
    let action = &question.action;
    let is_waiting = request.state() == ApprovalState::Requested;
    html! {
        li class={ "entry " (action.risk_level) } data-id=(request.id()) {
            div.what {
                h3 {
                    a #{ "request-" (request.id()) } href={ "/requests/" (request.id()) } {
                        span.tool { (Line(&action.tool_name)) }
                        span.operation { (Line(&action.operation)) }
                    }
                }
                p.who {
                    span.agent { (Line(&action.agent_id)) }
                    (environment(request))
                    @for principal in &question.acting_for { " for " (Line(principal)) }
                }
                @if !question.input_summary.is_empty() {
                    p.summary { (Line(&question.input_summary)) }
                }
            }
            div.marks {
                (risk(action.risk_level))
                @if is_waiting {
                    @if request.asked() > 1 {
                        span.asked { "asked by " (request.asked()) " calls" }
                    }
                    (progress(request))
                } @else {
                    (state(request))
                    @if request.remember().is_some() {
                        span.asked { (request.consumed_by().len()) " of " (request.uses()) " calls" }
                    }
                }
            }
            div.times {
                @if !request.state().is_end() { (left(request.expires_at(), now)) }
                (ago(request.created_at(), now))
            }
        }
    }
}

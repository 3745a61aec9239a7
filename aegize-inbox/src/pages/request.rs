//! One request in full, and the form that decides about it.

use std::time::Duration;

use aegize_core::{ApprovalQuery, ApprovalRequest, ApprovalState, ApprovalTerms};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use time::OffsetDateTime;
use uuid::Uuid;

use super::deliveries;
use super::failure::Failure;
use super::frame::{Counts, Frame};
use super::parts;
use super::request_facts as facts;
use crate::app::App;
use crate::metrics::Outcome;
use crate::shown::Line;
use crate::viewer::Viewer;
use crate::words;

/// How many earlier requests of the same kind are looked at.
const SIMILAR: usize = 50;

/// What somebody is told beside the request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told {
    /// What they decided could no longer be.
    TooLate(Outcome),
}

/// Answers with one request.
pub(crate) async fn request(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = Uuid::try_parse(&id) else {
        return Failure::no_page().into_response();
    };
    match request_page(&app, &viewer, id, None).await {
        Ok(page) => page.into_response(),
        Err(failure) => failure.into_response(),
    }
}

/// The page of one request.
pub(crate) async fn request_page(
    app: &App,
    viewer: &Viewer,
    id: Uuid,
    told: Option<Told>,
) -> Result<Markup, Failure> {
    let news = app.news().await?;
    let request = app.desk.request(id).await?;
    let action = &request.question().action;
    let mut query = ApprovalQuery::newest(SIMILAR);
    query.agent_id = Some(action.agent_id.to_string());
    query.tool_name = Some(action.tool_name.to_string());
    query.operation = Some(action.operation.to_string());
    query.before = Some(id);
    let similar = app.desk.requests(&query).await?;
    let told_in_channels = app.outbox.of_request(id).await?;
    let counts = Counts::of(app).await?;
    let now = OffsetDateTime::now_utc();

    let title = format!("{} {}", action.tool_name, action.operation);
    let content = html! {
        article.request {
            @if let Some(told) = told { (told_too_late(told, &request)) }
            header.request {
                p.crumb { a href="/" { "Waiting" } }
                h1 {
                    span.tool { (Line(&action.tool_name)) }
                    span.operation { (Line(&action.operation)) }
                }
                p.who {
                    span.agent { (Line(&action.agent_id)) }
                    (parts::environment(&request))
                    @for principal in &request.question().acting_for { " on behalf of " (Line(principal)) }
                }
                p.marks {
                    (parts::risk(action.risk_level)) (parts::state(&request))
                    @if request.asked() > 1 { span.asked { "asked by " (request.asked()) " calls" } }
                    span { "asked " (parts::ago(request.created_at(), now)) }
                }
            }
            div.columns {
                div.facts { (facts::arguments(&request)) }
                aside.verdict aria-label="Decision" {
                    (standing(&request, now))
                    (facts::votes(&request, now))
                    (decision(&request, viewer, now))
                }
                div.facts {
                    (facts::reason(&request))
                    (facts::metadata(&request))
                    (facts::similar(&similar.requests, now))
                    (parts::unreadable(&similar.unreadable))
                    (deliveries::of_request(&told_in_channels))
                }
            }
        }
    };
    let says = format!("this request is {}", parts::state_word(request.state()));
    let frame = Frame::titled(&title).of(viewer, "request", counts);
    Ok(frame.live(news, says).page(&content))
}

fn told_too_late(told: Told, request: &ApprovalRequest) -> Markup {
    let Told::TooLate(outcome) = told;
    let state = parts::state_word(request.state());
    html! {
        section.notice role="alert" {
            @if request.state() == ApprovalState::Requested {
                p { "Your word was not counted: you have already approved this, and it waits for another person." }
            } @else {
                p {
                    "Nothing was " (outcome.as_str()) " by you just now: this request was already "
                    strong { (state) } " when your answer came."
                }
            }
        }
    }
}

/// Where it stands, and what that means.
fn standing(request: &ApprovalRequest, now: OffsetDateTime) -> Markup {
    let refused_by = request.refusal().map(|vote| vote.approver.name());
    html! {
        div class={ "standing " (request.state()) } {
            @match request.state() {
                ApprovalState::Requested => {
                    p.big { "Waits for a person" }
                    p { (parts::left(request.expires_at(), now)) ", then it expires" }
                    (parts::progress(request))
                }
                ApprovalState::Granted => {
                    p.big { "Approved" }
                    p { (what_may_run(request)) ". " (parts::left(request.expires_at(), now)) }
                }
                ApprovalState::Consumed => {
                    p.big { "Approved and used" }
                    p { "The last call that may used it " (parts::ago(request.updated_at(), now)) }
                }
                ApprovalState::Rejected => {
                    p.big { "Rejected" }
                    p {
                        @if let Some(name) = refused_by { "by " (Line(name)) ", " }
                        (parts::ago(request.updated_at(), now))
                        @if now < request.expires_at() {
                            ". The same call is refused until " (words::moment(request.expires_at()))
                        }
                    }
                }
                ApprovalState::Expired => {
                    p.big { "Expired" }
                    @if request.approvals().is_empty() {
                        p { "Nobody answered in time. The agent can ask again." }
                    } @else {
                        p { "It was not approved by enough people, or not used, in time. The agent can ask again." }
                    }
                }
                ApprovalState::Revoked => {
                    p.big { "Taken back" }
                    p {
                        @if let Some(name) = refused_by { "by " (Line(name)) ", " }
                        (parts::ago(request.updated_at(), now)) ", before any call used it"
                    }
                }
                ApprovalState::Withdrawn => {
                    p.big { "Withdrawn" }
                    p { "The call that asked has gone away." }
                }
            }
        }
    }
}

/// What a grant lets run.
fn what_may_run(request: &ApprovalRequest) -> Markup {
    html! {
        @match request.remember() {
            None => "One call may run, exactly this one",
            Some(remember) => {
                "Remembered: " (Line(&remember.to_string())) "; "
                (request.consumed_by().len()) " of " (request.uses()) " used"
            }
        }
    }
}

/// The form for whoever may decide, or why this person may not.
fn decision(request: &ApprovalRequest, viewer: &Viewer, now: OffsetDateTime) -> Markup {
    let approver = &viewer.approver;
    let path = format!("/requests/{}", request.id());
    let refused = match request.state() {
        ApprovalState::Requested => request.approve(approver, None, None, now).err(),
        ApprovalState::Granted => request.revoke(approver, None, now).err(),
        _ => return html! {},
    };
    let may_reject = request.reject(approver, None, now).is_ok();
    let may_approve = refused.is_none() && request.state() == ApprovalState::Requested;
    let may_revoke = refused.is_none() && request.state() == ApprovalState::Granted;
    html! {
        @if let Some(refused) = &refused {
            p.hint { (Line(&refused.to_string())) "." }
        }
        @if may_approve || may_reject || may_revoke {
            form #decision.decision method="post" action={ (path) "/reject" } {
                // Enter in a field would press the first button, which would be the one that approves.
                button type="submit" hidden disabled {}
                input type="hidden" name="form_token" value=(viewer.session.form_token);
                label for="reason" { "Reason " span.optional { "kept in the log; if you reject it, told to the agent" } }
                textarea #reason name="reason" rows="3" maxlength="1000" {}
                @if let Some(longest) = longest_memory(request).filter(|_| may_approve) {
                    (remembering(longest))
                }
                div.buttons {
                    @if may_approve {
                        button #approve.primary type="submit" formaction={ (path) "/approve" } { "Approve" }
                    }
                    @if may_reject {
                        button #reject.danger type="submit" formaction={ (path) "/reject" } { "Reject" }
                    }
                    @if may_revoke {
                        button #revoke.danger type="submit" formaction={ (path) "/revoke" } { "Take back" }
                    }
                }
            }
        }
        @if may_approve {
            p.hint { "Approving lets this call run once, with these arguments and no others." }
        }
    }
}

/// For how long a grant may be extended to further calls, if all rules that ask let it be.
fn longest_memory(request: &ApprovalRequest) -> Option<Duration> {
    let terms = request.question().terms.iter();
    let times: Option<Vec<_>> = terms.map(ApprovalTerms::remember).collect();
    times?.into_iter().min().filter(|time| time.as_secs() >= 60)
}

/// What a grant may be extended to.
fn remembering(longest: Duration) -> Markup {
    let longest = longest.as_secs() / 60;
    html! {
        details.remember {
            summary { "Remember this approval" }
            label.check {
                input type="checkbox" name="remember" value="yes";
                " Further calls may use it, too"
            }
            div.pair {
                label {
                    span { "Minutes, up to " (longest) }
                    input type="number" name="minutes" min="1" max=(longest) value=(longest.min(60));
                }
                label {
                    span { "Calls in all" }
                    input type="number" name="uses" min="1" max="1000" value="5";
                }
            }
            label {
                span { "Where the arguments may differ, in the words of policies" }
                textarea name="conditions" rows="2" spellcheck="false" placeholder="args: {amount: {max: 100}}"
                    aria-describedby="conditions-hint" {}
            }
            p #conditions-hint.hint {
                "Without any, only the very same call. Arguments that they do not name may be anything."
            }
        }
    }
}

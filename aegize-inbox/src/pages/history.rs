//! All requests, whatever became of them.

use aegize_core::ApprovalState;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use time::OffsetDateTime;

use super::failure::Failure;
use super::frame::{Counts, Frame};
use super::parts;
use crate::app::App;
use crate::selection::{Selection, Unselectable};
use crate::viewer::Viewer;

/// How many requests a page shows.
const MOST: usize = 50;

impl From<Unselectable> for Failure {
    fn from(unselectable: Unselectable) -> Self {
        let text = unselectable.to_string();
        Self::new(StatusCode::BAD_REQUEST, "No such list", text)
    }
}

/// Answers with a page of the history.
pub(crate) async fn history(
    State(app): State<App>,
    viewer: Viewer,
    Query(selection): Query<Selection>,
) -> Response {
    match page(&app, &viewer, &selection).await {
        Ok(page) => page.into_response(),
        Err(failure) => failure.into_response(),
    }
}

async fn page(app: &App, viewer: &Viewer, selection: &Selection) -> Result<Markup, Failure> {
    let news = app.news().await?;
    let list = app.desk.requests(&selection.query(MOST)?).await?;
    let requests = list.requests;
    let counts = Counts::of(app).await?;
    let now = OffsetDateTime::now_utc();
    let older = requests.last().filter(|_| requests.len() == MOST);
    let is_newest = selection.before.is_empty();
    let content = html! {
        section aria-labelledby="history-title" {
            header.section { h1 #history-title { "History" } }
            (filters(selection))
            (parts::unreadable(&list.unreadable))
            @if requests.is_empty() {
                div.nothing {
                    p.big { "No requests" }
                    p { "None is like that. " a href="/history" { "Show all" } }
                }
            } @else {
                ol.entries { @for request in &requests { (parts::entry(request, now)) } }
            }
            p.more {
                @if !is_newest { a.button href="/history" { "Newest" } }
                @if let Some(oldest) = older {
                    a.button rel="next" href=(selection.address("/history", oldest.id())) { "Older" }
                }
            }
        }
    };
    let frame = Frame::titled("History").of(viewer, "history", counts);
    Ok(frame.live(news, String::new()).page(&content))
}

fn filters(selection: &Selection) -> Markup {
    let fields = [
        ("agent", "Agent", &selection.agent),
        ("tool", "Tool", &selection.tool),
        ("operation", "Operation", &selection.operation),
    ];
    html! {
        form #filters.filters method="get" action="/history" role="search" aria-label="Filter" {
            label {
                span { "State" }
                select name="state" {
                    option value="" { "any" }
                    @for state in ApprovalState::ALL {
                        option value=(state) selected[selection.state == state.as_str()] {
                            (parts::state_word(state))
                        }
                    }
                }
            }
            @for (name, label, value) in fields {
                label {
                    span { (label) }
                    input type="text" name=(name) value=(value) placeholder="any" spellcheck="false"
                        autocapitalize="off" autocomplete="off";
                }
            }
            button type="submit" { "Filter" }
        }
    }
}

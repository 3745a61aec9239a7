//! The first page: what waits for people, and what they have granted.

use aegize_core::{ApprovalQuery, ApprovalState};
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use time::OffsetDateTime;

use super::failure::Failure;
use super::frame::{Counts, Frame};
use super::parts;
use crate::app::App;
use crate::selection::Selection;
use crate::viewer::Viewer;
use crate::words;

/// How many requests a page shows.
const MOST: usize = 50;
/// How many grants.
const MOST_GRANTS: usize = 20;

/// Answers with the first page.
pub(crate) async fn waiting(
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
    let mut query = selection.query(MOST)?;
    query.states = vec![ApprovalState::Requested];
    let list = app.desk.requests(&query).await?;
    let requests = list.requests;
    let mut query = ApprovalQuery::newest(MOST_GRANTS);
    query.states = vec![ApprovalState::Granted];
    let granted = app.desk.requests(&query).await?;
    let grants = granted.requests;
    let unreadable = [list.unreadable, granted.unreadable].concat();
    // After the lists, which tell what has expired.
    let counts = Counts::of(app).await?;
    let waiting = counts.waiting;
    let now = OffsetDateTime::now_utc();
    let older = requests.last().filter(|_| requests.len() == MOST);
    let says = match waiting {
        0 => "nothing waits".to_owned(),
        _ => words::count(waiting, "request waits", "requests wait"),
    };
    let title = match waiting {
        0 => "Waiting".to_owned(),
        _ => format!("({waiting}) Waiting"),
    };
    let content = html! {
        section aria-labelledby="waiting-title" {
            header.section {
                h1 #waiting-title { "Waiting for a person" }
                @if waiting > 0 { p { (says) ", the newest first" } }
            }
            (parts::unreadable(&unreadable))
            @if requests.is_empty() {
                div.nothing {
                    p.big { "Nothing waits" }
                    p { "When an agent needs a person, its call is here." }
                }
            } @else {
                ol.entries { @for request in &requests { (parts::entry(request, now)) } }
            }
            @if let Some(oldest) = older {
                p.more { a.button rel="next" href=(selection.address("/", oldest.id())) { "Older" } }
            }
        }
        @if !grants.is_empty() {
            section aria-labelledby="grants-title" {
                header.section {
                    h2 #grants-title { "Approved, not used up" }
                    p { "open one to take it back" }
                }
                ol.entries { @for request in &grants { (parts::entry(request, now)) } }
            }
        }
    };
    let frame = Frame::titled(&title).of(viewer, "waiting", counts);
    Ok(frame.live(news, says).renewed().page(&content))
}

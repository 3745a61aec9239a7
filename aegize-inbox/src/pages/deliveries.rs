//! What channels were told of requests, and what they could not be told.

use aegize_store::{Delivery, DeliveryKind, DeliveryState, StoreError};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::failure::Failure;
use super::frame::{Counts, Frame};
use crate::app::App;
use crate::shown::Line;
use crate::viewer::Viewer;
use crate::words;

/// How many deliveries a page shows.
const MOST: usize = 100;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let title = "The store does not answer";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, title, error.to_string())
    }
}

/// Answers with the deliveries that fail.
pub(crate) async fn deliveries(State(app): State<App>, viewer: Viewer) -> Response {
    match page(&app, &viewer).await {
        Ok(page) => page.into_response(),
        Err(failure) => failure.into_response(),
    }
}

async fn page(app: &App, viewer: &Viewer) -> Result<Markup, Failure> {
    let news = app.news().await?;
    let problems = app.outbox.problems(MOST).await?;
    let counts = Counts::of(app).await?;
    let content = html! {
        section aria-labelledby="deliveries-title" {
            header.section {
                h1 #deliveries-title { "Failed deliveries" }
                @if !problems.is_empty() { p { "the latest failure first" } }
            }
            @if problems.is_empty() {
                div.nothing {
                    p.big { "All channels were told" }
                    p { "A message that could not be delivered is here, with the reason." }
                }
            } @else {
                ul.deliveries { @for delivery in &problems { (entry(delivery, true)) } }
            }
        }
    };
    let frame = Frame::titled("Failed deliveries").of(viewer, "deliveries", counts);
    Ok(frame.live(news, String::new()).page(&content))
}

/// What channels were told of one request.
pub(super) fn of_request(deliveries: &[Delivery]) -> Markup {
    html! {
        @if !deliveries.is_empty() {
            section aria-labelledby="channels-title" {
                h2 #channels-title { "Told in channels" }
                ul.deliveries { @for delivery in deliveries { (entry(delivery, false)) } }
            }
        }
    }
}

fn entry(delivery: &Delivery, is_linked: bool) -> Markup {
    let what = match delivery.kind {
        DeliveryKind::Asked => "people are asked",
        DeliveryKind::Reminded => "a reminder",
        DeliveryKind::Escalated => "others may answer, too",
        DeliveryKind::Granted => "it is approved",
        DeliveryKind::Ended => "it has ended",
        _ => delivery.kind.as_str(),
    };
    let attempts = words::count(delivery.attempts.into(), "attempt", "attempts");
    html! {
        li {
            p {
                strong { (Line(&delivery.channel)) } " "
                @if is_linked {
                    a href={ "/requests/" (delivery.request_id) } { (what) }
                    " of request " code { (delivery.request_id) }
                } @else {
                    (what)
                }
                " " (state(delivery)) " "
                @if delivery.attempts > 0 { span.soft { "after " (attempts) } }
            }
            @if let Some(error) = &delivery.error { p.hint { (Line(error)) } }
        }
    }
}

fn state(delivery: &Delivery) -> Markup {
    let (class, word) = match delivery.state {
        DeliveryState::Delivered => ("granted", "delivered"),
        DeliveryState::GivenUp => ("rejected", "given up"),
        _ if delivery.error.is_some() => ("requested", "failing"),
        _ => ("", "on its way"),
    };
    html! { span class={ "state " (class) } { (word) } }
}

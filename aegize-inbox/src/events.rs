//! A stream that tells pages when to look again.
//!
//! It carries numbers and nothing else: what has changed is on the page, for whoever may see it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::viewer::Viewer;

/// How long a stream is silent at most. Whether its session still holds is then asked again.
const SILENCE: Duration = Duration::from_secs(15);
/// How long it waits before it asks a store again that failed.
const PAUSE: Duration = Duration::from_secs(5);

/// What a page knows already.
#[derive(Deserialize)]
pub(crate) struct After {
    #[serde(default)]
    after: u64,
}

struct Listening {
    app: App,
    viewer: Viewer,
    after: u64,
    _permits: [OwnedSemaphorePermit; 2],
}

/// Tells whenever anything may have changed.
pub(crate) async fn events(
    State(app): State<App>,
    Query(After { after }): Query<After>,
    headers: HeaderMap,
) -> Response {
    let viewer = match Viewer::of(&app, &headers, false).await {
        Ok(Some(viewer)) => viewer,
        Ok(None) => return StatusCode::UNAUTHORIZED.into_response(),
        Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    let all = app.streams.clone().try_acquire_owned();
    let own = viewer.session.streams.clone().try_acquire_owned();
    let (Ok(all), Ok(own)) = (all, own) else {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    };
    let last = headers.get(HeaderName::from_static("last-event-id"));
    let last = last.and_then(|id| id.to_str().ok()?.parse().ok());
    let listening = Listening {
        app,
        viewer,
        after: last.unwrap_or(after),
        _permits: [all, own],
    };
    let events = stream::unfold(listening, async |mut listening| {
        let event = listening.next().await?;
        Some((Ok::<_, Infallible>(event), listening))
    });
    Sse::new(events).into_response()
}

impl Listening {
    /// The next event, unless the session has ended or the server stops.
    async fn next(&mut self) -> Option<Event> {
        let session = Arc::clone(&self.viewer.session);
        let left = self.app.sessions.left(&session)?;
        let mut stopping = self.app.stopping.clone();
        let news = tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return None,
            news = self.app.desk.news(self.after, left.min(SILENCE)) => news,
        };
        self.app.sessions.left(&session)?;
        Viewer::behind(&self.app, session).await.ok()??;
        match news {
            Ok(news) if news != self.after => {
                self.after = news;
                let number = news.to_string();
                Some(Event::default().event("news").id(&number).data(&number))
            }
            Ok(_) => Some(Event::default().comment("")),
            Err(_) => {
                tokio::time::sleep(PAUSE).await;
                Some(Event::default().comment(""))
            }
        }
    }
}

//! Who looks: the person behind a session, as the directory knows them now.

use std::sync::Arc;

use aegize_core::Approver;
use aegize_store::StoreError;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::app::App;
use crate::pages::Failure;
use crate::session::Session;

/// The person behind a session.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) approver: Approver,
    pub(crate) session: Arc<Session>,
}

/// The name of the cookie. With the prefix, browsers take it from nobody but this host by TLS.
pub(crate) fn cookie_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-aegize" } else { "aegize" }
}

impl Viewer {
    /// Whoever sends these headers; `is_use` if that is something that they do.
    pub(crate) async fn of(
        app: &App,
        headers: &HeaderMap,
        is_use: bool,
    ) -> Result<Option<Self>, StoreError> {
        let name = cookie_name(app.is_secure);
        let cookies = headers.get_all(header::COOKIE).iter();
        let mut cookies = cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .filter(|(found, _)| *found == name);
        // Two of one name: somebody put one beside ours.
        let session = match (cookies.next(), cookies.next()) {
            (Some((_, id)), None) => app.sessions.find(id, is_use),
            _ => None,
        };
        match session {
            Some(session) => Self::behind(app, session).await,
            None => Ok(None),
        }
    }

    /// The person of a session, unless their token is no longer accepted.
    pub(crate) async fn behind(
        app: &App,
        session: Arc<Session>,
    ) -> Result<Option<Self>, StoreError> {
        let token = app.directory.token(&session.token_id).await?;
        Ok(token.map(|token| Self {
            approver: token.approver,
            session,
        }))
    }
}

impl FromRequestParts<App> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        // A page that refreshes itself is no use of the session.
        let is_use = !parts.headers.contains_key("aegize-live");
        let viewer = Self::of(app, &parts.headers, is_use).await;
        let viewer = viewer.map_err(|_| Failure::no_directory().into_response())?;
        viewer.ok_or_else(|| {
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            // What was posted is gone with the session: back to the page it was posted from.
            let page = match (&parts.method, path.rsplit_once('/')) {
                (&Method::GET, _) | (_, None) => path,
                (_, Some((page, _))) => page,
            };
            let next = utf8_percent_encode(page, NON_ALPHANUMERIC);
            Redirect::to(&format!("/sign-in?next={next}")).into_response()
        })
    }
}

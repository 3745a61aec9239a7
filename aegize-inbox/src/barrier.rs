//! What stands before and after every handler.
//!
//! The invariant: no response leaves without the headers that keep browsers from being used against
//! people, and no handler's failure takes more than its own request.

#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;

use crate::app::App;
use crate::hosts;
use crate::pages::Failure;

/// How long a request may take, with all of its body.
const LONGEST: Duration = Duration::from_secs(30);

/// What browsers are told with everything.
const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // With `no-referrer`, browsers send `Origin: null` with forms, and there is nothing to check.
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

/// Catches panics, ends what takes too long, counts, and adds the headers.
pub(crate) async fn whole(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match tokio::time::timeout(LONGEST, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Failure::internal().at(&path),
        Err(_) => {
            let text = "the request took too long; look at what came of it before you repeat it";
            Failure::new(StatusCode::REQUEST_TIMEOUT, "Too slow", text).at(&path)
        }
    };
    app.metrics.answered(response.status());
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if app.is_secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

/// Lets nothing through that is for another host.
pub(crate) async fn own_host(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if app.hosts.are_meant_by(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    let text = "this inbox does not answer to that name; call it by its own, or start it with that \
                name as a further host";
    Failure::new(StatusCode::MISDIRECTED_REQUEST, "Another host", text).at(&path)
}

/// Lets no form through that another site made a browser send.
pub(crate) async fn own_origin(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_read || is_same_origin(request.headers()) {
        return next.run(request).await;
    }
    let text = "this did not come from a page of this inbox, and nothing was done; open the inbox and \
                decide there";
    Failure::new(StatusCode::FORBIDDEN, "From another site", text).into_response()
}

/// Whether a browser says that its page is one of ours. Says it nothing, it is not.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN);
    let site = headers.get("sec-fetch-site");
    let is_own_origin = origin.is_none_or(|origin| {
        let origin = origin.to_str().ok().and_then(|origin| {
            let plain = origin.strip_prefix("http://");
            plain.or_else(|| origin.strip_prefix("https://"))
        });
        match (origin, hosts::host(headers)) {
            (Some(origin), Some(host)) => origin.eq_ignore_ascii_case(host),
            _ => false,
        }
    });
    let is_own_site = site.is_none_or(|site| site == "same-origin");
    (origin.is_some() || site.is_some()) && is_own_origin && is_own_site
}

//! A page that tells what went wrong.

use aegize_core::{ApprovalError, ApprovalErrorKind};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use super::frame::Frame;
use crate::api::Problem;
use crate::shown::Line;

/// What went wrong, for a person.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    title: &'static str,
    text: String,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, title: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            title,
            text: text.into(),
        }
    }

    /// The failure for whoever asked at a path: a page, or for a program a problem.
    pub(crate) fn at(self, path: &str) -> Response {
        if path.starts_with("/api/") {
            Problem::new(self.status, self.text).into_response()
        } else {
            self.into_response()
        }
    }

    /// A mistake of this program.
    pub(crate) fn internal() -> Self {
        let text = "the inbox failed, and what was asked may have happened or not; look at the request \
                    again before you repeat it";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Something broke", text)
    }

    /// Nobody can be told from others.
    pub(crate) fn no_directory() -> Self {
        let text = "who you are cannot be told now, since the store or the file of approvers cannot be read; \
                    whoever runs this inbox has to look at it";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "No directory", text)
    }

    /// There is nothing at that address.
    pub(crate) fn no_page() -> Self {
        let text = "there is nothing at this address; all requests are in the history";
        Self::new(StatusCode::NOT_FOUND, "Nothing here", text)
    }
}

impl From<ApprovalError> for Failure {
    fn from(error: ApprovalError) -> Self {
        let (status, title) = status(error.kind());
        Self::new(status, title, error.to_string())
    }
}

/// What a kind of error is in HTTP, and in words.
pub(crate) fn status(kind: ApprovalErrorKind) -> (StatusCode, &'static str) {
    match kind {
        ApprovalErrorKind::NotFound => (StatusCode::NOT_FOUND, "No such request"),
        ApprovalErrorKind::State => (StatusCode::CONFLICT, "Too late"),
        ApprovalErrorKind::NotEntitled => (StatusCode::FORBIDDEN, "Not yours to decide"),
        ApprovalErrorKind::Store | ApprovalErrorKind::NoAnswer => {
            (StatusCode::SERVICE_UNAVAILABLE, "The store does not answer")
        }
        ApprovalErrorKind::Damaged => (StatusCode::SERVICE_UNAVAILABLE, "It cannot be read"),
        ApprovalErrorKind::NotRecorded => (StatusCode::INTERNAL_SERVER_ERROR, "Not recorded"),
        _ => (StatusCode::UNPROCESSABLE_ENTITY, "That cannot be done"),
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let page = Frame::titled(self.title).page(&html! {
            section.notice role="alert" {
                h1 { (self.title) }
                p { (Line(&self.text)) "." }
                p { a.button href="/" { "Back to the inbox" } }
            }
        });
        (self.status, page).into_response()
    }
}

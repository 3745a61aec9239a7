//! Why an answer of a channel is not taken, as problem details (RFC 9457).

use std::borrow::Cow;
use std::fmt;

use aegize_core::{ApprovalError, ApprovalErrorKind};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why an answer did not do what it was to do. It displays the reason.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    status: StatusCode,
    reason: Cow<'static, str>,
}

impl Refused {
    pub(super) const NOT_FOUND: Self =
        Self::new(StatusCode::NOT_FOUND, "this channel takes no answers");
    pub(super) const UNSIGNED: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "the message is not signed with the channel's secret",
    );
    pub(super) const STALE: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "the message is not of the last five minutes; check the clocks",
    );
    pub(super) const REPLAYED: Self =
        Self::new(StatusCode::CONFLICT, "this message was there before");
    pub(super) const UNKNOWN_APPROVER: Self = Self::new(
        StatusCode::FORBIDDEN,
        "whoever answers is not among the approvers",
    );
    pub(super) const UNAVAILABLE: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "approvals cannot be decided now; try again",
    );

    /// The only one, beside what could not be recorded, after which something may be decided.
    const UNSURE: Self = Self::new(
        StatusCode::GATEWAY_TIMEOUT,
        "the store did not answer in time, and it may be decided; look before it is repeated",
    );

    const fn new(status: StatusCode, reason: &'static str) -> Self {
        Self {
            status,
            reason: Cow::Borrowed(reason),
        }
    }

    pub(super) const fn malformed(reason: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    pub(super) fn by_desk(error: &ApprovalError) -> Self {
        let status = match error.kind() {
            ApprovalErrorKind::NotFound => StatusCode::NOT_FOUND,
            ApprovalErrorKind::State => StatusCode::CONFLICT,
            ApprovalErrorKind::NotEntitled => StatusCode::FORBIDDEN,
            ApprovalErrorKind::Malformed | ApprovalErrorKind::Inexact => StatusCode::BAD_REQUEST,
            ApprovalErrorKind::NotRecorded => StatusCode::INTERNAL_SERVER_ERROR,
            ApprovalErrorKind::NoAnswer => return Self::UNSURE,
            // What a store has to say is not for those outside.
            _ => return Self::UNAVAILABLE,
        };
        Self {
            status,
            reason: Cow::Owned(error.to_string()),
        }
    }

    /// Whether the same message may be taken later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(
            self.status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        )
    }

    /// In words for whoever decided.
    pub(super) fn told(&self) -> String {
        match self.status {
            StatusCode::GATEWAY_TIMEOUT | StatusCode::INTERNAL_SERVER_ERROR => format!("{self}."),
            _ => format!("Nothing was decided: {self}."),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let problem = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.reason,
        });
        let headers = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, headers, problem.to_string()).into_response()
    }
}

//! What a receiver's answer means for the batch.

use std::time::{Duration, SystemTime};

use aegize_core::SinkError;
use ureq::http::{HeaderMap, StatusCode};

use super::client::retry_after;
use crate::retry;

/// An answer that is no success.
pub(super) struct Refusal {
    is_about_content: bool,
    what: String,
    wait: Option<Duration>,
}

impl Refusal {
    /// As the error of a sink. Only the status is told: a body may repeat what it was sent.
    pub(super) fn at(self, origin: &str) -> SinkError {
        let message = format!("{origin} {}", self.what);
        if self.is_about_content {
            SinkError::rejected(message)
        } else {
            retry::after(SinkError::unavailable(message), self.wait)
        }
    }
}

pub(super) fn judge(
    status: StatusCode,
    headers: &HeaderMap,
    now: SystemTime,
) -> Result<(), Refusal> {
    if status.is_success() {
        return Ok(());
    }
    let what = match status.as_u16() {
        300..400 => "redirects; give the URL that it redirects to",
        401 | 402 | 403 | 407 => "does not let this sender in; give it credentials in a header",
        404 | 405 | 410 | 411 | 415 | 421 | 426 => "takes no records at this URL; check it",
        400..500 if !matches!(status.as_u16(), 408 | 425 | 429) => "rejects the records",
        _ => "cannot take records now",
    };
    Err(Refusal {
        is_about_content: what == "rejects the records",
        what: format!("{what} (status {})", status.as_u16()),
        wait: retry_after(headers, now),
    })
}

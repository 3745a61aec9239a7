//! What a receiver's answer means for the batch.

use std::time::{Duration, SystemTime};

use aegize_core::SinkError;
use ureq::Error;
use ureq::http::{HeaderMap, StatusCode, header};

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
        wait: wait(headers, now),
    })
}

/// How long `Retry-After` asks for: in seconds, or until a date.
fn wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more than anyone is believed.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Why there is no answer. Errors that may quote a URL are told by their kind.
pub(super) fn failure(error: &Error) -> String {
    match error {
        Error::Io(error) => error.to_string(),
        Error::Timeout(which) => format!("no answer in time ({which})"),
        Error::HostNotFound => "its host is not found".to_owned(),
        Error::Tls(what) => (*what).to_owned(),
        Error::Rustls(error) => error.to_string(),
        Error::Protocol(_) => "its answer is not HTTP".to_owned(),
        Error::LargeResponseHeader(..) => "its answer has too long a header".to_owned(),
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => {
            "the proxy does not let it through".to_owned()
        }
        _ => "the connection failed".to_owned(),
    }
}

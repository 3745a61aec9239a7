//! POST requests to services that people configured.
//!
//! The invariants: a request has an end; redirects are not followed; nothing of a request, such
//! as a token, is in the message of a failure.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use ureq::http::StatusCode;
use ureq::{Agent, Error};
use url::Url;

use aegize_sinks::__client as client;

use super::Failure;

/// How long a request may take, from the look-up of the host to the end of the answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// As much as is read of an answer.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// The longest that a receiver is believed who asks to be left alone.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What a service answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// Empty if it was cut off.
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A failure that tells the status. A body may repeat what it was sent, so it is not told.
    pub(super) fn refusal(&self, url: &Url) -> Failure {
        let origin = url.origin().ascii_serialization();
        let status = self.status.as_u16();
        let message = if self.status.is_redirection() {
            format!("{origin} redirects (status {status}); give the URL that it redirects to")
        } else {
            format!("{origin} answers with status {status}")
        };
        Failure {
            is_busy: self.retry_after.is_some(),
            retry_after: self.retry_after,
            ..Failure::new(message)
        }
    }
}

/// Sends one request, on a thread of its own.
pub(super) async fn post(
    url: Url,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
) -> Result<Answer, Failure> {
    let origin = url.origin().ascii_serialization();
    let lost = |what: &str| Failure::new(format!("{origin} cannot be reached: {what}"));
    let sent = tokio::task::spawn_blocking(move || send(&url, &headers, &body)).await;
    let sent = sent.map_err(|_| lost("the request was abandoned"))?;
    sent.map_err(|error| lost(&client::failure(&error)))
}

fn send(url: &Url, headers: &[(&'static str, String)], body: &[u8]) -> Result<Answer, Error> {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    let mut request = AGENT
        .get_or_init(|| client::agent(TIMEOUT))
        .post(url.as_str());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let mut response = request.send(body)?;
    let rest = response.body_mut().with_config().limit(LONGEST_ANSWER);
    Ok(Answer {
        body: rest.read_to_vec().unwrap_or_default(),
        status: response.status(),
        retry_after: client::retry_after(response.headers(), SystemTime::now())
            .map(|wait| wait.min(LONGEST_WAIT)),
    })
}

//! POST requests to services that people configured.
//!
//! The invariants: a request has an end; redirects are not followed; nothing of a request, such
//! as a token, is in the message of a failure.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use ureq::http::{HeaderMap, StatusCode, header};
use ureq::{Agent, Error};
use url::Url;

use super::Failure;

/// How long a request may take, from the look-up of the host to the end of the answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// As much as is read of an answer.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// The longest that a receiver is believed who asks to be left alone.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

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
    sent.map_err(|error| lost(&reason(&error)))
}

fn send(url: &Url, headers: &[(&'static str, String)], body: &[u8]) -> Result<Answer, Error> {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    let mut request = AGENT.get_or_init(agent).post(url.as_str());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let mut response = request.send(body)?;
    let rest = response.body_mut().with_config().limit(LONGEST_ANSWER);
    Ok(Answer {
        body: rest.read_to_vec().unwrap_or_default(),
        status: response.status(),
        retry_after: retry_after(response.headers(), SystemTime::now()),
    })
}

fn agent() -> Agent {
    let tls = ureq::tls::TlsConfig::builder()
        .root_certs(ureq::tls::RootCerts::PlatformVerifier)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("aegize/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// How long `Retry-After` asks for: in seconds, or until a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are more than anyone is believed.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST_WAIT))
}

/// Why there is no answer. Errors that may quote a URL are told by their kind.
fn reason(error: &Error) -> String {
    match error {
        Error::Io(error) => error.to_string(),
        Error::Timeout(which) => format!("no answer in time ({which})"),
        Error::HostNotFound => "its host is not found".to_owned(),
        Error::Tls(what) => (*what).to_owned(),
        Error::Rustls(error) => error.to_string(),
        Error::Protocol(_) => "its answer is not HTTP".to_owned(),
        _ => "the connection failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use ureq::http::{HeaderMap, header};

    #[test]
    fn a_receiver_is_believed_for_an_hour_at_most() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let rows = [
            ("0", Some(0)),
            ("7", Some(7)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            ("99999999999999999999999", Some(3600)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            let expected = expected.map(Duration::from_secs);
            assert_eq!(super::retry_after(&headers, now), expected, "{text}");
        }
    }
}

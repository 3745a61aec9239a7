//! Batches as POST requests that are signed by the rules of Standard Webhooks.
//!
//! The invariant: nothing but a status of success counts as delivered, and no text of this sink
//! shows a secret, whatever the receiver answers.

mod answer;
pub mod client;

use std::fmt;
use std::time::{Duration, SystemTime};

use aegize_core::{AuditSink, Batch, SinkError};
use ureq::Agent;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use crate::{ConfigError, LineFormat, WebhookSecret};

/// As much as is read of an answer, so that its connection can be used again.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Posts batches of records to a URL, as NDJSON.
///
/// A request has the headers `webhook-id`, `webhook-timestamp` and `webhook-signature` of
/// [Standard Webhooks](https://www.standardwebhooks.com). The id is the same whenever the same
/// batch is sent, so that a receiver can drop what it has.
///
/// | status | |
/// |---|---|
/// | 2xx | delivered |
/// | 408, 425, 429, 5xx, no answer | tried again, after the `Retry-After` if there is one |
/// | 3xx, 401 to 405, 407, 410, 411, 415, 421, 426 | the receiver is not set up for this: tried again |
/// | any other 4xx, such as 400, 413 or 422 | the content is rejected |
///
/// Certificates are checked against those that the operating system trusts. Redirects are not
/// followed.
///
/// ```
/// use aegize_sinks::HttpSink;
///
/// let sink = HttpSink::new(
///     "https://siem.example/aegize",
///     "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
/// )?
/// .header("authorization", "Bearer eyJhbGciOi")?;
/// # Ok::<(), aegize_sinks::ConfigError>(())
/// ```
pub struct HttpSink {
    url: Uri,
    secret: WebhookSecret,
    headers: HeaderMap,
    format: LineFormat,
    timeout: Duration,
    agent: Option<Agent>,
}

impl HttpSink {
    /// To a URL, signed with a secret of the form `whsec_` and Base64 of 24 to 64 bytes.
    ///
    /// # Errors
    ///
    /// If the URL is not one of http or https, has a user name or password, or the secret is none.
    pub fn new(url: &str, secret: &str) -> Result<Self, ConfigError> {
        let unusable =
            || ConfigError::new("the URL of the HTTP sink is unusable; write `https://host/path`");
        let url: Uri = url.parse().map_err(|_| unusable())?;
        let authority = url.authority().ok_or_else(unusable)?;
        if !matches!(url.scheme_str(), Some("http" | "https")) || authority.host().is_empty() {
            return Err(unusable());
        }
        if authority.as_str().contains('@') {
            return Err(ConfigError::new(
                "the URL of the HTTP sink has credentials; give them in a header",
            ));
        }
        Ok(Self {
            url,
            secret: WebhookSecret::parse(secret)?,
            headers: HeaderMap::new(),
            format: LineFormat::default(),
            timeout: Duration::from_secs(30),
            agent: None,
        })
    }

    /// With one more header, such as `authorization`. Its value is never shown.
    ///
    /// # Errors
    ///
    /// If it cannot be a header, or is one that the sink writes.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, ConfigError> {
        let shown = name.escape_debug();
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| ConfigError::new(format!("`{shown}` cannot be the name of a header")))?;
        let is_ours = name.as_str().starts_with("webhook-")
            || [
                header::CONTENT_TYPE,
                header::CONTENT_LENGTH,
                header::TRANSFER_ENCODING,
                header::HOST,
                header::CONNECTION,
                header::EXPECT,
            ]
            .contains(&name);
        if is_ours {
            return Err(ConfigError::new(format!(
                "the header `{name}` is written by the sink; leave it out"
            )));
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            ConfigError::new(format!(
                "the value of the header `{name}` has characters that none may have"
            ))
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Records in another format.
    #[must_use]
    pub fn format(mut self, format: LineFormat) -> Self {
        self.format = format;
        self
    }

    /// How long a request may take, from the look-up of the host to the end of the answer,
    /// instead of thirty seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Where records go, without what may be secret of it.
    fn origin(&self) -> String {
        let scheme = self.url.scheme_str().unwrap_or_default();
        let host = self
            .url
            .authority()
            .map_or("", |authority| authority.as_str());
        format!("{scheme}://{host}")
    }
}

impl AuditSink for HttpSink {
    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        let body = self.format.batch(batch)?;
        let id = batch.id();
        let now = SystemTime::now();
        let seconds = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_err(|_| SinkError::unavailable("the clock stands before 1970; set it"))?
            .as_secs();
        let timeout = self.timeout;
        let agent = self.agent.get_or_insert_with(|| client::agent(timeout));
        let mut request = agent
            .post(&self.url)
            .header(header::CONTENT_TYPE, "application/x-ndjson")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", self.secret.sign(&id, seconds, &body));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response = request.send(&*body).map_err(|error| {
            let what = client::failure(&error);
            SinkError::unavailable(format!("{} cannot be reached: {what}", self.origin()))
        })?;
        let judged = answer::judge(response.status(), response.headers(), now)
            .map_err(|error| error.at(&self.origin()));
        // Whether the rest arrives makes no difference to what was answered.
        let rest = response.body_mut().with_config().limit(LONGEST_ANSWER);
        let _ = rest.read_to_vec();
        judged
    }
}

impl fmt::Debug for HttpSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSink")
            .field("origin", &self.origin())
            .field("headers", &self.headers.keys())
            .field("format", &self.format)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

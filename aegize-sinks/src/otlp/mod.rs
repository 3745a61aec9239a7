//! OpenTelemetry logs over OTLP, in its gRPC form.
//!
//! The invariant: nothing but an answer that accepts all records counts as delivered, and no text
//! of this sink shows a secret.

mod answer;
mod message;

use std::fmt;
use std::time::Duration;

use aegize_core::{AuditSink, Batch, SinkError};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use tonic::Request;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint, Uri};

use crate::ConfigError;
use crate::runtime::Blocking;

/// As much as is read of an answer.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Exports records as OpenTelemetry logs.
///
/// The body of a log record is the line; its attributes tell the agent and the tool
/// (`gen_ai.agent.id`, `gen_ai.tool.name`) and what else a query asks for (`aegize.event`,
/// `aegize.operation`, `aegize.seq`, `aegize.action_id`, `aegize.risk_level`).
///
/// Errors that the protocol calls retryable are, and so are those that are about this sender and
/// not about its records, such as `UNAUTHENTICATED`. Of a batch that is accepted in part, the whole
/// is delivered again, in smaller parts.
///
/// ```
/// use aegize_sinks::OtlpSink;
///
/// let sink = OtlpSink::new("https://collector.example:4317")?
///     .resource("service.name", "payments")
///     .header("authorization", "Bearer eyJhbGciOi")?;
/// # Ok::<(), aegize_sinks::ConfigError>(())
/// ```
pub struct OtlpSink {
    endpoint: Endpoint,
    resource: Vec<KeyValue>,
    headers: MetadataMap,
    blocking: Blocking,
    client: Option<LogsServiceClient<Channel>>,
}

impl OtlpSink {
    /// To a receiver, such as `http://localhost:4317`. At `https`, its certificate is checked
    /// against those that the operating system trusts.
    ///
    /// # Errors
    ///
    /// If it is no such URL, or has a user name or password.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        let unusable =
            || ConfigError::new("the URL of the OTLP sink is unusable; write `https://host:4317`");
        let url: Uri = url.parse().map_err(|_| unusable())?;
        let authority = url.authority().ok_or_else(unusable)?;
        if authority.as_str().contains('@') {
            return Err(ConfigError::new(
                "the URL of the OTLP sink has credentials; give them in a header",
            ));
        }
        let scheme = url.scheme_str().map(str::to_owned);
        let mut endpoint = Endpoint::from(url);
        match scheme.as_deref() {
            Some("http") => {}
            Some("https") => {
                let tls = ClientTlsConfig::new().with_enabled_roots();
                endpoint = endpoint.tls_config(tls).map_err(|_| {
                    ConfigError::new("TLS is unusable here; check the certificates of the system")
                })?;
            }
            _ => return Err(unusable()),
        }
        Ok(Self {
            endpoint,
            resource: vec![message::attribute("service.name", "aegize")],
            headers: MetadataMap::new(),
            blocking: Blocking::new(Duration::from_secs(30)),
            client: None,
        })
    }

    /// With an attribute of the resource, such as `service.name`, which is `aegize` otherwise.
    #[must_use]
    pub fn resource(mut self, name: &str, value: &str) -> Self {
        self.resource.retain(|attribute| attribute.key != name);
        self.resource.push(message::attribute(name, value));
        self
    }

    /// With a header, such as `authorization`. Its value is never shown.
    ///
    /// # Errors
    ///
    /// If it cannot be a header.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, ConfigError> {
        let key: AsciiMetadataKey = name.to_ascii_lowercase().parse().map_err(|_| {
            let name = name.escape_debug();
            ConfigError::new(format!("`{name}` cannot be the name of a header of text"))
        })?;
        let mut value: AsciiMetadataValue = value.parse().map_err(|_| {
            ConfigError::new(format!(
                "the value of the header `{key}` has characters that none may have"
            ))
        })?;
        value.set_sensitive(true);
        self.headers.insert(key, value);
        Ok(self)
    }

    /// How long an export may take, instead of thirty seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.blocking.timeout = timeout;
        self
    }
}

impl AuditSink for OtlpSink {
    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        let logs = message::logs(batch, &self.resource)?;
        let mut request = Request::new(logs);
        *request.metadata_mut() = self.headers.clone();
        let Self {
            endpoint,
            client,
            headers,
            ..
        } = self;
        self.blocking.run(async {
            // Made where its runtime is, and connects when it is used.
            let client = client.get_or_insert_with(|| {
                LogsServiceClient::new(endpoint.connect_lazy())
                    .max_decoding_message_size(LONGEST_ANSWER)
            });
            let answer = client.export(request).await;
            answer::judge(answer.map(tonic::Response::into_inner), headers)
        })
    }
}

impl fmt::Debug for OtlpSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.endpoint.uri();
        let headers: Vec<_> = self.headers.keys().collect();
        f.debug_struct("OtlpSink")
            .field("authority", &uri.authority())
            .field("resource", &self.resource)
            .field("headers", &headers)
            .field("timeout", &self.blocking.timeout)
            .finish_non_exhaustive()
    }
}

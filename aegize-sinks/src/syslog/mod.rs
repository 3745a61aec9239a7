//! Syslog (RFC 5424) over a Unix datagram socket, UDP or TCP.
//!
//! The invariant: a message is sent whole or not at all. What does not fit is rejected, never cut.

mod message;
mod transport;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aegize_core::{AuditSink, Batch, SinkError};

use self::message::Header;
use self::transport::{Address, Connection};
use crate::{ConfigError, LineFormat};

/// Sends records as messages of RFC 5424, one each.
///
/// A message's structured data tells what the record is about, and its text is the line, after a
/// byte order mark if it is not ASCII, as the RFC asks.
///
/// No receiver says what it has. A datagram counts as delivered when the operating system has
/// taken it, and messages on a TCP connection when the connection was still open after they were
/// written: what a receiver had not read when it broke may be lost. Where that is not good enough,
/// use another sink.
///
/// ```
/// use aegize_sinks::{Facility, SyslogSink};
///
/// let sink = SyslogSink::unix("/dev/log").facility(Facility::Local3);
/// let sink = SyslogSink::tcp("collector.example:601").app_name("payments")?;
/// # Ok::<(), aegize_sinks::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct SyslogSink {
    address: Address,
    header: Header,
    format: LineFormat,
    timeout: Duration,
    connection: Option<Connection>,
}

/// Which part of a system a message is from, by RFC 5424, section 6.2.1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names are the RFC's")]
pub enum Facility {
    User = 1,
    Daemon = 3,
    Auth = 4,
    AuthPriv = 10,
    #[default]
    LogAudit = 13,
    Local0 = 16,
    Local1 = 17,
    Local2 = 18,
    Local3 = 19,
    Local4 = 20,
    Local5 = 21,
    Local6 = 22,
    Local7 = 23,
}

impl SyslogSink {
    /// To a datagram socket, such as `/dev/log`. The receiver has to understand RFC 5424 there:
    /// in rsyslog, `imuxsock` with `UseSpecialParser="off"` and `IgnoreTimestamp="off"`.
    #[cfg(unix)]
    pub fn unix(path: impl AsRef<Path>) -> Self {
        let path: PathBuf = path.as_ref().to_owned();
        Self::new(Address::Unix(path))
    }

    /// To `host:port` over UDP (RFC 5426). What the network loses is lost.
    pub fn udp(address: impl Into<String>) -> Self {
        Self::new(Address::Udp(address.into()))
    }

    /// To `host:port` over TCP, in frames that tell their length (RFC 6587, section 3.4.1).
    pub fn tcp(address: impl Into<String>) -> Self {
        Self::new(Address::Tcp(address.into()))
    }

    fn new(address: Address) -> Self {
        Self {
            address,
            header: Header::default(),
            format: LineFormat::default(),
            timeout: Duration::from_secs(10),
            connection: None,
        }
    }

    /// Another facility than `log audit`.
    #[must_use]
    pub fn facility(mut self, facility: Facility) -> Self {
        self.header.facility = facility;
        self
    }

    /// Another name of the program than `aegize`.
    ///
    /// # Errors
    ///
    /// If it is empty, longer than 48 bytes, or not of printable ASCII without spaces.
    pub fn app_name(mut self, name: &str) -> Result<Self, ConfigError> {
        if !message::is_field(name, 48) {
            return Err(ConfigError::new(format!(
                "`{}` cannot be a syslog app name; use 1 to 48 printable ASCII characters \
                 without spaces",
                name.escape_debug()
            )));
        }
        name.clone_into(&mut self.header.app_name);
        Ok(self)
    }

    /// The text of messages in another format.
    #[must_use]
    pub fn format(mut self, format: LineFormat) -> Self {
        self.format = format;
        self
    }

    /// How long a batch may take, instead of ten seconds. Looking a host up is not counted.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn send(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        let mut messages = Vec::new();
        for (seq, line) in (batch.first_seq()..).zip(batch.lines()) {
            let record = crate::line::record(seq, line)?;
            let text = self.format.line(line, &record);
            messages.push((seq, self.header.message(&record, &text)));
        }
        let deadline = Instant::now() + self.timeout;
        let connection = match &mut self.connection {
            Some(connection) if connection.is_open() => connection,
            slot => slot.insert(self.address.connect(self.timeout)?),
        };
        connection.send(&messages, deadline)
    }
}

impl AuditSink for SyslogSink {
    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        let sent = self.send(batch);
        if self.connection.as_ref().is_some_and(Connection::is_broken) {
            self.connection = None;
        }
        sent
    }
}

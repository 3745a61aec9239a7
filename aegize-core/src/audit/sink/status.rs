//! How the delivery to a sink goes.

use std::fmt;

use time::OffsetDateTime;

/// How the delivery of a log to a sink goes.
///
/// What is counted is counted from the start of the [`Shipper`](super::Shipper).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SinkStatus {
    /// What is being done.
    pub state: SinkState,
    /// The position of the first record that has not been delivered.
    pub next_seq: u64,
    /// How many records have been delivered.
    pub records: u64,
    /// How many bytes they had, with their line breaks.
    pub bytes: u64,
    /// How many records, and checkpoints, were refused by the receiver, kept in
    /// `<log>.rejected-NAME`, and passed over.
    pub rejected: u64,
    /// How often something failed, and was or will be tried again, as a whole or in parts.
    pub failures: u64,
    /// How many bytes of the log had not been delivered when it was last looked at.
    pub lag_bytes: u64,
    /// When the oldest record that has not been delivered was written, as far as that is known.
    pub lagging_since: Option<OffsetDateTime>,
    /// The size of the last checkpoint that has been published, or 0.
    pub published: u64,
    /// What is wrong now. `None` once it went well again.
    pub error: Option<String>,
}

/// What a [`Shipper`](super::Shipper) is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SinkState {
    /// There is no log yet.
    #[default]
    Waiting,
    /// Another process delivers the log to this sink. When it ends, this one takes over.
    StandingBy,
    /// The log is delivered, as far as nothing is [wrong](SinkStatus::error).
    Delivering,
    /// Nothing is delivered: the log is not the one that was delivered before, or the cursor is
    /// damaged. It is looked at again from time to time.
    Stopped,
}

/// Why a [`Shipper`](super::Shipper) was not started, or did not deliver everything in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipError {
    kind: ShipErrorKind,
    message: String,
}

/// What kind of failure a [`ShipError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShipErrorKind {
    /// The sink's name cannot be part of a file's name.
    BadName,
    /// The operating system gave no thread, or no directory to begin a relative path with.
    NotStarted,
    /// Not everything was delivered in the time there was.
    TimedOut,
    /// Nothing is delivered until somebody has looked at log and cursor.
    Stopped,
}

impl ShipError {
    pub(super) fn new(kind: ShipErrorKind, message: String) -> Self {
        Self { kind, message }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ShipErrorKind {
        self.kind
    }
}

impl fmt::Display for ShipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ShipError {}

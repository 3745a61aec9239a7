//! Why a sink did not take a batch.

use std::fmt;
use std::time::Duration;

/// Why a sink did not take a batch, and what is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkError {
    kind: SinkErrorKind,
    message: String,
    retry_after: Option<Duration>,
}

/// What kind of failure a [`SinkError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkErrorKind {
    /// The receiver cannot be reached or does not answer well now: the same batch is delivered
    /// again, later and later.
    Unavailable,
    /// The receiver will not take this content, however often it is sent: it is delivered in
    /// smaller parts, and a single record that is refused is kept in a file and passed over.
    Rejected,
}

impl SinkError {
    /// The receiver cannot be reached or does not answer well now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self {
            kind: SinkErrorKind::Unavailable,
            message: message.into(),
            retry_after: None,
        }
    }

    /// The receiver will not take this content.
    pub fn rejected(message: impl Into<String>) -> Self {
        Self {
            kind: SinkErrorKind::Rejected,
            ..Self::unavailable(message)
        }
    }

    /// The same error, of a receiver that asks to be left alone for so long.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// What is to be done.
    pub fn kind(&self) -> SinkErrorKind {
        self.kind
    }

    /// How long the receiver asks to be left alone.
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SinkError {}

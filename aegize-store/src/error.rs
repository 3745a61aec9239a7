//! Why a store could not do something.
//!
//! The invariant: no message holds a URL, which may hold a password, or a token.

use std::fmt;
use std::time::Duration;

use aegize_core::{ApprovalError, ApprovalErrorKind};

/// Why a store, a directory or an outbox could not do something. It displays the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
}

/// What kind of reason that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The URL names no store.
    Url,
    /// The database cannot be reached, does not answer in time, or failed.
    Unavailable,
    /// The store was opened before a fork, or its runtime is gone.
    Closed,
    /// What is there is no store, or of a newer version.
    Foreign,
    /// What was read is not what was kept.
    Damaged,
    /// A name, a text or a file is not what it has to be.
    Malformed,
}

impl StoreError {
    pub(crate) fn new(kind: StoreErrorKind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
        }
    }

    pub(crate) fn unavailable(message: impl fmt::Display) -> Self {
        Self::new(StoreErrorKind::Unavailable, message)
    }

    pub(crate) fn damaged(message: impl fmt::Display) -> Self {
        Self::new(StoreErrorKind::Damaged, message)
    }

    pub(crate) fn malformed(message: impl fmt::Display) -> Self {
        Self::new(StoreErrorKind::Malformed, message)
    }

    pub(crate) fn late(time: Duration) -> Self {
        Self::unavailable(format!("the store did not answer within {time:?}"))
    }

    /// What kind of reason it is.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => {
                Self::unavailable("the store did not give a connection in time")
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::damaged(format!("the store holds what it should not: {error}"))
            }
            sqlx::Error::Database(error) => {
                Self::unavailable(format!("the store failed: {}", error.message()))
            }
            error => Self::unavailable(format!("the store failed: {error}")),
        }
    }
}

impl From<StoreError> for ApprovalError {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind {
            StoreErrorKind::Damaged => ApprovalErrorKind::Damaged,
            _ => ApprovalErrorKind::Store,
        };
        Self::new(kind, error)
    }
}

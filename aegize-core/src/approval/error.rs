//! Why an approval could not be asked for, given or used.

use std::fmt;

/// Why something about an approval could not be done. It displays the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApprovalError {
    kind: ApprovalErrorKind,
    message: String,
}

/// What kind of reason that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApprovalErrorKind {
    /// The store failed.
    Store,
    /// The store did not answer in time.
    NoAnswer,
    /// What the store has is not what was kept there.
    Damaged,
    /// There is no such request.
    NotFound,
    /// The request is not, or no longer, in a state in which that can be done.
    State,
    /// This approver may not decide about this request.
    NotEntitled,
    /// A text is not what it has to be.
    Malformed,
    /// The call cannot be read exactly, so nobody can be asked about it.
    Inexact,
    /// It was done, and could not be recorded.
    NotRecorded,
}

impl ApprovalError {
    /// An error of a store, or of what uses one.
    pub fn new(kind: ApprovalErrorKind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
        }
    }

    /// What kind of reason it is.
    pub fn kind(&self) -> ApprovalErrorKind {
        self.kind
    }
}

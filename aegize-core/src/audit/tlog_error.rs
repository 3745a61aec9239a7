//! What is wrong with a key, a note, a checkpoint or a proof.

use std::fmt;

use crate::text::one_line;

/// Why a key, a signed note, a checkpoint or a proof was not accepted or not made.
#[derive(Debug, Clone)]
pub struct TlogError {
    kind: TlogErrorKind,
    message: String,
}

/// What kind of failure a [`TlogError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlogErrorKind {
    /// Text that is not in its format.
    Malformed,
    /// No key that is trusted for it signed it.
    Untrusted,
    /// A signature in the name of a trusted key is not that key's.
    BadSignature,
    /// A proof does not lead to the root that was signed: something was changed.
    Mismatch,
    /// The operating system gave no randomness to make a key from.
    NoRandomness,
}

impl TlogError {
    pub(super) fn new(kind: TlogErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(TlogErrorKind::Malformed, message)
    }

    /// About a text that somebody else wrote, which is shown without what a terminal acts on,
    /// and not in full if it is long.
    pub(super) fn about(kind: TlogErrorKind, subject: &str, problem: &str) -> Self {
        let shown: String = subject.chars().take(100).collect();
        Self::new(kind, format!("`{}` {problem}", one_line(&shown)))
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> TlogErrorKind {
        self.kind
    }
}

impl fmt::Display for TlogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TlogError {}

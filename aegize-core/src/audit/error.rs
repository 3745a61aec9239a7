//! Why a log could not be opened, written or read.

use std::io;
use std::path::{Path, PathBuf};

/// Why an audit log could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
#[error("audit log `{}` {problem}", path.display())]
pub struct AuditError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("cannot be opened: {0}")]
    Open(#[source] io::Error),
    #[error("cannot be locked: {0}")]
    Lock(#[source] io::Error),
    #[error("cannot be written: {0}")]
    Write(#[source] io::Error),
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    #[error("has a torn last line that cannot be set aside: {0}")]
    SetAside(#[source] io::Error),
    #[error("has been removed or moved; open it again to begin a new one")]
    Removed,
    #[error("is {shorter} bytes shorter than it was; find out who cut it, and open it again")]
    Shorter { shorter: u64 },
    #[error("does not end with a record ({0}); give the log a file of its own")]
    NotALog(String),
    #[error("has no record in line {line}: {what}")]
    BadLine { line: u64, what: String },
    #[error("cannot hold the record: {0}")]
    Encode(String),
    #[error("has no segments; name a log, which is a file or a directory of segments")]
    NoSegments,
    #[error("proves no record {seq}: {what}")]
    Unproved { seq: u64, what: String },
    #[error("cannot be checked against `{}`: {what}", file.display())]
    Checkpoint { file: PathBuf, what: String },
}

impl Problem {
    pub(crate) fn of(self, path: &Path) -> AuditError {
        AuditError {
            path: path.to_owned(),
            problem: self,
        }
    }
}

impl AuditError {
    /// The log's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the line at fault, counted from 1, when reading found one that is no
    /// record.
    pub fn line(&self) -> Option<u64> {
        match self.problem {
            Problem::BadLine { line, .. } => Some(line),
            _ => None,
        }
    }
}

//! Why a log could not be opened, written or read.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why an audit log could not be opened, written or read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("audit log `{}` {problem}", path.display())]
pub struct AuditError {
    path: PathBuf,
    problem: Arc<Problem>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("cannot be opened: {0}")]
    Open(#[source] io::Error),
    #[error("cannot be locked: {0}")]
    Lock(#[source] io::Error),
    #[error("has no file beside it that tells who has it open: {0}")]
    Lease(#[source] io::Error),
    #[error("cannot be written: {0}")]
    Write(#[source] io::Error),
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    #[error("has a torn last line that cannot be set aside: {0}")]
    SetAside(#[source] io::Error),
    #[error("has been removed or moved; open it again to begin a new one")]
    Removed,
    #[error("was removed or moved while it was read; find out who did that, and read it anew")]
    Gone,
    #[error("is {shorter} bytes shorter than it was; find out who cut it, and open it again")]
    Shorter { shorter: u64 },
    #[error("does not end with a record ({0}); give the log a file of its own")]
    NotALog(String),
    #[error("has no record in line {line}: {what}")]
    BadLine { line: u64, what: String },
    #[error("cannot hold the record: {0}")]
    Encode(String),
    #[error("cannot be freed of what a failed write left behind: {0}")]
    Cut(#[source] io::Error),
    #[error(
        "cannot be synced: {0}; what was written last may not be on disk: open the log again when it can"
    )]
    Sync(#[source] io::Error),
    #[error("is no file that could be synced; open it with another durability")]
    NotSyncable,
    #[error("cannot begin its next file: {0}")]
    Rotate(#[source] io::Error),
    #[error("is a file, and only a directory of files is rotated; choose another path")]
    NotADirectory,
    #[error("is a directory without a log; give it a rotation to begin one there")]
    NothingThere,
    #[error("has no segments; name a log, which is a file or a directory of segments")]
    NoSegments,
    #[error("has files that do not follow each other: `{}`; find out what is missing", .0.display())]
    Gap(PathBuf),
    #[error("has a record with `seq` {seq} at position {expected}; verify the log")]
    Misplaced { seq: u64, expected: u64 },
    #[error("has had all the records that can be counted; begin another")]
    Full,
    #[error("lost the record when another thread panicked")]
    Lost,
    #[error("has no thread to look after it: {0}")]
    Thread(#[source] io::Error),
    #[error("has {size} records, and {signed} of them are signed for; find out who cut it")]
    Truncated { size: u64, signed: u64 },
    #[error("is not the log whose first {signed} records were signed for; find out who rewrote it")]
    Forked { signed: u64 },
    #[error("proves no record {seq}: {what}")]
    Unproved { seq: u64, what: String },
    #[error("cannot be checked against `{}`: {what}", file.display())]
    Checkpoint { file: PathBuf, what: String },
}

impl Problem {
    pub(crate) fn of(self, path: &Path) -> AuditError {
        AuditError {
            path: path.to_owned(),
            problem: Arc::new(self),
        }
    }
}

impl AuditError {
    pub(super) fn new(path: &Path, problem: Arc<Problem>) -> Self {
        Self {
            path: path.to_owned(),
            problem,
        }
    }

    /// The log's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the line at fault, counted from 1, when reading found one that is no
    /// record.
    pub fn line(&self) -> Option<u64> {
        match *self.problem {
            Problem::BadLine { line, .. } => Some(line),
            _ => None,
        }
    }
}

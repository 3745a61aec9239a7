//! How a log is written: how durably, into which files, and signed how often.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::error::AuditError;
use super::key::SigningKey;
use super::log::AuditLog;
use crate::observe::{Observer, Observing};

/// When a record counts as written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// When it has been handed to the operating system. It survives the process, not a loss of
    /// power.
    #[default]
    Written,
    /// When it is on disk. No body runs before its decision is; calls that come at the same time
    /// share one `fdatasync`, and an asynchronous one gives its thread back while it waits.
    /// Outcomes and refusals, which nothing waits for, follow within milliseconds.
    Synced,
    /// When it is in this process's memory. For tests: a process that is killed loses records of
    /// calls that ran.
    Buffered,
}

/// When a log in a directory begins its next file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// When the file has at least so many bytes.
    Size(u64),
    /// With the first record of a day in UTC.
    Daily,
}

/// How to write a log; made by [`AuditLog::options`].
///
/// ```
/// # extern crate aegize_core as aegize;
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("audit");
/// use std::time::Duration;
///
/// use aegize::tlog::SigningKey;
/// use aegize::{AuditLog, Durability, Rotation};
///
/// let key = SigningKey::generate("example.com/agents")?; // once; then read it from its file
/// let log = AuditLog::options()
///     .durability(Durability::Synced)
///     .rotation(Rotation::Size(64 << 20))
///     .signing_key(key)
///     .checkpoint_every(1_000, Duration::from_secs(10))
///     .open(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct AuditLogOptions {
    pub(super) durability: Durability,
    pub(super) rotation: Option<Rotation>,
    pub(super) key: Option<SigningKey>,
    pub(super) checkpoint_records: u64,
    pub(super) checkpoint_interval: Duration,
    pub(super) observing: Observing,
}

impl Default for AuditLogOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            rotation: None,
            key: None,
            checkpoint_records: 10_000,
            checkpoint_interval: Duration::from_secs(60),
            observing: Observing::default(),
        }
    }
}

impl AuditLogOptions {
    /// When a record counts as written; [`Durability::Written`] unless said otherwise.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Writes a directory of files, each named by the position of its first record, with one chain
    /// across them. Nothing is ever deleted.
    #[must_use]
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = Some(rotation);
        self
    }

    /// Signs checkpoints of the log, from time to time and when it is closed. The latest is in
    /// `<log>.checkpoint`, or in `log.checkpoint` in a directory: copy it to where the log's own
    /// host cannot reach it.
    ///
    /// A log with a key is read from its last checkpoint on when it is opened, and from its
    /// beginning if it has none.
    #[must_use]
    pub fn signing_key(mut self, key: SigningKey) -> Self {
        self.key = Some(key);
        self
    }

    /// How often a checkpoint is signed: after so many records, and so long after a record that no
    /// checkpoint covers; 10 000 and 60 s unless said otherwise. Of several processes, each counts
    /// what it sees when it writes.
    #[must_use]
    pub fn checkpoint_every(mut self, records: u64, interval: Duration) -> Self {
        self.checkpoint_records = records.max(1);
        self.checkpoint_interval = interval;
        self
    }

    /// Tells an observer of the calls that are recorded in this log, and of what the log could not
    /// do.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observing = Observing::by(observer);
        self
    }

    /// Opens a log, and makes its file (mode 0600) or directory (0700) if there is none.
    ///
    /// A directory that holds a log is opened as one; without [`rotation`](Self::rotation) its last
    /// file is continued. A last line that a crash tore is moved to `<file>.torn-N` beside it, and a
    /// record says so. If no other process has the log open, attempts without an outcome are those
    /// of processes that have ended, and are recorded as abandoned. Who has a log open is told by
    /// locks on a file beside it, `<log>.open`.
    ///
    /// # Errors
    ///
    /// If the log cannot be opened, locked, read or written, does not end with a record, cannot be
    /// rotated or synced because of what it is, or does not continue its checkpoint.
    pub fn open(self, path: impl AsRef<Path>) -> Result<AuditLog, AuditError> {
        AuditLog::open_with(path.as_ref(), self)
    }
}

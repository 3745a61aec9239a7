//! How far a log has been delivered to a sink, on disk.
//!
//! The invariants: one process at a time has a cursor, told by a lock on a file beside it that is
//! never replaced; a cursor is replaced as a whole; and one that cannot be read is never taken for
//! a new one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::trouble::Trouble;
use crate::audit::chain::Hash;
use crate::audit::files::beside;

const VERSION: u32 = 1;

/// A place right behind a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    /// The position of the record that follows.
    pub(super) next_seq: u64,
    /// The position of the first record of the segment that the place is in.
    pub(super) segment: u64,
    /// Where in the segment it is, in bytes.
    pub(super) offset: u64,
    /// How long the line before it is, with its line break.
    pub(super) length: u64,
    /// The leaf hash of that line.
    pub(super) leaf: Hash,
}

/// What a sink has been given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cursor {
    version: u32,
    /// The end of what has been delivered, or nothing yet.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) delivered: Option<Mark>,
    /// The end of a batch whose delivery may have begun.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) under_way: Option<Mark>,
    /// The size of the last checkpoint that has been published.
    pub(super) published: u64,
}

impl Cursor {
    /// A cursor at the beginning of a log.
    pub(super) fn new() -> Self {
        Self {
            version: VERSION,
            delivered: None,
            under_way: None,
            published: 0,
        }
    }

    pub(super) fn next_seq(&self) -> u64 {
        self.delivered.map_or(0, |mark| mark.next_seq)
    }

    /// The place where what has been delivered ends.
    pub(super) fn place(&self) -> (u64, u64) {
        let delivered = self.delivered.as_ref();
        delivered.map_or((0, 0), |mark| (mark.segment, mark.offset))
    }

    /// The cursor of a sink as it is on disk; a new one if there is none.
    pub(super) fn read(path: &Path) -> Result<Self, Trouble> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::new()),
            read => read.map_err(Trouble::with_file(path, "read"))?,
        };
        let remedy = "put back a copy, or remove it to deliver the log from its beginning";
        let cursor: Self = serde_json::from_slice(&bytes)
            .map_err(|error| Trouble::about(path, format!("is damaged ({error}); {remedy}")))?;
        if cursor.version == VERSION {
            Ok(cursor)
        } else {
            let version = cursor.version;
            let problem = format!(
                "is of version {version}, and this is version {VERSION}; use the version of Aegize \
                 that wrote it, or a later one"
            );
            Err(Trouble::about(path, problem))
        }
    }
}

/// Where the cursor of a sink is.
pub(super) fn path(log: &Path, name: &str) -> PathBuf {
    beside(log, &format!("cursor-{name}"))
}

/// A cursor that this process has.
#[derive(Debug)]
pub(super) struct CursorFile {
    path: PathBuf,
    /// Where the next one is written.
    new: PathBuf,
    _lock: File,
}

impl CursorFile {
    /// Takes a cursor; `None` if another process has it, or another thread of this one.
    pub(super) fn take(log: &Path, name: &str) -> Result<Option<Self>, Trouble> {
        let at = beside(log, &format!("cursor-{name}.lock"));
        let mut options = private();
        let lock = options
            .truncate(false)
            .open(&at)
            .map_err(Trouble::with_file(&at, "opened"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self {
                path: path(log, name),
                new: beside(log, &format!("cursor-{name}.new")),
                _lock: lock,
            })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Trouble::with_file(&at, "locked")(error)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the cursor. When this returns, it is on disk.
    pub(super) fn write(&self, cursor: &Cursor) -> Result<(), Trouble> {
        self.replace(cursor)
            .map_err(Trouble::with_file(&self.path, "written"))
    }

    fn replace(&self, cursor: &Cursor) -> io::Result<()> {
        let mut line = serde_json::to_vec(cursor)?;
        line.push(b'\n');
        let mut file = private().truncate(true).open(&self.new)?;
        file.write_all(&line)?;
        file.sync_all()?;
        fs::rename(&self.new, &self.path)?;
        sync_directory(&self.path)
    }
}

/// Makes a file that only its owner may read, or opens it to be written.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes sure that the name of a file is on disk, where that can be asked for.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

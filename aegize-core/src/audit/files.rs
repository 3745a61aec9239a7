//! Where a log is: one file, or a directory of segments, and what lies beside.
//!
//! The invariant: the segments of a directory, in the order of their names, are one log, and the
//! name of each is the position of its first record.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::lock::LogLock;

/// How many digits a segment's name has: as many as the largest position.
const DIGITS: usize = 20;

const SUFFIX: &str = ".jsonl";

/// One file of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    /// The position of its first record.
    pub(super) first_seq: u64,
}

/// Where a log is, and whether that is a directory. A writer asks that once: whoever takes it for
/// something else when the system fails uses other files than the others do.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) path: PathBuf,
    pub(super) is_directory: bool,
}

impl Site {
    /// The site of a log that is there or not.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let is_directory = match fs::metadata(path) {
            Ok(metadata) => metadata.is_dir(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        Ok(Self {
            path: path.to_owned(),
            is_directory,
        })
    }

    /// The files of the log, oldest first: the one file, or the segments of a directory. Empty for
    /// a directory without any.
    pub(super) fn segments(&self) -> io::Result<Vec<Segment>> {
        if !self.is_directory {
            return Ok(vec![Segment {
                path: self.path.clone(),
                first_seq: 0,
            }]);
        }
        let mut segments = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            if let Some(first_seq) = first_seq(&path) {
                segments.push(Segment { path, first_seq });
            }
        }
        segments.sort_by_key(|segment| segment.first_seq);
        Ok(segments)
    }

    /// A file that belongs to the log: `<log>.<what>` beside a file, `log.<what>` in a directory.
    pub(super) fn beside(&self, what: &str) -> PathBuf {
        if self.is_directory {
            return self.path.join(format!("log.{what}"));
        }
        let mut path = self.path.as_os_str().to_owned();
        path.push(".");
        path.push(what);
        path.into()
    }

    /// The file whose lock writers hold: the log itself, or `log.lock` in a directory.
    pub(super) fn lock_file(&self) -> PathBuf {
        if self.is_directory {
            self.beside("lock")
        } else {
            self.path.clone()
        }
    }
}

/// The files of a log, as of its [`Site`].
pub(super) fn segments(log: &Path) -> io::Result<Vec<Segment>> {
    Site::of(log)?.segments()
}

/// One file of a log, as far as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) segment: Segment,
    /// In bytes. A pipe or a device has no length, and is read to its end.
    pub(super) length: u64,
}

/// How far a log is written. What stands there is not taken back any more: whoever holds the lock
/// has written whole records only. A last line that does not end is one that a crash tore.
pub(super) fn extents(log: &Path) -> io::Result<Vec<Extent>> {
    let kind = fs::metadata(log)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        // Who opens a pipe and closes it again has had all that comes from it.
        let whole = |segment| Extent {
            segment,
            length: u64::MAX,
        };
        return Ok(segments(log)?.into_iter().map(whole).collect());
    }
    let lock = LogLock::to_read(log)?;
    lock.lock_shared()?;
    let extent = |segment: Segment| {
        let length = fs::metadata(&segment.path)?.len();
        Ok(Extent { segment, length })
    };
    let extents = segments(log).and_then(|segments| segments.into_iter().map(extent).collect());
    lock.unlock()?;
    extents
}

/// The segment of a directory that begins at a position.
pub(super) fn segment(directory: &Path, first_seq: u64) -> Segment {
    Segment {
        path: directory.join(format!("{first_seq:020}{SUFFIX}")),
        first_seq,
    }
}

fn first_seq(path: &Path) -> Option<u64> {
    let digits = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    let is_position = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_position.then(|| digits.parse().ok()).flatten()
}

/// A file that belongs to a log, as of its [`Site`].
pub(super) fn beside(log: &Path, what: &str) -> PathBuf {
    let (path, is_directory) = (log.to_owned(), log.is_dir());
    Site { path, is_directory }.beside(what)
}

/// The file whose lock writers hold, as of a log's [`Site`].
pub(super) fn lock_file(log: &Path) -> PathBuf {
    let (path, is_directory) = (log.to_owned(), log.is_dir());
    Site { path, is_directory }.lock_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_ordered_and_other_files_are_none() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in [
            "00000000000000000120.jsonl",
            "00000000000000000000.jsonl",
            "00000000000000000000.jsonl.torn-0",
            "18446744073709551615.jsonl",
            "18446744073709551616.jsonl",
            "0.jsonl",
            "+0000000000000000001.jsonl",
            "log.open",
        ] {
            fs::write(at(name), "").unwrap();
        }
        let found = segments(directory.path()).unwrap();
        let starts: Vec<u64> = found.iter().map(|segment| segment.first_seq).collect();
        assert_eq!(starts, [0, 120, u64::MAX]);
        for found in found {
            assert_eq!(segment(directory.path(), found.first_seq), found);
        }
    }
}

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

/// The files of a log, oldest first: the one file, or the segments of a directory. Empty for a
/// directory without any.
pub(super) fn segments(log: &Path) -> io::Result<Vec<Segment>> {
    if !log.is_dir() {
        return Ok(vec![Segment {
            path: log.to_owned(),
            first_seq: 0,
        }]);
    }
    let mut segments = Vec::new();
    for entry in fs::read_dir(log)? {
        let path = entry?.path();
        if let Some(first_seq) = first_seq(&path) {
            segments.push(Segment { path, first_seq });
        }
    }
    segments.sort_by_key(|segment| segment.first_seq);
    Ok(segments)
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

/// A file that belongs to a log: `<log>.<what>` beside a file, `log.<what>` in a directory.
pub(super) fn beside(log: &Path, what: &str) -> PathBuf {
    if log.is_dir() {
        return log.join(format!("log.{what}"));
    }
    let mut path = log.as_os_str().to_owned();
    path.push(".");
    path.push(what);
    path.into()
}

/// The file whose lock writers hold: the log itself, or `log.lock` in a directory.
pub(super) fn lock_file(log: &Path) -> PathBuf {
    if log.is_dir() {
        beside(log, "lock")
    } else {
        log.to_owned()
    }
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

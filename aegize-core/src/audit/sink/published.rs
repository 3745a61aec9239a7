//! The signed checkpoint beside a log, on its way to a sink.

use std::io;
use std::path::Path;

use super::look::beginning;
use crate::audit::checkpoint::decimal;
use crate::audit::files::beside;

/// The longest note, in bytes: as long as others read.
const LONGEST: usize = 1_000_000;

/// A signed checkpoint, as its writer left it. Whether the signature is good is for those to tell
/// who have the key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SignedCheckpoint {
    pub(super) size: u64,
    pub(super) note: String,
}

impl SignedCheckpoint {
    /// The latest checkpoint of a log, if there is one.
    pub(super) fn of(log: &Path) -> Result<Option<Self>, String> {
        let path = beside(log, "checkpoint");
        let bytes = match beginning(&path, LONGEST + 1) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("`{}` cannot be read: {error}", path.display())),
            Ok(bytes) => bytes,
        };
        let checkpoint = String::from_utf8(bytes).ok().and_then(Self::parse);
        checkpoint.map(Some).ok_or_else(|| {
            format!(
                "`{}` is no checkpoint; remove it, and the log's writer makes it again",
                path.display()
            )
        })
    }

    fn parse(note: String) -> Option<Self> {
        let size = decimal(note.lines().nth(1)?)?;
        let is_signed = note.contains("\n\n") && note.ends_with('\n') && note.len() <= LONGEST;
        is_signed.then_some(Self { size, note })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_note_is_read_as_it_is_and_what_is_none_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("audit.jsonl");
        assert_eq!(SignedCheckpoint::of(&log), Ok(None));
        let write = |text: &[u8]| fs::write(directory.path().join("audit.jsonl.checkpoint"), text);
        let note = "log\n12\nhash\n\n\u{2014} log AAAA\n";
        write(note.as_bytes()).unwrap();
        let found = SignedCheckpoint::of(&log).unwrap().unwrap();
        assert_eq!((found.size, &*found.note), (12, note));
        let too_long = format!("{note}{}\n", "x".repeat(LONGEST));
        for other in [
            "",
            "log\n",
            "log\n012\nhash\n\n\u{2014} log AAAA\n",
            "log\n12\nhash\n",
            "log\n12\nhash\n\n\u{2014} log AA",
            &too_long,
        ] {
            write(other.as_bytes()).unwrap();
            let error = SignedCheckpoint::of(&log).unwrap_err();
            assert!(error.contains("is no checkpoint; remove it"), "{error}");
        }
        write(b"log\n12\n\xff\n\n").unwrap();
        assert!(SignedCheckpoint::of(&log).is_err());
    }
}

//! Reading a log back, one record at a time.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Take};
use std::path::{Path, PathBuf};

use super::error::{AuditError, Problem};
use super::lock::uninterrupted;
use super::record::AuditRecord;

/// The longest line that is read, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The records of a log, oldest first, in constant memory.
///
/// What is written after it was opened is not in it. A line that is no record is an error that
/// names it; the lines after it can still be read.
#[derive(Debug)]
pub struct AuditRecords {
    path: PathBuf,
    reader: BufReader<Take<File>>,
    line: u64,
}

impl AuditRecords {
    /// Opens a log for reading only. Nothing is made, changed or recovered.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AuditError> {
        let path = path.as_ref();
        let open = || {
            let file = File::open(path)?;
            // Whoever holds the lock has written whole lines only.
            uninterrupted(|| file.lock_shared())?;
            let length = file.metadata().map(|metadata| {
                // A pipe has no length, and is read to its end.
                if metadata.is_file() {
                    metadata.len()
                } else {
                    u64::MAX
                }
            });
            file.unlock()?;
            Ok(BufReader::new(file.take(length?)))
        };
        Ok(Self {
            path: path.to_owned(),
            reader: open().map_err(|error| Problem::Open(error).of(path))?,
            line: 0,
        })
    }

    fn read(&mut self) -> Option<Result<AuditRecord<'static>, Problem>> {
        let mut line = Vec::new();
        let read = self
            .reader
            .by_ref()
            .take(LONGEST)
            .read_until(b'\n', &mut line);
        match read {
            Ok(0) => return None,
            Ok(_) => self.line += 1,
            Err(error) => return Some(Err(Problem::Read(error))),
        }
        let bad = |what: String| Problem::BadLine {
            line: self.line,
            what,
        };
        let Some(text) = line.strip_suffix(b"\n") else {
            let is_too_long = u64::try_from(line.len()).is_ok_and(|length| length >= LONGEST);
            if is_too_long && let Err(error) = self.reader.skip_until(b'\n') {
                return Some(Err(Problem::Read(error)));
            }
            let what = if is_too_long {
                "it is longer than any record"
            } else {
                "it does not end; it is torn, or no line of a log"
            };
            return Some(Err(bad(what.to_owned())));
        };
        Some(serde_json::from_slice(text).map_err(|error| bad(error.to_string())))
    }
}

impl Iterator for AuditRecords {
    type Item = Result<AuditRecord<'static>, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.read()?;
        Some(record.map_err(|problem| problem.of(&self.path)))
    }
}

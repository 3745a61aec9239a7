//! Reading audit logs, one record at a time.
//!
//! The invariant: a line that is no record is told and counted, never passed over in silence, and
//! a log without any record is none.

use std::path::{Path, PathBuf};

use aegize::{AuditError, AuditRecord, AuditRecords};

use crate::exit::Failure;
use crate::output::warn;

/// How many bad lines of a log are told one by one.
const TOLD: u64 = 5;

/// A log, and what was wrong with it so far.
pub(crate) struct Log {
    records: AuditRecords,
    has_records: bool,
    /// Bad lines that came before any record.
    untold: Vec<AuditError>,
    /// How many lines are no records.
    pub(crate) bad_lines: u64,
}

impl Log {
    /// Opens a log: a file, a directory of segments, or a pipe.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            records: AuditRecords::open(path)?,
            has_records: false,
            untold: Vec::new(),
            bad_lines: 0,
        })
    }

    /// The next record, if there is one.
    ///
    /// # Errors
    ///
    /// If the log cannot be read, or has lines and none of them is a record.
    pub(crate) fn next(&mut self) -> Result<Option<AuditRecord<'static>>, Failure> {
        loop {
            match self.records.next() {
                Some(Ok(record)) => {
                    self.has_records = true;
                    for error in self.untold.drain(..) {
                        warn(&error.to_string());
                    }
                    return Ok(Some(record));
                }
                Some(Err(error)) if error.line().is_some() => self.count(error),
                // Reading it again would fail again.
                Some(Err(error)) => return Err(error.into()),
                None => break,
            }
        }
        if !self.has_records && !self.untold.is_empty() {
            return Err(self.untold.swap_remove(0).into());
        }
        Ok(None)
    }

    fn count(&mut self, error: AuditError) {
        self.bad_lines += 1;
        if self.bad_lines > TOLD {
            return;
        }
        if self.has_records {
            warn(&error.to_string());
        } else {
            self.untold.push(error);
        }
    }

    /// The line of the record that came last, as it stands in the log.
    pub(crate) fn line(&self) -> &[u8] {
        self.records.line()
    }

    /// Goes on with what was written since; whether there may be any.
    ///
    /// # Errors
    ///
    /// If the log was cut, moved or removed.
    pub(crate) fn resume(&mut self) -> Result<bool, Failure> {
        Ok(self.records.resume()?)
    }
}

/// Visits every record of some logs, in order; how many lines are no records.
///
/// # Errors
///
/// As [`Log::next`].
pub(crate) fn read(
    logs: &[PathBuf],
    mut visit: impl FnMut(&Path, &AuditRecord<'_>),
) -> Result<u64, Failure> {
    let mut bad_lines = 0;
    for path in logs {
        let mut log = Log::open(path)?;
        while let Some(record) = log.next()? {
            visit(path, &record);
        }
        bad_lines += log.bad_lines;
    }
    Ok(bad_lines)
}

/// How many lines are left out, for people; `None` if none is.
pub(crate) fn left_out(bad_lines: u64) -> Option<String> {
    let plural = if bad_lines == 1 { "" } else { "s" };
    let told = format!("{bad_lines} line{plural} left out: no record, or a torn one");
    (bad_lines > 0).then_some(told)
}

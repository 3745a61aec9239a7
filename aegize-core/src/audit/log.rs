//! The log as its users hold it: shared by the threads of a process.

use std::path::{self, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::abandoned::Lease;
use super::error::{AuditError, Problem};
use super::read::AuditRecords;
use super::record::AuditRecord;
use super::writer::Writer;

/// An append-only file of audit records, one JSON object a line.
///
/// Any number of threads and processes may write one file. Cloning is cheap and gives the same
/// log. A record has been handed to the operating system when it counts as written: it
/// survives the process, not a loss of power.
///
/// ```
/// # extern crate aegize_core as aegize;
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("audit.jsonl");
/// let log = aegize::AuditLog::open(&path)?;
/// for record in log.read_all()? {
///     println!("{} {} {}", record.event, record.tool_name, record.operation);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct AuditLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// Where that was when it was opened: the process may go elsewhere.
    absolute: PathBuf,
    writer: Mutex<Writer>,
    lease: Option<Lease>,
}

impl AuditLog {
    /// Opens a log, and makes the file (mode 0600) and its directories if there is none.
    ///
    /// A last line that a crash tore is moved to `<log>.torn-N` beside the log, and a record
    /// says so. If no other process has the log open, attempts without an outcome are those of
    /// processes that have ended, and are recorded as abandoned. Who has a log open is told by
    /// locks on a file beside it, `<log>.open`.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, locked, read or written, or does not end with a record.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AuditError> {
        let path = path.as_ref();
        let absolute = path::absolute(path).map_err(|error| Problem::Open(error).of(path))?;
        let mut writer = Writer::open(path).map_err(|problem| problem.of(path))?;
        writer
            .locked(&absolute, |writer| writer.settle(&absolute))
            .map_err(|problem| problem.of(path))?;
        let mut lease = None;
        if writer.is_regular {
            lease = Lease::take(&absolute, |start| writer.close_attempts(&absolute, start))
                .map_err(|problem| problem.of(path))?;
        }
        Ok(Self(Arc::new(Shared {
            path: path.to_owned(),
            absolute,
            writer: Mutex::new(writer),
            lease,
        })))
    }

    /// The log's path, as it was opened.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Every record, oldest first.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a line is no record.
    pub fn read_all(&self) -> Result<Vec<AuditRecord<'static>>, AuditError> {
        self.records()?.collect()
    }

    /// The records written so far, oldest first, one at a time.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn records(&self) -> Result<AuditRecords, AuditError> {
        AuditRecords::open(&self.0.absolute)
    }

    /// Writes a record that has to be there before anything else happens.
    pub(crate) fn append(&self, record: AuditRecord<'_>) -> Result<(), AuditError> {
        self.with_writer(|writer, path| writer.locked(path, |writer| writer.append(path, [record])))
    }

    /// Writes the outcome of a call that has run. If that fails the record is kept, and written
    /// before any later one: until then, every [`append`](Self::append) fails.
    pub(crate) fn append_outcome(&self, record: AuditRecord<'_>) {
        // The failure is told by the next append, which fails for the same reason or succeeds
        // and writes what was kept.
        let _ = self.with_writer(|writer, path| {
            let kept = record.clone();
            let written = writer.locked(path, |writer| writer.append(path, [record]));
            if written.is_err() {
                writer.kept.push(kept.into_owned());
            }
            written
        });
    }

    fn with_writer<T>(
        &self,
        work: impl FnOnce(&mut Writer, &Path) -> Result<T, Problem>,
    ) -> Result<T, AuditError> {
        // A panic cannot leave the writer half changed in a way that the next append does not
        // notice, since that compares the file's length with the one it knows.
        let mut writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut writer, &self.0.absolute).map_err(|problem| problem.of(&self.0.path))
    }
}

impl Drop for Shared {
    /// The last chance for outcomes that could not be written.
    fn drop(&mut self) {
        let path = &self.absolute;
        let writer = self
            .writer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if !writer.kept.is_empty() {
            // There is nobody left to tell.
            let _ = writer.locked(path, |writer| writer.append(path, []));
        }
        // With the last clone, all attempts of this log have had their outcome.
        if let Some(lease) = &self.lease
            && writer.kept.is_empty()
        {
            lease.close(writer.end);
        }
    }
}

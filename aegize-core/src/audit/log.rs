//! The writer.
//!
//! A record is written by the caller itself, under a lock: within the process a mutex, among
//! processes an advisory lock on the file. A line goes out in one `write`; what a failed one
//! left behind is cut off again. The end of the file is read anew only if someone else wrote.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::{AuditError, Problem};
use super::read::AuditRecords;
use super::record::{AuditEvent, AuditRecord};

/// An append-only file of audit records, one JSON object a line.
///
/// Any number of threads and processes may write one file. Cloning is cheap and gives the same
/// log. A record has been handed to the operating system when it counts as written: it
/// survives the process, not a loss of power.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("audit.jsonl");
/// let log = aegize_core::AuditLog::open(&path)?;
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
    writer: Mutex<Writer>,
}

impl AuditLog {
    /// Opens a log, and makes the file (mode 0600) and its directories if there is none.
    ///
    /// A last line that a crash tore is moved to `<log>.torn-N` beside the log, and a record
    /// says so.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened, locked, read or written, or does not end with a record.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AuditError> {
        let path = path.as_ref();
        let mut writer = Writer::open(path).map_err(|problem| problem.of(path))?;
        writer
            .locked(|writer| writer.settle(path))
            .map_err(|problem| problem.of(path))?;
        Ok(Self(Arc::new(Shared {
            path: path.to_owned(),
            writer: Mutex::new(writer),
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
        AuditRecords::open(&self.0.path)
    }

    /// Writes a record that has to be there before anything else happens.
    pub(crate) fn append(&self, record: AuditRecord<'_>) -> Result<(), AuditError> {
        self.with_writer(|writer, path| writer.locked(|writer| writer.append(path, record)))
    }

    /// Writes the outcome of a call that has run. If that fails the record is kept, and written
    /// before any later one: until then, every [`append`](Self::append) fails.
    pub(crate) fn append_outcome(&self, record: AuditRecord<'_>) {
        // The failure is told by the next append, which fails for the same reason or succeeds
        // and writes what was kept.
        let _ = self.with_writer(|writer, path| {
            let kept = record.clone();
            let written = writer.locked(|writer| writer.append(path, record));
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
        work(&mut writer, &self.0.path).map_err(|problem| problem.of(&self.0.path))
    }
}

#[derive(Debug)]
struct Writer {
    file: File,
    /// Whether the file has a length; a device or a pipe has none.
    is_regular: bool,
    /// Where the last record known ends.
    end: u64,
    next_seq: u64,
    /// Outcomes that could not be written when they happened.
    kept: Vec<AuditRecord<'static>>,
    line: Vec<u8>,
}

impl Writer {
    fn open(path: &Path) -> Result<Self, Problem> {
        if let Some(directory) = path.parent().filter(|path| !path.as_os_str().is_empty()) {
            fs::create_dir_all(directory).map_err(Problem::Open)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(Problem::Open)?;
        let is_regular = file.metadata().map_err(Problem::Open)?.is_file();
        Ok(Self {
            file,
            is_regular,
            end: 0,
            next_seq: 0,
            kept: Vec::new(),
            line: Vec::new(),
        })
    }

    /// Does something while no other process writes.
    fn locked<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.file.lock().map_err(Problem::Lock)?;
        let result = work(self);
        let unlocked = self.file.unlock().map_err(Problem::Lock);
        // What was written is written, even if the lock stays.
        result.and_then(|value| unlocked.map(|()| value))
    }

    fn append(&mut self, path: &Path, record: AuditRecord<'_>) -> Result<(), Problem> {
        self.settle(path)?;
        let kept = std::mem::take(&mut self.kept);
        let written = self.write(kept.iter().cloned().chain([record]));
        if written.is_err() {
            self.kept = kept;
        }
        written
    }

    /// Writes records in one go, or none of them.
    fn write<'r>(
        &mut self,
        records: impl IntoIterator<Item = AuditRecord<'r>>,
    ) -> Result<(), Problem> {
        self.line.clear();
        let mut seq = self.next_seq;
        for mut record in records {
            record.seq = seq;
            record.timestamp = OffsetDateTime::now_utc();
            record
                .encode(&mut self.line)
                .map_err(|error| Problem::Encode(error.to_string()))?;
            seq += 1;
        }
        if let Err(error) = self.file.write_all(&self.line) {
            if self.is_regular {
                // If the part that was written stays, the next to append sets it aside.
                let _ = self.file.set_len(self.end);
            }
            return Err(Problem::Write(error));
        }
        self.end += u64::try_from(self.line.len()).unwrap_or(u64::MAX);
        self.next_seq = seq;
        Ok(())
    }

    /// Makes sure that the end of the file is known and is that of a record.
    fn settle(&mut self, path: &Path) -> Result<(), Problem> {
        if !self.is_regular {
            return Ok(());
        }
        let metadata = self.file.metadata().map_err(Problem::Read)?;
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::nlink(&metadata) == 0 {
            return Err(Problem::Removed);
        }
        let length = metadata.len();
        if length == self.end {
            return Ok(());
        }
        if let Some(shorter) = self.end.checked_sub(length) {
            return Err(Problem::Shorter { shorter });
        }
        let (line, torn) = self.tail(length).map_err(Problem::Read)?;
        self.next_seq = match line {
            Some(line) => next_seq(&line)?,
            None => 0,
        };
        self.end = length;
        if torn > 0 {
            self.set_aside(path, length, torn)?;
        }
        Ok(())
    }

    /// The last whole line, and how many bytes follow it.
    fn tail(&mut self, length: u64) -> io::Result<(Option<Vec<u8>>, u64)> {
        const STEP: u64 = 64 * 1024;
        let mut tail = Vec::new();
        let mut start = length;
        loop {
            let mut breaks = tail
                .iter()
                .enumerate()
                .rev()
                .filter(|(_, byte)| **byte == b'\n');
            if let Some((last, _)) = breaks.next() {
                let begin = breaks.next().map(|(index, _)| index + 1);
                if begin.is_some() || start == 0 {
                    let line = tail.get(begin.unwrap_or(0)..last).map(<[u8]>::to_vec);
                    let torn = tail.len() - last - 1;
                    return Ok((line, u64::try_from(torn).unwrap_or(u64::MAX)));
                }
            } else if start == 0 {
                return Ok((None, length));
            }
            let step = start.min(STEP);
            start -= step;
            let mut chunk = vec![0; usize::try_from(step).unwrap_or(0)];
            self.file.seek(SeekFrom::Start(start))?;
            self.file.read_exact(&mut chunk)?;
            chunk.append(&mut tail);
            tail = chunk;
        }
    }

    /// Moves a torn last line to a file of its own and says so in the log.
    fn set_aside(&mut self, path: &Path, length: u64, torn: u64) -> Result<(), Problem> {
        let start = length - torn;
        let mut bytes = Vec::new();
        self.file
            .seek(SeekFrom::Start(start))
            .and_then(|_| (&self.file).take(torn).read_to_end(&mut bytes))
            .map_err(Problem::Read)?;
        let aside = keep_torn(path, &bytes).map_err(Problem::SetAside)?;
        self.file.set_len(start).map_err(Problem::SetAside)?;
        self.end = start;

        let metadata = Map::from_iter([
            ("torn_bytes".to_owned(), Value::from(torn)),
            (
                "set_aside".to_owned(),
                Value::from(aside.display().to_string()),
            ),
        ]);
        let mut record = AuditRecord::new(AuditEvent::LogRecovered, Uuid::now_v7(), &metadata);
        record.agent_id = "aegize".into();
        record.tool_name = "audit_log".into();
        record.operation = "recover".into();
        record.reason = Some("a torn last line was set aside".into());
        self.write([record])
    }
}

/// Writes a torn line to the first free `<log>.torn-N`.
fn keep_torn(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut number = 0_u32;
    loop {
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".torn-{number}"));
        let aside = PathBuf::from(aside);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&aside) {
            Ok(mut file) => {
                file.write_all(bytes)?;
                file.sync_all()?;
                return Ok(aside);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn next_seq(line: &[u8]) -> Result<u64, Problem> {
    #[derive(Deserialize)]
    struct Position {
        seq: u64,
    }
    serde_json::from_slice::<Position>(line)
        .map(|position| position.seq + 1)
        .map_err(|error| Problem::NotALog(error.to_string()))
}

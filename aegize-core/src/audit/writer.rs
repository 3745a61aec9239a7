//! The writer: one file, shared with other processes.
//!
//! A record is written by the caller itself, under a lock: within the process a mutex, among
//! processes an advisory lock on the file. It goes out in one `write`; what a failed one left
//! behind is cut off again. Before that, the end of the file is made sure of
//! ([`settle`](Writer::settle)).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::process;

use time::OffsetDateTime;

use super::chain::{Hash, leaf};
use super::error::Problem;
use super::record::AuditRecord;

#[derive(Debug)]
pub(super) struct Writer {
    /// The process that opened the file: a child shares its lock, and has to open its own.
    pub(super) process: u32,
    pub(super) file: File,
    /// Whether the file has a length; a device or a pipe has none.
    pub(super) is_regular: bool,
    /// Where the last record known ends.
    pub(super) end: u64,
    pub(super) next_seq: u64,
    /// The leaf hash of the last record known.
    pub(super) head: Hash,
    /// Outcomes that could not be written when they happened.
    pub(super) kept: Vec<AuditRecord<'static>>,
    pub(super) line: Vec<u8>,
}

impl Writer {
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let open = || match (options.open(path), path.parent()) {
            (Err(error), Some(directory)) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(directory)?;
                options.open(path)
            }
            (opened, _) => opened,
        };
        let mut file = open().map_err(Problem::Open)?;
        let is_regular = file.metadata().map_err(Problem::Open)?.is_file();
        if !is_regular {
            // Whoever could read a pipe would be its reader: nobody else has to be there, and a
            // full one would never be refused.
            file = OpenOptions::new()
                .append(true)
                .open(path)
                .map_err(Problem::Open)?;
        }
        Ok(Self {
            process: process::id(),
            file,
            is_regular,
            end: 0,
            next_seq: 0,
            head: Hash::default(),
            kept: Vec::new(),
            line: Vec::new(),
        })
    }

    /// Does something while no other process writes.
    pub(super) fn locked<T>(
        &mut self,
        path: &Path,
        work: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        if self.process != process::id() {
            // What was kept is the parent's to write.
            *self = Self::open(path)?;
        }
        uninterrupted(|| self.file.lock()).map_err(Problem::Lock)?;
        let result = work(self);
        // A lock that stays keeps others waiting until the file is closed. What was written is
        // written all the same, and must not be taken for lost.
        let _ = self.file.unlock();
        result
    }

    /// Writes records, after those that were kept.
    pub(super) fn append<'r>(
        &mut self,
        path: &Path,
        records: impl IntoIterator<Item = AuditRecord<'r>>,
    ) -> Result<(), Problem> {
        self.settle(path)?;
        let kept = std::mem::take(&mut self.kept);
        let written = self.write(kept.iter().cloned().chain(records));
        if written.is_err() {
            self.kept = kept;
        }
        written
    }

    /// Writes records in one go, or none of them.
    pub(super) fn write<'r>(
        &mut self,
        records: impl IntoIterator<Item = AuditRecord<'r>>,
    ) -> Result<(), Problem> {
        self.line.clear();
        let (mut seq, mut head) = (self.next_seq, self.head);
        for mut record in records {
            record.seq = seq;
            record.timestamp = OffsetDateTime::now_utc();
            record.prev = Some(head);
            let start = self.line.len();
            record
                .encode(&mut self.line)
                .map_err(|error| Problem::Encode(error.to_string()))?;
            seq += 1;
            head = leaf(text(self.line.get(start..).unwrap_or_default()));
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
        self.head = head;
        Ok(())
    }
}

/// A line without its line break.
pub(super) fn text(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// Tries again when a signal interrupts a wait.
pub(super) fn uninterrupted(mut wait: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match wait() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            ended => return ended,
        }
    }
}

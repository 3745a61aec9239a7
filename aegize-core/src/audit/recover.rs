//! The end of the file: found again after others wrote, and mended after a crash.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::abandoned::{open_attempts, outcome};
use super::chain::{Hash, leaf};
use super::error::Problem;
use super::record::{AuditEvent, AuditRecord};
use super::writer::Writer;

impl Writer {
    /// Makes sure that the end of the file is known and is that of a record.
    pub(super) fn settle(&mut self, path: &Path) -> Result<(), Problem> {
        if !self.is_regular {
            return Ok(());
        }
        let metadata = self.file.metadata().map_err(Problem::Read)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let is_there = fs::metadata(path)
                .is_ok_and(|there| (there.dev(), there.ino()) == (metadata.dev(), metadata.ino()));
            if !is_there {
                return Err(Problem::Removed);
            }
        }
        let length = metadata.len();
        if length == self.end {
            return Ok(());
        }
        if let Some(shorter) = self.end.checked_sub(length) {
            return Err(Problem::Shorter { shorter });
        }
        let (line, torn) = self.tail(length).map_err(Problem::Read)?;
        (self.next_seq, self.head) = match line {
            Some(line) => (next_seq(&line)?, leaf(&line)),
            None => (0, Hash::default()),
        };
        // Until the torn line is set aside the two differ, and nothing is written.
        self.end = length - torn;
        if torn > 0 {
            self.set_aside(path, length, torn)?;
        }
        Ok(())
    }

    /// Gives an outcome to the attempts from a position on that have none, and tells where the
    /// log then ends. Nobody else has the log open.
    pub(super) fn close_attempts(&mut self, path: &Path, start: u64) -> Result<u64, Problem> {
        self.locked(path, |writer| {
            writer.settle(path)?;
            let attempts = open_attempts(&writer.file, start).map_err(Problem::Read)?;
            if !attempts.is_empty() {
                writer.append(path, attempts.iter().map(outcome))?;
            }
            Ok(writer.end)
        })
    }

    /// The last whole line, and how many bytes follow it.
    fn tail(&mut self, length: u64) -> io::Result<(Option<Vec<u8>>, u64)> {
        const STEP: u64 = 64 * 1024;
        // Where the line breaks are that were seen, in their order.
        let mut breaks = Vec::new();
        let mut start = length;
        let mut chunk = Vec::new();
        while start > 0 && breaks.len() < 2 {
            let step = start.min(STEP);
            start -= step;
            self.read(start, step, &mut chunk)?;
            let lines = (start..).zip(&chunk).filter(|(_, byte)| **byte == b'\n');
            let before = std::mem::take(&mut breaks);
            breaks.extend(lines.map(|(position, _)| position));
            breaks.extend(before);
        }
        let Some(last) = breaks.pop() else {
            return Ok((None, length));
        };
        let begin = breaks.last().map_or(0, |before| before + 1);
        self.read(begin, last - begin, &mut chunk)?;
        Ok((Some(chunk), length - last - 1))
    }

    fn read(&mut self, start: u64, length: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.clear();
        self.file.seek(SeekFrom::Start(start))?;
        (&self.file).take(length).read_to_end(bytes)?;
        Ok(())
    }

    /// Moves a torn last line to a file of its own and says so in the log.
    fn set_aside(&mut self, path: &Path, length: u64, torn: u64) -> Result<(), Problem> {
        let start = length - torn;
        let mut bytes = Vec::new();
        self.read(start, torn, &mut bytes).map_err(Problem::Read)?;
        if start == 0 && !matches!(bytes.first(), Some(b'{' | 0)) {
            let what = "its only line does not end, and does not begin like a record";
            return Err(Problem::NotALog(what.to_owned()));
        }
        let aside = keep_torn(path, &bytes).map_err(Problem::SetAside)?;

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
        record.seq = self.next_seq;
        record.prev = Some(self.head);
        let cut = self
            .make_room(&record, length)
            .and_then(|()| self.file.set_len(start).map_err(Problem::SetAside));
        if let Err(problem) = cut {
            // All is as it was, and the next to write tries again.
            let _ = fs::remove_file(&aside);
            return Err(problem);
        }
        self.write([record])
    }

    /// Makes sure that a record can be written in place of a torn line, by making that longer
    /// before it is gone.
    fn make_room(&mut self, record: &AuditRecord<'_>, length: u64) -> Result<(), Problem> {
        // A file that can only be appended to cannot be cut, not even to the length it has.
        self.file.set_len(length).map_err(Problem::SetAside)?;
        self.line.clear();
        record
            .encode(&mut self.line)
            .map_err(|error| Problem::Encode(error.to_string()))?;
        self.line.fill(b' ');
        self.file.write_all(&self.line).map_err(|error| {
            let _ = self.file.set_len(length);
            Problem::Write(error)
        })
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
                if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_all()) {
                    let _ = fs::remove_file(&aside);
                    return Err(error);
                }
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
    // A struct would be read from a list, too.
    let is_object = line.trim_ascii_start().first() != Some(&b'[');
    let position = serde_json::from_slice::<Position>(line)
        .map_err(|error| Problem::NotALog(error.to_string()))?;
    match position.seq.checked_add(1) {
        Some(next) if is_object => Ok(next),
        Some(_) => Err(Problem::NotALog("it is a list".to_owned())),
        None => Err(Problem::NotALog(
            "its `seq` is the last there is".to_owned(),
        )),
    }
}

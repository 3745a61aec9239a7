//! The end of the log: found when it is opened and after others wrote, and mended after a crash.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::chain::{Hash, leaf};
use super::error::Problem;
use super::files;
use super::notary::Frontier;
use super::queue::Entry;
use super::record::{AuditEvent, AuditRecord};
use super::writer::{Hold, Writer};

/// How much is read at a time, in bytes.
const STEP: u64 = 64 * 1024;

/// What a line says of its place.
#[derive(Deserialize)]
struct Position {
    seq: Option<u64>,
    timestamp: Option<String>,
    /// What every record has had, also before there was `seq`.
    event: Option<String>,
    agent_id: Option<String>,
}

impl Writer {
    /// Makes sure that the end of the log is known and is that of a record.
    pub(super) fn settle(&mut self) -> Result<(), Problem> {
        while self.advance()? {}
        Ok(())
    }

    /// Makes sure of the end of this file, and goes on to the next one if there is one.
    pub(super) fn advance(&mut self) -> Result<bool, Problem> {
        if !self.is_regular {
            return Ok(false);
        }
        self.settle_segment()?;
        if !self.site.is_directory || self.next_seq == self.segment.first_seq {
            return Ok(false);
        }
        // Whoever began another file since then named it by what this one ends with.
        let next = files::segment(&self.site.path, self.next_seq);
        if !next.path.try_exists().map_err(Problem::Read)? {
            return Ok(false);
        }
        self.continue_in(next)?;
        Ok(true)
    }

    fn settle_segment(&mut self) -> Result<(), Problem> {
        let metadata = self.file.metadata().map_err(Problem::Read)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let there = match fs::metadata(&self.segment.path) {
                Ok(there) => Some((there.dev(), there.ino())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(Problem::Read(error)),
            };
            if there != Some((metadata.dev(), metadata.ino())) {
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
        let torn = if self.notary.is_some() {
            self.follow(length)?
        } else {
            self.look_back(length)?
        };
        if torn > 0 {
            self.set_aside(length, torn)?;
        }
        Ok(())
    }

    /// Takes the last whole line for the end, and tells how many bytes follow it.
    fn look_back(&mut self, length: u64) -> Result<u64, Problem> {
        let (line, torn) = self.tail(length).map_err(Problem::Read)?;
        if let Some(line) = line {
            let end = length - torn;
            let place = place(&line)?;
            let next_seq = match place.seq {
                Some(seq) => seq
                    .checked_add(1)
                    .ok_or_else(|| Problem::NotALog("its `seq` is the last there is".to_owned()))?,
                None => self.count(end).map_err(Problem::Read)?,
            };
            self.take_for_end(end, next_seq, leaf(&line), &place);
        }
        // Until the torn line is set aside the two differ, and nothing is written.
        self.end = length - torn;
        Ok(torn)
    }

    /// Reads all that was written since, and tells how many bytes follow the last whole line.
    fn follow(&mut self, length: u64) -> Result<u64, Problem> {
        let mut reader = BufReader::new(&*self.file);
        reader
            .seek(SeekFrom::Start(self.end))
            .map_err(Problem::Read)?;
        let (mut end, mut next_seq) = (self.end, self.next_seq);
        let mut last = Vec::new();
        let mut line = Vec::new();
        let mut leaves = Vec::new();
        let mut rest = reader.take(length - end);
        loop {
            line.clear();
            let read = rest.read_until(b'\n', &mut line).map_err(Problem::Read)?;
            if line.pop() != Some(b'\n') {
                break;
            }
            end += u64::try_from(read).unwrap_or(u64::MAX);
            next_seq = next_seq.checked_add(1).ok_or(Problem::Full)?;
            leaves.push(leaf(&line));
            std::mem::swap(&mut last, &mut line);
        }
        if let Some(head) = leaves.last() {
            let place = place(&last)?;
            if place.seq.is_some_and(|seq| seq != next_seq - 1) {
                let (seq, expected) = (place.seq.unwrap_or_default(), next_seq - 1);
                return Err(Problem::Misplaced { seq, expected });
            }
            self.take_for_end(end, next_seq, *head, &place);
        }
        if let Some(notary) = &mut self.notary {
            for leaf in leaves {
                notary.push(leaf);
            }
        }
        Ok(length - end)
    }

    fn take_for_end(&mut self, end: u64, next_seq: u64, head: Hash, place: &Position) {
        (self.end, self.next_seq, self.head) = (end, next_seq, head);
        self.last = self.place();
        let time = place.timestamp.as_deref();
        self.written_at = time.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    }

    /// The last whole line, and how many bytes follow it.
    fn tail(&self, length: u64) -> io::Result<(Option<Vec<u8>>, u64)> {
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

    /// The position after the lines of this file, which do not tell theirs.
    fn count(&self, end: u64) -> io::Result<u64> {
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::new(file.take(end));
        let mut next_seq = self.segment.first_seq;
        while reader.skip_until(b'\n')? > 0 {
            next_seq += 1;
        }
        Ok(next_seq)
    }

    /// Begins where a frontier is, if that is a place in this log.
    pub(super) fn resume(&mut self, frontier: &Frontier) -> Result<bool, Problem> {
        let length = self.file.metadata().map_err(Problem::Read)?.len();
        if self.segment.first_seq != frontier.segment || length < frontier.end {
            return Ok(false);
        }
        let (Some(line), 0) = self.tail(frontier.end).map_err(Problem::Read)? else {
            return Ok(false);
        };
        let Ok(place) = place(&line) else {
            return Ok(false);
        };
        let is_it = leaf(&line) == frontier.head
            && place
                .seq
                .is_none_or(|seq| seq.checked_add(1) == Some(frontier.size));
        if is_it {
            self.take_for_end(frontier.end, frontier.size, frontier.head, &place);
        }
        Ok(is_it)
    }

    fn read(&self, start: u64, length: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.clear();
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(start))?;
        file.take(length).read_to_end(bytes)?;
        Ok(())
    }

    /// Moves a torn last line to a file of its own and says so in the log.
    fn set_aside(&mut self, length: u64, torn: u64) -> Result<(), Problem> {
        let start = length - torn;
        let mut bytes = Vec::new();
        let last = self.site.segments().map_err(Problem::Read)?.pop();
        if let Some(last) = last.filter(|last| *last != self.segment) {
            return Err(Problem::Gap(last.path));
        }
        self.read(start, torn, &mut bytes).map_err(Problem::Read)?;
        if self.next_seq == 0 && !matches!(bytes.first(), Some(b'{' | 0)) {
            let what = "its only line does not end, and does not begin like a record";
            return Err(Problem::NotALog(what.to_owned()));
        }
        let aside = keep_torn(&self.segment.path, &bytes).map_err(Problem::SetAside)?;

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
        let told = entry(&record).and_then(|entry| self.replace(start, &bytes, &entry));
        if told.is_err() && self.hold != Hold::Uncut {
            let mut there = Vec::new();
            let read = self.read(start, torn, &mut there);
            if read.is_ok() && there == bytes {
                // All is as it was, and the next to write tries again.
                let _ = fs::remove_file(&aside);
            }
        }
        told
    }

    /// Writes a record over a torn line, so that at every moment one of the two is there.
    fn replace(&mut self, start: u64, torn: &[u8], entry: &Entry) -> Result<(), Problem> {
        let size = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let length = start + size(torn);
        // A file that can only be appended to cannot be cut, not even to the length it has.
        self.file.set_len(length).map_err(Problem::SetAside)?;
        let next = self.compose([entry])?;
        let line = std::mem::take(&mut self.line);
        let missing = line.len().saturating_sub(torn.len());
        let replaced = (&*self.file)
            .write_all(&vec![b' '; missing])
            .and_then(|()| {
                let mut file = OpenOptions::new().write(true).open(&self.segment.path)?;
                file.seek(SeekFrom::Start(start))?;
                file.write_all(&line).inspect_err(|_| {
                    let _ = file
                        .seek(SeekFrom::Start(start))
                        .and_then(|_| file.write_all(torn));
                })
            });
        self.line = line;
        if let Err(error) = replaced {
            let _ = self.file.set_len(length);
            return Err(Problem::Write(error));
        }
        self.accept(next);
        if self.end < length {
            self.cut()
        } else {
            Ok(())
        }
    }
}

/// A record that the log writes about itself or for others.
pub(super) fn entry(record: &AuditRecord<'_>) -> Result<Entry, Problem> {
    let body = record.body();
    Ok(Entry {
        ticket: 0,
        timestamp: OffsetDateTime::now_utc(),
        body: body.map_err(|error| Problem::Encode(error.to_string()))?,
        is_kept: false,
    })
}

/// Writes a torn line to the first free `<file>.torn-N`.
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

/// The place of a line, which has to be that of a record.
fn place(line: &[u8]) -> Result<Position, Problem> {
    // A struct would be read from a list, too.
    if line.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::NotALog("it is a list".to_owned()));
    }
    let place = serde_json::from_slice::<Position>(line)
        .map_err(|error| Problem::NotALog(error.to_string()))?;
    if place.seq.is_none() && (place.event.is_none() || place.agent_id.is_none()) {
        return Err(Problem::NotALog("it has no `seq`".to_owned()));
    }
    Ok(place)
}

//! Reading a log back, one record at a time, and following it.
//!
//! The invariant: every line is a record or an error that names its file and its number, each
//! once and in order, also if others write meanwhile.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::{AuditError, Problem};
use super::files::{self, Extent, Segment};
use super::old;
use super::record::AuditRecord;

/// The longest line that is read, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The length of a file that is read to its end: of a pipe or a device.
const ENDLESS: u64 = u64::MAX;

/// The records of a log, oldest first, in constant memory: of a file, of the segments of a
/// directory, or of a pipe.
///
/// What is written after it was opened is not in it, until [`resume`](Self::resume) is called. A
/// line that is no record is an error that names it; the lines after it can still be read. After
/// any other error there are no more.
///
/// Lines of the Python package are records, too. They have no `seq`, and get their position in
/// the log; where one has no `action_id`, its record has the nil UUID, and where it has no
/// `metadata`, none.
#[derive(Debug)]
pub struct AuditRecords {
    log: PathBuf,
    /// The file that is being read, and stays open at its end.
    file: Option<LogFile>,
    /// The files after it.
    ahead: VecDeque<Extent>,
    /// Whether the last file ended with a torn line when its length was taken.
    is_torn: bool,
    /// The position of the next line in the log.
    position: u64,
    line: Vec<u8>,
    has_failed: bool,
}

impl AuditRecords {
    /// Opens a log for reading only. Nothing is made, changed or recovered.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or is a directory that holds no log.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AuditError> {
        let log = path.as_ref();
        let mut records = Self {
            log: log.to_owned(),
            file: None,
            ahead: VecDeque::new(),
            is_torn: false,
            position: 0,
            line: Vec::new(),
            has_failed: false,
        };
        records.ahead = records
            .extents()
            .map_err(|error| Problem::Open(error).of(log))?;
        records.turn()?;
        Ok(records)
    }

    /// Takes in what was written since the log was opened or this was last called, in the last
    /// file and in new ones; whether that may be any. It does not wait.
    ///
    /// A line that was not whole is read again. A pipe is read to its end at once, and never has
    /// more.
    ///
    /// # Errors
    ///
    /// If the log cannot be read, or was cut, moved or removed meanwhile.
    pub fn resume(&mut self) -> Result<bool, AuditError> {
        let is_endless = |file: &LogFile| file.length == ENDLESS;
        if self.file.as_ref().is_some_and(is_endless) {
            return Ok(false);
        }
        let mut found = self.extents().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Problem::Gone.of(&self.log),
            _ => Problem::Read(error).of(&self.log),
        })?;
        let mut has_more = false;
        if let Some(file) = &mut self.file {
            let present = found.iter().find(|extent| extent.segment == file.segment);
            present
                .ok_or(Problem::Gone)
                .and_then(|present| file.resume(present.length))
                .map_err(|problem| problem.of(&file.segment.path))?;
            found.retain(|extent| extent.segment.first_seq > file.segment.first_seq);
            has_more = file.offset < file.length;
        }
        self.ahead = found;
        self.has_failed = false;
        Ok(has_more || !self.ahead.is_empty())
    }

    /// The line that was read last, whether it is a record or not, without its line break.
    pub fn line(&self) -> &[u8] {
        self.line.strip_suffix(b"\n").unwrap_or(&self.line)
    }

    /// The files of the log, as far as they are written.
    fn extents(&mut self) -> io::Result<VecDeque<Extent>> {
        let extents = extents(&self.log)?;
        self.is_torn = extents.back().map_or(Ok(false), is_torn)?;
        Ok(extents)
    }

    /// Goes to the next file; whether there is one.
    fn turn(&mut self) -> Result<bool, AuditError> {
        let Some(next) = self.ahead.pop_front() else {
            return Ok(false);
        };
        let path = next.segment.path.clone();
        let file = LogFile::open(next).map_err(|error| Problem::Open(error).of(&path))?;
        self.position = file.segment.first_seq;
        self.file = Some(file);
        Ok(true)
    }

    fn read(&mut self) -> Result<Option<AuditRecord<'static>>, AuditError> {
        loop {
            if let Some(file) = &mut self.file {
                let position = self.position;
                let line = match file.read(&mut self.line) {
                    // What was torn has been set aside.
                    Err(Problem::Shorter { .. }) if self.is_torn && self.ahead.is_empty() => {
                        Ok(Line::End)
                    }
                    line => line,
                };
                self.position += u64::from(matches!(line, Ok(Line::Whole | Line::TooLong)));
                let record = line.and_then(|line| file.record(line, &self.line, position));
                if let Some(record) = record.map_err(|problem| problem.of(&file.segment.path))? {
                    return Ok(Some(record));
                }
            }
            if !self.turn()? {
                return Ok(None);
            }
        }
    }
}

impl Iterator for AuditRecords {
    type Item = Result<AuditRecord<'static>, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let record = self.read().transpose()?;
        self.has_failed = record.as_ref().is_err_and(|error| error.line().is_none());
        Some(record)
    }
}

/// The files of a log that is there, as far as they are written.
fn extents(log: &Path) -> io::Result<VecDeque<Extent>> {
    let metadata = fs::metadata(log)?;
    if !metadata.is_file() && !metadata.is_dir() {
        // Whoever writes to a pipe must not see it closed again: it is opened once, to be read.
        let segment = Segment {
            path: log.to_owned(),
            first_seq: 0,
        };
        return Ok(VecDeque::from([Extent {
            segment,
            length: ENDLESS,
        }]));
    }
    let extents = files::extents(log)?;
    if extents.is_empty() && !files::lock_file(log).exists() {
        let problem = "it is a directory that holds no log, whose files are named like \
            `00000000000000000000.jsonl`";
        return Err(io::Error::new(io::ErrorKind::NotFound, problem));
    }
    Ok(extents.into())
}

/// Whether a file ends with something else than a whole line.
fn is_torn(extent: &Extent) -> io::Result<bool> {
    let last = extent.length.checked_sub(1);
    let Some(last) = last.filter(|_| extent.length != ENDLESS) else {
        return Ok(false);
    };
    let mut file = File::open(&extent.segment.path)?;
    file.seek(SeekFrom::Start(last))?;
    let mut byte = [b'\n'];
    // Nothing is left there if it was set aside since.
    Ok(file.read(&mut byte)? == 0 || byte != [b'\n'])
}

/// One file of a log, and how far it was read.
#[derive(Debug)]
struct LogFile {
    segment: Segment,
    reader: BufReader<File>,
    /// How far it is written, in bytes.
    length: u64,
    /// Where the next line begins.
    offset: u64,
    /// How many lines were read.
    lines: u64,
    /// How long the line was that was told to be torn.
    torn: u64,
}

/// What was read.
#[derive(Clone, Copy)]
enum Line {
    Whole,
    TooLong,
    Torn,
    End,
}

impl LogFile {
    fn open(extent: Extent) -> io::Result<Self> {
        Ok(Self {
            reader: BufReader::new(File::open(&extent.segment.path)?),
            segment: extent.segment,
            length: extent.length,
            offset: 0,
            lines: 0,
            torn: 0,
        })
    }

    /// Reads the next line, or the last part of it that fits.
    fn read(&mut self, line: &mut Vec<u8>) -> Result<Line, Problem> {
        let mut bytes = 0;
        loop {
            line.clear();
            let room = LONGEST.min(self.length - self.offset - bytes);
            let read = self.reader.by_ref().take(room).read_until(b'\n', line);
            let read = read.map_err(Problem::Read)?;
            bytes += u64::try_from(read).unwrap_or(LONGEST);
            if line.ends_with(b"\n") {
                self.offset += bytes;
                self.lines += 1;
                self.torn = 0;
                return Ok(if bytes > LONGEST {
                    Line::TooLong
                } else {
                    Line::Whole
                });
            }
            if line.len() as u64 != LONGEST {
                break;
            }
        }
        self.end(bytes)
    }

    /// Makes sure that the end is where it was, with some bytes after the last line.
    fn end(&mut self, bytes: u64) -> Result<Line, Problem> {
        if self.length == ENDLESS {
            return Ok(if bytes == 0 { Line::End } else { Line::Torn });
        }
        let missing = self.length - self.offset - bytes;
        if missing > 0 {
            return Err(Problem::Shorter { shorter: missing });
        }
        // Whoever writes next may set it aside, and write a record in its place.
        self.seek().map_err(Problem::Read)?;
        if bytes == self.torn {
            return Ok(Line::End);
        }
        self.torn = bytes;
        Ok(Line::Torn)
    }

    /// What a line that was read says; `None` at the end.
    fn record(
        &self,
        line: Line,
        text: &[u8],
        position: u64,
    ) -> Result<Option<AuditRecord<'static>>, Problem> {
        let bad = |what: &str| Problem::BadLine {
            line: self.lines + u64::from(matches!(line, Line::Torn)),
            what: what.to_owned(),
        };
        match line {
            Line::End => Ok(None),
            Line::TooLong => Err(bad("it is longer than any record")),
            Line::Torn => Err(bad("it does not end; it is torn, or no line of a log")),
            // A struct would be read from a list, too.
            Line::Whole if text.trim_ascii_start().starts_with(b"[") => {
                Err(bad("it is a list, and a record is an object"))
            }
            Line::Whole => serde_json::from_slice(text)
                .or_else(|error| old::record(text, position).unwrap_or(Err(error)))
                .map(Some)
                .map_err(|error| bad(&error.to_string())),
        }
    }

    /// Takes in what was written since.
    fn resume(&mut self, length: u64) -> Result<(), Problem> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
            let opened = self.reader.get_ref().metadata().map(place);
            let present = fs::metadata(&self.segment.path).map(place);
            if opened.map_err(Problem::Read)? != present.map_err(|_| Problem::Gone)? {
                return Err(Problem::Gone);
            }
        }
        if let Some(shorter) = self.offset.checked_sub(length).filter(|cut| *cut > 0) {
            return Err(Problem::Shorter { shorter });
        }
        self.length = length;
        self.seek().map_err(Problem::Read)
    }

    /// Goes back to where the next line begins, and forgets what was read ahead.
    fn seek(&mut self) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(self.offset)).map(drop)
    }
}

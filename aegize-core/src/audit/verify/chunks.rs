//! The bytes of a log, a bounded number of whole lines at a time.
//!
//! The invariant: the chunks of a log, one after the other, are its bytes as far as it was written
//! when it was opened, and every file of it has a chunk.

use std::fs::File;
use std::io::{self, Read as _, Take};
use std::path::Path;
use std::sync::Arc;
use std::vec;

use memchr::memrchr;

use super::super::error::{AuditError, Problem};
use super::super::files::{Extent, Segment, extents};
use super::outline::{Outline, lines};

/// How many bytes are read at a time, more or less.
const CHUNK: usize = 1024 * 1024;

/// The longest line that is read, in bytes.
const LONGEST: usize = 16 * CHUNK;

/// Whole lines of one file.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) file: usize,
    pub(super) lines: Vec<u8>,
    /// What follows them in the file and is no line.
    pub(super) rest: Option<Rest>,
    /// How many bytes of the log it is, with the rest.
    pub(super) length: u64,
}

/// Bytes that are no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// The file's last, without a line break.
    Torn,
    /// Longer than any record.
    TooLong,
}

/// A chunk whose lines have been read.
#[derive(Debug)]
pub(super) struct Outlines {
    pub(super) file: usize,
    pub(super) lines: Vec<Outline>,
    pub(super) rest: Option<Rest>,
    pub(super) length: u64,
}

impl Chunk {
    pub(super) fn outlines(self) -> Outlines {
        Outlines {
            file: self.file,
            lines: lines(&self.lines).map(Outline::of).collect(),
            rest: self.rest,
            length: self.length,
        }
    }
}

/// The chunks of a log, oldest first.
#[derive(Debug)]
pub(super) struct Chunks {
    log: Arc<Path>,
    to_come: vec::IntoIter<Extent>,
    /// How many files were opened.
    opened: usize,
    file: Option<Take<File>>,
    /// The beginning of a line whose end was not read yet.
    begun: Vec<u8>,
}

impl Chunks {
    /// Samples how far the log is written, and tells its files, and its length unless it is a
    /// pipe or a device.
    pub(super) fn open(log: &Path) -> Result<(Self, Vec<Segment>, Option<u64>), AuditError> {
        let extents = extents(log).map_err(|error| Problem::Open(error).of(log))?;
        let files = extents.iter().map(|extent| extent.segment.clone());
        let files = files.collect();
        let length = extents.iter().map(|extent| extent.length);
        let length = length.fold(0, u64::saturating_add);
        let chunks = Self {
            log: log.into(),
            to_come: extents.into_iter(),
            opened: 0,
            file: None,
            begun: Vec::new(),
        };
        Ok((chunks, files, (length < u64::MAX).then_some(length)))
    }

    fn read(&mut self) -> Result<Option<Chunk>, Problem> {
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let Some(extent) = self.to_come.next() else {
                return Ok(None);
            };
            let file = File::open(&extent.segment.path).map_err(Problem::Open)?;
            self.opened += 1;
            self.file.insert(file.take(extent.length))
        };
        let mut lines = std::mem::take(&mut self.begun);
        let before = lines.len();
        lines.reserve(CHUNK.saturating_sub(before));
        let (end, rest) = loop {
            let searched = lines.len();
            let step = CHUNK.saturating_sub(searched).max(CHUNK / 4);
            let step = u64::try_from(step).unwrap_or(u64::MAX);
            let read = file.by_ref().take(step).read_to_end(&mut lines);
            let read = read.map_err(Problem::Read)?;
            let added = lines.get(searched..).unwrap_or_default();
            if let Some(at) = memrchr(b'\n', added) {
                break (searched + at + 1, None);
            }
            if read == 0 {
                let rest = (!lines.is_empty()).then_some(Rest::Torn);
                break (0, rest);
            }
            if lines.len() > LONGEST {
                break (0, Some(Rest::TooLong));
            }
        };
        let length = lines.len() - before;
        if end > 0 {
            self.begun = lines.split_off(end);
        } else {
            lines.clear();
            let missing = file.limit();
            self.file = None;
            // A pipe ends before its limit, a file does not.
            if rest != Some(Rest::TooLong) && missing > 0 && missing < u64::MAX / 2 {
                let what = "it became shorter while it was read";
                return Err(Problem::Read(io::Error::other(what)));
            }
        }
        Ok(Some(Chunk {
            file: self.opened.saturating_sub(1),
            lines,
            rest,
            length: u64::try_from(length).unwrap_or(u64::MAX),
        }))
    }
}

impl Iterator for Chunks {
    type Item = Result<Chunk, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = self.read();
        chunk.map_err(|problem| problem.of(&self.log)).transpose()
    }
}

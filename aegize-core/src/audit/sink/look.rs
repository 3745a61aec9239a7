//! A log as a sink's thread sees it: what is written, and what of it comes next.
//!
//! The invariant: lines are handed out only behind a line that is still the one that was delivered
//! last, and only whole ones.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::batch::BatchLimits;
use super::cursor::{Cursor, Mark, sync_directory};
use super::pending::{Pending, as_u64};
use super::trouble::Trouble;
use crate::audit::chain::leaf;
use crate::audit::files::{Extent, extents};

/// How far a log was written at one moment.
#[derive(Debug)]
pub(super) struct Look {
    log: PathBuf,
    extents: Vec<Extent>,
}

/// What comes next.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) pending: Pending,
    /// Whether there is nothing to gain by waiting for more.
    pub(super) is_full: bool,
    file: File,
    /// The path of the file, if these are its first lines.
    new_path: Option<PathBuf>,
}

impl Next {
    /// Makes sure that the log does not lose these lines with the power: a receiver that knows more
    /// than the log could not be told from one that was given another.
    pub(super) fn sync(&self) -> io::Result<()> {
        // Elsewhere, only whoever may write a file may ask for that.
        #[cfg(unix)]
        self.file.sync_data()?;
        #[cfg(not(unix))]
        let _ = &self.file;
        self.new_path.as_deref().map_or(Ok(()), sync_directory)
    }
}

/// Where the next line is.
struct Position<'l> {
    extent: &'l Extent,
    file: File,
    offset: u64,
    is_last: bool,
}

impl Look {
    /// Looks at a log. `None` if there is none.
    pub(super) fn at(log: &Path) -> Result<Option<Self>, Trouble> {
        match fs::metadata(log) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Trouble::with_file(log, "read")(error)),
            Ok(metadata) if metadata.is_file() || metadata.is_dir() => {}
            Ok(_) => {
                let problem = "is no file; records are delivered from a file or a directory of \
                               files, so give the log one";
                return Err(Trouble::about(log, problem));
            }
        }
        let extents = extents(log).map_err(Trouble::with_file(log, "read"))?;
        Ok(Some(Self {
            log: log.to_owned(),
            extents,
        }))
    }

    /// The place where the log ends.
    pub(super) fn end(&self) -> (u64, u64) {
        let last = self.extents.last();
        last.map_or((0, 0), |last| (last.segment.first_seq, last.length))
    }

    /// How many bytes follow a place.
    pub(super) fn bytes_after(&self, (segment, offset): (u64, u64)) -> u64 {
        let after = |extent: &Extent| match extent.segment.first_seq.cmp(&segment) {
            Ordering::Less => 0,
            Ordering::Equal => extent.length.saturating_sub(offset),
            Ordering::Greater => extent.length,
        };
        self.extents.iter().map(after).sum()
    }

    /// The records that come next. A batch whose delivery may have begun is the same again.
    pub(super) fn next(
        &self,
        cursor: &Cursor,
        limits: &BatchLimits,
    ) -> Result<Option<Next>, Trouble> {
        let Some(position) = self.position(cursor)? else {
            return Ok(None);
        };
        let segment = &position.extent.segment;
        let read = match &cursor.under_way {
            Some(end) if end.segment != segment.first_seq || end.offset < position.offset => {
                return Err(self.forked(end));
            }
            Some(end) => again(&position, end),
            None => lines(&position, limits),
        };
        let (bytes, is_full) = read.map_err(Trouble::with_file(&segment.path, "read"))?;
        let pending = Pending::new(bytes, segment.first_seq, position.offset, cursor.next_seq());
        match &cursor.under_way {
            Some(end) if pending.end() != *end => return Err(self.forked(end)),
            None if pending.is_empty() && !position.is_last => {
                let problem = "does not end with a whole record, and yet another file of the log \
                               follows; find out who cut it, and put it back";
                return Err(Trouble::about(&segment.path, problem));
            }
            _ => {}
        }
        Ok((!pending.is_empty()).then_some(Next {
            pending,
            is_full: is_full || !position.is_last,
            file: position.file,
            new_path: (position.offset == 0).then(|| segment.path.clone()),
        }))
    }

    /// Where the line is that follows what has been delivered. `None` if there is none.
    fn position(&self, cursor: &Cursor) -> Result<Option<Position<'_>>, Trouble> {
        let mut following = self.extents.iter();
        if let Some(mark) = &cursor.delivered {
            let Some(extent) = following.find(|extent| extent.segment.first_seq == mark.segment)
            else {
                return Err(self.forked(mark));
            };
            let file = open(extent)?;
            let is_same = ends_with(&file, extent, mark)
                .map_err(Trouble::with_file(&extent.segment.path, "read"))?;
            if !is_same {
                return Err(self.forked(mark));
            }
            if mark.offset < extent.length {
                return Ok(Some(Position {
                    extent,
                    file,
                    offset: mark.offset,
                    is_last: following.next().is_none(),
                }));
            }
        }
        let Some(extent) = following.next() else {
            return Ok(None);
        };
        let (first_seq, next_seq) = (extent.segment.first_seq, cursor.next_seq());
        if first_seq != next_seq {
            let problem = format!(
                "begins with record {first_seq}, and record {next_seq} comes next; put the files \
                 of the log back that are missing"
            );
            return Err(Trouble::about(&extent.segment.path, problem));
        }
        Ok(Some(Position {
            extent,
            file: open(extent)?,
            offset: 0,
            is_last: following.next().is_none(),
        }))
    }

    /// That a line which was delivered, or may have been, is not there.
    fn forked(&self, mark: &Mark) -> Trouble {
        forked(&self.log, mark)
    }
}

/// That a line which was delivered, or may have been, is not in a log.
pub(super) fn forked(log: &Path, mark: &Mark) -> Trouble {
    let problem = format!(
        "is not the log that was delivered: record {} is another or is gone; find out who cut or \
         replaced it (`aegize audit verify`), and put it back, or remove the cursor to deliver \
         this log from its beginning",
        mark.next_seq.saturating_sub(1),
    );
    Trouble::about(log, problem)
}

fn open(extent: &Extent) -> Result<File, Trouble> {
    let path = &extent.segment.path;
    if extent.length == u64::MAX {
        return Err(Trouble::about(path, "is no file; give the log one"));
    }
    File::open(path).map_err(Trouble::with_file(path, "opened"))
}

/// Whether the line before a mark is the one that was there.
fn ends_with(mut file: &File, extent: &Extent, mark: &Mark) -> io::Result<bool> {
    let Some(start) = mark.offset.checked_sub(mark.length) else {
        return Ok(false);
    };
    if extent.length < mark.offset {
        return Ok(false);
    }
    let mut line = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(mark.length).read_to_end(&mut line)?;
    Ok(line.pop() == Some(b'\n') && leaf(&line) == mark.leaf)
}

/// The lines up to a mark; other ones if the log is not the same any more.
fn again(position: &Position<'_>, end: &Mark) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let mut file = &position.file;
    file.seek(SeekFrom::Start(position.offset))?;
    file.take(end.offset.min(position.extent.length) - position.offset)
        .read_to_end(&mut bytes)?;
    Ok((bytes, true))
}

/// The whole lines that follow, within limits, and whether those are reached.
fn lines(position: &Position<'_>, limits: &BatchLimits) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let mut file = &position.file;
    file.seek(SeekFrom::Start(position.offset))?;
    let mut reader = BufReader::new(file.take(position.extent.length - position.offset));
    for _ in 0..limits.records.max(1) {
        let start = bytes.len();
        reader.read_until(b'\n', &mut bytes)?;
        let is_too_much = start > 0 && bytes.len() > limits.bytes;
        if is_too_much || !bytes.ends_with(b"\n") || bytes.len() == start {
            bytes.truncate(start);
            return Ok((bytes, is_too_much));
        }
        if bytes.len() >= limits.bytes {
            break;
        }
    }
    Ok((bytes, true))
}

/// The leading part of a file that should not be long.
pub(super) fn beginning(path: &Path, at_most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(as_u64(at_most))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

//! Attempts that a dead process left open.
//!
//! Whoever has a log open holds a shared lock on a file beside it, `<log>.open`. Who opens it and
//! can lock that file for itself alone is the only one: an attempt without an outcome then belongs
//! to a process that has ended, and is given one. The file holds where the attempts begin that
//! may be open, so that a long log need not be read from its beginning. The invariant: an attempt
//! of a process that lives is never called abandoned.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use uuid::Uuid;

use super::files::{beside, segments};
use super::lock::uninterrupted;
use super::record::{AuditEvent, AuditRecord};

/// Tells others that this process has the log open.
#[derive(Debug)]
pub(super) struct Lease(File);

/// A place in the files of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The file, by the position of its first record.
    pub(super) segment: u64,
    /// In bytes.
    pub(super) end: u64,
}

impl Lease {
    /// Takes the lease of a log; `None` where no file can be made beside it. If nobody else has
    /// it, `alone` closes the attempts from a place on before anyone can take it, and tells where
    /// the log then ends.
    pub(super) fn take<E>(
        log: &Path,
        alone: impl FnOnce(Place) -> Result<Place, E>,
    ) -> Result<Option<Self>, E> {
        let Ok(file) = open(log) else {
            return Ok(None);
        };
        let lease = Self(file);
        match lease.0.try_lock() {
            Ok(()) => {
                let end = alone(lease.read().start)?;
                lease.keep(end, false);
            }
            Err(TryLockError::WouldBlock) => return Ok(lease.shared()),
            Err(TryLockError::Error(_)) => return Ok(None),
        }
        let locked = uninterrupted(|| lease.0.lock_shared());
        Ok(locked.is_ok().then_some(lease))
    }

    /// Takes a lease of a log that others have.
    pub(super) fn share(log: &Path) -> Option<Self> {
        Self(open(log).ok()?).shared()
    }

    /// Says that another has the log open, too: whoever closes it last does not know whether all
    /// others closed theirs.
    fn shared(self) -> Option<Self> {
        uninterrupted(|| self.0.lock_shared()).ok()?;
        let note = self.read();
        if !note.is_shared {
            self.keep(note.start, true);
        }
        Some(self)
    }

    /// Whether nobody else has had the log open since this process opened it.
    pub(super) fn is_alone(&self) -> bool {
        !self.read().is_shared
    }

    /// Keeps that no attempt before the end of the log is open, if that is known.
    pub(super) fn close(&self, end: Place) {
        if self.0.try_lock().is_ok() && !self.read().is_shared {
            self.keep(end, false);
        }
    }

    fn read(&self) -> Note {
        let mut text = String::new();
        let mut file = &self.0;
        let read = file
            .seek(SeekFrom::Start(0))
            .and_then(|_| file.take(64).read_to_string(&mut text));
        let is_shared = text.ends_with(SHARED);
        let start = text.strip_suffix(SHARED).or(text.strip_suffix('\n'));
        let start = start.and_then(|start| {
            let (segment, end) = start.split_once(' ')?;
            Some(Place {
                segment: segment.parse().ok()?,
                end: end.parse().ok()?,
            })
        });
        Note {
            start: read.ok().and(start).unwrap_or_default(),
            // What cannot be read was perhaps being written, by somebody else.
            is_shared: is_shared || start.is_none(),
        }
    }

    /// Writes the note anew. If that fails, the next to open the log reads more of it.
    fn keep(&self, start: Place, is_shared: bool) {
        let Place { segment, end } = start;
        let tail = if is_shared { SHARED } else { "\n" };
        let mut file = &self.0;
        let _ = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(format!("{segment} {end}{tail}").as_bytes()));
    }
}

/// What the file says.
struct Note {
    /// Where the attempts begin that may be open.
    start: Place,
    /// Whether several had the log open at a time since then.
    is_shared: bool,
}

/// How a note ends if several had the log open.
const SHARED: &str = " shared\n";

fn open(log: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(beside(log, "open"))
}

/// The attempts from a place on that have no outcome, in the order of the log.
pub(super) fn open_attempts(log: &Path, start: Place) -> io::Result<Vec<AuditRecord<'static>>> {
    let mut segments = segments(log)?;
    if segments
        .iter()
        .any(|segment| segment.first_seq == start.segment)
    {
        segments.retain(|segment| segment.first_seq >= start.segment);
    }
    let mut open = HashMap::<Uuid, AuditRecord<'static>>::new();
    for segment in segments {
        let file = File::open(&segment.path)?;
        let mut reader = BufReader::new(&file);
        if segment.first_seq != start.segment || !begins_a_line(&mut reader, start.end)? {
            reader.seek(SeekFrom::Start(0))?;
        }
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            // What is no record is for verification to tell.
            if let Ok(record) = serde_json::from_slice(&line) {
                follow(&mut open, record);
            }
            line.clear();
        }
    }
    let mut open: Vec<_> = open.into_values().collect();
    open.sort_by_key(|record| record.seq);
    Ok(open)
}

fn follow(open: &mut HashMap<Uuid, AuditRecord<'static>>, record: AuditRecord<'static>) {
    match record.event {
        AuditEvent::Allowed => {
            open.insert(record.action_id, record);
        }
        AuditEvent::ExecutionSucceeded
        | AuditEvent::ExecutionFailed
        | AuditEvent::ExecutionAbandoned => {
            open.remove(&record.action_id);
        }
        _ => {}
    }
}

/// Goes to a position, and tells whether a line begins there.
fn begins_a_line(reader: &mut BufReader<&File>, start: u64) -> io::Result<bool> {
    let Some(before) = start.checked_sub(1) else {
        return Ok(false);
    };
    reader.seek(SeekFrom::Start(before))?;
    let mut byte = [0];
    Ok(reader.read(&mut byte)? == 1 && byte == *b"\n")
}

/// The outcome of an attempt whose process has ended.
pub(super) fn outcome<'a>(attempt: &'a AuditRecord<'_>) -> AuditRecord<'a> {
    let mut record = AuditRecord::new(
        AuditEvent::ExecutionAbandoned,
        attempt.action_id,
        &attempt.metadata,
    );
    record.agent_id = (&*attempt.agent_id).into();
    record.acting_for = attempt.acting_for.iter().map(|id| (&**id).into()).collect();
    record.tool_name = (&*attempt.tool_name).into();
    record.operation = (&*attempt.operation).into();
    record.risk_level = attempt.risk_level;
    record.input_summary = (&*attempt.input_summary).into();
    record.error = Some("the process ended before the call did".into());
    record
}

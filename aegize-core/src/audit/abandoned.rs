//! Attempts that a dead process left open.
//!
//! Whoever has a log open holds a shared lock on a file beside it, `<log>.open`. Who opens it and
//! can lock that file for itself alone is the only one: an attempt without an outcome then belongs
//! to a process that has ended, and is given one. The file holds where the attempts begin that
//! may be open, so that a long log need not be read from its beginning. The invariant: an attempt
//! of a process that lives is never called abandoned.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{
    self, BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _,
};

use uuid::Uuid;

use super::error::Problem;
use super::files::Site;
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
    /// Takes the lease of a log; `None` where nobody like this process may make a file beside it.
    /// If nobody else has it, `alone` closes the attempts from a place on before anyone can take
    /// it, and tells where the log then ends.
    pub(super) fn take(
        site: &Site,
        alone: impl FnOnce(Place) -> Result<Place, Problem>,
    ) -> Result<Option<Self>, Problem> {
        let Some(lease) = open(site).map_err(Problem::Lease)?.map(Self) else {
            return Ok(None);
        };
        match lease.0.try_lock() {
            Ok(()) => {
                let end = alone(lease.read().start)?;
                let id = lease.keep(end, false);
                lease.lock_shared()?;
                if lease.read().id != id {
                    // While one lock gave way to the other, somebody else was the only one.
                    lease.tell_shared()?;
                }
            }
            Err(TryLockError::WouldBlock) => {
                lease.lock_shared()?;
                lease.tell_shared()?;
            }
            Err(TryLockError::Error(error)) => return Err(Problem::Lease(error)),
        }
        Ok(Some(lease))
    }

    /// Takes the lease of a log that others have.
    pub(super) fn share(site: &Site) -> Result<Option<Self>, Problem> {
        let Some(lease) = open(site).map_err(Problem::Lease)?.map(Self) else {
            return Ok(None);
        };
        lease.lock_shared()?;
        lease.tell_shared()?;
        Ok(Some(lease))
    }

    fn lock_shared(&self) -> Result<(), Problem> {
        uninterrupted(|| self.0.lock_shared()).map_err(Problem::Lease)
    }

    /// Says that another has the log open, too: whoever closes it last does not know whether all
    /// others closed theirs.
    fn tell_shared(&self) -> Result<(), Problem> {
        let note = self.read();
        if !note.is_shared {
            self.keep(note.start, true);
        }
        if self.read().is_shared {
            Ok(())
        } else {
            Err(Problem::Lease(io::Error::other("it cannot be written")))
        }
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
            .and_then(|_| file.take(128).read_to_string(&mut text));
        let is_shared = text.ends_with(SHARED);
        let line = text.strip_suffix(SHARED).or(text.strip_suffix('\n'));
        let mut words = line.unwrap_or_default().split(' ');
        let mut number = || words.next()?.parse().ok();
        let start = number().zip(number());
        let start = start.map(|(segment, end)| Place { segment, end });
        Note {
            start: read.ok().and(start).unwrap_or_default(),
            id: words.next().unwrap_or_default().to_owned(),
            // What cannot be read was perhaps being written, by somebody else.
            is_shared: is_shared || line.is_none(),
        }
    }

    /// Writes the note anew, and tells its id. If that fails, the next to open the log reads more
    /// of it.
    fn keep(&self, start: Place, is_shared: bool) -> String {
        let Place { segment, end } = start;
        let id = Uuid::now_v7().simple().to_string();
        let tail = if is_shared { SHARED } else { "\n" };
        let mut file = &self.0;
        let _ = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(format!("{segment} {end} {id}{tail}").as_bytes()));
        id
    }
}

/// What the file says.
struct Note {
    /// Where the attempts begin that may be open.
    start: Place,
    /// Which note this is.
    id: String,
    /// Whether several had the log open at a time since then.
    is_shared: bool,
}

/// How a note ends if several had the log open.
const SHARED: &str = " shared\n";

/// Opens the file. There is none where this process may not make one: then nobody's attempts are
/// called abandoned.
fn open(site: &Site) -> io::Result<Option<File>> {
    let path = site.beside("open");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(file) => Ok(Some(file)),
        Err(error) => {
            let refusals = [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem];
            if refusals.contains(&error.kind()) && !path.try_exists()? {
                return Ok(None);
            }
            Err(error)
        }
    }
}

/// The attempts from a place on that have no outcome, in the order of the log.
pub(super) fn open_attempts(site: &Site, start: Place) -> io::Result<Vec<AuditRecord<'static>>> {
    let mut segments = site.segments()?;
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
        // Whoever used a grant up is told of, too, if it came no further.
        AuditEvent::Allowed | AuditEvent::ApprovalConsumed => {
            open.insert(record.action_id, record);
        }
        AuditEvent::Denied
        | AuditEvent::ApprovalRequired
        | AuditEvent::ExecutionSucceeded
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
    let mut byte = Vec::new();
    reader.take(1).read_to_end(&mut byte)?;
    Ok(byte == *b"\n")
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
    let error = match attempt.event {
        AuditEvent::ApprovalConsumed => "the process ended before the call began",
        _ => "the process ended before the call did",
    };
    record.error = Some(error.into());
    record
}

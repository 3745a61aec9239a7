//! Opening a log, alone or beside others, and leaving it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process;
use std::sync::Arc;

use super::abandoned::{Lease, Place, open_attempts, outcome};
use super::chain::{Hash, leaf};
use super::error::Problem;
use super::files::{self, Segment, beside, segments};
use super::lock::LogLock;
use super::notary::{Frontier, Notary};
use super::options::{AuditLogOptions, Durability};
use super::recover::entry;
use super::writer::{Hold, Writer};

impl Writer {
    /// Opens a log, makes sure of its end, and closes the attempts of processes that have ended.
    pub(super) fn open(log: &Path, options: AuditLogOptions) -> Result<Self, Problem> {
        if options.rotation.is_some() {
            make_directory(log)?;
        }
        let (notary, frontier) = match options.key {
            Some(key) => Notary::open(log, key).map(|(notary, read)| (Some(notary), read))?,
            None => (None, None),
        };
        let may_begin = options.rotation.is_some();
        let segment = first_to_read(log, may_begin, notary.is_some(), frontier.as_ref())?;
        let mut file = open_file(&segment.path, options.durability).map_err(Problem::Open)?;
        let is_regular = file.metadata().map_err(Problem::Open)?.is_file();
        if !is_regular {
            if options.durability == Durability::Synced || notary.is_some() {
                return Err(Problem::NotSyncable);
            }
            // Whoever could read a pipe would be its reader: nobody else has to be there, and a
            // full one would never be refused.
            let pipe = OpenOptions::new().append(true).open(&segment.path);
            file = pipe.map_err(Problem::Open)?;
        }
        let lock = lock(log, &file).map_err(Problem::Open)?;
        let mut writer = Self {
            log: log.to_owned(),
            durability: options.durability,
            rotation: options.rotation,
            process: process::id(),
            next_seq: segment.first_seq,
            segment,
            file: Arc::new(file),
            lock,
            is_regular,
            may_hold: is_regular && options.durability != Durability::Synced,
            hold: Hold::Free,
            lease: None,
            end: 0,
            head: Hash::default(),
            written_at: None,
            done: 0,
            failures: Vec::new(),
            last_failure: None,
            kept: Vec::new(),
            unlocking: None,
            notary,
            batch: Vec::new(),
            line: Vec::new(),
            leaves: Vec::new(),
        };
        writer.locked(|writer| writer.begin(frontier))?;
        if writer.is_regular {
            writer.lock.make_turnstile(log);
            let place = |writer: &Self| Place {
                segment: writer.segment.first_seq,
                end: writer.end,
            };
            writer.lease = Lease::take(log, |start| {
                writer.locked(|writer| writer.close_attempts(start))?;
                Ok(place(&writer))
            })?;
        }
        Ok(writer)
    }

    /// Finds the end of the log for the first time.
    fn begin(&mut self, frontier: Option<Frontier>) -> Result<(), Problem> {
        if let Some(frontier) = frontier {
            let last = self.last_line(frontier.end).map_err(Problem::Read)?;
            if leaf(&last.unwrap_or_default()) != frontier.head {
                let signed = frontier.size;
                return Err(Problem::Forked { signed });
            }
            (self.end, self.next_seq) = (frontier.end, frontier.size);
            self.head = frontier.head;
        }
        self.settle()?;
        let last = segments(&self.log).map_err(Problem::Read)?.pop();
        if let Some(last) = last.filter(|last| *last != self.segment) {
            return Err(Problem::Gap(last.path));
        }
        match &self.notary {
            Some(notary) => notary.check(),
            None => Ok(()),
        }
    }

    /// Gives an outcome to the attempts from a place on that have none. Nobody else has the log
    /// open.
    fn close_attempts(&mut self, start: Place) -> Result<(), Problem> {
        self.settle()?;
        let attempts = open_attempts(&self.log, start).map_err(Problem::Read)?;
        let outcomes: Result<Vec<_>, _> = attempts
            .iter()
            .map(|attempt| entry(&outcome(attempt)))
            .collect();
        match outcomes? {
            outcomes if outcomes.is_empty() => Ok(()),
            outcomes => self.append(&outcomes),
        }
    }

    /// Opens for a child that was forked what it would share with its parent. What was kept is the
    /// parent's to write.
    pub(super) fn leave_parent(&mut self, process: u32) {
        self.process = process;
        // There is no thread that would give the lock back.
        self.may_hold = false;
        self.hold = Hold::Free;
        self.kept.clear();
        self.failures.clear();
        let reopen = || {
            let file = open_file(&self.segment.path, self.durability)?;
            Ok::<_, io::Error>((lock(&self.log, &file)?, file))
        };
        if let Ok((lock, file)) = reopen() {
            self.lock = lock;
            self.file = Arc::new(file);
        } else {
            // Writing to it fails, and so does every call.
            self.end = u64::MAX;
        }
        self.lease = Lease::share(&self.log);
    }

    /// With the last user of a log in a process, all of its attempts have had their outcome.
    pub(super) fn close(&mut self) {
        if let Some(lease) = &self.lease
            && self.kept.is_empty()
        {
            lease.close(Place {
                segment: self.segment.first_seq,
                end: self.end,
            });
        }
    }
}

/// Where reading begins: at the frontier, at the beginning if all has to be read, else in the last
/// file but one, which tells what the last one follows. Without any file, a log may begin.
fn first_to_read(
    log: &Path,
    may_begin: bool,
    is_read_whole: bool,
    frontier: Option<&Frontier>,
) -> Result<Segment, Problem> {
    let mut segments = segments(log).map_err(Problem::Open)?;
    if let Some(frontier) = frontier {
        let known = segments
            .iter()
            .find(|segment| segment.first_seq == frontier.segment);
        return known.cloned().ok_or_else(|| Problem::Gap(log.to_owned()));
    }
    let count = segments.len();
    match count {
        0 if may_begin => Ok(files::segment(log, 0)),
        0 => Err(Problem::NothingThere),
        _ if is_read_whole => {
            let first = segments.swap_remove(0);
            if first.first_seq == 0 {
                Ok(first)
            } else {
                Err(Problem::Gap(first.path))
            }
        }
        _ => Ok(segments.swap_remove(count.saturating_sub(2))),
    }
}

fn make_directory(log: &Path) -> Result<(), Problem> {
    match fs::metadata(log) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(Problem::NotADirectory),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut builder = DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(log).map_err(Problem::Open)
        }
        Err(error) => Err(Problem::Open(error)),
    }
}

/// Opens a file of a log for reading and appending, and makes it and its directories if there is
/// none.
pub(super) fn open_file(path: &Path, durability: Durability) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return opened,
    }
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match (options.open(path), path.parent()) {
        (Err(error), Some(directory)) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(directory)?;
            options.open(path)?
        }
        (opened, _) => opened?,
    };
    if durability == Durability::Synced
        && let Some(directory) = path.parent()
    {
        // A file whose name is not on disk is lost with all that was synced in it.
        File::open(directory)?.sync_all()?;
    }
    Ok(file)
}

/// The lock of a log: on the log itself, or on a file in its directory.
fn lock(log: &Path, file: &File) -> io::Result<LogLock> {
    if !log.is_dir() {
        return Ok(LogLock::of(log, file.try_clone()?));
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(LogLock::of(log, options.open(beside(log, "lock"))?))
}

//! Opening a log, alone or beside others, and leaving it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process;
use std::sync::Arc;

use super::abandoned::{Lease, Place, open_attempts, outcome};
use super::chain::Hash;
use super::error::Problem;
use super::files::{self, Segment, Site};
use super::lock::LogLock;
use super::notary::{Frontier, Notary, sweep};
use super::options::{AuditLogOptions, Durability, Rotation};
use super::recover::entry;
use super::writer::{Hold, Writer};

impl Writer {
    /// Opens a log, makes sure of its end, and closes the attempts of processes that have ended.
    pub(super) fn open(log: &Path, options: AuditLogOptions) -> Result<Self, Problem> {
        if options.rotation.is_some() {
            make_directory(log)?;
        }
        let site = Site::of(log).map_err(Problem::Open)?;
        let (notary, frontier) = match options.key {
            Some(key) => Notary::open(&site, key).map(|(notary, read)| (Some(notary), read))?,
            None => (None, None),
        };
        let from = match (&notary, &frontier) {
            (_, Some(frontier)) => From::Segment(frontier.segment),
            (Some(_), None) => From::Beginning,
            (None, None) => From::NearEnd,
        };
        let segment = first_to_read(&site, options.rotation, from)?;
        let mut file = open_file(&segment.path).map_err(Problem::Open)?;
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
        let directory = directory(&segment.path, options.durability)?;
        let left = Vec::from_iter(directory.clone());
        if options.durability == Durability::Synced {
            // A file whose name is not on disk is lost with all that was synced in it.
            left.iter()
                .try_for_each(|file| file.sync_data())
                .map_err(Problem::Sync)?;
        }
        let lock = lock(&site, &file).map_err(Problem::Open)?;
        let mut writer = Self {
            site,
            rotation: options.rotation,
            process: process::id(),
            next_seq: segment.first_seq,
            segment,
            file: Arc::new(file),
            directory,
            left,
            lock,
            is_regular,
            may_hold: is_regular && options.durability != Durability::Synced,
            hold: Hold::Free,
            lease: None,
            end: 0,
            last: Place::default(),
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
            let site = writer.site.clone();
            writer.lock.make_turnstile(&site);
            writer.lease = Lease::take(&site, |start| {
                writer.locked(|writer| writer.close_attempts(start))?;
                if writer.notary.is_some() {
                    sweep(&site).map_err(Problem::Open)?;
                }
                Ok(writer.place())
            })?;
        }
        Ok(writer)
    }

    /// Finds the end of the log for the first time.
    fn begin(&mut self, frontier: Option<Frontier>) -> Result<(), Problem> {
        if let Some(frontier) = frontier
            && !self.resume(&frontier)?
        {
            // It is only there to save time.
            self.start_over()?;
        }
        while self.advance()? {
            // Nobody waits yet for anything that is in there.
            let directory = self.directory.as_ref();
            let is_file = |left: &mut Arc<File>| {
                directory.is_none_or(|directory| !Arc::ptr_eq(left, directory))
            };
            let mut files = self.left.extract_if(.., is_file);
            let synced = files.try_for_each(|file| file.sync_data());
            synced.map_err(Problem::Sync)?;
        }
        let last = self.site.segments().map_err(Problem::Read)?.pop();
        if let Some(last) = last.filter(|last| *last != self.segment) {
            return Err(Problem::Gap(last.path));
        }
        match &self.notary {
            Some(notary) => notary.check(),
            None => Ok(()),
        }
    }

    /// Goes back to the beginning of a log that is not the one a frontier is of.
    fn start_over(&mut self) -> Result<(), Problem> {
        if let Some(notary) = &mut self.notary {
            notary.start_over();
        }
        let first = first_to_read(&self.site, self.rotation, From::Beginning)?;
        if first != self.segment {
            self.file = Arc::new(open_file(&first.path).map_err(Problem::Open)?);
            self.segment = first;
        }
        self.next_seq = self.segment.first_seq;
        Ok(())
    }

    /// Gives an outcome to the attempts from a place on that have none. Nobody else has the log
    /// open.
    fn close_attempts(&mut self, start: Place) -> Result<(), Problem> {
        self.settle()?;
        let attempts = open_attempts(&self.site, start).map_err(Problem::Read)?;
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
        self.left.clear();
        let reopen = || {
            let file = open_file(&self.segment.path).map_err(Problem::Open)?;
            let lock = lock(&self.site, &file).map_err(Problem::Open)?;
            Ok::<_, Problem>((file, lock, Lease::share(&self.site)?))
        };
        if let Ok((file, lock, lease)) = reopen() {
            self.file = Arc::new(file);
            self.lock = lock;
            self.lease = lease;
        } else {
            // Writing to it fails, and so does every call.
            self.end = u64::MAX;
            self.lease = None;
        }
    }

    /// With the last user of a log in a process, all of its attempts have had their outcome.
    pub(super) fn close(&mut self) {
        if let Some(lease) = &self.lease
            && self.kept.is_empty()
        {
            lease.close(self.place());
        }
    }

    /// How far this process has come in the files.
    pub(super) fn place(&self) -> Place {
        Place {
            segment: self.segment.first_seq,
            end: self.end,
        }
    }
}

/// Where a log is read from when it is opened.
#[derive(Debug, Clone, Copy)]
enum From {
    Beginning,
    /// The file that begins at a position; the beginning if there is none.
    Segment(u64),
    /// The last file but one, which tells what the last one follows.
    NearEnd,
}

fn first_to_read(site: &Site, rotation: Option<Rotation>, from: From) -> Result<Segment, Problem> {
    let mut segments = site.segments().map_err(Problem::Open)?;
    let index = match from {
        _ if segments.is_empty() && rotation.is_some() => {
            return Ok(files::segment(&site.path, 0));
        }
        _ if segments.is_empty() => return Err(Problem::NothingThere),
        From::Beginning => 0,
        From::Segment(first_seq) => {
            let is_it = |segment: &Segment| segment.first_seq == first_seq;
            segments.iter().position(is_it).unwrap_or_default()
        }
        From::NearEnd => segments.len().saturating_sub(2),
    };
    let segment = segments.swap_remove(index);
    let is_whole = !matches!(from, From::NearEnd) && index == 0;
    if is_whole && segment.first_seq != 0 {
        return Err(Problem::Gap(segment.path));
    }
    Ok(segment)
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
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return opened,
    }
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match (options.open(path), path.parent()) {
        (Err(error), Some(directory)) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(directory)?;
            options.open(path)
        }
        (opened, _) => opened,
    }
}

/// The directory in which a file's name is, to be synced with it. Where that is not promised, a
/// directory that may be written and not read is none.
fn directory(path: &Path, durability: Durability) -> Result<Option<Arc<File>>, Problem> {
    match path.parent().map(File::open) {
        Some(Ok(directory)) => Ok(Some(Arc::new(directory))),
        Some(Err(error)) if durability == Durability::Synced => Err(Problem::Open(error)),
        _ => Ok(None),
    }
}

/// The lock of a log: on the log itself, or on a file in its directory.
fn lock(site: &Site, file: &File) -> io::Result<LogLock> {
    if !site.is_directory {
        return Ok(LogLock::of(site, file.try_clone()?));
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(LogLock::of(site, options.open(site.lock_file())?))
}

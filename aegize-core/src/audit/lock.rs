//! Who may write a log, among processes: an advisory lock, taken in turn.
//!
//! A process that writes much takes the lock again as soon as it has given it back, before whoever
//! waits for it has woken up. So all pass a turnstile first, a second lock that is held only while
//! waiting for the first. The invariant: whoever waits gets the lock when it is next given back.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::files::{Site, beside, lock_file};

/// The lock of a log.
#[derive(Debug)]
pub(super) struct LogLock {
    /// Not there for a directory that nobody can be writing: one without a lock file.
    lock: Option<File>,
    /// Not there if no file can be made beside the log.
    turnstile: Option<File>,
}

impl LogLock {
    /// The lock of a log that is there, for somebody who may not be allowed to write.
    pub(super) fn to_read(log: &Path) -> io::Result<Self> {
        let lock = match File::open(lock_file(log)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && log.is_dir() => None,
            opened => Some(opened?),
        };
        Ok(Self {
            lock,
            turnstile: File::open(beside(log, "turn")).ok(),
        })
    }

    /// The lock of a log, held on a file that is open already.
    pub(super) fn of(site: &Site, lock: File) -> Self {
        let turnstile = OpenOptions::new().write(true).open(site.beside("turn"));
        Self {
            lock: Some(lock),
            turnstile: turnstile.ok(),
        }
    }

    /// Makes the turnstile, beside what has turned out to be a log.
    pub(super) fn make_turnstile(&mut self, site: &Site) {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        self.turnstile = options.open(site.beside("turn")).ok();
    }

    /// Waits until nobody else reads or writes.
    pub(super) fn lock(&self) -> io::Result<()> {
        self.pass(File::lock)
    }

    /// Waits until nobody writes. Others may read at the same time.
    pub(super) fn lock_shared(&self) -> io::Result<()> {
        self.pass(File::lock_shared)
    }

    /// Gives the lock back. Should that fail, others wait until it is tried again or the file is
    /// closed.
    pub(super) fn unlock(&self) -> io::Result<()> {
        uninterrupted(|| self.lock.as_ref().map_or(Ok(()), File::unlock))
    }

    /// Gives back whatever may be held after [`lock`](Self::lock) has failed.
    pub(super) fn unlock_all(&self) -> io::Result<()> {
        let turnstile = || self.turnstile.as_ref().map_or(Ok(()), File::unlock);
        uninterrupted(turnstile).and(self.unlock())
    }

    fn pass(&self, take: impl Fn(&File) -> io::Result<()>) -> io::Result<()> {
        let Some(lock) = &self.lock else {
            return Ok(());
        };
        let Some(turnstile) = &self.turnstile else {
            return uninterrupted(|| take(lock));
        };
        uninterrupted(|| turnstile.lock())?;
        let taken = uninterrupted(|| take(lock));
        uninterrupted(|| turnstile.unlock()).and(taken)
    }
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

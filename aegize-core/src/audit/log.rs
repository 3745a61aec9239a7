//! The log as its users hold it: shared by the threads of a process.

use std::path::{self, Path};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread::JoinHandle;

use time::OffsetDateTime;
use uuid::Uuid;

use super::error::{AuditError, Problem};
use super::keeper::Keeper;
use super::options::{AuditLogOptions, Durability};
use super::queue::Queue;
use super::read::AuditRecords;
use super::record::AuditRecord;
use super::shared::{Shared, Written};
use super::sync::Syncs;
use super::writer::{Hold, Writer};
use crate::observe::Observing;

/// An append-only log of audit records, one JSON object a line: a file, or a directory of files.
///
/// Any number of threads and processes may write one log. Cloning is cheap and gives the same log.
/// How it is written is told by [`options`](Self::options); unless they say otherwise, a record has
/// been handed to the operating system when it counts as written.
///
/// While a process has a log for itself, it keeps the file's lock for about a millisecond at a time:
/// others wait so long, and a log that was cut, moved or removed is noticed after so long.
///
/// ```
/// # extern crate aegize_core as aegize;
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("audit.jsonl");
/// let log = aegize::AuditLog::open(&path)?;
/// for record in log.read_all()? {
///     println!("{} {} {}", record.event, record.tool_name, record.operation);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct AuditLog(Arc<Handle>);

/// What the last of its users closes.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    keeper: Option<JoinHandle<()>>,
    /// The process that has that thread.
    process: u32,
}

impl AuditLog {
    /// Opens a log, and makes the file (mode 0600) and its directories if there is none: as
    /// [`AuditLogOptions::open`] without options.
    ///
    /// # Errors
    ///
    /// If the log cannot be opened, locked, read or written, or does not end with a record.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AuditError> {
        Self::options().open(path)
    }

    /// How to write a log: how durably, into which files, and signed how often.
    pub fn options() -> AuditLogOptions {
        AuditLogOptions::default()
    }

    pub(super) fn open_with(path: &Path, options: AuditLogOptions) -> Result<Self, AuditError> {
        Self::opened(path, options).map_err(|problem| problem.of(path))
    }

    fn opened(path: &Path, options: AuditLogOptions) -> Result<Self, Problem> {
        let absolute = path::absolute(path).map_err(Problem::Open)?;
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            durability: options.durability,
            checkpoint_records: options.checkpoint_records,
            checkpoint_interval: options.checkpoint_interval,
            observing: options.observing.clone(),
            queue: Queue::new(),
            writer: Mutex::new(Writer::open(&absolute, options)?),
            absolute,
            syncs: Syncs::default(),
            keeper: Keeper::default(),
            unsigned: Mutex::default(),
        });
        let keeper = shared.start()?;
        Ok(Self(Arc::new(Handle {
            shared,
            keeper,
            process: std::process::id(),
        })))
    }

    /// The log's path, as it was opened.
    pub fn path(&self) -> &Path {
        &self.shared().path
    }

    /// Every record, oldest first.
    ///
    /// # Errors
    ///
    /// If the log cannot be read, or a line is no record.
    pub fn read_all(&self) -> Result<Vec<AuditRecord<'static>>, AuditError> {
        self.records()?.collect()
    }

    /// The records written so far, oldest first, one at a time.
    ///
    /// # Errors
    ///
    /// If the log cannot be opened.
    pub fn records(&self) -> Result<AuditRecords, AuditError> {
        let shared = self.shared();
        let mut writer = shared.flushed();
        shared.give_back(&mut writer);
        if writer.hold == Hold::Uncut {
            // It would have to be waited for.
            let cut = writer.locked(|_| Ok(()));
            cut.map_err(|problem| problem.of(&shared.path))?;
            shared.give_back(&mut writer);
        }
        if let Some(problem) = writer.unlocking.clone() {
            return Err(shared.error(problem));
        }
        drop(writer);
        AuditRecords::open(&shared.absolute)
    }

    /// Waits until every record written so far is on disk, whatever the durability.
    ///
    /// # Errors
    ///
    /// If they could not be written or synced.
    pub fn sync(&self) -> Result<(), AuditError> {
        let shared = self.shared();
        let is_regular = shared.flushed().is_regular;
        if is_regular {
            let synced = shared.syncs.renew(|| shared.unsynced());
            synced.map_err(|problem| shared.error(problem))?;
        }
        self.health()
    }

    /// Signs a checkpoint now and returns it; `None` if the log has no key.
    ///
    /// # Errors
    ///
    /// If the log cannot be read or synced, or the checkpoint cannot be written.
    pub fn checkpoint(&self) -> Result<Option<String>, AuditError> {
        let shared = self.shared();
        drop(shared.flushed());
        shared
            .checkpoint(true)
            .map_err(|problem| shared.error(problem))
    }

    /// Whether all is well: nothing waits to be written because it could not be, no sync or
    /// checkpoint has failed since the last that did not, and no lock stays that should not.
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub fn health(&self) -> Result<(), AuditError> {
        let shared = self.shared();
        let writer = shared.writer();
        let problem = writer.ailment().or_else(|| shared.syncs.failed());
        drop(writer);
        let unsigned = || shared.unsigned().clone();
        match problem.or_else(unsigned) {
            Some(problem) => Err(shared.error(problem)),
            None => Ok(()),
        }
    }

    /// The id of an attempt that begins now, and whose records this log will have.
    pub(crate) fn begin(&self, now: OffsetDateTime) -> Uuid {
        self.shared().queue.attempt(now)
    }

    /// Writes a record of an attempt that [has begun](Self::begin), which has to be there before
    /// anything else happens. Whether it is on disk has
    /// to be waited for, where that is asked for.
    pub(crate) fn append(&self, record: &AuditRecord<'_>) -> Result<Written, AuditError> {
        let shared = self.shared();
        shared.append(record).map_err(|problem| {
            shared.tell("decision", &problem);
            shared.error(problem)
        })
    }

    /// Writes a record of an attempt that began a while ago, or elsewhere, as
    /// [`append`](Self::append).
    pub(crate) fn append_anew(&self, record: &AuditRecord<'_>) -> Result<Written, AuditError> {
        self.shared().queue.adopt();
        self.append(record)
    }

    /// Writes the outcome of a call that has run. If that fails the record is kept, and written
    /// before any later one: until then, every [`append`](Self::append) fails.
    pub(crate) fn append_outcome(&self, record: &AuditRecord<'_>) {
        let shared = self.shared();
        let Ok(body) = record.body() else { return };
        // The body may have forked.
        shared.queue.adopt();
        shared.queue.push(body, true);
        let mut writer = shared.writer();
        shared.commit(&mut writer);
        let problem = writer.ailment();
        drop(writer);
        if let Some(problem) = problem {
            shared.tell("outcome", &problem);
        }
    }

    /// Who watches.
    pub(crate) fn observing(&self) -> &Observing {
        &self.shared().observing
    }

    /// Waits until a decision is as durable as was asked for.
    pub(crate) fn wait_for(&self, written: Written) -> Result<(), AuditError> {
        let Some(ticket) = written.0 else {
            return Ok(());
        };
        let shared = self.shared();
        let synced = shared.syncs.wait(ticket, || shared.unsynced());
        synced.map_err(|problem| shared.error(problem))
    }

    /// Tells whether a decision is as durable as was asked for, and else wakes the task when it is.
    pub(crate) fn poll_for(&self, written: Written, waker: &Waker) -> Poll<Result<(), AuditError>> {
        let Some(ticket) = written.0 else {
            return Poll::Ready(Ok(()));
        };
        let shared = self.shared();
        if self.0.process != std::process::id() {
            // A child that was forked has nobody else to wait.
            return Poll::Ready(self.wait_for(written));
        }
        let polled = shared.syncs.poll(ticket, waker);
        if polled.is_pending() {
            shared.keeper.sync();
        }
        polled.map_err(|problem| shared.error(problem))
    }

    fn shared(&self) -> &Shared {
        &self.0.shared
    }
}

impl Drop for Handle {
    /// The last chance for outcomes that could not be written, and the last checkpoint.
    fn drop(&mut self) {
        let shared = &self.shared;
        shared.keeper.end();
        if self.process == std::process::id()
            && let Some(keeper) = self.keeper.take()
        {
            let _ = keeper.join();
        }
        if shared.writer().process != std::process::id() {
            // A child that was forked has written nothing.
            return;
        }
        // There is nobody left to tell what fails.
        let mut writer = shared.flushed();
        if !writer.kept.is_empty() && writer.locked(|writer| writer.append(&[])).is_ok() {
            writer.kept.clear();
        }
        drop(writer);
        if shared.durability == Durability::Synced {
            shared.sync_in_passing();
        }
        let _ = shared.checkpoint(false);
        let mut writer = shared.writer();
        writer.give_back();
        writer.close();
    }
}

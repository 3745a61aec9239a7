//! The log as its users hold it: shared by the threads of a process.

use std::fs::File;
use std::path::{self, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::error::{AuditError, Problem};
use super::keeper::{Keeper, Order};
use super::notary::{Draft, Notary};
use super::options::{AuditLogOptions, Durability};
use super::queue::Queue;
use super::read::AuditRecords;
use super::record::AuditRecord;
use super::sync::Syncs;
use super::writer::{Hold, Writer};

/// How much a [buffered](Durability::Buffered) log keeps in memory, in bytes.
const BUFFER: usize = 64 * 1024;

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

#[derive(Debug)]
struct Shared {
    /// As it was given.
    path: PathBuf,
    /// Where that was when it was opened: the process may go elsewhere.
    absolute: PathBuf,
    durability: Durability,
    checkpoint_records: u64,
    checkpoint_interval: Duration,
    queue: Queue,
    writer: Mutex<Writer>,
    syncs: Syncs,
    keeper: Keeper,
    /// Why the latest checkpoint could not be made.
    unsigned: Mutex<Option<Arc<Problem>>>,
}

/// A decision that has been written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written(Option<u64>);

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
        writer.give_back();
        if writer.hold == Hold::Uncut {
            // It would have to be waited for.
            let cut = writer.locked(|_| Ok(()));
            cut.map_err(|problem| problem.of(&shared.path))?;
            writer.give_back();
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
            let synced = shared.syncs.wait_for_all(|| shared.written());
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

    /// Writes a record that has to be there before anything else happens. Whether it is on disk has
    /// to be waited for, where that is asked for.
    pub(crate) fn append(&self, record: &AuditRecord<'_>) -> Result<Written, AuditError> {
        let shared = self.shared();
        shared
            .append(record)
            .map_err(|problem| shared.error(problem))
    }

    /// Writes the outcome of a call that has run. If that fails the record is kept, and written
    /// before any later one: until then, every [`append`](Self::append) fails.
    pub(crate) fn append_outcome(&self, record: &AuditRecord<'_>) {
        let shared = self.shared();
        let Ok(body) = record.body() else { return };
        shared.queue.push(body, true);
        shared.commit(&mut shared.writer());
    }

    /// Waits until a decision is as durable as was asked for.
    pub(crate) fn wait_for(&self, written: Written) -> Result<(), AuditError> {
        let Some(ticket) = written.0 else {
            return Ok(());
        };
        let shared = self.shared();
        let synced = shared.syncs.wait(ticket, || shared.written());
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

impl Shared {
    /// Starts the thread that looks after the log.
    fn start(self: &Arc<Self>) -> Result<Option<JoinHandle<()>>, Problem> {
        if !self.writer().is_regular {
            return Ok(None);
        }
        let shared = Arc::clone(self);
        let thread = thread::Builder::new().name("aegize-audit".to_owned());
        let keeper = thread.spawn(move || shared.keep());
        Ok(Some(keeper.map_err(Problem::Thread)?))
    }

    fn keep(&self) {
        loop {
            match self.keeper.wait() {
                Order::Tidy if self.durability == Durability::Synced => self.sync_in_passing(),
                Order::Tidy => self.writer().give_back(),
                Order::Sync => self.sync_in_passing(),
                Order::Checkpoint => {
                    // Kept for whoever asks how the log is.
                    let _ = self.checkpoint(false);
                }
                Order::End => return,
            }
        }
    }

    /// Its failure is told by the next append.
    fn sync_in_passing(&self) {
        let _ = self.syncs.wait_for_all(|| self.written());
    }

    fn append(&self, record: &AuditRecord<'_>) -> Result<Written, Arc<Problem>> {
        if let Some(failed) = self.syncs.failed() {
            return Err(failed);
        }
        let body = record.body();
        let body = body.map_err(|error| Arc::new(Problem::Encode(error.to_string())))?;
        let is_buffered = self.durability == Durability::Buffered;
        let queued = self.queue.push(body, is_buffered);
        if is_buffered && queued.bytes < BUFFER {
            return Ok(Written(None));
        }
        let mut writer = self.writer();
        self.commit(&mut writer);
        let failure = if is_buffered {
            writer.ailment()
        } else {
            writer.failure(queued.ticket)
        };
        drop(writer);
        let is_synced = self.durability == Durability::Synced;
        failure.map_or(Ok(Written(is_synced.then_some(queued.ticket))), Err)
    }

    /// Writes what is queued, if nobody else has.
    fn commit(&self, writer: &mut Writer) {
        let mut batch = std::mem::take(&mut writer.batch);
        let process = self.queue.take(&mut batch);
        if !batch.is_empty() {
            if writer.process != process {
                writer.leave_parent(process);
            }
            let hold = writer.hold;
            writer.commit(&mut batch);
            if writer.hold != hold || self.durability == Durability::Synced {
                self.keeper.tidy_soon();
            }
            if let Some(notary) = &writer.notary {
                if notary.unsigned() >= self.checkpoint_records {
                    self.keeper.checkpoint();
                } else if notary.unsigned() > 0 {
                    self.keeper.checkpoint_within(self.checkpoint_interval);
                }
            }
        }
        writer.batch = batch;
    }

    /// The writer, when all that was queued is written, or could not be.
    fn flushed(&self) -> MutexGuard<'_, Writer> {
        let mut writer = self.writer();
        let process = self.queue.adopt();
        if writer.process != process {
            writer.leave_parent(process);
        }
        self.commit(&mut writer);
        writer
    }

    /// What a sync has to reach, and the ticket of the first record that it need not.
    fn written(&self) -> (Arc<File>, u64) {
        let writer = self.writer();
        (Arc::clone(&writer.file), writer.done)
    }

    /// Signs the log as it is now, which is on disk before.
    fn checkpoint(&self, is_wanted: bool) -> Result<Option<String>, Arc<Problem>> {
        let made = self.signed(is_wanted).map_err(Arc::new);
        if let Ok(None) = made {
            return Ok(None);
        }
        *self.unsigned() = made.as_ref().err().cloned();
        made
    }

    fn signed(&self, is_wanted: bool) -> Result<Option<String>, Problem> {
        let mut writer = self.writer();
        let unsigned = writer.notary.as_ref().map(Notary::unsigned);
        if unsigned.is_none_or(|unsigned| unsigned == 0 && !is_wanted) {
            return Ok(None);
        }
        writer.locked(Writer::settle)?;
        let Some((pen, frontier)) = writer.draw_up() else {
            return Ok(None);
        };
        let file = Arc::clone(&writer.file);
        drop(writer);
        // What is signed for may not be lost: the log would no longer be the one that was.
        file.sync_data().map_err(Problem::Sync)?;
        let draft = Draft::write(&self.absolute, &pen, &frontier)?;
        let mut writer = self.writer();
        let log = &self.absolute;
        let published = writer.locked(|writer| match &mut writer.notary {
            Some(notary) => notary.publish(log, &draft),
            None => Ok(()),
        });
        if published.is_err() {
            draft.discard();
        }
        published.map(|()| Some(draft.note))
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A panic cannot leave the writer half changed in a way that the next batch does not
        // notice: what it knows is changed when a batch has been written, and whoever's record was
        // lost is told so.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unsigned(&self) -> MutexGuard<'_, Option<Arc<Problem>>> {
        self.unsigned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, problem: Arc<Problem>) -> AuditError {
        AuditError::new(&self.path, problem)
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

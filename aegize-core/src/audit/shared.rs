//! An open log, as the threads of a process and the one that looks after it share it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::error::{AuditError, Problem};
use super::keeper::{Keeper, Order};
use super::notary::{Draft, Notary};
use super::options::Durability;
use super::queue::Queue;
use super::record::AuditRecord;
use super::sync::{Syncs, Unsynced};
use super::writer::{Hold, Writer};
use crate::observe::{Counter, Observing};

/// How much a [buffered](Durability::Buffered) log keeps in memory, in bytes.
const BUFFER: usize = 64 * 1024;

/// A decision that has been written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written(pub(super) Option<u64>);

#[derive(Debug)]
pub(super) struct Shared {
    /// As it was given.
    pub(super) path: PathBuf,
    /// Where that was when it was opened: the process may go elsewhere.
    pub(super) absolute: PathBuf,
    pub(super) durability: Durability,
    pub(super) checkpoint_records: u64,
    pub(super) checkpoint_interval: Duration,
    pub(super) queue: Queue,
    pub(super) writer: Mutex<Writer>,
    pub(super) syncs: Syncs,
    pub(super) keeper: Keeper,
    pub(super) observing: Observing,
    /// Why the latest checkpoint could not be made.
    pub(super) unsigned: Mutex<Option<Arc<Problem>>>,
}

impl Shared {
    /// Starts the thread that looks after the log.
    pub(super) fn start(self: &Arc<Self>) -> Result<Option<JoinHandle<()>>, Problem> {
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
                Order::Tidy => {
                    self.give_back(&mut self.writer());
                    if self.durability == Durability::Synced {
                        self.sync_in_passing();
                    }
                }
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
    pub(super) fn sync_in_passing(&self) {
        let writer = self.writer();
        let (done, is_left) = (writer.done, !writer.left.is_empty());
        drop(writer);
        let synced = if is_left {
            self.syncs.renew(|| self.unsynced())
        } else {
            self.syncs.wait_for_all(done, || self.unsynced())
        };
        if let Err(problem) = synced {
            self.tell("sync", &problem);
        }
    }

    /// Gives the lock back, now or soon.
    pub(super) fn give_back(&self, writer: &mut Writer) {
        writer.give_back();
        if writer.hold != Hold::Free {
            self.keeper.tidy_soon();
        }
    }

    pub(super) fn append(&self, record: &AuditRecord<'_>) -> Result<Written, Arc<Problem>> {
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
            writer.withdraw(queued.ticket)
        } else {
            writer.failure(queued.ticket)
        };
        drop(writer);
        let is_synced = self.durability == Durability::Synced;
        failure.map_or(Ok(Written(is_synced.then_some(queued.ticket))), Err)
    }

    /// Writes what is queued, if nobody else has.
    pub(super) fn commit(&self, writer: &mut Writer) {
        let mut batch = std::mem::take(&mut writer.batch);
        let process = self.queue.take(&mut batch);
        if !batch.is_empty() {
            self.adopt(writer, process);
            let (hold, segment) = (writer.hold, writer.segment.first_seq);
            writer.commit(&mut batch);
            if self.durability == Durability::Synced {
                self.keeper.tidy_after_others();
            } else if writer.hold != hold {
                self.keeper.tidy_soon();
            }
            if writer.segment.first_seq != segment {
                self.keeper.sync();
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
    pub(super) fn flushed(&self) -> MutexGuard<'_, Writer> {
        let mut writer = self.writer();
        let process = self.queue.adopt();
        self.adopt(&mut writer, process);
        self.commit(&mut writer);
        writer
    }

    /// Makes the writer that of this process, if it was forked.
    fn adopt(&self, writer: &mut Writer, process: u32) {
        if writer.process != process {
            self.syncs.leave_parent();
            writer.leave_parent(process);
        }
    }

    /// What is to be synced now. A file that was left is synced once: should that fail, nothing
    /// counts as synced any more.
    pub(super) fn unsynced(&self) -> Unsynced {
        let mut writer = self.writer();
        let mut files = std::mem::take(&mut writer.left);
        files.push(Arc::clone(&writer.file));
        (files, writer.done)
    }

    /// Signs the log as it is now, which is on disk before.
    pub(super) fn checkpoint(&self, is_wanted: bool) -> Result<Option<String>, Arc<Problem>> {
        let made = self.signed(is_wanted);
        if let Ok(None) = made {
            return Ok(None);
        }
        if let Err(problem) = &made {
            self.tell("checkpoint", problem);
        }
        *self.unsigned() = made.as_ref().err().cloned();
        made
    }

    /// Tells those who watch what could not be done.
    pub(super) fn tell(&self, stage: &'static str, problem: &Problem) {
        #[cfg(feature = "tracing")]
        tracing::error!(
            target: "aegize",
            stage,
            log = %self.path.display(),
            "the audit log {problem}"
        );
        let _ = problem;
        self.observing
            .tell(|observer| observer.add(Counter::AuditFailures, 1, &[("stage", stage)]));
    }

    fn signed(&self, is_wanted: bool) -> Result<Option<String>, Arc<Problem>> {
        let mut writer = self.writer();
        let unsigned = writer.notary.as_ref().map(Notary::unsigned);
        if unsigned.is_none_or(|unsigned| unsigned == 0 && !is_wanted) {
            return Ok(None);
        }
        let settled = writer.locked(Writer::settle);
        self.give_back(&mut writer);
        settled?;
        let Some((pen, frontier)) = writer.draw_up() else {
            return Ok(None);
        };
        let site = writer.site.clone();
        drop(writer);
        // What is signed for may not be lost: the log would no longer be the one that was.
        self.syncs.renew(|| self.unsynced())?;
        let draft = Draft::write(&site, &pen, &frontier)?;
        let mut writer = self.writer();
        let published = writer.locked(|writer| match &mut writer.notary {
            Some(notary) => notary.publish(&site, &draft),
            None => Ok(()),
        });
        self.give_back(&mut writer);
        if published.is_err() {
            draft.discard();
        }
        published?;
        Ok(Some(draft.note))
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Writer> {
        // A panic cannot leave the writer half changed in a way that the next batch does not
        // notice: what it knows is changed when a batch has been written, and whoever's record was
        // lost is told so.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn unsigned(&self) -> MutexGuard<'_, Option<Arc<Problem>>> {
        self.unsigned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn error(&self, problem: Arc<Problem>) -> AuditError {
        AuditError::new(&self.path, problem)
    }
}

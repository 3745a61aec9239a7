//! The writer: the end of a log, shared with other processes.
//!
//! Whoever calls writes, inline, what has been queued: under a lock that is a mutex within the
//! process and an advisory lock among processes. All of it goes out in one `write`; what a failed
//! one left behind is cut off again. Before that, the end of the log is made sure of
//! ([`settle`](Writer::settle)). The lock among processes may be kept for a moment between two
//! writes ([`Hold`]), in which the end cannot move. The invariant: what a batch left behind when it
//! failed is gone before anyone else reads or writes.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use time::{Duration, OffsetDateTime, UtcOffset};

use super::abandoned::{Lease, Place};
use super::chain::{Hash, TreeHead, leaf};
use super::error::Problem;
use super::files::{self, Segment, Site};
use super::key::SigningKey;
use super::lock::LogLock;
use super::notary::{Frontier, Notary};
use super::opening::open_file;
use super::options::Rotation;
use super::queue::Entry;

/// How long the lock is kept at most while calls keep coming. Whoever keeps it longer than that was
/// not let run.
const LONGEST_HOLD: Duration = Duration::milliseconds(5);

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) site: Site,
    pub(super) rotation: Option<Rotation>,
    /// The process that opened the files: a child shares their locks, and has to open its own.
    pub(super) process: u32,
    /// The file that is written to.
    pub(super) segment: Segment,
    pub(super) file: Arc<File>,
    /// The directory that has the names of the files.
    pub(super) directory: Option<Arc<File>>,
    /// What has to be synced beside the file: those that were written to before, and the directory
    /// if it has a new name.
    pub(super) left: Vec<Arc<File>>,
    pub(super) lock: LogLock,
    /// Whether the file has a length; a device or a pipe has none.
    pub(super) is_regular: bool,
    /// Whether the lock may be kept between two writes: somebody has to be there to give it back.
    pub(super) may_hold: bool,
    pub(super) hold: Hold,
    /// Tells others that this process has the log open.
    pub(super) lease: Option<Lease>,
    /// Where in this file the last record known ends.
    pub(super) end: u64,
    /// The same, in the file that has it: this one may have no record yet.
    pub(super) last: Place,
    pub(super) next_seq: u64,
    /// The leaf hash of the last record known.
    pub(super) head: Hash,
    /// When the last record known was written.
    pub(super) written_at: Option<OffsetDateTime>,
    /// All records of this process with a smaller ticket have been written, or could not be.
    pub(super) done: u64,
    /// Those that could not be, and that somebody will ask for.
    pub(super) failures: Vec<(u64, Arc<Problem>)>,
    /// Why the last batch that failed did.
    pub(super) last_failure: Option<Arc<Problem>>,
    /// Those that could not be, and that are written later.
    pub(super) kept: Vec<Entry>,
    /// Why the lock could not be given back when it last should have been.
    pub(super) unlocking: Option<Arc<Problem>>,
    /// What signs checkpoints.
    pub(super) notary: Option<Notary>,
    /// Empty; for what is written next.
    pub(super) batch: Vec<Entry>,
    pub(super) line: Vec<u8>,
    pub(super) leaves: Vec<Hash>,
}

/// Whether the lock is kept between two writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// It is not.
    Free,
    /// It is kept since then. Somebody gives it back soon.
    Since(OffsetDateTime),
    /// It is kept because a batch that failed could not be cut off.
    Uncut,
}

impl Writer {
    /// Writes a batch, after the records that were kept.
    pub(super) fn commit(&mut self, batch: &mut Vec<Entry>) {
        let Some(last) = batch.last().map(|entry| entry.ticket) else {
            return;
        };
        let now = batch.last().map(|entry| entry.timestamp);
        match self.locked_at(now, |writer| writer.append(batch)) {
            Ok(()) => {
                self.kept.clear();
                batch.clear();
            }
            Err(problem) => {
                let problem = Arc::new(problem);
                self.last_failure = Some(Arc::clone(&problem));
                for entry in batch.drain(..) {
                    if entry.is_kept {
                        self.kept.push(entry);
                    } else {
                        self.failures.push((entry.ticket, Arc::clone(&problem)));
                    }
                }
            }
        }
        self.done = last + 1;
    }

    /// Why a record that was asked for is not in the log, if it is not.
    pub(super) fn failure(&mut self, ticket: u64) -> Option<Arc<Problem>> {
        if ticket >= self.done {
            return Some(Arc::new(Problem::Lost));
        }
        let mut failures = self.failures.iter();
        let place = failures.position(|(failed, _)| *failed == ticket)?;
        Some(self.failures.swap_remove(place).1)
    }

    /// The same for a record that would be written later: it is not.
    pub(super) fn withdraw(&mut self, ticket: u64) -> Option<Arc<Problem>> {
        let place = self.kept.iter().position(|entry| entry.ticket == ticket)?;
        self.kept.remove(place);
        self.last_failure.clone()
    }

    /// What is wrong, though nobody may have noticed.
    pub(super) fn ailment(&self) -> Option<Arc<Problem>> {
        let kept = (!self.kept.is_empty()).then(|| self.last_failure.clone());
        kept.flatten().or_else(|| self.unlocking.clone())
    }

    /// What a checkpoint is made of, if there is a key and anything to sign.
    pub(super) fn draw_up(&self) -> Option<((SigningKey, TreeHead), Frontier)> {
        let notary = self.notary.as_ref()?;
        let frontier = notary.frontier(self.last, self.head);
        Some((notary.pen(), frontier))
    }

    /// Does something while no other process writes.
    pub(super) fn locked<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.locked_at(None, work)
    }

    /// The same, for somebody who knows how late it is.
    fn locked_at<T>(
        &mut self,
        now: Option<OffsetDateTime>,
        work: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.acquire(now)?;
        let result = work(self);
        if self.hold == Hold::Free {
            // Whoever has the log for itself keeps nobody waiting.
            let is_alone = || self.lease.as_ref().is_some_and(Lease::is_alone);
            if self.may_hold && result.is_ok() && is_alone() {
                self.hold = Hold::Since(OffsetDateTime::now_utc());
            } else {
                self.unlock();
            }
        }
        result
    }

    fn acquire(&mut self, now: Option<OffsetDateTime>) -> Result<(), Problem> {
        match self.hold {
            Hold::Since(start) => {
                let now = now.unwrap_or_else(OffsetDateTime::now_utc);
                if (now - start).abs() < LONGEST_HOLD {
                    return Ok(());
                }
                self.give_back();
                if self.hold != Hold::Free {
                    // It is held still, and whoever waits for it has the turnstile.
                    return Ok(());
                }
            }
            Hold::Uncut => return self.cut(),
            Hold::Free => {}
        }
        self.lock.lock().map_err(|error| {
            let unlocked = self.lock.unlock_all();
            self.unlocking = unlocked.err().map(|error| Arc::new(Problem::Lock(error)));
            Problem::Lock(error)
        })
    }

    /// Gives the lock back, if it is kept and can be.
    pub(super) fn give_back(&mut self) {
        if matches!(self.hold, Hold::Since(_)) {
            self.unlock();
        }
    }

    /// A lock that stays keeps others waiting: it is kept, and tried again soon. What was written
    /// is written all the same, and must not be taken for lost.
    fn unlock(&mut self) {
        match self.lock.unlock() {
            Ok(()) => {
                self.hold = Hold::Free;
                self.unlocking = None;
            }
            Err(error) => {
                self.hold = Hold::Since(OffsetDateTime::now_utc());
                self.unlocking = Some(Arc::new(Problem::Lock(error)));
            }
        }
    }

    /// Writes records after the last one there is, and after those that were kept.
    pub(super) fn append(&mut self, batch: &[Entry]) -> Result<(), Problem> {
        if !matches!(self.hold, Hold::Since(_)) {
            self.settle()?;
        }
        self.rotate_if_due(batch)?;
        let kept = std::mem::take(&mut self.kept);
        let written = self.write(kept.iter().chain(batch));
        self.kept = kept;
        written
    }

    /// Writes records in one go, or none of them.
    fn write<'e>(&mut self, entries: impl IntoIterator<Item = &'e Entry>) -> Result<(), Problem> {
        let next = self.compose(entries)?;
        if let Err(error) = (&*self.file).write_all(&self.line) {
            if self.is_regular {
                let _ = self.cut();
            }
            return Err(Problem::Write(error));
        }
        self.accept(next);
        Ok(())
    }

    /// Makes the lines of records, and tells where the log is after them.
    pub(super) fn compose<'e>(
        &mut self,
        entries: impl IntoIterator<Item = &'e Entry>,
    ) -> Result<Next, Problem> {
        self.line.clear();
        self.leaves.clear();
        let (mut seq, mut head, mut written_at) = (self.next_seq, self.head, self.written_at);
        for entry in entries {
            let start = self.line.len();
            entry.body.place(entry.timestamp, seq, head, &mut self.line);
            seq = seq.checked_add(1).ok_or(Problem::Full)?;
            head = leaf(text(self.line.get(start..).unwrap_or_default()));
            self.leaves.push(head);
            written_at = Some(entry.timestamp);
        }
        Ok(Next {
            seq,
            head,
            written_at,
        })
    }

    /// Takes note that the lines that were made have been written.
    pub(super) fn accept(&mut self, next: Next) {
        self.end += u64::try_from(self.line.len()).unwrap_or(u64::MAX);
        self.last = self.place();
        (self.next_seq, self.head, self.written_at) = (next.seq, next.head, next.written_at);
        if let Some(notary) = &mut self.notary {
            self.leaves.iter().for_each(|leaf| notary.push(*leaf));
        }
    }

    /// Cuts off what a batch left behind that failed.
    pub(super) fn cut(&mut self) -> Result<(), Problem> {
        match self.file.set_len(self.end) {
            Ok(()) => {
                if self.hold == Hold::Uncut {
                    self.hold = Hold::Free;
                }
                Ok(())
            }
            Err(error) => {
                self.hold = Hold::Uncut;
                Err(Problem::Cut(error))
            }
        }
    }

    /// Begins the next file of a directory, if it is time to.
    fn rotate_if_due(&mut self, batch: &[Entry]) -> Result<(), Problem> {
        // A batch that has midnight in it goes to the new day, or that would have no file.
        let is_due = match (self.rotation, batch.last(), self.written_at) {
            _ if self.next_seq == self.segment.first_seq => false,
            (Some(Rotation::Size(size)), _, _) => self.end >= size,
            (Some(Rotation::Daily), Some(next), Some(last)) => {
                next.timestamp.date() > last.to_offset(UtcOffset::UTC).date()
            }
            _ => false,
        };
        if is_due {
            self.continue_in(files::segment(&self.site.path, self.next_seq))
        } else {
            Ok(())
        }
    }

    /// Goes on in another file, and makes it if nobody has.
    pub(super) fn continue_in(&mut self, next: Segment) -> Result<(), Problem> {
        let file = open_file(&next.path).map_err(Problem::Rotate)?;
        let before = std::mem::replace(&mut self.file, Arc::new(file));
        // Nobody who writes waits for a sync.
        self.left.push(before);
        if let Some(directory) = &self.directory
            && !self.left.iter().any(|left| Arc::ptr_eq(left, directory))
        {
            self.left.push(Arc::clone(directory));
        }
        self.segment = next;
        self.end = 0;
        Ok(())
    }
}

/// Where a log is after what is about to be written.
#[derive(Clone, Copy)]
pub(super) struct Next {
    seq: u64,
    head: Hash,
    written_at: Option<OffsetDateTime>,
}

/// A line without its line break.
pub(super) fn text(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

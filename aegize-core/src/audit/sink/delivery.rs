//! The delivery of a log to a sink, one step at a time.
//!
//! A step looks at the log, notes in the cursor what it is about to deliver, delivers it, and notes
//! that. It knows no clock and never waits: it is told the time, and tells when to come again. The
//! invariant: nothing is delivered that is not on disk and noted as under way, and nothing follows
//! a delivery that is not noted.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::AuditSink;
use super::backoff::Backoff;
use super::batch::BatchLimits;
use super::board::Board;
use super::cursor::{self, Cursor, CursorFile};
use super::error::{SinkError, SinkErrorKind};
use super::look::{Look, forked};
use super::pending::{Pending, as_u64};
use super::published::SignedCheckpoint;
use super::rejected::{self, Content, Rejected, What};
use super::status::{SinkState, SinkStatus};
use super::trouble::Trouble;

/// How often the log is looked at.
pub(super) const POLL: Duration = Duration::from_millis(100);

/// What a sink's thread knows.
pub(super) struct Delivery<S> {
    log: PathBuf,
    name: String,
    sink: S,
    limits: BatchLimits,
    board: Arc<Board>,
    status: SinkStatus,
    held: Option<Held>,
    /// What has been noted as under way.
    pending: Option<Pending>,
    /// What the receiver said of the record in front, if it will not take it.
    refused: Option<String>,
    /// The checkpoint to be published once its records have been delivered.
    checkpoint: Option<SignedCheckpoint>,
    checkpoint_problem: Option<String>,
    /// Since when a batch that is not full has waited.
    gathering: Option<Duration>,
    backoff: Backoff,
    /// A source of chance, for backoff.
    random: fn() -> u32,
    /// How often somebody asked to be told when all has been delivered, and up to which time that
    /// was so.
    wanted: u64,
    drained: u64,
    goal: Option<Goal>,
}

/// The cursor, when this process has it.
struct Held {
    file: CursorFile,
    cursor: Cursor,
    /// Whether it is on disk as it is here.
    is_noted: bool,
}

impl Held {
    fn change(&mut self, change: impl FnOnce(&mut Cursor)) {
        change(&mut self.cursor);
        self.is_noted = false;
    }
}

/// Where the log ended when it was looked at for those who wait.
#[derive(Clone, Copy)]
struct Goal {
    wanted: u64,
    place: (u64, u64),
}

impl<S: AuditSink> Delivery<S> {
    pub(super) fn new(
        log: PathBuf,
        name: &str,
        sink: S,
        board: Arc<Board>,
        random: fn() -> u32,
    ) -> Self {
        Self {
            log,
            name: name.to_owned(),
            limits: sink.limits(),
            sink,
            board,
            status: SinkStatus::default(),
            held: None,
            pending: None,
            refused: None,
            checkpoint: None,
            checkpoint_problem: None,
            gathering: None,
            backoff: Backoff::default(),
            random,
            wanted: 0,
            drained: 0,
            goal: None,
        }
    }

    /// Delivers at most one batch, and tells after which time there may be more to do. `now` is the
    /// time since any moment, `wanted` how often somebody asked for everything to be delivered.
    pub(super) fn step(&mut self, now: Duration, wanted: u64) -> Duration {
        if wanted > self.wanted {
            self.wanted = wanted;
            self.backoff.hurry();
        }
        let rest = self.backoff.rest(now);
        if !rest.is_zero() {
            return rest;
        }
        let pause = match self.advance(now) {
            Ok(pause) => {
                self.backoff.succeed();
                self.status.error.clone_from(&self.checkpoint_problem);
                pause
            }
            Err(trouble) => {
                self.fail(now, trouble);
                self.backoff.rest(now)
            }
        };
        self.post();
        pause
    }

    /// Notes what may not have been, for the last time.
    pub(super) fn finish(&mut self) {
        // If that fails, the last batch is delivered again by whoever starts next.
        let _ = self.note();
    }

    fn fail(&mut self, now: Duration, trouble: Trouble) {
        self.status.failures += 1;
        self.status.error = Some(trouble.message);
        if trouble.is_broken {
            self.status.state = SinkState::Stopped;
            // All of it is read again: whoever looked after log and cursor changed them.
            self.held = None;
            self.pending = None;
            self.refused = None;
            self.checkpoint = None;
            self.goal = None;
        }
        self.backoff.fail(now, trouble.wait, (self.random)());
    }

    fn post(&self) {
        self.board.post(&self.status, self.wanted, self.drained);
    }

    fn advance(&mut self, now: Duration) -> Result<Duration, Trouble> {
        if self.held.is_none() {
            self.take()?;
        }
        self.note()?;
        let pause = if self.pending.is_none() {
            self.gather(now)?
        } else {
            POLL
        };
        if self.is_publishable() {
            self.post();
            self.publish()?;
        } else if self.pending.is_some() {
            self.note()?;
            self.post();
            self.deliver()?;
        } else {
            return Ok(pause);
        }
        self.note()?;
        Ok(Duration::ZERO)
    }

    /// Takes the cursor, if there is a log and nobody else has it.
    fn take(&mut self) -> Result<(), Trouble> {
        let Some(look) = Look::at(&self.log)? else {
            return self.wait_for_a_log(&Cursor::read(&cursor::path(&self.log, &self.name))?);
        };
        let Some(file) = CursorFile::take(&self.log, &self.name)? else {
            return self.stand_by(&look);
        };
        let cursor = Cursor::read(file.path())?;
        self.status.state = SinkState::Delivering;
        self.show(&cursor);
        self.held = Some(Held {
            file,
            cursor,
            is_noted: true,
        });
        Ok(())
    }

    /// There is no log: what has not begun may wait for one.
    fn wait_for_a_log(&mut self, cursor: &Cursor) -> Result<(), Trouble> {
        if let Some(mark) = cursor.delivered.or(cursor.under_way) {
            return Err(forked(&self.log, &mark));
        }
        self.held = None;
        self.status.state = SinkState::Waiting;
        self.status.lag_bytes = 0;
        self.drained = self.wanted;
        Ok(())
    }

    /// Watches what the process that has the cursor makes of it.
    fn stand_by(&mut self, look: &Look) -> Result<(), Trouble> {
        self.status.state = SinkState::StandingBy;
        let cursor = Cursor::read(&cursor::path(&self.log, &self.name))?;
        self.show(&cursor);
        self.status.lag_bytes = look.bytes_after(cursor.place());
        self.status.lagging_since = None;
        let checkpoint = SignedCheckpoint::of(&self.log).ok().flatten();
        let is_published = checkpoint.is_none_or(|checkpoint| {
            checkpoint.size <= cursor.published || checkpoint.size > cursor.next_seq()
        });
        self.reach(look, &cursor, self.status.lag_bytes == 0, is_published);
        Ok(())
    }

    fn show(&mut self, cursor: &Cursor) {
        self.status.next_seq = cursor.next_seq();
        self.status.published = cursor.published;
    }

    /// Tells those who wait if all has been delivered that was there when they asked.
    fn reach(&mut self, look: &Look, cursor: &Cursor, is_caught_up: bool, is_published: bool) {
        if self.goal.is_none() && self.drained < self.wanted {
            self.goal = Some(Goal {
                wanted: self.wanted,
                place: look.end(),
            });
        }
        if let Some(goal) = self.goal
            && (is_caught_up || cursor.place() >= goal.place)
            && is_published
        {
            self.drained = goal.wanted;
            self.goal = None;
        }
    }

    /// Writes the cursor, if it is not on disk as it is.
    fn note(&mut self) -> Result<(), Trouble> {
        if let Some(held) = self.held.as_mut().filter(|held| !held.is_noted) {
            held.file.write(&held.cursor)?;
            held.is_noted = true;
        }
        Ok(())
    }

    fn is_publishable(&self) -> bool {
        let next_seq = self.held.as_ref().map(|held| held.cursor.next_seq());
        let size = self.checkpoint.as_ref().map(|checkpoint| checkpoint.size);
        size.is_some_and(|size| Some(size) <= next_seq)
    }

    /// Looks for what comes next, and tells when to look again if that is nothing.
    fn gather(&mut self, now: Duration) -> Result<Duration, Trouble> {
        let Some(held) = &self.held else {
            return Ok(POLL);
        };
        let cursor = held.cursor;
        // Before the log: then the records of the checkpoint are in what is seen of that.
        if self.checkpoint.is_none() {
            let found = SignedCheckpoint::of(&self.log);
            self.checkpoint_problem = found.as_ref().err().cloned();
            let found = found.ok().flatten();
            self.checkpoint = found.filter(|found| found.size > cursor.published);
        }
        let Some(look) = Look::at(&self.log)? else {
            self.wait_for_a_log(&cursor)?;
            return Ok(POLL);
        };
        let next = look.next(&cursor, &self.limits)?;
        self.status.lag_bytes = match next {
            Some(_) => look.bytes_after(cursor.place()),
            None => 0,
        };
        self.status.lagging_since = next.as_ref().and_then(|next| next.pending.written());
        self.reach(&look, &cursor, next.is_none(), !self.is_publishable());
        let Some(next) = next else {
            return Ok(POLL);
        };
        let waited = now.saturating_sub(*self.gathering.get_or_insert(now));
        let rest = self.limits.linger.saturating_sub(waited);
        let is_due = next.is_full || rest.is_zero() || self.drained < self.wanted;
        if !is_due {
            return Ok(rest.min(POLL));
        }
        next.sync()
            .map_err(Trouble::with_file(&self.log, "synced"))?;
        self.gathering = None;
        if let Some(held) = &mut self.held {
            held.change(|cursor| cursor.under_way = Some(next.pending.end()));
        }
        self.pending = Some(next.pending);
        Ok(POLL)
    }

    /// Delivers what is in front.
    fn deliver(&mut self) -> Result<(), Trouble> {
        let (Some(held), Some(pending)) = (&mut self.held, &mut self.pending) else {
            return Ok(());
        };
        let batch = pending.front();
        if self.refused.is_none() {
            match caught(|| self.sink.deliver(&batch)) {
                Ok(()) => {
                    self.status.records += pending.records();
                    self.status.bytes += as_u64(batch.bytes().len());
                }
                Err(error) if error.kind() == SinkErrorKind::Unavailable => {
                    return Err(unavailable(&error));
                }
                Err(error) => {
                    if pending.halve() {
                        self.status.failures += 1;
                        held.change(|cursor| cursor.under_way = Some(pending.end()));
                        return Ok(());
                    }
                    self.refused = Some(error.to_string());
                }
            }
        }
        let batch = pending.front();
        let length = as_u64(batch.bytes().len());
        if let Some(error) = &self.refused {
            let rejected = Rejected {
                what: What::Seq(batch.first_seq()),
                error: error.clone(),
                content: Content::of(batch.lines().next().unwrap_or_default()),
            };
            rejected::keep(&rejected::path(&self.log, &self.name), &rejected)?;
            self.refused = None;
            self.status.rejected += 1;
        }
        let end = pending.end();
        pending.pass();
        held.change(|cursor| {
            cursor.delivered = Some(end);
            cursor.under_way = (!pending.is_empty()).then(|| pending.end());
        });
        self.status.next_seq = end.next_seq;
        self.status.lag_bytes = self.status.lag_bytes.saturating_sub(length);
        self.status.lagging_since = pending.written();
        if pending.is_empty() {
            self.pending = None;
        }
        Ok(())
    }

    /// Publishes the checkpoint whose records have all been delivered.
    fn publish(&mut self) -> Result<(), Trouble> {
        let (Some(held), Some(checkpoint)) = (&mut self.held, &self.checkpoint) else {
            return Ok(());
        };
        let SignedCheckpoint { size, note } = checkpoint;
        match caught(|| self.sink.publish(*size, note)) {
            Ok(()) => {}
            Err(error) if error.kind() == SinkErrorKind::Unavailable => {
                return Err(unavailable(&error));
            }
            Err(error) => {
                let rejected = Rejected {
                    what: What::Size(*size),
                    error: error.to_string(),
                    content: Content::of(note.as_bytes()),
                };
                rejected::keep(&rejected::path(&self.log, &self.name), &rejected)?;
                self.status.rejected += 1;
            }
        }
        self.status.published = *size;
        held.change(|cursor| cursor.published = *size);
        self.checkpoint = None;
        Ok(())
    }
}

fn unavailable(error: &SinkError) -> Trouble {
    Trouble {
        wait: error.wait(),
        ..Trouble::passing(error.to_string())
    }
}

/// Calls a sink. One that panics is one that could not deliver.
fn caught(call: impl FnOnce() -> Result<(), SinkError>) -> Result<(), SinkError> {
    panic::catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = text(&*panic);
        Err(SinkError::unavailable(format!("the sink panicked: {text}")))
    })
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a text")
}

#[cfg(test)]
mod tests;

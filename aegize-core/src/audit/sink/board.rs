//! What a sink's thread and its owner tell each other.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::status::{SinkState, SinkStatus};

/// Where thread and owner meet.
#[derive(Debug, Default)]
pub(super) struct Board {
    notes: Mutex<Notes>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone)]
struct Notes {
    status: SinkStatus,
    /// By the owner: whether to stop, and how often somebody asked for everything to be delivered.
    is_over: bool,
    wanted: u64,
    /// By the thread: which of those it has seen, and which it has done.
    seen: u64,
    drained: u64,
    has_ended: bool,
}

/// What became of a wish to have everything delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drained {
    Done,
    Stopped,
    TimedOut,
}

impl Board {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> SinkStatus {
        self.notes().status.clone()
    }

    pub(super) fn post(&self, status: &SinkStatus, seen: u64, drained: u64) {
        let mut notes = self.notes();
        notes.status.clone_from(status);
        (notes.seen, notes.drained) = (seen, drained);
        self.changed.notify_all();
    }

    /// Tells the thread to stop.
    pub(super) fn stop(&self) {
        self.notes().is_over = true;
        self.changed.notify_all();
    }

    /// Tells that the thread does nothing more.
    pub(super) fn end(&self) {
        let mut notes = self.notes();
        notes.has_ended = true;
        if !notes.is_over {
            notes.status.state = SinkState::Stopped;
            let error = &mut notes.status.error;
            error.get_or_insert_with(|| "the thread that delivers has panicked".to_owned());
        }
        self.changed.notify_all();
    }

    /// How often somebody asked for everything to be delivered. `None` if the thread is to stop.
    pub(super) fn wanted(&self) -> Option<u64> {
        let notes = self.notes();
        (!notes.is_over).then_some(notes.wanted)
    }

    /// Waits for a time, or until the owner tells something that the thread has not seen.
    pub(super) fn pause(&self, at_most: Duration, seen: u64) {
        let is_quiet = |notes: &mut Notes| !notes.is_over && notes.wanted == seen;
        let notes = self.notes();
        let waited = self.changed.wait_timeout_while(notes, at_most, is_quiet);
        drop(waited);
    }

    /// Asks for everything to be delivered, and waits.
    pub(super) fn drain(&self, at_most: Duration) -> Drained {
        // Without a deadline if there is none to be reached.
        let deadline = Instant::now().checked_add(at_most);
        let mut notes = self.notes();
        notes.wanted += 1;
        let mine = notes.wanted;
        self.changed.notify_all();
        loop {
            if notes.drained >= mine {
                return Drained::Done;
            }
            let is_stopped = notes.status.state == SinkState::Stopped && notes.seen >= mine;
            if is_stopped || notes.has_ended {
                return Drained::Stopped;
            }
            let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            notes = match rest {
                Some(Duration::ZERO) => return Drained::TimedOut,
                Some(rest) => {
                    let waited = self.changed.wait_timeout(notes, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .changed
                    .wait(notes)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

//! When what was written is on disk: one `fdatasync` for all who wait.
//!
//! Whoever waits while nobody syncs does it for all that is written by then; the others are woken
//! when they are covered, and one who is not goes on. The invariant: a record counts as synced only
//! after a sync that began when it had been written, and never after one has failed.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread::{self, Thread};

use super::error::Problem;

#[derive(Debug, Default)]
pub(super) struct Syncs(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// All records with a smaller ticket are on disk.
    synced: u64,
    is_syncing: bool,
    /// After a sync has failed, nobody knows what is on disk: the system may have dropped what it
    /// could not write, and report no failure the next time.
    failed: Option<Arc<Problem>>,
    /// Who waits, by ticket.
    waiting: BTreeMap<u64, Waiter>,
}

#[derive(Debug)]
enum Waiter {
    /// A thread that syncs itself if nobody else does.
    Thread(Thread),
    /// A task, for which somebody else has to.
    Task(Waker),
}

impl Syncs {
    /// Waits until a record is on disk. `written` tells what to sync, and the ticket that the next
    /// record to be written will have.
    pub(super) fn wait(
        &self,
        ticket: u64,
        written: impl Fn() -> (Arc<File>, u64),
    ) -> Result<(), Arc<Problem>> {
        loop {
            let mut state = self.state();
            if let Some(done) = state.done(ticket) {
                return done;
            }
            if !state.is_syncing {
                state.is_syncing = true;
                drop(state);
                self.sync(&written);
                continue;
            }
            state
                .waiting
                .insert(ticket, Waiter::Thread(thread::current()));
            drop(state);
            thread::park();
        }
    }

    /// Tells whether a record is on disk, and else keeps the waker: somebody who can wait has to.
    pub(super) fn poll(&self, ticket: u64, waker: &Waker) -> Poll<Result<(), Arc<Problem>>> {
        let mut state = self.state();
        if let Some(done) = state.done(ticket) {
            return Poll::Ready(done);
        }
        state.waiting.insert(ticket, Waiter::Task(waker.clone()));
        Poll::Pending
    }

    /// Waits until all that has been written is on disk.
    pub(super) fn wait_for_all(
        &self,
        written: impl Fn() -> (Arc<File>, u64),
    ) -> Result<(), Arc<Problem>> {
        let (_, next) = written();
        next.checked_sub(1)
            .map_or(Ok(()), |last| self.wait(last, written))
    }

    /// Why nothing counts as synced any more.
    pub(super) fn failed(&self) -> Option<Arc<Problem>> {
        self.state().failed.clone()
    }

    /// Syncs, as the only one.
    fn sync(&self, written: &impl Fn() -> (Arc<File>, u64)) {
        // Should this thread panic, nobody may wait for it forever.
        let mut turn = Turn {
            syncs: self,
            outcome: Err(Arc::new(Problem::Lost)),
        };
        let (file, done) = written();
        let synced = file.sync_data();
        turn.outcome = synced
            .map(|()| done)
            .map_err(|error| Arc::new(Problem::Sync(error)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn done(&self, ticket: u64) -> Option<Result<(), Arc<Problem>>> {
        if ticket < self.synced {
            return Some(Ok(()));
        }
        self.failed.clone().map(Err)
    }
}

/// One sync, from its beginning to its end.
struct Turn<'s> {
    syncs: &'s Syncs,
    outcome: Result<u64, Arc<Problem>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.syncs.state();
        state.is_syncing = false;
        let covered = match &self.outcome {
            Ok(synced) => {
                let synced = state.synced.max(*synced);
                state.synced = synced;
                let rest = state.waiting.split_off(&synced);
                std::mem::replace(&mut state.waiting, rest)
            }
            Err(problem) => {
                state.failed = Some(Arc::clone(problem));
                std::mem::take(&mut state.waiting)
            }
        };
        // One thread goes on for those who are left. Tasks have one that waits for them, too.
        let mut left = state.waiting.values();
        let next = left.find_map(|waiter| match waiter {
            Waiter::Thread(thread) => Some(thread.clone()),
            Waiter::Task(_) => None,
        });
        drop(state);
        if let Some(next) = next {
            next.unpark();
        }
        for waiter in covered.into_values() {
            match waiter {
                Waiter::Thread(thread) => thread.unpark(),
                Waiter::Task(waker) => waker.wake(),
            }
        }
    }
}

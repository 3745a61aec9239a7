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
    /// How many syncs have begun, of which all but one under way have ended.
    begun: u64,
    /// After a sync has failed, nobody knows what is on disk: the system may have dropped what it
    /// could not write, and report no failure the next time.
    failed: Option<Arc<Problem>>,
    /// Who waits, by ticket. What a call waits for nobody else does; of others there may be many.
    waiting: BTreeMap<(u64, u64), Waiter>,
    next_waiter: u64,
}

#[derive(Debug)]
enum Waiter {
    /// A thread that syncs itself if nobody else does.
    Thread(Thread),
    /// A task, for which somebody else has to.
    Task(Waker),
}

/// The number of a call among all who wait for its record.
const CALL: u64 = 0;

/// What a sync has to reach, and the ticket of the first record that it need not.
pub(super) type Unsynced = (Vec<Arc<File>>, u64);

impl Syncs {
    /// Waits until the record of a call is on disk.
    pub(super) fn wait(
        &self,
        ticket: u64,
        unsynced: impl Fn() -> Unsynced,
    ) -> Result<(), Arc<Problem>> {
        self.wait_until((ticket, CALL), |state| ticket < state.synced, unsynced)
    }

    /// Waits until all records before a ticket are on disk.
    pub(super) fn wait_for_all(
        &self,
        next: u64,
        unsynced: impl Fn() -> Unsynced,
    ) -> Result<(), Arc<Problem>> {
        let Some(last) = next.checked_sub(1) else {
            return Ok(());
        };
        let waiter = self.state().next_waiter();
        self.wait_until((last, waiter), |state| last < state.synced, unsynced)
    }

    /// Waits until all is on disk that anybody has written by now.
    pub(super) fn renew(&self, unsynced: impl Fn() -> Unsynced) -> Result<(), Arc<Problem>> {
        let mut state = self.state();
        let (begun, waiter) = (state.begun, state.next_waiter());
        drop(state);
        let is_done = |state: &State| {
            let ended = state.begun - u64::from(state.is_syncing);
            state.failed.is_none() && ended > begun
        };
        // It is woken after every sync.
        self.wait_until((0, waiter), is_done, unsynced)
    }

    fn wait_until(
        &self,
        waiter: (u64, u64),
        is_done: impl Fn(&State) -> bool,
        unsynced: impl Fn() -> Unsynced,
    ) -> Result<(), Arc<Problem>> {
        loop {
            let mut state = self.state();
            if is_done(&state) {
                return Ok(());
            }
            if let Some(failed) = &state.failed {
                return Err(Arc::clone(failed));
            }
            if !state.is_syncing {
                state.is_syncing = true;
                state.begun += 1;
                drop(state);
                self.sync(&unsynced);
                continue;
            }
            let thread = Waiter::Thread(thread::current());
            state.waiting.insert(waiter, thread);
            drop(state);
            thread::park();
        }
    }

    /// Tells whether a record is on disk, and else keeps the waker: somebody who can wait has to.
    pub(super) fn poll(&self, ticket: u64, waker: &Waker) -> Poll<Result<(), Arc<Problem>>> {
        let mut state = self.state();
        if ticket < state.synced {
            return Poll::Ready(Ok(()));
        }
        if let Some(failed) = &state.failed {
            return Poll::Ready(Err(Arc::clone(failed)));
        }
        let task = Waiter::Task(waker.clone());
        state.waiting.insert((ticket, CALL), task);
        Poll::Pending
    }

    /// Forgets who waited in the parent of a process that was forked.
    pub(super) fn leave_parent(&self) {
        let mut state = self.state();
        state.is_syncing = false;
        state.waiting.clear();
    }

    /// Why nothing counts as synced any more.
    pub(super) fn failed(&self) -> Option<Arc<Problem>> {
        self.state().failed.clone()
    }

    /// Syncs, as the only one.
    fn sync(&self, unsynced: &impl Fn() -> Unsynced) {
        // Should this thread panic, nobody may wait for it forever.
        let mut turn = Turn {
            syncs: self,
            outcome: Err(Arc::new(Problem::Lost)),
        };
        let (files, done) = unsynced();
        let synced = files.iter().try_for_each(|file| file.sync_data());
        turn.outcome = synced
            .map(|()| done)
            .map_err(|error| Arc::new(Problem::Sync(error)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_waiter(&mut self) -> u64 {
        self.next_waiter += 1;
        CALL + self.next_waiter
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
                let rest = state.waiting.split_off(&(synced, 0));
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

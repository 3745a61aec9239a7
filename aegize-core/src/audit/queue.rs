//! Records on their way to the writer.
//!
//! Callers that come while another writes leave their records here; whoever writes next takes them
//! all, in one `write`. The invariant: the order of the queue is the order of the log.

use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use uuid::Uuid;

use super::record::Body;

/// A record that is to be written.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its place among all records of this process.
    pub(super) ticket: u64,
    pub(super) timestamp: OffsetDateTime,
    pub(super) body: Body,
    /// Whether it is written later if it cannot be now: nobody can be told any more.
    pub(super) is_kept: bool,
}

#[derive(Debug)]
pub(super) struct Queue(Mutex<State>);

#[derive(Debug)]
struct State {
    /// The process whose records these are. A child that was forked has none of its parent's.
    process: u32,
    next_ticket: u64,
    entries: Vec<Entry>,
    bytes: usize,
    ids: Ids,
}

/// Ids of attempts: UUIDs of version 7 (RFC 9562), whose random part is chosen once for a process
/// and then counted up.
#[derive(Debug)]
struct Ids {
    random: u128,
}

/// Where a record stands that has been queued.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queued {
    pub(super) ticket: u64,
    /// Of all that waits.
    pub(super) bytes: usize,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            process: process::id(),
            next_ticket: 0,
            entries: Vec::new(),
            bytes: 0,
            ids: Ids::new(),
        }))
    }

    /// The id of an attempt that begins now.
    pub(super) fn attempt(&self, now: OffsetDateTime) -> Uuid {
        self.adopted().ids.next(now)
    }

    /// Forgets what a parent left here, and tells which process this is.
    pub(super) fn adopt(&self) -> u32 {
        self.adopted().process
    }

    /// To be used before anything that a parent may have left is.
    fn adopted(&self) -> MutexGuard<'_, State> {
        let process = process::id();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.process != process {
            state.process = process;
            state.entries.clear();
            state.bytes = 0;
            state.ids = Ids::new();
        }
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a record, of an attempt that began in this process or after [`adopt`](Self::adopt).
    pub(super) fn push(&self, body: Body, is_kept: bool) -> Queued {
        let mut state = self.state();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.bytes += body.len();
        state.entries.push(Entry {
            ticket,
            timestamp: OffsetDateTime::now_utc(),
            body,
            is_kept,
        });
        let bytes = state.bytes;
        Queued { ticket, bytes }
    }

    /// Moves all that waits to `entries`, which is empty, and tells whose it is.
    pub(super) fn take(&self, entries: &mut Vec<Entry>) -> u32 {
        let mut state = self.state();
        std::mem::swap(&mut state.entries, entries);
        state.bytes = 0;
        state.process
    }
}

impl Ids {
    fn new() -> Self {
        Self {
            random: Uuid::now_v7().as_u128(),
        }
    }

    fn next(&mut self, now: OffsetDateTime) -> Uuid {
        self.random = self.random.wrapping_add(1);
        let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        // The first six bytes are the time; what is version and variant is set.
        let [_, _, _, _, _, _, random @ ..] = self.random.to_be_bytes();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

//! The thread that looks after an open log: what no caller should have to wait for.
//!
//! The invariant: it sleeps unless it was rung for or a checkpoint is due, so an idle log costs
//! nothing.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the lock of a log is kept between two writes, and how long what nobody waits for waits
/// for a sync that it can share, after the last write.
const MOMENT: Duration = Duration::from_millis(1);

/// How long it waits at most, while others write.
const WHILE: Duration = Duration::from_millis(10);

/// How the thread is told what to do.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    bell: Condvar,
    orders: Mutex<Orders>,
}

#[derive(Debug, Default)]
struct Orders {
    /// When to tidy up after a write.
    tidy_at: Option<Instant>,
    /// When to at the latest.
    tidy_by: Option<Instant>,
    is_sync_wanted: bool,
    is_checkpoint_wanted: bool,
    /// When a checkpoint is due, wanted or not.
    checkpoint_at: Option<Instant>,
    is_over: bool,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Give the lock back; sync what nobody waits for.
    Tidy,
    /// Sync for tasks that wait.
    Sync,
    Checkpoint,
    /// The log is closed.
    End,
}

impl Keeper {
    /// In a moment, after a write.
    pub(super) fn tidy_soon(&self) {
        let mut orders = self.orders();
        if orders.tidy_at.is_none() {
            orders.tidy_at = Some(Instant::now() + MOMENT);
            orders.tidy_by = orders.tidy_at;
            self.bell.notify_one();
        }
    }

    /// A moment after the last write: those who wait for a sync meanwhile have done it for all.
    pub(super) fn tidy_after_others(&self) {
        let now = Instant::now();
        let mut orders = self.orders();
        if orders.tidy_at.is_none() {
            orders.tidy_by = Some(now + WHILE);
            self.bell.notify_one();
        }
        orders.tidy_at = orders.tidy_by.min(Some(now + MOMENT));
    }

    pub(super) fn sync(&self) {
        self.order(|orders| std::mem::replace(&mut orders.is_sync_wanted, true));
    }

    pub(super) fn checkpoint(&self) {
        self.order(|orders| std::mem::replace(&mut orders.is_checkpoint_wanted, true));
    }

    /// A checkpoint so long from now, unless one is due before.
    pub(super) fn checkpoint_within(&self, interval: Duration) {
        self.order(|orders| {
            let is_due = orders.checkpoint_at.is_some();
            if !is_due {
                orders.checkpoint_at = Instant::now().checked_add(interval);
            }
            is_due
        });
    }

    pub(super) fn end(&self) {
        self.order(|orders| std::mem::replace(&mut orders.is_over, true));
    }

    /// Changes the orders, and rings if they were not like this before.
    fn order(&self, change: impl FnOnce(&mut Orders) -> bool) {
        let mut orders = self.orders();
        if !change(&mut orders) {
            self.bell.notify_one();
        }
    }

    /// Waits until there is something to do.
    pub(super) fn wait(&self) -> Order {
        let mut orders = self.orders();
        loop {
            let now = Instant::now();
            if let Some(order) = orders.take(now) {
                return order;
            }
            let times = [orders.tidy_at, orders.checkpoint_at];
            let next = times.into_iter().flatten().min();
            orders = match next {
                Some(next) => {
                    let wait = next.saturating_duration_since(now);
                    let woken = self.bell.wait_timeout(orders, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .bell
                    .wait(orders)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Orders {
    /// The first thing to do now, which is then no longer one.
    fn take(&mut self, now: Instant) -> Option<Order> {
        let is_past = |time: &mut Instant| *time <= now;
        if self.is_over {
            Some(Order::End)
        } else if self.tidy_at.take_if(is_past).is_some() {
            Some(Order::Tidy)
        } else if std::mem::take(&mut self.is_sync_wanted) {
            Some(Order::Sync)
        } else if std::mem::take(&mut self.is_checkpoint_wanted)
            | self.checkpoint_at.take_if(is_past).is_some()
        {
            self.checkpoint_at = None;
            Some(Order::Checkpoint)
        } else {
            None
        }
    }
}

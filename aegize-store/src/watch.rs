//! Who waits for changes, and what wakes them.
//!
//! Waiting needs no runtime: it may go on on any executor. The invariant: what changed after
//! somebody began to look wakes them, or they are told that it cannot be known.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, watch};

use crate::error::StoreError;
use crate::runtime::closed;

/// What is told to those who wait. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct News {
    told: watch::Sender<Told>,
    waiting: Arc<Waiting>,
}

#[derive(Debug)]
struct Told {
    /// How often anything has changed, from 1.
    changes: u64,
    /// Why that is no longer known.
    failure: Option<StoreError>,
}

#[derive(Debug, Default)]
struct Waiting {
    count: AtomicUsize,
    begun: Notify,
}

impl News {
    pub(crate) fn new() -> Self {
        Self {
            told: watch::Sender::new(Told {
                changes: 1,
                failure: None,
            }),
            waiting: Arc::default(),
        }
    }

    /// Something may have changed.
    pub(crate) fn tell(&self) {
        self.told.send_modify(|told| {
            told.changes += 1;
            told.failure = None;
        });
    }

    /// It cannot be known whether anything has changed.
    pub(crate) fn fail(&self, failure: StoreError) {
        self.told.send_modify(|told| told.failure = Some(failure));
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.told.borrow().failure.is_some()
    }

    /// Ready while somebody waits.
    pub(crate) async fn somebody_waits(&self) {
        while self.waiting.count.load(Ordering::SeqCst) == 0 {
            self.waiting.begun.notified().await;
        }
    }

    pub(crate) fn wait(&self) -> Wait<'_> {
        self.waiting.count.fetch_add(1, Ordering::SeqCst);
        self.waiting.begun.notify_one();
        Wait {
            news: self,
            told: self.told.subscribe(),
        }
    }
}

/// Somebody who waits.
#[derive(Debug)]
pub(crate) struct Wait<'n> {
    news: &'n News,
    told: watch::Receiver<Told>,
}

impl Wait<'_> {
    /// How often anything has changed until now.
    pub(crate) fn changes(&mut self) -> u64 {
        self.told.borrow_and_update().changes
    }

    /// Waits for what is told after the last look at the changes.
    pub(crate) async fn more(&mut self) -> Result<(), StoreError> {
        self.told.changed().await.map_err(|_| closed())?;
        let failure = self.told.borrow().failure.clone();
        failure.map_or(Ok(()), Err)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.news.waiting.count.fetch_sub(1, Ordering::SeqCst);
    }
}

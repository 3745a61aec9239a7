//! What all handlers share.

use std::ops::Deref;
use std::sync::Arc;

use aegize_core::ApprovalDesk;
use tokio::sync::{Semaphore, watch};

use crate::hosts::Hosts;
use crate::interim::Directory;
use crate::metrics::Metrics;
use crate::session::Sessions;
use crate::throttle::Throttle;

/// The most streams of events at once.
const STREAMS: usize = 512;
/// The most tokens that are checked at once: that is made to cost time and memory.
const CHECKS: usize = 2;

/// What all handlers share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

/// What is behind it.
pub(crate) struct Shared {
    pub(crate) desk: ApprovalDesk,
    pub(crate) directory: Directory,
    pub(crate) sessions: Sessions,
    pub(crate) throttle: Throttle,
    pub(crate) metrics: Metrics,
    pub(crate) hosts: Hosts,
    /// Whether browsers reach it by TLS only.
    pub(crate) is_secure: bool,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) checks: Semaphore,
    /// Becomes `true` when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl App {
    pub(crate) fn new(
        desk: ApprovalDesk,
        directory: Directory,
        sessions: Sessions,
        hosts: Hosts,
        is_secure: bool,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self(Arc::new(Shared {
            desk,
            directory,
            sessions,
            throttle: Throttle::default(),
            metrics: Metrics::default(),
            hosts,
            is_secure,
            streams: Arc::new(Semaphore::new(STREAMS)),
            checks: Semaphore::new(CHECKS),
            stopping,
        }))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

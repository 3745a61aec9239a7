//! What all handlers share.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use aegize_core::{ApprovalDesk, ApprovalError};
use aegize_store::{Directory, Outbox};
use tokio::sync::{Semaphore, watch};

use crate::channel::Channels;
use crate::hosts::Hosts;
use crate::inbox::Inbox;
use crate::metrics::Metrics;
use crate::session::Sessions;
use crate::throttle::Throttle;
use crate::tokens::Verified;

/// The most streams of events at once.
const STREAMS: usize = 512;

/// How long a store may take to tell what is new.
const ANSWERS: Duration = Duration::from_secs(10);

/// What all handlers share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

/// What is behind it.
pub(crate) struct Shared {
    pub(crate) desk: ApprovalDesk,
    pub(crate) directory: Directory,
    pub(crate) outbox: Outbox,
    pub(crate) channels: Option<Channels>,
    pub(crate) verified: Verified,
    pub(crate) sessions: Sessions,
    pub(crate) throttle: Throttle,
    pub(crate) metrics: Metrics,
    pub(crate) hosts: Hosts,
    /// Whether browsers reach it by TLS only.
    pub(crate) is_secure: bool,
    pub(crate) streams: Arc<Semaphore>,
    /// Becomes `true` when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl App {
    pub(crate) fn new(
        inbox: Inbox,
        address: SocketAddr,
        is_secure: bool,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self(Arc::new(Shared {
            hosts: Hosts::new(&inbox.hosts, address),
            sessions: Sessions::new(inbox.lifetime),
            desk: inbox.desk,
            directory: inbox.directory,
            outbox: inbox.outbox,
            channels: inbox.channels,
            verified: Verified::default(),
            throttle: Throttle::default(),
            metrics: Metrics::default(),
            is_secure,
            streams: Arc::new(Semaphore::new(STREAMS)),
            stopping,
        }))
    }
}

impl App {
    /// What a page knows that is made from now on.
    pub(crate) async fn news(&self) -> Result<u64, ApprovalError> {
        self.desk.news(0, ANSWERS).await
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

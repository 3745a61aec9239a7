//! The inbox, before it is served.

use std::time::Duration;

use aegize_core::{ApprovalDesk, Approvals, AuditLog};
use aegize_store::{Directory, Outbox, Store};

use crate::channel::Channels;
use crate::session::Lifetime;

/// Where people look at requests and decide about them, in a browser or by program.
#[derive(Debug)]
#[must_use = "an inbox does nothing until it is served"]
pub struct Inbox {
    pub(crate) desk: ApprovalDesk,
    pub(crate) directory: Directory,
    pub(crate) outbox: Outbox,
    pub(crate) channels: Option<Channels>,
    pub(crate) hosts: Vec<String>,
    pub(crate) lifetime: Lifetime,
    pub(crate) is_plain_allowed: bool,
}

impl Inbox {
    /// An inbox over the requests that are kept there, and what channels were told of them, for the
    /// people of a directory. What they do is recorded in the log.
    pub fn new(
        approvals: &Approvals,
        store: &Store,
        directory: Directory,
        audit_log: &AuditLog,
    ) -> Self {
        Self {
            desk: approvals.desk(audit_log),
            directory,
            outbox: store.outbox(),
            channels: None,
            hosts: Vec::new(),
            lifetime: Lifetime {
                idle: Duration::from_hours(1),
                whole: Duration::from_hours(12),
            },
            is_plain_allowed: false,
        }
    }

    /// The same, which also answers to one more name, such as `approvals.acme.com`. Otherwise it
    /// answers to the address that it listens at, and on loopback to `localhost` and
    /// `aegize.localhost`.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// The same, where a session ends when nothing was done for some time, and after some time in
    /// any case; otherwise after an hour and after twelve.
    pub fn session_lifetime(mut self, idle: Duration, whole: Duration) -> Self {
        self.lifetime = Lifetime { idle, whole };
        self
    }

    /// The same, which tells channels of requests while it is served, and takes their answers.
    pub fn channels(mut self, channels: Channels) -> Self {
        self.channels = Some(channels);
        self
    }

    /// The same, which may listen beyond this host without TLS: for a network in which nobody else
    /// listens, or behind a proxy that has TLS.
    pub fn allow_plain_http(mut self) -> Self {
        self.is_plain_allowed = true;
        self
    }
}

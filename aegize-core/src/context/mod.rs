//! Who calls, by which rules, into which log: [`GuardContext`], and the scopes that carry it.
//!
//! A scope belongs to a task or a thread, not to the process. A synchronous one lasts as long as
//! its closure; an asynchronous one is carried by the future and entered on every poll and on
//! drop, so that it needs no runtime and follows a task from thread to thread. The invariant:
//! a call is judged under the innermost scope of its own task or thread, else the process
//! default, else not at all.

mod scope;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::audit::AuditLog;
use crate::guard::Authority;
use crate::identity::AgentIdentity;
use crate::policy::PermissionPolicy;

pub(crate) use self::scope::take_metadata;
pub use self::scope::{GuardFutureExt, WithContext, WithMetadata, with_context, with_metadata};

/// An agent, its policy and its audit log.
///
/// Cheap to clone, and the same context wherever it goes.
#[derive(Clone)]
pub struct GuardContext(Arc<Authority>);

/// The context of calls outside of every scope.
static DEFAULT: RwLock<Option<GuardContext>> = RwLock::new(None);

impl GuardContext {
    /// A context for an agent, judged by a policy, recorded in a log.
    pub fn new(agent: AgentIdentity, policy: PermissionPolicy, audit_log: AuditLog) -> Self {
        Self(Arc::new(Authority {
            agent,
            policy,
            audit_log,
        }))
    }

    /// The context of a guarded call made here: of the innermost scope of this task or thread,
    /// else the process default.
    pub fn current() -> Option<Self> {
        scope::current(|| {
            DEFAULT
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        })
    }

    /// Makes this the process default, for programs with one agent. It replaces the one before.
    pub fn activate(&self) {
        Self::set_default(Some(self.clone()));
    }

    /// Leaves the process without a default.
    pub fn deactivate() {
        Self::set_default(None);
    }

    fn set_default(context: Option<Self>) {
        let mut default = DEFAULT.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *default, context);
        // The last reference to a log may be dropped here: not while others wait.
        drop(default);
        drop(before);
    }

    /// The agent on whose behalf calls are made.
    pub fn agent(&self) -> &AgentIdentity {
        &self.0.agent
    }

    /// The policy that judges calls.
    pub fn policy(&self) -> &PermissionPolicy {
        &self.0.policy
    }

    /// The log that records calls.
    pub fn audit_log(&self) -> &AuditLog {
        &self.0.audit_log
    }

    pub(crate) fn authority(&self) -> &Arc<Authority> {
        &self.0
    }
}

impl fmt::Debug for GuardContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardContext")
            .field("agent_id", &self.agent().agent_id)
            .field("policy", &self.policy().digest())
            .field("audit_log", &self.audit_log().path())
            .finish()
    }
}

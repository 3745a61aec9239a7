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
use std::time::Duration;

use crate::approval::Approvals;
use crate::audit::AuditLog;
use crate::guard::{Authority, Merged, Waiting};
use crate::identity::AgentIdentity;
use crate::policy::PermissionPolicy;
use crate::secrets::Redactor;
use crate::source::PolicySource;

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
    pub fn new(agent: AgentIdentity, policy: impl Into<PolicySource>, audit_log: AuditLog) -> Self {
        let redactor = Redactor::new();
        Self(Arc::new(Authority {
            plain: Merged::of(&agent, &redactor),
            agent,
            principals: Vec::new(),
            policy: policy.into(),
            narrowing: Vec::new(),
            audit_log,
            redactor,
            approvals: None,
            waiting: Waiting::No,
        }))
    }

    /// The same context, where people can be asked about calls that need approval. Such a call is
    /// refused at once and can be made again when it was approved, unless it waits.
    ///
    /// A grant is bound to the agent, the tool, the operation, the risk, every argument and the
    /// metadata that policies read, and lets that call run once. The policy that is in force then is
    /// asked again: nothing that it denies runs, and who approved has to be who it asks for.
    #[must_use]
    pub fn approvals(&self, approvals: Approvals) -> Self {
        let mut authority = Authority::clone(&self.0);
        authority.approvals = Some(approvals);
        Self(Arc::new(authority))
    }

    /// The same context, where a call that needs approval waits for it, at most so long: then it is
    /// refused, and can be made again. An asynchronous call holds no thread while it waits, and
    /// withdraws its request when it is dropped.
    #[must_use]
    pub fn wait_for_approval(&self, at_most: Duration) -> Self {
        self.waiting(Waiting::For(at_most))
    }

    /// The same context, where a call that needs approval waits until its request is granted,
    /// rejected, withdrawn or expired.
    #[must_use]
    pub fn wait_until_answered(&self) -> Self {
        self.waiting(Waiting::UntilItEnds)
    }

    fn waiting(&self, waiting: Waiting) -> Self {
        let mut authority = Authority::clone(&self.0);
        authority.waiting = waiting;
        Self(Arc::new(authority))
    }

    /// The same context, with a redactor that knows more than the built-in names and shapes. It
    /// takes the place of the one before.
    ///
    /// ```
    /// # extern crate aegize_core as aegize;
    /// # use aegize::*;
    /// # fn example(context: GuardContext) -> Result<(), InvalidPattern> {
    /// let redactor = Redactor::new()
    ///     .name("employee_id")
    ///     .pattern("card_number", r"\b[0-9]{16}\b")?;
    /// let context = context.redacted_by(redactor);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn redacted_by(&self, redactor: Redactor) -> Self {
        let mut authority = Authority::clone(&self.0);
        authority.plain = Merged::of(&authority.agent, &redactor);
        authority.redactor = redactor;
        Self(Arc::new(authority))
    }

    /// The same context, for one task or a sub-agent, where another policy has to consent, too:
    /// every call is judged by all policies, and the strictest decision counts. Nothing can
    /// widen what the context may do.
    ///
    /// ```
    /// # extern crate aegize_core as aegize;
    /// # use aegize::*;
    /// # fn example(context: &GuardContext) -> Result<(), LoadError> {
    /// let read_only = PermissionPolicy::from_yaml_str(
    ///     "agents:
    ///        research_bot:
    ///          allow:
    ///            - { tool: \"*\", operations: [read, search] }
    /// ")?;
    /// let task = context.narrowed(read_only);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn narrowed(&self, policy: impl Into<PolicySource>) -> Self {
        let mut authority = Authority::clone(&self.0);
        authority.narrowing.push(policy.into());
        Self(Arc::new(authority))
    }

    /// The same context, acting on behalf of another agent: the records tell for whom, and every
    /// call is judged as if each of them made it, in the environment of the acting agent. The
    /// strictest decision counts; an agent that the policy does not know may do nothing.
    ///
    /// Calls add up: the context of a sub-agent's sub-agent names its agent, and then theirs.
    #[must_use]
    pub fn acting_for(&self, principal: AgentIdentity) -> Self {
        let mut authority = Authority::clone(&self.0);
        authority.principals.push(principal);
        Self(Arc::new(authority))
    }

    /// For whom the agent acts, the nearest first.
    pub fn principals(&self) -> &[AgentIdentity] {
        &self.0.principals
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

    /// The policy that judges calls now, without those that narrow it.
    pub fn policy(&self) -> PermissionPolicy {
        self.0.policy.current()
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

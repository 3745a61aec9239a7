//! What many tests need: a context on a log of its own.

use aegize::{AgentIdentity, AuditEvent, AuditLog, AuditRecord, GuardContext, PermissionPolicy};
use tempfile::TempDir;

/// A context, its log, and the directory that holds it.
pub(crate) struct World {
    pub(crate) context: GuardContext,
    pub(crate) directory: TempDir,
}

impl World {
    /// The agent `bot` under a policy.
    pub(crate) fn new(policy: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let log = AuditLog::open(directory.path().join("audit.jsonl")).unwrap();
        Self {
            context: context("bot", policy, log),
            directory,
        }
    }

    /// The agent `bot`, who may do anything.
    pub(crate) fn permissive() -> Self {
        Self::new("agents: {bot: {allow: [{tool: '*'}]}}")
    }

    pub(crate) fn records(&self) -> Vec<AuditRecord<'static>> {
        self.context.audit_log().read_all().unwrap()
    }

    pub(crate) fn events(&self) -> Vec<AuditEvent> {
        self.records().iter().map(|record| record.event).collect()
    }

    /// The log as it stands on disk.
    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.context.audit_log().path()).unwrap()
    }
}

pub(crate) fn context(agent_id: &str, policy: &str, log: AuditLog) -> GuardContext {
    GuardContext::new(
        AgentIdentity::new(agent_id, "Test Bot", "Tests").unwrap(),
        PermissionPolicy::from_yaml_str(policy).unwrap(),
        log,
    )
}

//! A context on a log of its own.

use aegize::{AgentIdentity, AuditLog, GuardContext, PermissionPolicy};
use tempfile::TempDir;

/// What the tools named `denied`, `held` and otherwise get.
const POLICY: &str = "
agents:
  bot:
    allow: [{tool: '*'}]
    deny: [{tool: denied, reason: not here}]
    require_approval: [{tool: held, reason: ask first}]
";

pub(crate) const DENIED: &str = "denied by rule for tool 'denied': not here";
pub(crate) const HELD: &str = "approval required for tool 'held': ask first";

pub(crate) struct World {
    pub(crate) context: GuardContext,
    _directory: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let context = GuardContext::new(
            AgentIdentity::new("bot", "Test Bot", "Tests").unwrap(),
            PermissionPolicy::from_yaml_str(POLICY).unwrap(),
            AuditLog::open(directory.path().join("audit.jsonl")).unwrap(),
        );
        Self {
            context,
            _directory: directory,
        }
    }

    /// `event tool(arguments)` of every record.
    pub(crate) fn log(&self) -> Vec<String> {
        let records = self.context.audit_log().read_all().unwrap();
        records
            .iter()
            .map(|record| {
                format!(
                    "{} {}({})",
                    record.event, record.tool_name, record.input_summary
                )
            })
            .collect()
    }
}

//! What a policy file says, after it has been checked and before it is indexed.

use crate::action::RiskLevel;
use crate::pattern::{NameGlob, PathGlob};

/// A whole file.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) agents: Vec<Agent>,
}

/// The rules of one agent, each section in file order.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) deny: Vec<Rule>,
    pub(crate) require_approval: Vec<Rule>,
    pub(crate) allow: Vec<Rule>,
}

/// A section of an agent's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Deny,
    RequireApproval,
    Allow,
}

impl Section {
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::RequireApproval => "require_approval",
            Self::Allow => "allow",
        }
    }
}

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its `id`, or `agent.section[index]`.
    pub(crate) name: String,
    pub(crate) section: Section,
    pub(crate) tool: NameGlob,
    /// `None` covers every operation.
    pub(crate) operations: Option<Vec<NameGlob>>,
    /// The highest risk that an allow rule permits, or the lowest that any other is about.
    pub(crate) risk: Option<RiskLevel>,
    pub(crate) paths: Option<Vec<PathPattern>>,
    /// Whether symbolic links are resolved where the call is guarded.
    pub(crate) resolves_links: bool,
    pub(crate) reason: Option<String>,
}

impl Rule {
    pub(crate) fn covers(&self, tool_name: &str, operation: &str) -> bool {
        self.tool.is_match(tool_name) && self.covers_operation(operation)
    }

    pub(crate) fn covers_operation(&self, operation: &str) -> bool {
        self.operations
            .as_ref()
            .is_none_or(|globs| globs.iter().any(|glob| glob.is_match(operation)))
    }
}

/// A path glob and how it was written.
#[derive(Debug)]
pub(crate) struct PathPattern {
    pub(crate) text: String,
    pub(crate) glob: PathGlob,
}

//! What a policy file says, after it has been checked and before it is indexed.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::condition::ArgumentCondition;
use super::terms::ApprovalTerms;
use crate::action::RiskLevel;
use crate::identity::Environment;
use crate::pattern::{NameGlob, PathGlob, PatternError};

/// All files of a policy.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) agents: Vec<Agent>,
    /// The roles that no agent has.
    pub(crate) unused_roles: Vec<(String, Place)>,
}

/// The rules of one agent: its own, those of its roles, and those of the environments.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: Arc<str>,
    pub(crate) place: Place,
    pub(crate) rules: Sections,
}

/// Rules by section, each in the order they are asked. A role's are shared by its agents.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sections {
    pub(crate) deny: Vec<Arc<Rule>>,
    pub(crate) require_approval: Vec<Arc<Rule>>,
    pub(crate) allow: Vec<Arc<Rule>>,
}

impl Sections {
    pub(crate) fn extend(&mut self, other: &Self) {
        self.deny.extend_from_slice(&other.deny);
        self.require_approval
            .extend_from_slice(&other.require_approval);
        self.allow.extend_from_slice(&other.allow);
    }

    pub(crate) fn get_mut(&mut self, section: Section) -> &mut Vec<Arc<Rule>> {
        match section {
            Section::Deny => &mut self.deny,
            Section::RequireApproval => &mut self.require_approval,
            Section::Allow => &mut self.allow,
        }
    }
}

/// A section of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Deny,
    RequireApproval,
    Allow,
}

impl Section {
    pub(crate) const ALL: [Self; 3] = [Self::Deny, Self::RequireApproval, Self::Allow];

    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::RequireApproval => "require_approval",
            Self::Allow => "allow",
        }
    }
}

/// Where something is written. It displays `file:line`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub(crate) file: Option<Arc<Path>>,
    pub(crate) line: Option<usize>,
}

impl Place {
    /// The file, if the policy was read from one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The line, counted from 1, if the policy was read from a text.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{}:{line}", file.display()),
            (Some(file), None) => write!(f, "{}", file.display()),
            (None, Some(line)) => write!(f, "line {line}"),
            (None, None) => f.write_str("the policy"),
        }
    }
}

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its `id`, or its place such as `agent.section[index]`.
    pub(crate) name: Box<str>,
    pub(crate) place: Place,
    pub(crate) section: Section,
    /// The environment it is for; `None` stands for all.
    pub(crate) environment: Option<Environment>,
    /// Whether it is from an environment that does not widen: an approval rule then asks about
    /// what is allowed, and opens nothing that is not.
    pub(crate) only_tightens: bool,
    pub(crate) tool: NameGlob,
    /// `None` covers every operation.
    pub(crate) operations: Option<Vec<NameGlob>>,
    pub(crate) conditions: Conditions,
    /// Of a deny or approval rule: the exemptions, of which one is enough.
    pub(crate) unless: Vec<Conditions>,
    pub(crate) reason: Option<Box<str>>,
    /// Of an approval rule: on whose word the call may run.
    pub(crate) terms: ApprovalTerms,
}

/// What a call has to be like, beside its tool and operation.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    /// The highest risk, where it has to be proved, or the lowest, where it need only be
    /// possible.
    pub(crate) risk: Option<RiskLevel>,
    pub(crate) paths: Option<Vec<PathPattern>>,
    pub(crate) arguments: Vec<ArgumentCondition>,
    /// Whether symbolic links are followed where the call is guarded.
    pub(crate) follows_links: bool,
}

/// A path glob and how it was written.
#[derive(Debug)]
pub(crate) struct PathPattern {
    pub(crate) text: Box<str>,
    pub(crate) glob: PathGlob,
}

impl PathPattern {
    pub(crate) fn new(text: &str) -> Result<Self, PatternError> {
        Ok(Self {
            text: text.into(),
            glob: PathGlob::new(text)?,
        })
    }
}

impl Rule {
    pub(crate) fn covers(&self, tool_name: &str, operation: &str) -> bool {
        self.tool.is_match(tool_name) && self.covers_operation(operation)
    }

    /// Whether it asks about calls only if another rule would let them through, or ask.
    pub(crate) fn opens_nothing(&self) -> bool {
        self.only_tightens && self.section == Section::RequireApproval
    }

    pub(crate) fn covers_operation(&self, operation: &str) -> bool {
        self.operations
            .as_ref()
            .is_none_or(|globs| globs.iter().any(|glob| glob.is_match(operation)))
    }
}

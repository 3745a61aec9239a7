//! From a [`Document`] to the index that judging reads.
//!
//! Rules are found by hash: agent, tool, operation. Only rules whose tool is a glob, and those
//! whose operations are left out or are globs, are looked at one by one.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::document::{Document, Place, Rule, Section};
use crate::pattern::NameGlob;

/// A whole policy, ready to judge.
pub(crate) struct Index {
    agents: Vec<(Arc<str>, AgentRules)>,
    positions: HashMap<Arc<str>, usize>,
    /// The roles that no agent has.
    unused_roles: Vec<(String, Place)>,
    digest: String,
}

/// The rules of one agent in the order they are asked.
pub(crate) struct AgentRules {
    pub(crate) place: Place,
    pub(crate) deny: SectionRules,
    pub(crate) require_approval: SectionRules,
    pub(crate) allow: SectionRules,
}

/// The rules of one section, in file order, and the ways to find them.
#[derive(Default)]
pub(crate) struct SectionRules {
    rules: Vec<Arc<Rule>>,
    tools: HashMap<Box<str>, ToolRules>,
    /// Rules whose tool is a glob.
    any_tool: Vec<usize>,
}

/// Rules for one tool name; positions in file order.
#[derive(Default)]
struct ToolRules {
    operations: HashMap<Box<str>, Vec<usize>>,
    /// Rules whose operations are left out or globs.
    any_operation: Vec<usize>,
}

impl Index {
    pub(crate) fn new(document: Document, digest: String) -> Self {
        let mut positions = HashMap::with_capacity(document.agents.len());
        let mut agents = Vec::with_capacity(document.agents.len());
        for agent in document.agents {
            positions.insert(Arc::clone(&agent.id), agents.len());
            let rules = AgentRules {
                place: agent.place,
                deny: SectionRules::new(agent.rules.deny),
                require_approval: SectionRules::new(agent.rules.require_approval),
                allow: SectionRules::new(agent.rules.allow),
            };
            agents.push((agent.id, rules));
        }
        Self {
            agents,
            positions,
            unused_roles: document.unused_roles,
            digest,
        }
    }

    pub(crate) fn agent(&self, agent_id: &str) -> Option<&AgentRules> {
        let position = self.positions.get(agent_id)?;
        self.agents.get(*position).map(|(_, rules)| rules)
    }

    /// Every agent, in file order.
    pub(crate) fn agents(&self) -> impl Iterator<Item = (&str, &AgentRules)> {
        self.agents.iter().map(|(id, rules)| (&**id, rules))
    }

    /// The roles that no agent has.
    pub(crate) fn unused_roles(&self) -> &[(String, Place)] {
        &self.unused_roles
    }

    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }
}

/// `sha256:` and the hexadecimal digest of bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut digest = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        // Writing to a string does not fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

impl AgentRules {
    /// The sections in the order that makes deny win.
    pub(crate) fn sections(&self) -> [(Section, &SectionRules); 3] {
        [
            (Section::Deny, &self.deny),
            (Section::RequireApproval, &self.require_approval),
            (Section::Allow, &self.allow),
        ]
    }
}

impl SectionRules {
    fn new(rules: Vec<Arc<Rule>>) -> Self {
        let mut section = Self::default();
        for (position, rule) in rules.iter().enumerate() {
            let NameGlob::Exact(tool) = &rule.tool else {
                section.any_tool.push(position);
                continue;
            };
            let tool = section.tools.entry(tool.clone()).or_default();
            for operation in operations(rule) {
                let positions = match operation {
                    Some(exact) => tool.operations.entry(exact.into()).or_default(),
                    None => &mut tool.any_operation,
                };
                if positions.last() != Some(&position) {
                    positions.push(position);
                }
            }
        }
        section.rules = rules;
        section
    }

    /// Every rule, in file order.
    pub(crate) fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The rules that may cover a call, in file order. One that does is among them.
    pub(crate) fn candidates<'s>(
        &'s self,
        tool_name: &str,
        operation: &str,
    ) -> impl Iterator<Item = &'s Rule> {
        let tool = self.tools.get(tool_name);
        let exact = tool.and_then(|tool| tool.operations.get(operation));
        let mut lists: [&[usize]; 3] = [
            exact.map_or(&[], Vec::as_slice),
            tool.map_or(&[], |tool| tool.any_operation.as_slice()),
            &self.any_tool,
        ];
        std::iter::from_fn(move || {
            // Each list is in file order, so the least head is the next rule.
            let next = *lists.iter().filter_map(|list| list.first()).min()?;
            for list in &mut lists {
                if let [first, rest @ ..] = *list
                    && *first == next
                {
                    *list = rest;
                }
            }
            self.rules.get(next).map(|rule| &**rule)
        })
    }
}

/// The operations to index a rule by; `None` stands for those that only its globs can tell.
fn operations(rule: &Rule) -> Vec<Option<&str>> {
    let Some(globs) = &rule.operations else {
        return vec![None];
    };
    globs
        .iter()
        .map(|glob| match glob {
            NameGlob::Exact(name) => Some(&**name),
            NameGlob::Any | NameGlob::Glob(_) => None,
        })
        .collect()
}

//! From a [`Document`] to the index that judging reads.
//!
//! Rules are found by hash: agent, tool, operation. Only rules whose tool is a glob, and those
//! whose operations are left out or are globs, are looked at one by one.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::document::{Document, Place, Rule, Sections};
use crate::pattern::NameGlob;

/// A whole policy, ready to judge.
pub(crate) struct Index {
    agents: Vec<(Arc<str>, AgentRules)>,
    positions: HashMap<Arc<str>, usize>,
    /// The roles that no agent has.
    unused_roles: Vec<(String, Place)>,
    digest: String,
}

/// The rules of one agent, and the way to find those for a call.
///
/// A large policy is mostly not in the processor's cache, so the way is short: two searches in a
/// sorted list of a few bytes for each rule.
pub(crate) struct AgentRules {
    pub(crate) place: Place,
    /// In the order they are asked: those that deny first, so that deny wins, then those that
    /// require approval, then those that allow.
    rules: Box<[Arc<Rule>]>,
    /// The hashes of the names that rules are about, in ascending order.
    hashes: Box<[u32]>,
    /// For each hash, the position of a rule; ascending where hashes are equal.
    positions: Box<[u32]>,
    /// The positions of the rules whose tool is a glob.
    any_tool: Box<[u32]>,
}

impl Index {
    pub(crate) fn new(document: Document, digest: String) -> Self {
        let mut positions = HashMap::with_capacity(document.agents.len());
        let mut agents = Vec::with_capacity(document.agents.len());
        for agent in document.agents {
            positions.insert(Arc::clone(&agent.id), agents.len());
            agents.push((agent.id, AgentRules::new(agent.place, agent.rules)));
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
    fn new(place: Place, sections: Sections) -> Self {
        let Sections {
            deny,
            require_approval,
            allow,
        } = sections;
        let rules: Box<[_]> = [deny, require_approval, allow]
            .into_iter()
            .flatten()
            .collect();
        let mut found = Vec::with_capacity(rules.len());
        let mut any_tool = Vec::new();
        for (position, rule) in (0_u32..).zip(&rules) {
            let NameGlob::Exact(tool) = &rule.tool else {
                any_tool.push(position);
                continue;
            };
            let hashes = Hashes::new(tool);
            let Some(globs) = &rule.operations else {
                found.push((hashes.any_operation(), position));
                continue;
            };
            found.extend(globs.iter().map(|glob| match glob {
                NameGlob::Exact(name) => (hashes.operation(name), position),
                NameGlob::Any | NameGlob::Glob(_) => (hashes.any_operation(), position),
            }));
        }
        found.sort_unstable();
        found.dedup();
        Self {
            place,
            rules,
            hashes: found.iter().map(|(hash, _)| *hash).collect(),
            positions: found.iter().map(|(_, position)| *position).collect(),
            any_tool: any_tool.into(),
        }
    }

    /// Every rule, in the order they are asked.
    pub(crate) fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The rules that may cover a call, in the order they are asked. Those that do are among
    /// them; so are, rarely, some whose names only have the same hash.
    pub(crate) fn candidates(&self, tool_name: &str, operation: &str) -> Candidates<'_> {
        let hashes = Hashes::new(tool_name);
        Candidates {
            rules: &self.rules,
            lists: [
                self.positions(hashes.operation(operation)),
                self.positions(hashes.any_operation()),
                &self.any_tool,
            ],
        }
    }

    fn positions(&self, hash: u32) -> &[u32] {
        let start = self.hashes.partition_point(|other| *other < hash);
        let rest = self.hashes.get(start..).unwrap_or_default();
        let length = rest.iter().take_while(|other| **other == hash).count();
        let positions = self.positions.get(start..start + length);
        positions.unwrap_or_default()
    }
}

/// The rules at the positions of several ascending lists, each once.
pub(crate) struct Candidates<'a> {
    rules: &'a [Arc<Rule>],
    lists: [&'a [u32]; 3],
}

impl<'a> Iterator for Candidates<'a> {
    type Item = &'a Rule;

    fn next(&mut self) -> Option<&'a Rule> {
        let next = *self.lists.iter().filter_map(|list| list.first()).min()?;
        for list in &mut self.lists {
            if let [first, rest @ ..] = *list
                && *first == next
            {
                *list = rest;
            }
        }
        self.rules.get(next as usize).map(|rule| &**rule)
    }
}

/// The hashes of a tool with its operations.
struct Hashes(DefaultHasher);

impl Hashes {
    fn new(tool_name: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        tool_name.hash(&mut hasher);
        Self(hasher)
    }

    fn operation(&self, name: &str) -> u32 {
        let mut hasher = self.0.clone();
        name.hash(&mut hasher);
        shorten(&hasher)
    }

    /// Of rules whose operations are left out or globs.
    fn any_operation(&self) -> u32 {
        shorten(&self.0)
    }
}

fn shorten(hasher: &DefaultHasher) -> u32 {
    (hasher.finish() >> 32) as u32
}

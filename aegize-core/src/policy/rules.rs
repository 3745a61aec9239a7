//! The rules of a policy as its readers see them.

use std::collections::HashSet;
use std::fmt;
use std::ptr;

use super::compile::Index;
use super::document::{Place, Rule, Section};
use super::evaluate::Decision;
use super::terms::ApprovalTerms;

/// A rule of a policy. It displays its name.
#[derive(Clone, Copy)]
pub struct PolicyRule<'p>(&'p Rule);

impl<'p> PolicyRule<'p> {
    /// Its `id`, or its place such as `research_bot.allow[0]`.
    pub fn name(&self) -> &'p str {
        &self.0.name
    }

    /// What it decides when it applies.
    pub fn decision(&self) -> Decision {
        self.0.section.into()
    }

    /// Of a rule that requires approval: on whose word a call may run.
    pub fn approval_terms(&self) -> Option<&'p ApprovalTerms> {
        (self.decision() == Decision::RequireApproval).then_some(&self.0.terms)
    }

    /// Where it is written.
    pub fn place(&self) -> &'p Place {
        &self.0.place
    }

    /// Whether it is about an operation of a tool, whatever its other conditions are.
    pub fn covers(&self, tool_name: &str, operation: &str) -> bool {
        self.0.covers(tool_name, operation)
    }
}

impl fmt::Display for PolicyRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for PolicyRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyRule")
            .field("name", &self.name())
            .field("decision", &self.decision())
            .field("place", self.place())
            .finish_non_exhaustive()
    }
}

impl From<Section> for Decision {
    fn from(section: Section) -> Self {
        match section {
            Section::Deny => Self::Deny,
            Section::RequireApproval => Self::RequireApproval,
            Section::Allow => Self::Allow,
        }
    }
}

pub(super) fn all(index: &Index) -> impl Iterator<Item = PolicyRule<'_>> {
    each(index).map(PolicyRule)
}

/// Every rule, in the order of the file; a role's once.
pub(super) fn each(index: &Index) -> impl Iterator<Item = &Rule> {
    let mut seen = HashSet::new();
    index
        .agents()
        .flat_map(|(_, agent)| agent.rules())
        .map(|rule| &**rule)
        .filter(move |rule| seen.insert(ptr::from_ref::<Rule>(rule)))
}

//! The conditions of rules, taken apart by what of a call they look at.
//!
//! A call is a choice in each of a few dimensions: its risk, its environment, its paths, each of
//! its arguments. A clause, which is a rule's own conditions or one of its exemptions, holds if it
//! does in each dimension, so that two choices for which the same clauses hold are one.

use crate::action::RiskLevel;
use crate::identity::Environment;
use crate::policy::condition::{ArgumentCondition, Pointer, Standard};
use crate::policy::document::{Conditions, PathPattern, Rule, Section};

/// A rule's own conditions, or one of its exemptions.
#[derive(Clone, Copy)]
pub(super) struct Clause<'p> {
    pub(super) conditions: &'p Conditions,
    pub(super) standard: Standard,
    /// The environment of a rule itself.
    environment: Option<Environment>,
}

impl<'p> Clause<'p> {
    /// The clauses of a rule, its own conditions first.
    pub(super) fn of(rule: &'p Rule) -> impl Iterator<Item = Self> {
        let standard = if rule.section == Section::Allow {
            Standard::Proved
        } else {
            Standard::Possible
        };
        let own = Self {
            conditions: &rule.conditions,
            standard,
            environment: rule.environment,
        };
        let exemptions = rule.unless.iter().map(|conditions| Self {
            conditions,
            standard: Standard::Proved,
            environment: None,
        });
        std::iter::once(own).chain(exemptions)
    }

    pub(super) fn holds_at(&self, risk: RiskLevel) -> bool {
        self.conditions
            .risk
            .is_none_or(|bound| match self.standard {
                Standard::Proved => risk <= bound,
                Standard::Possible => risk >= bound,
            })
    }

    pub(super) fn holds_in(&self, environment: Option<Environment>) -> bool {
        let Some(wanted) = self.environment else {
            return true;
        };
        environment.map_or(self.standard == Standard::Possible, |known| known == wanted)
    }

    pub(super) fn paths(&self) -> Option<&'p [PathPattern]> {
        self.conditions.paths.as_deref()
    }

    pub(super) fn arguments(
        &self,
        pointer: &Pointer,
    ) -> impl Iterator<Item = &'p ArgumentCondition> {
        let conditions = self.conditions.arguments.iter();
        conditions.filter(move |condition| condition.pointer == *pointer)
    }
}

/// For each clause, whether it holds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Holding(Vec<u64>);

impl Holding {
    pub(super) fn new(answers: impl Iterator<Item = bool>) -> Self {
        let mut words = Vec::new();
        for (position, answer) in answers.enumerate() {
            if position % 64 == 0 {
                words.push(0);
            }
            if let Some(word) = words.last_mut() {
                *word |= u64::from(answer) << (position % 64);
            }
        }
        Self(words)
    }

    /// Writes to `both` which clauses hold in both.
    pub(super) fn and(&self, other: &Self, both: &mut Self) {
        both.0.clear();
        let words = self.0.iter().zip(&other.0);
        both.0.extend(words.map(|(one, other)| one & other));
    }

    pub(super) fn contains(&self, position: usize) -> bool {
        let word = self.0.get(position / 64).copied().unwrap_or(0);
        word >> (position % 64) & 1 == 1
    }
}

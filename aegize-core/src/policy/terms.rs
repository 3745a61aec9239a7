//! On whose word a call that needs approval may run, and how long that counts.
//!
//! Pure: a request keeps the terms that asked for it, and whoever uses a grant asks those that are
//! in force then. The invariant: one person counts once, whatever groups they are in.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What stands before the name of a group.
pub(super) const GROUP: &str = "group:";

/// The terms of one rule: who has to approve, how many of them, and for how long that counts.
///
/// A rule without any asks for one person, whoever that is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalTerms {
    /// Empty for anyone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) approvers: Vec<EntitledApprover>,
    pub(super) quorum: NonZeroU32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_in: Option<Duration>,
}

impl Default for ApprovalTerms {
    fn default() -> Self {
        Self {
            approvers: Vec::new(),
            quorum: NonZeroU32::MIN,
            expires_in: None,
        }
    }
}

impl ApprovalTerms {
    /// Who may approve; empty if anyone may.
    pub fn approvers(&self) -> &[EntitledApprover] {
        &self.approvers
    }

    /// How many different people have to approve.
    pub fn quorum(&self) -> u32 {
        self.quorum.get()
    }

    /// How long a request waits, and then a grant, if the rule says so.
    pub fn expires_in(&self) -> Option<Duration> {
        self.expires_in
    }

    /// Whether a person's word counts, who is in these groups.
    pub fn entitles(&self, person: &str, groups: &[String]) -> bool {
        self.approvers.is_empty()
            || self.approvers.iter().any(|entitled| match entitled {
                EntitledApprover::Person(name) => name == person,
                EntitledApprover::Group(name) => groups.contains(name),
            })
    }

    /// Whether enough different people whose word counts are among these, each with their groups.
    pub fn are_met_by<'a>(
        &self,
        people: impl IntoIterator<Item = (&'a str, &'a [String])>,
    ) -> bool {
        let entitled = people.into_iter();
        let entitled = entitled.filter(|(person, groups)| self.entitles(person, groups));
        let different: BTreeSet<String> = entitled.map(|(person, _)| folded(person)).collect();
        different.len() >= usize::try_from(self.quorum()).unwrap_or(usize::MAX)
    }
}

/// A person by a name that differs from others by more than the case of letters.
pub(crate) fn folded(person: &str) -> String {
    person.to_lowercase()
}

/// Someone whose approval counts. It displays as a policy writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntitledApprover {
    /// One person.
    Person(String),
    /// Whoever is in a group, `group:NAME` in a policy.
    Group(String),
}

impl fmt::Display for EntitledApprover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Group(name) => write!(f, "{GROUP}{name}"),
        }
    }
}

/// Terms in words: `2 of alice@acme.com, group:ops within 600 s`.
impl fmt::Display for ApprovalTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.quorum)?;
        if self.approvers.is_empty() {
            f.write_str(" of anyone")?;
        }
        for (index, approver) in self.approvers.iter().enumerate() {
            let separator = if index == 0 { " of " } else { ", " };
            write!(f, "{separator}{approver}")?;
        }
        match self.expires_in {
            Some(time) => write!(f, " within {} s", time.as_secs()),
            None => Ok(()),
        }
    }
}

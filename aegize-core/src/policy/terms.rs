//! On whose word a call that needs approval may run, how long that counts, and when who is told.
//!
//! Pure: a request keeps the terms that asked for it, and whoever uses a grant asks those that are
//! in force then. The invariant: one person counts once, whatever groups they are in.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use unicode_security::confusable_detection::skeleton;

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) remember: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) remind_after: Option<Duration>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) escalate_to: Vec<EntitledApprover>,
}

impl Default for ApprovalTerms {
    fn default() -> Self {
        Self {
            approvers: Vec::new(),
            quorum: NonZeroU32::MIN,
            expires_in: None,
            remember: None,
            remind_after: None,
            escalate_to: Vec::new(),
        }
    }
}

impl ApprovalTerms {
    /// Who may approve and is asked at first; empty if anyone may.
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

    /// For how long a grant may be extended to further calls; without one, it may not.
    pub fn remember(&self) -> Option<Duration> {
        self.remember
    }

    /// After which time without an answer people are told again.
    pub fn remind_after(&self) -> Option<Duration> {
        self.remind_after
    }

    /// Who is told after that time, too. Their word counts from the beginning.
    pub fn escalate_to(&self) -> &[EntitledApprover] {
        &self.escalate_to
    }

    /// Whether a person's word counts, who is in these groups.
    pub fn entitles(&self, person: &str, groups: &[String]) -> bool {
        let mut entitled = self.approvers.iter().chain(&self.escalate_to);
        self.approvers.is_empty() || entitled.any(|entitled| entitled.is(person, groups))
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

/// A person by a name that people tell from others: in the same case, and without the differences that
/// they do not see (the skeleton of UTS 39).
pub(crate) fn folded(person: &str) -> String {
    let lower = person.to_lowercase();
    // Some letters have no other case until they are written plainly.
    skeleton(&lower).flat_map(char::to_lowercase).collect()
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

impl EntitledApprover {
    /// Whether that is a person, who is in these groups.
    pub fn is(&self, person: &str, groups: &[String]) -> bool {
        match self {
            Self::Person(name) => name == person,
            Self::Group(name) => groups.contains(name),
        }
    }
}

impl fmt::Display for EntitledApprover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Group(name) => write!(f, "{GROUP}{name}"),
        }
    }
}

/// Terms in words: `2 of alice@acme.com, group:ops within 10m`.
impl fmt::Display for ApprovalTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.quorum)?;
        if self.approvers.is_empty() {
            f.write_str(" of anyone")?;
        }
        write_list(f, " of ", &self.approvers)?;
        if let Some(time) = self.expires_in {
            write!(f, " within {}", Span(time))?;
        }
        if let Some(time) = self.remember {
            write!(f, ", remembered up to {}", Span(time))?;
        }
        if let Some(time) = self.remind_after {
            write!(f, ", reminded after {}", Span(time))?;
        }
        write_list(f, ", escalated to ", &self.escalate_to)
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, before: &str, who: &[EntitledApprover]) -> fmt::Result {
    for (index, approver) in who.iter().enumerate() {
        let separator = if index == 0 { before } else { ", " };
        write!(f, "{separator}{approver}")?;
    }
    Ok(())
}

/// A time as a policy writes it, in the largest unit that it is whole in.
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let units = [(24 * 60 * 60, 'd'), (60 * 60, 'h'), (60, 'm')];
        let whole = units
            .into_iter()
            .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
        let (unit, letter) = whole.unwrap_or((1, 's'));
        write!(f, "{}{letter}", seconds / unit)
    }
}

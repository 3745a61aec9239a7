//! What a person extends a grant to, beyond the one call that they were asked about.
//!
//! The invariant: further calls are those of the same agent and operation, they are counted, and
//! conditions have to be proved, as those of an allow rule.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{ApprovalError, ApprovalErrorKind};
use crate::policy::{Decision, Facts, PermissionPolicy, Span};

/// The most calls that a grant is extended to.
const MOST_USES: u32 = 1000;

/// The longest conditions, in bytes.
const LONGEST: usize = 4096;

/// What to write, for those who wrote something else.
const EXAMPLE: &str = "args: {amount: {max: 100}}";

/// The agent by which conditions are judged: a policy of their own has no other.
const AGENT: &str = "agent";

/// For how long, for how many calls, and for which of them a grant counts.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::Remember;
/// use std::time::Duration;
///
/// let remember = Remember::new(Duration::from_secs(3600), 5)?.conditions("args: {amount: {max: 100}}")?;
/// assert_eq!(remember.to_string(), "up to 5 calls within 1h: this one, or any where args: {amount: {max: 100}}");
/// # Ok::<(), aegize::ApprovalError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Remember {
    time: Duration,
    uses: NonZeroU32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conditions: Option<String>,
}

impl Remember {
    /// So many calls within some time from the grant on, with exactly the same arguments.
    ///
    /// # Errors
    ///
    /// If there is no time, or it is not 1 to 1000 calls.
    pub fn new(time: Duration, uses: u32) -> Result<Self, ApprovalError> {
        if time.is_zero() {
            return Err(malformed(
                "a grant that is remembered needs a time; give one such as 1h",
            ));
        }
        let uses = NonZeroU32::new(uses).filter(|uses| uses.get() <= MOST_USES);
        let uses = uses.ok_or_else(|| {
            malformed(format!(
                "a grant is remembered for 1 to {MOST_USES} calls; give a number in between"
            ))
        })?;
        Ok(Self {
            time,
            uses,
            conditions: None,
        })
    }

    /// The same for calls whose arguments may differ, if these conditions hold: a mapping, in YAML
    /// or JSON, of `args` and `paths`, in the vocabulary of policies. They have to be proved.
    /// Arguments that they do not name may be anything.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them.
    pub fn conditions(mut self, text: &str) -> Result<Self, ApprovalError> {
        let text = text.trim();
        compile(text)?;
        self.conditions = Some(text.to_owned());
        Ok(self)
    }

    /// For how long, from the grant on.
    pub fn time(&self) -> Duration {
        self.time
    }

    /// For how many calls.
    pub fn uses(&self) -> u32 {
        self.uses.get()
    }

    /// For which other arguments, if for any.
    pub fn stated_conditions(&self) -> Option<&str> {
        self.conditions.as_deref()
    }

    /// What two people agree on: the less of both. `None` if they mean different calls.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        (self.conditions == other.conditions).then(|| Self {
            time: self.time.min(other.time),
            uses: self.uses.min(other.uses),
            conditions: self.conditions.clone(),
        })
    }

    /// Whether the conditions are proved of a call.
    pub(super) fn holds(&self, facts: &Facts<'_>) -> bool {
        let compiled = self.conditions.as_deref().map(compile);
        let Some(Ok(policy)) = compiled else {
            return false;
        };
        policy.judge(AGENT, facts).decision() == Decision::Allow
    }
}

impl fmt::Display for Remember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "up to {} calls within {}", self.uses, Span(self.time))?;
        match &self.conditions {
            Some(conditions) => write!(f, ": this one, or any where {conditions}"),
            None => Ok(()),
        }
    }
}

/// Conditions as a policy that allows what meets them: what is exempt from a deny rule has to be
/// proved.
fn compile(conditions: &str) -> Result<PermissionPolicy, ApprovalError> {
    // A line break of any other kind would be one for YAML, and leave the indentation.
    let is_plain = |c: char| matches!(c, '\n' | '\t') || !c.is_control();
    if conditions.len() > LONGEST || !conditions.chars().all(is_plain) {
        return Err(malformed(format!(
            "conditions are at most {LONGEST} bytes of text without control characters; shorten them"
        )));
    }
    let mut text = format!(
        "agents:\n  {AGENT}:\n    allow: [{{tool: '*'}}]\n    deny:\n      - tool: '*'\n        unless:\n"
    );
    for line in conditions.lines() {
        text.push_str("          ");
        text.push_str(line);
        text.push('\n');
    }
    PermissionPolicy::from_yaml_str(&text).map_err(|error| {
        let problems = error.problems().iter();
        let problems: Vec<_> = problems
            .map(|problem| problem.message().to_owned())
            .collect();
        malformed(format!(
            "these conditions do not load: {}; write them as in policies, such as `{EXAMPLE}`",
            problems.join("; ")
        ))
    })
}

fn malformed(message: impl fmt::Display) -> ApprovalError {
    ApprovalError::new(ApprovalErrorKind::Malformed, message)
}

/// The deserialized form, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    time: Duration,
    uses: u32,
    #[serde(default)]
    conditions: Option<String>,
}

impl TryFrom<Unchecked> for Remember {
    type Error = ApprovalError;

    fn try_from(from: Unchecked) -> Result<Self, ApprovalError> {
        let remember = Self::new(from.time, from.uses)?;
        match from.conditions {
            Some(conditions) => remember.conditions(&conditions),
            None => Ok(remember),
        }
    }
}

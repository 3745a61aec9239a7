//! What an agent may do: a policy is read once, completely, and then judges actions.
//!
//! Text becomes a document ([`load`]), a document becomes an index ([`compile`]), and only the
//! index is read when a call is judged ([`evaluate`]). Judging is a pure function: no clock, no
//! disk, no environment; where a path really leads is told by the guard through a
//! [`Resolver`](crate::pattern::Resolver). The invariants: default deny; deny before approval
//! before allow; what is not known never widens access.

mod cases;
mod compile;
mod document;
mod evaluate;
mod explain;
mod load;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

pub use self::cases::{CaseOutcome, PolicyTests, TestCase};
use self::compile::Index;
pub(crate) use self::evaluate::Facts;
pub use self::evaluate::{Decision, Verdict};
pub use self::explain::{Explanation, NearMiss};
use crate::action::ToolAction;
use crate::yaml::{self, LoadError};

/// A policy: which agent may call which operation of which tool, and under what conditions.
///
/// It loads completely or not at all. Cloning is cheap.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::{Decision, PermissionPolicy, ToolAction};
///
/// let policy = PermissionPolicy::from_yaml_str(
///     "agents:
///        research_bot:
///          allow:
///            - tool: web_search
///              operations: [search]
/// ")?;
/// let action = ToolAction::new("research_bot", "web_search", "search");
/// assert_eq!(policy.evaluate(&action).decision(), Decision::Allow);
/// # Ok::<(), aegize::LoadError>(())
/// ```
#[derive(Clone)]
pub struct PermissionPolicy(Arc<Index>);

impl PermissionPolicy {
    /// Reads a policy from a file of at most 32 MiB.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not UTF-8, is not YAML, or says anything that a policy
    /// cannot mean. The error holds all problems, with their lines and remedies.
    pub fn from_yaml_file(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let text = yaml::read_file(path)?;
        Self::from_yaml_str(&text).map_err(|error| error.in_file(path))
    }

    /// Reads a policy from a text.
    ///
    /// # Errors
    ///
    /// As [`from_yaml_file`](Self::from_yaml_file).
    pub fn from_yaml_str(text: &str) -> Result<Self, LoadError> {
        let document = yaml::load(text, load::document)?;
        Ok(Self(Arc::new(Index::new(document, text.as_bytes()))))
    }

    /// Reads a policy from a value of the same shape as the file. Its digest is that of the
    /// value's compact JSON.
    ///
    /// # Errors
    ///
    /// If the value says anything that a policy cannot mean; problems tell the path of the
    /// value at fault instead of a line.
    pub fn from_value(value: &Value) -> Result<Self, LoadError> {
        let document = yaml::load_node(&value.into(), "", load::document)?;
        Ok(Self(Arc::new(Index::new(
            document,
            value.to_string().as_bytes(),
        ))))
    }

    /// Judges an action, by text alone: symbolic links are resolved where a call is guarded,
    /// not here.
    ///
    /// Pure and total: the same policy and action always give the same verdict, and every
    /// action gets one. The time does not depend on the number of rules, other than those for
    /// the same tool and operation and those whose tool is a glob.
    pub fn evaluate<'a>(&'a self, action: &'a ToolAction) -> Verdict<'a> {
        self.judge(&Facts::new(action.into(), None))
    }

    /// Judges an action and tells which rules came close, and the condition each failed.
    pub fn explain(&self, action: &ToolAction) -> Explanation {
        self.explain_facts(&Facts::new(action.into(), None))
    }

    pub(crate) fn judge<'a>(&'a self, facts: &Facts<'a>) -> Verdict<'a> {
        self.0.judge(facts)
    }

    pub(crate) fn explain_facts(&self, facts: &Facts<'_>) -> Explanation {
        Explanation::new(&self.0, facts)
    }

    /// `sha256:` and the hexadecimal digest of the policy's bytes, as audit records carry it.
    pub fn digest(&self) -> &str {
        self.0.digest()
    }
}

impl fmt::Debug for PermissionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermissionPolicy")
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}

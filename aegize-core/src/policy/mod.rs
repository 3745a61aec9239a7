//! What an agent may do: a policy is read once, completely, and then judges actions.
//!
//! Text becomes a document ([`load`]), a document becomes an index ([`compile`]), and only the
//! index is read when a call is judged ([`evaluate`]). Judging is a pure function: no clock, no
//! disk, no environment; where a path really leads is told by the guard through a
//! [`Resolver`](crate::pattern::Resolver). The invariants: default deny; deny before approval
//! before allow; what is not known never widens access.

mod cases;
mod compile;
mod condition;
mod diff;
mod document;
mod evaluate;
mod explain;
mod format;
mod lint;
mod load;
mod paths;
mod possible;
mod rules;
mod terms;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

pub use self::cases::{CaseOutcome, PolicyTests, TestCase};
use self::compile::Index;
pub use self::diff::{Change, Direction, PolicyDiff, Ruling};
pub use self::document::Place;
pub(crate) use self::evaluate::Facts;
pub use self::evaluate::{Decision, Verdict};
pub use self::explain::{Explanation, NearMiss};
pub use self::format::FormattedPolicy;
pub use self::lint::{DeclaredTool, Finding, FindingCode, RelatedRule, Severity};
use self::load::Loader;
pub(crate) use self::possible::{Doubt, Knowledge, Possible, readings};
pub use self::rules::PolicyRule;
pub use self::terms::{ApprovalTerms, EntitledApprover};
pub(crate) use self::terms::{Span, folded};
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
        Self::from_files(&[path.as_ref()])
    }

    /// Reads a policy from several files, the most general first: all their rules together.
    ///
    /// What a file denies, or wants approved, no other can allow, and every agent's allow rules
    /// of all files add up. A file can use the roles of those before it and add rules to their
    /// agents; it cannot define a role or a rule's `id` anew. A rule without an `id` is named
    /// with its file, as in `team.yaml:bot.allow[0]`.
    ///
    /// To let one policy only narrow another, use [`GuardContext::narrowed`].
    ///
    /// [`GuardContext::narrowed`]: crate::GuardContext::narrowed
    ///
    /// # Errors
    ///
    /// As [`from_yaml_file`](Self::from_yaml_file), for the first file at fault. If there is no
    /// file at all.
    pub fn layered<P: AsRef<Path>>(files: impl IntoIterator<Item = P>) -> Result<Self, LoadError> {
        let files: Vec<P> = files.into_iter().collect();
        let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
        Self::from_files(&files)
    }

    fn from_files(files: &[&Path]) -> Result<Self, LoadError> {
        let is_layered = files.len() > 1;
        let mut loader = Loader::default();
        let mut digests = Vec::new();
        for path in files {
            let text = yaml::read_file(path)?;
            digests.push(compile::digest(text.as_bytes()));
            let file = Arc::from(*path);
            yaml::load(&text, |root, decoder| {
                loader.add(root, Some(&file), is_layered, decoder);
            })
            .map_err(|error| error.in_file(path))?;
        }
        // That of the only file, or of the list of all.
        let digest = match digests.as_slice() {
            [] => return Err(LoadError::nothing()),
            [digest] => digest.clone(),
            _ => compile::digest(digests.join("\n").as_bytes()),
        };
        Ok(Self::compiled(loader, digest))
    }

    /// Reads a policy from a text.
    ///
    /// # Errors
    ///
    /// As [`from_yaml_file`](Self::from_yaml_file).
    pub fn from_yaml_str(text: &str) -> Result<Self, LoadError> {
        let mut loader = Loader::default();
        yaml::load(text, |root, decoder| {
            loader.add(root, None, false, decoder);
        })?;
        Ok(Self::compiled(loader, compile::digest(text.as_bytes())))
    }

    /// Reads a policy from a value of the same shape as the file. Its digest is that of the
    /// value's compact JSON.
    ///
    /// # Errors
    ///
    /// If the value says anything that a policy cannot mean; problems tell the path of the
    /// value at fault instead of a line.
    pub fn from_value(value: &Value) -> Result<Self, LoadError> {
        let mut loader = Loader::default();
        yaml::load_node(&value.into(), "", |root, decoder| {
            loader.add(root, None, false, decoder);
        })?;
        let digest = compile::digest(value.to_string().as_bytes());
        Ok(Self::compiled(loader, digest))
    }

    fn compiled(loader: Loader, digest: String) -> Self {
        Self(Arc::new(Index::new(loader.finish(), digest)))
    }

    /// Judges an action, by text alone: symbolic links are resolved where a call is guarded,
    /// not here.
    ///
    /// Pure and total: the same policy and action always give the same verdict, and every
    /// action gets one. The time does not depend on the number of rules, other than those for
    /// the same tool and operation and those whose tool is a glob.
    pub fn evaluate<'a>(&'a self, action: &'a ToolAction) -> Verdict<'a> {
        self.judge(&action.agent_id, &Facts::new(action.into(), None))
    }

    /// Judges an action and tells which rules came close, and the condition each failed.
    pub fn explain(&self, action: &ToolAction) -> Explanation {
        let facts = Facts::new(action.into(), None);
        Explanation::new(&self.0, &action.agent_id, &facts, usize::MAX)
    }

    /// Whether some rule of an agent, in any section, is about an operation of a tool, whatever
    /// the rule's further conditions. If none is, the operation is denied by default.
    ///
    /// ```
    /// # extern crate aegize_core as aegize;
    /// # use aegize::PermissionPolicy;
    /// let policy = PermissionPolicy::from_yaml_str("agents: {bot: {deny: [{tool: 'git*'}]}}")?;
    /// assert!(policy.covers("bot", "github", "create_issue"));
    /// assert!(!policy.covers("bot", "email", "send"));
    /// # Ok::<(), aegize::LoadError>(())
    /// ```
    pub fn covers(&self, agent_id: &str, tool_name: &str, operation: &str) -> bool {
        self.0.agent(agent_id).is_some_and(|agent| {
            let mut candidates = agent.candidates(tool_name, operation);
            candidates.any(|rule| rule.covers(tool_name, operation))
        })
    }

    #[cfg(feature = "tools")]
    pub(crate) fn has_agent(&self, agent_id: &str) -> bool {
        self.0.agent(agent_id).is_some()
    }

    /// Judges a call as if that agent made it.
    pub(crate) fn judge<'v, 'f: 'v>(&'v self, agent_id: &'v str, facts: &Facts<'f>) -> Verdict<'v> {
        self.0.judge(agent_id, facts)
    }

    /// The terms of every approval rule that applies to a call: all of them have to be met, so that
    /// the order of rules makes no difference.
    pub(crate) fn approval_terms(&self, agent_id: &str, facts: &Facts<'_>) -> Vec<ApprovalTerms> {
        self.0.approval_terms(agent_id, facts)
    }

    /// Explains a refusal, at a cost that does not grow with the policy.
    pub(crate) fn explain_refusal(&self, agent_id: &str, facts: &Facts<'_>) -> Explanation {
        const MOST: usize = 8;
        Explanation::new(&self.0, agent_id, facts, MOST)
    }

    /// What changes in meaning from this policy to a newer one: for each difference a call that
    /// the two decide differently, by text alone. The order of rules, their names and reasons
    /// make no difference.
    ///
    /// ```
    /// # extern crate aegize_core as aegize;
    /// use aegize::{Direction, PermissionPolicy};
    ///
    /// let policy = |max| PermissionPolicy::from_yaml_str(&format!(
    ///     "agents: {{bot: {{allow: [{{tool: pay, args: {{amount: {{max: {max}}}}}}}]}}}}"
    /// ));
    /// let diff = policy(100)?.diff(&policy(150)?);
    /// let change = &diff.changes()[0];
    /// assert_eq!(change.direction(), Direction::Widens);
    /// let amount = change.action().arguments["amount"].as_i64().unwrap();
    /// assert!((101..=150).contains(&amount));
    /// assert!(diff.is_exhaustive());
    /// # Ok::<(), aegize::LoadError>(())
    /// ```
    pub fn diff(&self, newer: &Self) -> PolicyDiff {
        diff::compare(self, newer)
    }

    /// Every rule, in the order of the file; a role's once, however many agents have it.
    pub fn rules(&self) -> impl Iterator<Item = PolicyRule<'_>> {
        rules::all(&self.0)
    }

    /// Looks for what is probably a mistake, in the order of files and lines: rules that never
    /// decide, patterns that cannot mean what they say, names that can be mistaken.
    ///
    /// Findings never change a decision. They are certain: what cannot be decided, such as
    /// whether two unlike regular expressions with word boundaries overlap, is not a finding.
    /// `tools`, which may be empty, is what a program declares; with it, findings tell what the
    /// policy leaves out.
    ///
    /// ```
    /// # extern crate aegize_core as aegize;
    /// let policy = aegize::PermissionPolicy::from_yaml_str(
    ///     "agents:
    ///        bot:
    ///          deny:
    ///            - {tool: shell}
    ///          allow:
    ///            - {tool: shell, operations: [ls]}
    /// ")?;
    /// let findings = policy.lint(&[]);
    /// assert_eq!(findings[0].code().as_str(), "shadowed-rule");
    /// assert_eq!(findings[0].related()[0].rule(), "bot.deny[0]");
    /// let witness = findings[0].witness().expect("a call that shows it");
    /// assert_eq!(policy.evaluate(witness).rule(), Some("bot.deny[0]"));
    /// # Ok::<(), aegize::LoadError>(())
    /// ```
    pub fn lint(&self, tools: &[DeclaredTool]) -> Vec<Finding> {
        lint::lint(&self.0, tools)
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

//! The judgement: an index and the facts of a call give a [`Verdict`].
//!
//! The asymmetry is the point: an allow rule must be proved, a deny or approval rule need only
//! be possible. Both ask the same questions, in [`mismatch`], so that what is explained is what
//! was decided.

use std::cell::OnceCell;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::compile::Index;
use super::condition::{Answer, ArgumentCondition, Standard};
use super::document::{Conditions, Place, Rule, Section};
use super::paths::{PathFact, Unproved};
use super::terms::ApprovalTerms;
use crate::arguments::{Call, FewPaths};
use crate::pattern::Resolver;

/// What a policy decides about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The call may run.
    Allow,
    /// The call does not run.
    Deny,
    /// The call does not run unless a person approves it.
    RequireApproval,
}

impl Decision {
    /// The name in policy tests: `allow`, `deny` or `require_approval`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::RequireApproval => "require_approval",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A decision, its reason, and the rule that made it. It displays its reason.
#[derive(Clone, Copy)]
pub struct Verdict<'a> {
    cause: Cause<'a>,
    call: Call<'a>,
}

#[derive(Clone, Copy)]
enum Cause<'a> {
    Rule(&'a Rule),
    UnknownAgent,
    NoRule,
}

impl<'a> Verdict<'a> {
    /// What is decided.
    pub fn decision(&self) -> Decision {
        match self.cause {
            Cause::UnknownAgent | Cause::NoRule => Decision::Deny,
            Cause::Rule(rule) => rule.section.into(),
        }
    }

    /// Why, in one line.
    pub fn reason(&self) -> String {
        self.to_string()
    }

    /// The rule that decided, as it was read.
    pub(super) fn decided_by(&self) -> Option<&'a Rule> {
        match self.cause {
            Cause::Rule(rule) => Some(rule),
            Cause::UnknownAgent | Cause::NoRule => None,
        }
    }

    /// Where the rule that decided is written.
    pub(crate) fn place(&self) -> Option<&'a Place> {
        match self.cause {
            Cause::Rule(rule) => Some(&rule.place),
            Cause::UnknownAgent | Cause::NoRule => None,
        }
    }

    /// The rule that decided: its `id`, or its place such as `research_bot.allow[0]`. `None`
    /// when no rule did, and the call is denied by default.
    pub fn rule(&self) -> Option<&'a str> {
        match self.cause {
            Cause::Rule(rule) => Some(&rule.name),
            Cause::UnknownAgent | Cause::NoRule => None,
        }
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call {
            agent_id,
            tool_name,
            operation,
            ..
        } = self.call;
        let rule = match self.cause {
            Cause::UnknownAgent => return write!(f, "unknown agent '{agent_id}' (default deny)"),
            Cause::NoRule => {
                return write!(
                    f,
                    "no matching allow rule for tool '{tool_name}' operation '{operation}' (default deny)"
                );
            }
            Cause::Rule(rule) => rule,
        };
        let what = match rule.section {
            Section::Deny => "denied by rule",
            Section::RequireApproval => "approval required",
            Section::Allow => "allowed by rule",
        };
        write!(f, "{what} for tool '{tool_name}'")?;
        match &rule.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verdict")
            .field("decision", &self.decision())
            .field("reason", &self.reason())
            .field("rule", &self.rule())
            .finish()
    }
}

/// What is known of a call when it is judged.
pub(crate) struct Facts<'a> {
    pub(crate) call: Call<'a>,
    resolver: Option<&'a dyn Resolver>,
    paths: OnceCell<FewPaths<PathFact<'a>>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(call: Call<'a>, resolver: Option<&'a dyn Resolver>) -> Self {
        Self {
            call,
            resolver,
            paths: OnceCell::new(),
        }
    }

    /// The call's paths; gathered only if a rule asks for them.
    fn paths(&self) -> &[PathFact<'a>] {
        self.paths.get_or_init(|| {
            self.call
                .candidate_paths()
                .into_iter()
                .map(PathFact::new)
                .collect()
        })
    }
}

impl Index {
    pub(crate) fn judge<'v, 'f: 'v>(&'v self, agent_id: &'v str, facts: &Facts<'f>) -> Verdict<'v> {
        let call = Call {
            agent_id,
            ..facts.call
        };
        let verdict = |cause| Verdict { cause, call };
        let Some(agent) = self.agent(agent_id) else {
            return verdict(Cause::UnknownAgent);
        };
        let mut applying = agent
            .candidates(call.tool_name, call.operation)
            .filter(|rule| mismatch(rule, facts).is_none());
        let Some(first) = applying.next() else {
            return verdict(Cause::NoRule);
        };
        // What only tightens asks about calls that would be allowed, or asked about, without it.
        if first.opens_nothing() && applying.all(Rule::opens_nothing) {
            return verdict(Cause::NoRule);
        }
        verdict(Cause::Rule(first))
    }
}

impl Index {
    pub(crate) fn approval_terms(&self, agent_id: &str, facts: &Facts<'_>) -> Vec<ApprovalTerms> {
        let call = facts.call;
        let agent = self.agent(agent_id).into_iter();
        agent
            .flat_map(|agent| agent.candidates(call.tool_name, call.operation))
            .filter(|rule| rule.section == Section::RequireApproval)
            .filter(|rule| mismatch(rule, facts).is_none())
            .map(|rule| rule.terms.clone())
            .collect()
    }
}

/// The first condition of a rule that does not hold for a call.
pub(super) enum Mismatch<'f> {
    Environment,
    Tool,
    Operation,
    RiskAbove,
    RiskBelow,
    /// The call has no path.
    NoPath,
    /// Paths, of which none concerns a deny or approval rule.
    NoSuchPath,
    Path(&'f PathFact<'f>, Unproved),
    Argument(&'f ArgumentCondition, Answer),
    /// The exemption of that number is proved.
    Exempt(usize),
}

/// Asks a rule's conditions; `None` if all hold and the rule applies.
pub(super) fn mismatch<'f>(rule: &'f Rule, facts: &'f Facts<'_>) -> Option<Mismatch<'f>> {
    let call = &facts.call;
    if !rule.covers(call.tool_name, call.operation) {
        return Some(if rule.tool.is_match(call.tool_name) {
            Mismatch::Operation
        } else {
            Mismatch::Tool
        });
    }
    let must_be_proved = rule.section == Section::Allow;
    if let Some(environment) = rule.environment {
        let is_it = call.environment().map(|known| known == environment);
        if !is_it.unwrap_or(!must_be_proved) {
            return Some(Mismatch::Environment);
        }
    }
    if must_be_proved {
        return unproved(&rule.conditions, facts);
    }
    if let Some(mismatch) = impossible(&rule.conditions, facts) {
        return Some(mismatch);
    }
    let is_proved = |exemption: &Conditions| unproved(exemption, facts).is_none();
    rule.unless.iter().position(is_proved).map(Mismatch::Exempt)
}

/// Why conditions are not proved.
fn unproved<'f>(conditions: &'f Conditions, facts: &'f Facts<'_>) -> Option<Mismatch<'f>> {
    if conditions
        .risk
        .is_some_and(|max| facts.call.risk_level > max)
    {
        return Some(Mismatch::RiskAbove);
    }
    paths_mismatch(conditions, Standard::Proved, facts)
        .or_else(|| unmet(&conditions.arguments, facts, Standard::Proved))
}

/// Why conditions are not even possible.
fn impossible<'f>(conditions: &'f Conditions, facts: &'f Facts<'_>) -> Option<Mismatch<'f>> {
    if conditions
        .risk
        .is_some_and(|min| facts.call.risk_level < min)
    {
        return Some(Mismatch::RiskBelow);
    }
    paths_mismatch(conditions, Standard::Possible, facts)
        .or_else(|| unmet(&conditions.arguments, facts, Standard::Possible))
}

/// Why the condition on the call's paths does not hold.
pub(super) fn paths_mismatch<'f>(
    conditions: &Conditions,
    standard: Standard,
    facts: &'f Facts<'_>,
) -> Option<Mismatch<'f>> {
    let patterns = conditions.paths.as_ref()?;
    let resolver = facts.resolver.filter(|_| conditions.follows_links);
    let mut paths = facts.paths().iter();
    if standard == Standard::Possible {
        return if facts.paths().is_empty() {
            Some(Mismatch::NoPath)
        } else if paths.any(|path| path.is_possible(patterns, resolver)) {
            None
        } else {
            Some(Mismatch::NoSuchPath)
        };
    }
    let mut certain = paths.filter(|path| !path.is_guess).peekable();
    if certain.peek().is_none() {
        return Some(Mismatch::NoPath);
    }
    certain.find_map(|path| {
        let why = path.unproved(patterns, resolver)?;
        Some(Mismatch::Path(path, why))
    })
}

/// The first condition on an argument that does not hold.
fn unmet<'f>(
    conditions: &'f [ArgumentCondition],
    facts: &'f Facts<'_>,
    standard: Standard,
) -> Option<Mismatch<'f>> {
    conditions.iter().find_map(|condition| {
        let answer = condition.ask(facts.call.arguments, standard, facts.resolver);
        let holds = condition.holds(answer, standard);
        (!holds).then_some(Mismatch::Argument(condition, answer))
    })
}

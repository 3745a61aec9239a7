//! Why a verdict fell as it did: the rules that came close, and the condition each failed.

use std::fmt;

use super::compile::{AgentRules, Index};
use super::condition::{Answer, ArgumentCondition, Expectation};
use super::document::{Conditions, Place, Rule};
use super::evaluate::{Decision, Facts, Mismatch, mismatch};
use super::paths::Unproved;
use crate::pattern::Match;

/// A verdict and the rules that came close to another one.
///
/// It displays the near misses, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    decision: Decision,
    reason: String,
    rule: Option<String>,
    place: Option<Place>,
    near_misses: Vec<NearMiss>,
}

/// A rule for the same tool that did not apply, and the condition that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    rule: String,
    place: Place,
    condition: String,
}

impl NearMiss {
    /// The rule's `id`, or its place.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The condition that failed, such as `risk 'high' is above risk_level_max 'medium'`.
    pub fn condition(&self) -> &str {
        &self.condition
    }

    /// Where the rule is written.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.condition)
    }
}

impl Explanation {
    /// With at most so many near misses.
    pub(super) fn new(index: &Index, agent_id: &str, facts: &Facts<'_>, most: usize) -> Self {
        let verdict = index.judge(agent_id, facts);
        let rules = index
            .agent(agent_id)
            .into_iter()
            .flat_map(AgentRules::rules);
        let is_denied_by_default = verdict.rule().is_none();
        let near_misses = rules
            .filter(|rule| rule.tool.is_match(facts.call.tool_name))
            .filter_map(|rule| near_miss(rule, facts, is_denied_by_default))
            .take(most)
            .collect();
        Self {
            decision: verdict.decision(),
            reason: verdict.reason(),
            rule: verdict.rule().map(str::to_owned),
            place: verdict.place().cloned(),
            near_misses,
        }
    }

    /// What was decided.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Why, in one line.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The rule that decided, if one did.
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// Where that rule is written.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The rules for this tool that did not apply, in the order they were asked; of a refused
    /// call at most eight.
    pub fn near_misses(&self) -> &[NearMiss] {
        &self.near_misses
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.near_misses.is_empty() {
            return f.write_str("no other rule of this agent names the tool");
        }
        for (index, near_miss) in self.near_misses.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{near_miss}")?;
        }
        Ok(())
    }
}

fn near_miss(rule: &Rule, facts: &Facts<'_>, is_denied_by_default: bool) -> Option<NearMiss> {
    let condition = match mismatch(rule, facts) {
        None if is_denied_by_default => {
            "the rule only tightens, and no rule allows the call".to_owned()
        }
        // The rule that decided, and those that would have if it had not.
        None => return None,
        Some(mismatch) => failed(rule, facts, &mismatch),
    };
    Some(NearMiss {
        rule: rule.name.to_string(),
        place: rule.place.clone(),
        condition,
    })
}

fn failed(rule: &Rule, facts: &Facts<'_>, mismatch: &Mismatch<'_>) -> String {
    let call = &facts.call;
    let conditions = &rule.conditions;
    let risk = call.risk_level;
    let bound = conditions.risk.unwrap_or(risk);
    match mismatch {
        Mismatch::Tool => format!("tool '{}' is another", call.tool_name),
        Mismatch::Environment => {
            let environment = rule
                .environment
                .map_or("", |environment| environment.as_str());
            format!("the rule is for environment '{environment}'")
        }
        Mismatch::Operation => {
            format!("operation '{}' is not in operations", call.operation)
        }
        Mismatch::RiskAbove => format!("risk '{risk}' is above risk_level_max '{bound}'"),
        Mismatch::RiskBelow => format!("risk '{risk}' is below risk_level_min '{bound}'"),
        Mismatch::NoPath => format!(
            "the call has no path, and paths is {}",
            patterns(conditions)
        ),
        Mismatch::NoSuchPath => format!("no path of the call is inside {}", patterns(conditions)),
        Mismatch::Path(path, why) => unproved(&path.shown(call), why, conditions),
        Mismatch::Argument(condition, answer) => unmet(condition, *answer),
        Mismatch::Exempt(_) if rule.unless.len() == 1 => "exempt by its unless".to_owned(),
        Mismatch::Exempt(index) => format!("exempt by its unless[{index}]"),
    }
}

fn patterns(conditions: &Conditions) -> String {
    let patterns = conditions.paths.iter().flatten();
    let texts: Vec<&str> = patterns.map(|pattern| &*pattern.text).collect();
    texts.join(", ")
}

fn unproved(path: &str, why: &Unproved, conditions: &Conditions) -> String {
    match why {
        Unproved::Abnormal(problem) => format!("path {path} {problem}"),
        Unproved::Outside => format!("path {path} is outside {}", patterns(conditions)),
        Unproved::LeadsOutside => format!(
            "path {path} leads outside {} through a symbolic link",
            patterns(conditions)
        ),
        Unproved::Unresolved => {
            format!("path {path} cannot be resolved to see where it leads")
        }
    }
}

/// Tells the condition and never the value, which may be one that is not to be shown.
fn unmet(condition: &ArgumentCondition, answer: Answer) -> String {
    let name = &condition.pointer.text;
    match (&condition.expectation, answer) {
        (Expectation::Present(false), _) => format!("argument `{name}` is present"),
        (Expectation::Present(true), _) | (_, Answer::Absent) => {
            format!("argument `{name}` is absent")
        }
        (Expectation::Matching { matcher, .. }, Answer::There(Match::Unreadable)) => {
            format!("argument `{name}` cannot be read for {matcher}")
        }
        (Expectation::Matching { matcher, .. }, Answer::There(_)) => {
            format!("argument `{name}` does not satisfy {matcher}")
        }
    }
}

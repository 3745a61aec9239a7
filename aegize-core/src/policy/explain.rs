//! Why a verdict fell as it did: the rules that came close, and the condition each failed.

use std::fmt;

use super::compile::Index;
use super::document::Rule;
use super::evaluate::{Decision, Facts, Mismatch, mismatch};

/// How many near misses are told.
const MOST: usize = 8;

/// A verdict and the rules that came close to another one.
///
/// It displays the near misses, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    decision: Decision,
    reason: String,
    rule: Option<String>,
    near_misses: Vec<NearMiss>,
}

/// A rule for the same tool that did not apply, and the condition that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    rule: String,
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
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.condition)
    }
}

impl Explanation {
    pub(super) fn new(index: &Index, facts: &Facts<'_>) -> Self {
        let verdict = index.judge(facts);
        let sections = index
            .agent(facts.call.agent_id)
            .map(super::compile::AgentRules::sections);
        let rules = sections
            .iter()
            .flatten()
            .flat_map(|(_, section)| section.rules());
        let near_misses = rules
            .filter(|rule| rule.tool.is_match(facts.call.tool_name))
            .filter_map(|rule| near_miss(rule, facts))
            .take(MOST)
            .collect();
        Self {
            decision: verdict.decision(),
            reason: verdict.reason(),
            rule: verdict.rule().map(str::to_owned),
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

    /// The rules for this tool that did not apply, in the order they were asked; at most eight.
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

fn near_miss(rule: &Rule, facts: &Facts<'_>) -> Option<NearMiss> {
    let patterns = || {
        let patterns = rule.paths.iter().flatten();
        patterns
            .map(|pattern| pattern.text.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let risk = facts.call.risk_level;
    let bound = rule.risk.unwrap_or(risk);
    let condition = match mismatch(rule, facts)? {
        Mismatch::Tool => return None,
        Mismatch::Operation => {
            format!("operation '{}' is not in operations", facts.call.operation)
        }
        Mismatch::RiskAbove => format!("risk '{risk}' is above risk_level_max '{bound}'"),
        Mismatch::RiskBelow => format!("risk '{risk}' is below risk_level_min '{bound}'"),
        Mismatch::NoPath => format!("the call has no path, and paths is {}", patterns()),
        Mismatch::NoSuchPath => format!("no path of the call is inside {}", patterns()),
        Mismatch::Abnormal(path, problem) => format!("path {path} {problem}"),
        Mismatch::Outside(path) => format!("path {path} is outside {}", patterns()),
        Mismatch::LeadsOutside(path) => {
            format!(
                "path {path} leads outside {} through a symbolic link",
                patterns()
            )
        }
        Mismatch::Unresolved(path) => {
            format!("path {path} cannot be resolved to see where it leads")
        }
    };
    Some(NearMiss {
        rule: rule.name.clone(),
        condition,
    })
}

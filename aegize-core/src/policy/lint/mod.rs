//! What is wrong with a policy that loads: rules that never decide, patterns that cannot mean what
//! they say, names that can be mistaken.
//!
//! The invariant: findings are certain. Every witness was judged by the policy itself before it is
//! told, and what is not decided is not a finding. Nothing here takes part in a decision.

mod code;
mod follows;
mod names;
mod patterns;
mod samples;
mod shadow;
#[cfg(test)]
mod tests;
mod tools;

use std::fmt;

pub use self::code::{FindingCode, Severity};
pub use self::tools::DeclaredTool;
use super::compile::Index;
use super::document::{Place, Rule, Section};
use super::rules;
use crate::action::ToolAction;

/// One thing that is probably a mistake in a policy. It displays its message.
#[derive(Debug, Clone)]
pub struct Finding {
    code: FindingCode,
    message: String,
    place: Place,
    rule: Option<String>,
    related: Vec<RelatedRule>,
    witness: Option<Box<ToolAction>>,
}

/// Another rule that a [`Finding`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelatedRule {
    rule: String,
    place: Place,
}

impl RelatedRule {
    fn to(rule: &Rule) -> Self {
        Self {
            rule: rule.name.to_string(),
            place: rule.place.clone(),
        }
    }

    /// The rule's `id`, or its place such as `research_bot.allow[0]`.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Where it is written.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

impl Finding {
    fn new(code: FindingCode, message: String, place: Place) -> Self {
        Self {
            code,
            message,
            place,
            rule: None,
            related: Vec::new(),
            witness: None,
        }
    }

    fn about(code: FindingCode, message: String, rule: &Rule) -> Self {
        Self {
            rule: Some(rule.name.to_string()),
            ..Self::new(code, message, rule.place.clone())
        }
    }

    /// What kind of finding it is.
    pub fn code(&self) -> FindingCode {
        self.code
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// What is wrong, and what to do about it.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where it is written; without file and line if it is about the policy as a whole.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The rule that it is about: its `id`, or its place such as `research_bot.allow[0]`.
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// Other rules that it is about. Of a shadowed rule: those that take its calls, first the one
    /// that takes the witness.
    pub fn related(&self) -> &[RelatedRule] {
        &self.related
    }

    /// A call that shows it: the rule matches it, and another one decides it.
    pub fn witness(&self) -> Option<&ToolAction> {
        self.witness.as_deref()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Everything that is found, in the order of files and lines.
pub(super) fn lint(index: &Index, tools: &[DeclaredTool]) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in rules::each(index) {
        let problems = patterns::check(rule).into_iter();
        found.extend(problems.map(|(code, message)| Finding::about(code, message, rule)));
    }
    let survey = shadow::survey(index);
    found.extend(survey.shadows.into_iter().map(shadowed));
    if !survey.is_complete {
        let message = "not every rule was compared with all others, there are too many for the same \
            tools and operations; split the policy by agent";
        found.push(Finding::new(
            FindingCode::NotAnalysed,
            message.to_owned(),
            Place::default(),
        ));
    }
    for (agent_id, agent) in index.agents() {
        if agent
            .rules()
            .iter()
            .all(|rule| rule.section == Section::Deny)
        {
            let message = format!(
                "the agent `{agent_id}` has no allow rule, so all its calls are denied; write one, or \
                 remove the agent: unknown agents are denied, too"
            );
            found.push(Finding::new(
                FindingCode::AgentWithoutAllow,
                message,
                agent.place.clone(),
            ));
        }
    }
    for (role, place) in index.unused_roles() {
        let message =
            format!("no agent has the role `{role}`; list it under `roles:` of one, or remove it");
        found.push(Finding::new(
            FindingCode::UnusedRole,
            message,
            place.clone(),
        ));
    }
    found.extend(tools::check_names(index, tools));
    found.extend(tools::check_declared(index, tools));
    // Files in the order in which their rules were met, lines within.
    found.sort_by(|one, other| {
        let key = |finding: &Finding| (finding.place.file.clone(), finding.place.line);
        key(one).cmp(&key(other))
    });
    found
}

fn shadowed(shadow: shadow::Shadow<'_>) -> Finding {
    let rule = shadow.rule;
    let others: Vec<String> = shadow
        .by
        .iter()
        .take(3)
        .map(|other| format!("`{}`", other.name))
        .collect();
    let more = match shadow.by.len().saturating_sub(others.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let others = others.join(" and ") + &more;
    let is_one = shadow.by.len() == 1;
    let (code, message) = if shadow.is_duplicate {
        (
            FindingCode::DuplicateRule,
            format!("says the same as {others}, which is asked before it; remove one of them"),
        )
    } else {
        let verb = if is_one { "takes" } else { "together take" };
        let pronoun = if is_one { "is" } else { "are" };
        let caveat = if shadow.is_by_text {
            " (by the text of its paths; symbolic links might lead elsewhere)"
        } else {
            ""
        };
        (
            FindingCode::ShadowedRule,
            format!(
                "never decides: {others} {pronoun} asked before it and {verb} every call that it \
                 matches{caveat}; remove it, or narrow the other"
            ),
        )
    };
    Finding {
        related: shadow.by.into_iter().map(RelatedRule::to).collect(),
        witness: Some(Box::new(shadow.witness)),
        ..Finding::about(code, message, rule)
    }
}

//! Rules that never decide, because others are asked before them and take every call.
//!
//! The calls of a rule are cut into classes that no rule of the agent tells apart by tool,
//! operation, risk and environment. A rule is hidden if in every class some earlier rule applies
//! whose other conditions follow from its own. What is not decided counts as not hidden. The
//! invariant: a rule that is reported decides no call.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::ptr;

use serde_json::Value;

use super::super::compile::{AgentRules, Index};
use super::super::condition::Standard;
use super::super::document::{Conditions, Rule, Section};
use super::super::evaluate::{Facts, mismatch};
use super::super::terms::ApprovalTerms;
use super::follows::{Asked, Follows, follows};
use super::names::Names;
use super::samples;
use crate::action::{RiskLevel, ToolAction};
use crate::identity::Environment;
use crate::pattern::NameGlob;

/// The most times that a rule is asked about a call, so that no policy keeps the survey busy
/// for more than seconds.
const MOST_QUESTIONS: usize = 30_000_000;

/// What comparing the regular expressions of two rules counts for: it builds automata.
const COMPARISON: usize = 5_000;

/// Why a rule never decides.
pub(super) struct Shadow<'p> {
    pub(super) rule: &'p Rule,
    /// The rules that take its calls; the first one takes the witness.
    pub(super) by: Vec<&'p Rule>,
    /// A call that the rule matches and does not decide.
    pub(super) witness: ToolAction,
    /// Whether links between directories might still make it decide.
    pub(super) is_by_text: bool,
    /// Whether the only other rule says the same.
    pub(super) is_duplicate: bool,
}

/// Rules that decide for no agent that has them, in the order of the policy.
pub(super) struct Survey<'p> {
    pub(super) shadows: Vec<Shadow<'p>>,
    /// Whether every rule was looked at.
    pub(super) is_complete: bool,
}

pub(super) fn survey(index: &Index) -> Survey<'_> {
    let mut order: Vec<*const Rule> = Vec::new();
    // A rule of a role is hidden only if it is for every agent that has the role.
    let mut found: HashMap<*const Rule, Option<Shadow<'_>>> = HashMap::new();
    let mut is_complete = true;
    let questions = Cell::new(0);
    for (agent_id, agent) in index.agents() {
        let search = Search {
            index,
            agent_id,
            agent,
            names: OnceCell::new(),
            questions: &questions,
        };
        for rule in agent.rules() {
            let rule: &Rule = rule;
            let key = ptr::from_ref(rule);
            if matches!(found.get(&key), Some(None)) {
                continue;
            }
            if questions.get() > MOST_QUESTIONS {
                is_complete = false;
                found.insert(key, None);
                continue;
            }
            let shadow = search.examine(rule);
            if !found.contains_key(&key) {
                order.push(key);
            }
            found.insert(key, shadow);
        }
    }
    let shadows = order.iter().filter_map(|key| found.remove(key).flatten());
    Survey {
        shadows: shadows.collect(),
        is_complete,
    }
}

/// The rules of one agent.
struct Search<'s, 'p> {
    index: &'p Index,
    agent_id: &'p str,
    agent: &'p AgentRules,
    names: OnceCell<Names<'p>>,
    questions: &'s Cell<usize>,
}

/// What the classes looked at so far have shown.
struct Finds<'p> {
    by: Vec<&'p Rule>,
    /// A call and the rule that takes it.
    witness: Option<(ToolAction, &'p Rule)>,
    /// Whether that rule is the one that hides the class.
    is_telling: bool,
    certainty: Follows,
}

impl<'p> Search<'_, 'p> {
    /// Why the rule never decides; `None` if it does, or that is not decided.
    fn examine(&self, rule: &'p Rule) -> Option<Shadow<'p>> {
        let names = self.names.get_or_init(|| Names::new(self.agent));
        let mut calls = samples::calls(self.agent_id, rule);
        let mut finds = Finds {
            by: Vec::new(),
            witness: None,
            is_telling: false,
            certainty: Follows::Always,
        };
        for tool in names.tools(rule)? {
            for operation in names.operations(rule, tool)? {
                for call in &mut calls {
                    call.tool_name = tool.to_owned().into();
                    call.operation = operation.to_owned().into();
                }
                for risk in RiskLevel::ALL
                    .into_iter()
                    .filter(|risk| is_about(rule, *risk))
                {
                    for environment in environments(rule) {
                        for call in &mut calls {
                            call.risk_level = risk;
                            call.metadata = environment.map(fact).into_iter().collect();
                        }
                        self.class(rule, &calls, &mut finds)?;
                    }
                }
            }
        }
        self.concluded(rule, finds)
    }

    /// Looks at one class of calls; `None` if the rule may decide one.
    fn class(&self, rule: &'p Rule, calls: &[ToolAction], finds: &mut Finds<'p>) -> Option<()> {
        let mut hiding = None;
        for call in calls {
            let facts = Facts::new(call.into(), None);
            if mismatch(rule, &facts).is_some() {
                continue;
            }
            let earlier = self.earlier(rule, &facts);
            // If there is none, nobody else takes it.
            let first = *earlier.first()?;
            let (by, certainty) = match hiding {
                Some(known) => known,
                None => earlier
                    .iter()
                    .filter(|other| !adds_terms(rule, other))
                    .inspect(|other| self.charge(other, rule))
                    .map(|other| (*other, hides(other, rule, call.risk_level)))
                    .find(|(_, certainty)| *certainty != Follows::No)?,
            };
            hiding = Some((by, certainty));
            let is_telling = ptr::eq(first, by);
            if finds.witness.is_none() || (is_telling && !finds.is_telling) {
                finds.witness = Some((call.clone(), first));
                finds.is_telling = is_telling;
            }
        }
        let (by, certainty) = hiding?;
        finds.certainty = finds.certainty.min(certainty);
        if !finds.by.iter().any(|known| ptr::eq(*known, by)) {
            finds.by.push(by);
        }
        Some(())
    }

    /// The rules that apply to a call and are asked before a rule.
    fn earlier(&self, rule: &Rule, facts: &Facts<'_>) -> Vec<&'p Rule> {
        let call = &facts.call;
        self.agent
            .candidates(call.tool_name, call.operation)
            .take_while(|other| !ptr::eq(*other, rule))
            .inspect(|_| self.questions.set(self.questions.get() + 1))
            .filter(|other| mismatch(other, facts).is_none())
            .collect()
    }

    /// Counts what a comparison of two rules costs.
    fn charge(&self, other: &Rule, rule: &Rule) {
        if has_regexes(other) && has_regexes(rule) {
            self.questions.set(self.questions.get() + COMPARISON);
        }
    }

    fn concluded(&self, rule: &'p Rule, finds: Finds<'p>) -> Option<Shadow<'p>> {
        let (witness, first) = finds.witness?;
        let taken_by = self
            .index
            .judge(self.agent_id, &Facts::new((&witness).into(), None))
            .decided_by();
        if !taken_by.is_some_and(|taken_by| ptr::eq(taken_by, first)) {
            return None;
        }
        let mut by = finds.by;
        by.retain(|other| !ptr::eq(*other, first));
        let is_duplicate = by.is_empty() && is_same(first, rule);
        by.insert(0, first);
        Some(Shadow {
            rule,
            by,
            witness,
            is_by_text: finds.certainty == Follows::ByText,
            is_duplicate,
        })
    }
}

/// Whether an approval rule has its own say about calls for which another one asks, too: all terms
/// have to be met, and every rule has to let a grant be remembered.
fn adds_terms(rule: &Rule, other: &Rule) -> bool {
    let says_something = rule.terms != ApprovalTerms::default() || other.terms.remember().is_some();
    other.section == Section::RequireApproval && says_something && rule.terms != other.terms
}

fn has_regexes(rule: &Rule) -> bool {
    let conditions = std::iter::once(&rule.conditions).chain(&rule.unless);
    conditions
        .flat_map(|conditions| &conditions.arguments)
        .any(|condition| condition.expectation.has_regexes())
}

/// Whether a rule applies to every call of a class that another one applies to, when it
/// applies to one of them.
fn hides(other: &Rule, rule: &Rule, risk: RiskLevel) -> Follows {
    let exemptions = other.unless.iter().filter(|unless| admits(unless, risk));
    let certainties = exemptions.map(|exemption| {
        let premise = proved(exemption);
        let own = rule.unless.iter().filter(|unless| admits(unless, risk));
        own.map(|own| follows(proved(own), premise))
            .max()
            .unwrap_or(Follows::No)
    });
    certainties.fold(follows(asked(other), asked(rule)), Follows::min)
}

pub(super) fn asked(rule: &Rule) -> Asked<'_> {
    Asked {
        conditions: &rule.conditions,
        standard: match rule.section {
            Section::Allow => Standard::Proved,
            Section::Deny | Section::RequireApproval => Standard::Possible,
        },
    }
}

fn proved(conditions: &Conditions) -> Asked<'_> {
    Asked {
        conditions,
        standard: Standard::Proved,
    }
}

/// Whether an exemption admits a risk.
fn admits(exemption: &Conditions, risk: RiskLevel) -> bool {
    exemption.risk.is_none_or(|max| risk <= max)
}

/// Whether a rule applies to calls of a risk.
pub(super) fn is_about(rule: &Rule, risk: RiskLevel) -> bool {
    let is_exempt = |unless: &Conditions| {
        unless.paths.is_none() && unless.arguments.is_empty() && admits(unless, risk)
    };
    let is_in_range = match (rule.conditions.risk, rule.section) {
        (None, _) => true,
        (Some(max), Section::Allow) => risk <= max,
        (Some(min), Section::Deny | Section::RequireApproval) => risk >= min,
    };
    is_in_range && !rule.unless.iter().any(is_exempt)
}

fn fact(environment: Environment) -> (String, Value) {
    ("environment".to_owned(), environment.as_str().into())
}

/// The environments of calls that a rule applies to; `None` stands for one that is not known.
fn environments(rule: &Rule) -> Vec<Option<Environment>> {
    match (rule.environment, rule.section) {
        (None, _) => {
            let known = Environment::ALL.into_iter().map(Some);
            std::iter::once(None).chain(known).collect()
        }
        (Some(environment), Section::Allow) => vec![Some(environment)],
        (Some(environment), Section::Deny | Section::RequireApproval) => {
            vec![Some(environment), None]
        }
    }
}

/// Whether two rules say the same.
fn is_same(one: &Rule, other: &Rule) -> bool {
    let operations = |rule: &Rule| {
        let mut names: Option<Vec<String>> = rule
            .operations
            .as_ref()
            .map(|globs| globs.iter().map(NameGlob::to_regex).collect());
        if let Some(names) = &mut names {
            names.sort_unstable();
            names.dedup();
        }
        names
    };
    one.section == other.section
        && one.terms == other.terms
        && one.environment == other.environment
        && one.conditions.risk == other.conditions.risk
        && one.tool.to_regex() == other.tool.to_regex()
        && one.unless.is_empty()
        && other.unless.is_empty()
        && operations(one) == operations(other)
        && follows(asked(one), asked(other)) == Follows::Always
        && follows(asked(other), asked(one)) == Follows::Always
}

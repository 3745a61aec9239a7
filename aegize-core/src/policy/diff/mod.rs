//! What changes in meaning from one policy to another: calls that they decide differently.
//!
//! Only rules that are in one of the two can make a difference. For each of them, the calls that it
//! may be about are divided into classes that no rule tells apart, and one call of each class is
//! judged by both. The invariant: a call that is reported was judged by both policies, and they
//! differ.

mod cell;
mod clause;
mod dimension;
mod languages;
mod meaning;
mod names;
#[cfg(test)]
mod tests;
mod values;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use self::cell::{Candidate, Cell};
use self::languages::Combinations;
use self::meaning::{Meaning, Meanings};
use self::names::Names;
use super::compile::{AgentRules, Index};
use super::document::{Place, Rule, Section};
use super::evaluate::Decision;
use super::terms::ApprovalTerms;
use super::{PermissionPolicy, Verdict};
use crate::action::ToolAction;
use crate::pattern::NameGlob;

/// The most combinations that are tried for one operation of one tool of one agent.
const MOST_COMBINATIONS: usize = 200_000;

/// The most for a whole comparison; then, those of each operation that is left are fewer.
const MOST_IN_ALL: usize = 10_000_000;
const FEWEST: usize = 500;

/// What changes in meaning from one policy to another.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyDiff {
    changes: Vec<Change>,
    limits: Vec<String>,
}

/// A call that two policies decide differently. It stands for all that the same rules decide.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    agents: Vec<String>,
    action: ToolAction,
    before: Ruling,
    after: Ruling,
}

/// What one of the policies decides about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    decision: Decision,
    reason: String,
    rule: Option<String>,
    place: Option<Place>,
}

/// Which way a decision changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Towards `allow`: what was denied now waits for a person or runs, or what waited runs.
    Widens,
    /// Towards `deny`.
    Tightens,
}

impl Direction {
    /// `widens` or `tightens`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Widens => "widens",
            Self::Tightens => "tightens",
        }
    }
}

impl PolicyDiff {
    /// The differences, those that are quickest to read first.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether any difference widens.
    pub fn widens(&self) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|change| change.direction() == Direction::Widens)
    }

    /// Whether calls of every class were tried. If not, there may be differences that were not
    /// found, and [`limits`](Self::limits) says where.
    ///
    /// Numbers, names, globs, regular expressions and paths are divided into classes exactly;
    /// e-mail addresses, hosts, URLs and command lines are tried at and beside each entry of their
    /// lists. Calls are tried with their paths declared: strings that are not, and might be paths
    /// all the same, are not looked for.
    pub fn is_exhaustive(&self) -> bool {
        self.limits.is_empty()
    }

    /// Where not every class of calls was tried, one line each.
    pub fn limits(&self) -> &[String] {
        &self.limits
    }
}

impl Change {
    /// Which way the decision changes.
    pub fn direction(&self) -> Direction {
        if laxness(self.after.decision) > laxness(self.before.decision) {
            Direction::Widens
        } else {
            Direction::Tightens
        }
    }

    /// A call that shows it, made by the first of the agents.
    pub fn action(&self) -> &ToolAction {
        &self.action
    }

    /// The agents whose calls are decided so: those that have the same rules.
    pub fn agents(&self) -> &[String] {
        &self.agents
    }

    /// What the older policy decides.
    pub fn before(&self) -> &Ruling {
        &self.before
    }

    /// What the newer policy decides.
    pub fn after(&self) -> &Ruling {
        &self.after
    }
}

impl Ruling {
    /// What is decided.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Why, in one line.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The rule that decides; `None` if the call is denied by default.
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// Where that rule is written.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

impl From<Verdict<'_>> for Ruling {
    fn from(verdict: Verdict<'_>) -> Self {
        Self {
            decision: verdict.decision(),
            reason: verdict.reason(),
            rule: verdict.rule().map(str::to_owned),
            place: verdict.place().cloned(),
        }
    }
}

fn laxness(decision: Decision) -> u8 {
    match decision {
        Decision::Deny => 0,
        Decision::RequireApproval => 1,
        Decision::Allow => 2,
    }
}

/// Compares two policies.
pub(super) fn compare(older: &PermissionPolicy, newer: &PermissionPolicy) -> PolicyDiff {
    let mut comparison = Comparison {
        older,
        newer,
        meanings: Meanings::default(),
        combinations: Combinations::default(),
        groups: HashMap::new(),
        budget: MOST_IN_ALL,
        changes: Vec::new(),
        limits: Vec::new(),
    };
    let (old, new) = (&*older.0, &*newer.0);
    let gone = old.agents().filter(|(id, _)| new.agent(id).is_none());
    for (id, _) in new.agents().chain(gone) {
        comparison.agent(id);
    }
    comparison.finish()
}

struct Comparison<'p> {
    older: &'p PermissionPolicy,
    newer: &'p PermissionPolicy,
    meanings: Meanings,
    combinations: Combinations,
    /// The first agent with these rules before and after, and those that have the same.
    groups: HashMap<Meaning, Vec<String>>,
    budget: usize,
    /// Each with what it costs to read and the group of its agents.
    changes: Vec<(usize, Meaning, Change)>,
    limits: Vec<String>,
}

impl<'p> Comparison<'p> {
    fn agent(&mut self, id: &'p str) {
        let old = self.rules(&self.older.0, id);
        let new = self.rules(&self.newer.0, id);
        self.note_terms(&old, &new);
        let (old_places, new_places) = (places(&old), places(&new));
        if old_places.keys().eq(new_places.keys()) {
            return;
        }
        let group = group(&old_places, &new_places);
        if let Some(agents) = self.groups.get_mut(&group) {
            agents.push(id.to_owned());
            return;
        }
        self.groups.insert(group, vec![id.to_owned()]);

        let mut known = HashSet::new();
        let rules: Vec<Candidate<'p>> = old
            .iter()
            .chain(&new)
            .filter(|(meaning, _)| known.insert(*meaning))
            .map(|(meaning, rule)| Candidate {
                rule,
                old: old_places.get(meaning).copied(),
                new: new_places.get(meaning).copied(),
            })
            .collect();
        if follows_otherwise(&rules) {
            self.limits.push(format!(
                "agent `{id}`: rules change in how they follow symbolic links, which are not looked at"
            ));
        }
        self.explore(id, group, &rules);
    }

    /// Tells the rules by which it changes who has to approve, or for how long that counts: calls
    /// are compared by what is decided about them.
    fn note_terms(&mut self, old: &[(Meaning, &'p Rule)], new: &[(Meaning, &'p Rule)]) {
        let with_terms = |rules: &[(Meaning, &'p Rule)]| {
            let asking = rules.iter().filter(|(_, rule)| {
                rule.section == Section::RequireApproval && rule.terms != ApprovalTerms::default()
            });
            asking
                .map(|(meaning, rule)| ((*meaning, rule.terms.clone()), &*rule.name))
                .collect::<BTreeMap<_, _>>()
        };
        let (old, new) = (with_terms(old), with_terms(new));
        let gone = old.iter().filter(|(key, _)| !new.contains_key(key));
        let come = new.iter().filter(|(key, _)| !old.contains_key(key));
        for (_, name) in gone.chain(come) {
            let limit = format!(
                "rule `{name}`: on whose word its calls run, or for how long that counts, changes, which is not compared"
            );
            if !self.limits.contains(&limit) {
                self.limits.push(limit);
            }
        }
    }

    /// The rules of an agent, in the order they are asked.
    fn rules(&mut self, index: &'p Index, id: &str) -> Vec<(Meaning, &'p Rule)> {
        let rules = index.agent(id).map(AgentRules::rules);
        rules
            .into_iter()
            .flatten()
            .map(|rule| (self.meanings.of(rule), &**rule))
            .collect()
    }

    /// Looks for differences wherever a rule has changed.
    fn explore(&mut self, id: &str, group: Meaning, rules: &[Candidate<'p>]) {
        let mut by_tool: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut any_tool = Vec::new();
        for (position, candidate) in rules.iter().enumerate() {
            match &candidate.rule.tool {
                NameGlob::Exact(name) => by_tool.entry(name).or_default().push(position),
                NameGlob::Any | NameGlob::Glob(_) => any_tool.push(position),
            }
        }
        let changed = || rules.iter().filter(|candidate| candidate.is_changed());
        let is_exact =
            |candidate: &Candidate<'_>| matches!(candidate.rule.tool, NameGlob::Exact(_));
        let tools: BTreeSet<String> = if changed().all(is_exact) {
            let globs = changed().map(|candidate| &candidate.rule.tool);
            let names = globs.filter_map(|glob| match glob {
                NameGlob::Exact(name) => Some(name.to_string()),
                NameGlob::Any | NameGlob::Glob(_) => None,
            });
            names.collect()
        } else {
            let names = Names::new(
                rules.iter().map(|candidate| &candidate.rule.tool),
                &mut self.combinations,
            );
            if !names.is_exact {
                self.limits.push(format!("agent `{id}`: names of tools"));
            }
            let names = names.names.into_iter();
            names
                .filter(|name| changed().any(|candidate| candidate.rule.tool.is_match(name)))
                .collect()
        };
        let mut seen = HashSet::new();
        for tool in &tools {
            let named = by_tool.get(tool.as_str()).into_iter().flatten();
            let mut positions: Vec<usize> = named.chain(&any_tool).copied().collect();
            positions.retain(|position| {
                rules
                    .get(*position)
                    .is_some_and(|candidate| candidate.rule.tool.is_match(tool))
            });
            positions.sort_unstable();
            self.explore_tool(id, group, tool, rules, &positions, &mut seen);
        }
    }

    fn explore_tool(
        &mut self,
        id: &str,
        group: Meaning,
        tool: &str,
        rules: &[Candidate<'p>],
        positions: &[usize],
        seen: &mut HashSet<Vec<usize>>,
    ) {
        let candidates = || {
            positions
                .iter()
                .filter_map(|position| Some((*position, rules.get(*position)?)))
        };
        let operations = candidates().flat_map(|(_, candidate)| candidate.rule.operations.iter());
        let names = Names::new(operations.flatten(), &mut self.combinations);
        if !names.is_exact {
            self.limits
                .push(format!("agent `{id}`, tool `{tool}`: names of operations"));
        }
        for operation in &names.names {
            let covering =
                candidates().filter(|(_, candidate)| candidate.rule.covers_operation(operation));
            let (positions, covering): (Vec<usize>, Vec<&Candidate<'p>>) = covering.unzip();
            // What the same rules are about is decided the same way.
            if !covering.iter().any(|candidate| candidate.is_changed()) || !seen.insert(positions) {
                continue;
            }
            let cell = Cell::new(covering.into_iter().copied(), &mut self.combinations);
            let mut left = MOST_COMBINATIONS.min(self.budget).max(FEWEST);
            let before = left;
            let found = cell.search(&mut left);
            self.budget = self.budget.saturating_sub(before - left);
            let mut is_complete = cell.is_exact && left > 0;
            for found in found {
                let action = cell.action(id, tool, operation, &found);
                let (before, after) = (self.older.evaluate(&action), self.newer.evaluate(&action));
                if before.decision() == after.decision() {
                    // What was foreseen of values within one another did not come true.
                    is_complete = false;
                    continue;
                }
                let change = Change {
                    agents: Vec::new(),
                    before: before.into(),
                    after: after.into(),
                    action,
                };
                self.changes.push((found.cost(), group, change));
            }
            if !is_complete {
                self.limits.push(format!(
                    "agent `{id}`, tool `{tool}`, operation `{operation}`: combinations of conditions"
                ));
            }
        }
    }

    fn finish(mut self) -> PolicyDiff {
        self.changes.sort_by_key(|(cost, ..)| *cost);
        let mut known = HashSet::new();
        let mut changes = Vec::new();
        for (_, group, mut change) in self.changes {
            let deciders = (change.before.rule.clone(), change.after.rule.clone());
            if known.insert((group, deciders)) {
                change.agents = self.groups.get(&group).cloned().unwrap_or_default();
                changes.push(change);
            }
        }
        PolicyDiff {
            changes,
            limits: self.limits,
        }
    }
}

/// The first place of each meaning.
fn places(rules: &[(Meaning, &Rule)]) -> BTreeMap<Meaning, usize> {
    let rules = rules.iter().enumerate().rev();
    rules
        .map(|(place, (meaning, _))| (*meaning, place))
        .collect()
}

/// Names the agents whose rules have the same meanings before, and the same after.
fn group(old: &BTreeMap<Meaning, usize>, new: &BTreeMap<Meaning, usize>) -> Meaning {
    let whole = |places: &BTreeMap<Meaning, usize>| {
        let meanings: Vec<&Meaning> = places.keys().collect();
        meaning::digest(&meanings)
    };
    meaning::digest(&[whole(old), whole(new)])
}

/// Whether rules that changed differ in what becomes of symbolic links.
fn follows_otherwise(rules: &[Candidate<'_>]) -> bool {
    let ignoring = |is_of: fn(&Candidate<'_>) -> bool| {
        let changed = rules
            .iter()
            .filter(|candidate| candidate.is_changed() && is_of(candidate));
        changed
            .filter(|candidate| !candidate.rule.conditions.follows_links)
            .count()
    };
    ignoring(|candidate| candidate.old.is_some()) != ignoring(|candidate| candidate.new.is_some())
}

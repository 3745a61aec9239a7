//! The search for calls of one operation of one tool that two policies decide differently.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::clause::{Clause, Holding};
use super::dimension::{Choice, Dimension, dimensions};
use super::languages::Combinations;
use crate::action::ToolAction;
use crate::policy::document::{Rule, Section};

/// A rule of either policy or of both.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'p> {
    pub(super) rule: &'p Rule,
    /// Its place among the rules of the older policy, in the order they are asked.
    pub(super) old: Option<usize>,
    /// Its place among those of the newer one.
    pub(super) new: Option<usize>,
}

impl Candidate<'_> {
    pub(super) fn is_changed(&self) -> bool {
        self.old.is_some() != self.new.is_some()
    }
}

/// The rules that concern one operation of one tool.
pub(super) struct Cell<'p> {
    /// Each with the position of its first clause.
    rules: Vec<(Candidate<'p>, usize)>,
    /// Positions of the older policy's, in the order they are asked.
    old: Vec<usize>,
    new: Vec<usize>,
    clauses: Vec<Clause<'p>>,
    dimensions: Vec<Dimension<'p>>,
    pub(super) is_exact: bool,
}

/// A call that may be decided differently, as a choice in each dimension.
pub(super) struct Found {
    choices: Vec<usize>,
    cost: usize,
}

impl Found {
    /// How much there is to read.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }
}

/// Which rules decide before and after.
type Deciders = (Option<usize>, Option<usize>);

impl<'p> Cell<'p> {
    pub(super) fn new(
        candidates: impl Iterator<Item = Candidate<'p>>,
        combinations: &mut Combinations,
    ) -> Self {
        let mut rules = Vec::new();
        let mut clauses = Vec::new();
        for candidate in candidates {
            rules.push((candidate, clauses.len()));
            clauses.extend(Clause::of(candidate.rule));
        }
        let (dimensions, is_exact) = dimensions(&clauses, combinations);
        Self {
            old: order(&rules, |candidate| candidate.old),
            new: order(&rules, |candidate| candidate.new),
            rules,
            clauses,
            dimensions,
            is_exact,
        }
    }

    /// The smallest call for each pair of rules that decide it differently. `budget` is the
    /// number of combinations to try, and what is left of it: nothing if it was too small.
    pub(super) fn search(&self, budget: &mut usize) -> Vec<Found> {
        let mut search = Search {
            cell: self,
            budget,
            chosen: Vec::with_capacity(self.dimensions.len()),
            found: HashMap::new(),
        };
        let all = Holding::new(self.clauses.iter().map(|_| true));
        search.descend(&all, 0);
        let mut found: Vec<(Deciders, Found)> = search.found.into_iter().collect();
        found.sort_by(|(one, a), (other, b)| (a.cost, one).cmp(&(b.cost, other)));
        found.into_iter().map(|(_, found)| found).collect()
    }

    /// The call itself.
    pub(super) fn action(
        &self,
        agent_id: &str,
        tool: &str,
        operation: &str,
        found: &Found,
    ) -> ToolAction {
        let mut action =
            ToolAction::new(agent_id.to_owned(), tool.to_owned(), operation.to_owned());
        let arguments = || {
            let arguments = self
                .clauses
                .iter()
                .flat_map(|clause| &clause.conditions.arguments);
            arguments.map(|condition| &*condition.pointer.argument)
        };
        for (dimension, position) in self.dimensions.iter().zip(&found.choices) {
            if let Some(choice) = dimension.choices.get(*position) {
                action = dimension.apply(choice, action, arguments());
            }
        }
        action
    }

    fn applies(&self, position: usize, holding: &Holding) -> bool {
        let Some((candidate, first)) = self.rules.get(position) else {
            return false;
        };
        let mut exemptions = first + 1..=first + candidate.rule.unless.len();
        holding.contains(*first) && !exemptions.any(|exemption| holding.contains(exemption))
    }

    /// The rule that decides, as in judging: the first that applies, unless all that do ask about
    /// calls that nothing opens.
    fn decider(&self, rules: &[usize], holding: &Holding) -> Option<usize> {
        let rules = rules.iter().copied();
        let mut applying = rules.filter(|position| self.applies(*position, holding));
        let first = applying.next()?;
        let opens_nothing = |position: usize| {
            let rule = self
                .rules
                .get(position)
                .map(|(candidate, _)| candidate.rule);
            rule.is_some_and(|rule| rule.only_tightens && rule.section == Section::RequireApproval)
        };
        (!opens_nothing(first) || !applying.all(opens_nothing)).then_some(first)
    }

    fn section(&self, decider: Option<usize>) -> Section {
        let rule = decider.and_then(|position| self.rules.get(position));
        rule.map_or(Section::Deny, |(candidate, _)| candidate.rule.section)
    }
}

/// The positions of rules that have a place in an order, in that order.
fn order(
    rules: &[(Candidate<'_>, usize)],
    place: impl Fn(&Candidate<'_>) -> Option<usize>,
) -> Vec<usize> {
    let rules = rules.iter().enumerate();
    let placed = rules.filter_map(|(position, (candidate, _))| Some((place(candidate)?, position)));
    let mut placed: Vec<(usize, usize)> = placed.collect();
    placed.sort_unstable();
    placed.into_iter().map(|(_, position)| position).collect()
}

struct Search<'c, 'p> {
    cell: &'c Cell<'p>,
    budget: &'c mut usize,
    chosen: Vec<usize>,
    found: HashMap<Deciders, Found>,
}

impl Search<'_, '_> {
    /// Tries every choice in the dimensions that are left.
    fn descend(&mut self, holding: &Holding, cost: usize) {
        // Without a rule that changed, both decide alike.
        let mut changed = self
            .cell
            .rules
            .iter()
            .filter(|(candidate, _)| candidate.is_changed());
        if !changed.any(|(_, clause)| holding.contains(*clause)) {
            return;
        }
        let Some(dimension) = self.cell.dimensions.get(self.chosen.len()) else {
            self.compare(holding, cost);
            return;
        };
        let mut both = holding.clone();
        for (
            position,
            Choice {
                holding: choice,
                cost: further,
                ..
            },
        ) in dimension.choices.iter().enumerate()
        {
            let Some(rest) = self.budget.checked_sub(1) else {
                return;
            };
            *self.budget = rest;
            holding.and(choice, &mut both);
            self.chosen.push(position);
            self.descend(&both, cost + further);
            self.chosen.pop();
        }
    }

    fn compare(&mut self, holding: &Holding, cost: usize) {
        let old = self.cell.decider(&self.cell.old, holding);
        let new = self.cell.decider(&self.cell.new, holding);
        if self.cell.section(old) == self.cell.section(new) {
            return;
        }
        let found = Found {
            choices: self.chosen.clone(),
            cost,
        };
        match self.found.entry((old, new)) {
            Entry::Vacant(entry) => {
                entry.insert(found);
            }
            Entry::Occupied(mut entry) if cost < entry.get().cost => {
                entry.insert(found);
            }
            Entry::Occupied(_) => {}
        }
    }
}

//! The dimensions of a call, and in each of them the choices that clauses tell apart.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::clause::{Clause, Holding};
use super::languages::Combinations;
use super::values::{self, Values};
use crate::action::{RiskLevel, ToolAction};
use crate::arguments::{Arguments, Call, JsonArguments};
use crate::identity::Environment;
use crate::pattern::PathGlob;
use crate::policy::condition::{ArgumentCondition, Pointer};
use crate::policy::evaluate::{Facts, paths_mismatch};
use crate::secrets::BUILT_IN;

/// The most sets of paths, and lists of an argument's values, that are told apart.
const MOST_SETS: usize = 256;

/// Something of a call that is chosen by itself.
pub(super) struct Dimension<'p> {
    kind: Kind<'p>,
    pub(super) choices: Vec<Choice>,
}

enum Kind<'p> {
    Risk,
    Environment,
    Paths,
    Argument(&'p Pointer),
}

/// One choice, and the clauses for which it is good.
pub(super) struct Choice {
    value: Chosen,
    pub(super) holding: Holding,
    /// How much there is to read.
    pub(super) cost: usize,
}

enum Chosen {
    Risk(RiskLevel),
    Environment(Option<Environment>),
    Paths(Vec<String>),
    Argument(Option<Value>),
}

/// The dimensions in which the clauses differ, and whether their choices are all there are.
pub(super) fn dimensions<'p>(
    clauses: &[Clause<'p>],
    combinations: &mut Combinations,
) -> (Vec<Dimension<'p>>, bool) {
    let mut found = Vec::new();
    let mut is_exact = true;
    let pointers = pointers(clauses);
    for (position, pointer) in pointers.iter().enumerate() {
        // Values within one another are not chosen by themselves.
        let mut others = pointers.iter().skip(position + 1);
        is_exact &= !others.any(|other| other.overlaps(pointer));
        let (dimension, is_complete) = argument(clauses, pointer, combinations);
        is_exact &= is_complete;
        found.push(dimension);
    }
    if clauses.iter().any(|clause| clause.paths().is_some()) {
        let (dimension, is_complete) = paths(clauses, combinations);
        is_exact &= is_complete;
        found.push(dimension);
    }
    let risks = RiskLevel::ALL.into_iter().enumerate();
    found.push(Dimension::new(
        Kind::Risk,
        risks.map(|(cost, risk)| {
            let holding = Holding::new(clauses.iter().map(|clause| clause.holds_at(risk)));
            (Chosen::Risk(risk), holding, cost)
        }),
    ));
    let environments = std::iter::once(None).chain(Environment::ALL.map(Some));
    found.push(Dimension::new(
        Kind::Environment,
        environments.map(|environment| {
            let holding = Holding::new(clauses.iter().map(|clause| clause.holds_in(environment)));
            (
                Chosen::Environment(environment),
                holding,
                usize::from(environment.is_some()),
            )
        }),
    ));
    (found, is_exact)
}

fn pointers<'p>(clauses: &[Clause<'p>]) -> Vec<&'p Pointer> {
    let mut pointers: Vec<&Pointer> = Vec::new();
    for clause in clauses {
        for condition in &clause.conditions.arguments {
            if !pointers.contains(&&condition.pointer) {
                pointers.push(&condition.pointer);
            }
        }
    }
    pointers
}

impl Pointer {
    fn overlaps(&self, other: &Self) -> bool {
        self.argument == other.argument
            && (self.rest.starts_with(&other.rest) || other.rest.starts_with(&self.rest))
    }
}

impl<'p> Dimension<'p> {
    /// Keeps the cheapest of the choices that are good for the same clauses.
    fn new(kind: Kind<'p>, choices: impl Iterator<Item = (Chosen, Holding, usize)>) -> Self {
        let mut choices: Vec<_> = choices.collect();
        choices.sort_by_key(|(_, _, cost)| *cost);
        let mut known = HashSet::new();
        let distinct = choices
            .into_iter()
            .filter(|(_, holding, _)| known.insert(holding.clone()))
            .map(|(value, holding, cost)| Choice {
                value,
                holding,
                cost,
            });
        Self {
            kind,
            choices: distinct.collect(),
        }
    }

    /// The action with this choice. `arguments` are the names of those that other dimensions
    /// choose.
    pub(super) fn apply<'a>(
        &self,
        choice: &Choice,
        mut action: ToolAction,
        arguments: impl Iterator<Item = &'a str>,
    ) -> ToolAction {
        match (&choice.value, &self.kind) {
            (Chosen::Risk(risk), _) => action.risk_level(*risk),
            (Chosen::Environment(Some(environment)), _) => action.environment(*environment),
            (Chosen::Paths(paths), _) => {
                let taken: Vec<&str> = arguments.collect();
                let mut names = ["path", "paths", "file", "files", "target", "targets"].into_iter();
                let name = names
                    .find(|name| !taken.contains(name))
                    .unwrap_or("some path");
                let value = match paths.as_slice() {
                    // Declared, so that no other argument counts as a path.
                    [] => Value::Null,
                    [path] => path.as_str().into(),
                    paths => paths.into(),
                };
                action.path_argument(name, value)
            }
            (Chosen::Argument(Some(value)), Kind::Argument(pointer)) => {
                insert(&mut action.arguments, pointer, value.clone());
                action
            }
            _ => action,
        }
    }
}

/// Puts a value where a pointer leads.
fn insert(arguments: &mut Map<String, Value>, pointer: &Pointer, value: Value) {
    let name = pointer.argument.to_string();
    let Some((last, way)) = pointer.rest.split_last() else {
        arguments.insert(name, value);
        return;
    };
    let mut place = arguments.entry(name).or_insert_with(|| Map::new().into());
    for key in way {
        let Value::Object(map) = place else { return };
        place = map
            .entry(key.to_string())
            .or_insert_with(|| Map::new().into());
    }
    if let Value::Object(map) = place {
        map.insert(last.to_string(), value);
    }
}

fn argument<'p>(
    clauses: &[Clause<'p>],
    pointer: &'p Pointer,
    combinations: &mut Combinations,
) -> (Dimension<'p>, bool) {
    let holding = |value: &Option<Value>| {
        let mut arguments = Map::new();
        if let Some(value) = value {
            insert(&mut arguments, pointer, value.clone());
        }
        let arguments = Arguments::Json(JsonArguments {
            values: &arguments,
            paths: &[],
            redacted: &[],
            inexact: None,
        });
        Holding::new(clauses.iter().map(|clause| {
            clause.arguments(pointer).all(|condition| {
                let answer = condition.ask(arguments, clause.standard, None);
                condition.holds(answer, clause.standard)
            })
        }))
    };
    let conditions: Vec<&ArgumentCondition> = clauses
        .iter()
        .flat_map(|clause| clause.arguments(pointer))
        .collect();
    let Values {
        scalars,
        lists,
        lengths,
        mut is_exact,
    } = values::of(&conditions, combinations);
    // One list for each way that lists can be told apart; longer ones are made of those.
    let elements: Vec<Value> = scalars.iter().cloned().chain([Map::new().into()]).collect();
    let as_list = |list: &Vec<Value>| holding(&Some(Value::Array(list.clone())));
    let (mut sets, is_complete) = sets(elements, lists, as_list);
    is_exact &= is_complete;
    for length in lengths {
        let longer: Vec<Vec<Value>> = sets
            .iter()
            .filter_map(|list| {
                let first = list.first()?;
                let mut list = list.clone();
                list.resize(list.len().max(length), first.clone());
                Some(list)
            })
            .collect();
        sets.extend(longer);
    }
    let lists = sets.into_iter().map(Value::Array);
    // What no matcher can read.
    let unreadable = Value::Object(Map::new());
    let values = scalars.into_iter().chain(lists).chain([unreadable]);
    let choices = std::iter::once(None).chain(values.map(Some)).map(|value| {
        let cost = value.as_ref().map_or(0, values::cost);
        (Chosen::Argument(value.clone()), holding(&value), cost)
    });
    (Dimension::new(Kind::Argument(pointer), choices), is_exact)
}

fn paths<'p>(clauses: &[Clause<'p>], combinations: &mut Combinations) -> (Dimension<'p>, bool) {
    let patterns = clauses.iter().filter_map(Clause::paths).flatten();
    let globs: Vec<&PathGlob> = patterns.map(|pattern| &pattern.glob).collect();
    let (mut elements, mut is_exact) = path_texts(&globs, combinations);
    // One that has no normal form.
    elements.push("~/a".into());
    let metadata = Map::new();
    let declared = ["path".to_owned()];
    let holding = |paths: &Vec<String>| {
        let values = Map::from_iter([("path".to_owned(), Value::from(paths.as_slice()))]);
        let call = Call {
            agent_id: "",
            tool_name: "",
            operation: "",
            risk_level: RiskLevel::Low,
            arguments: Arguments::Json(JsonArguments {
                values: &values,
                paths: &declared,
                redacted: &[],
                inexact: None,
            }),
            metadata: &metadata,
            redactor: &BUILT_IN,
        };
        let facts = Facts::new(call, None);
        Holding::new(
            clauses
                .iter()
                .map(|clause| paths_mismatch(clause.conditions, clause.standard, &facts).is_none()),
        )
    };
    let (sets, is_complete) = sets(elements, Vec::new(), holding);
    is_exact &= is_complete;
    let choices = sets.into_iter().map(|paths| {
        let cost = paths.iter().map(|path| path.len() + 2).sum();
        let holding = holding(&paths);
        (Chosen::Paths(paths), holding, cost)
    });
    (Dimension::new(Kind::Paths, choices), is_exact)
}

/// A path for each combination of globs, and whether none is missing.
pub(super) fn path_texts(
    globs: &[&PathGlob],
    combinations: &mut Combinations,
) -> (Vec<String>, bool) {
    let of_globs = |glob: &&PathGlob| [glob.to_regex(), glob.to_possible_regex()];
    let regexes: BTreeSet<String> = globs.iter().flat_map(of_globs).collect();
    let mut texts = |regexes: &mut dyn Iterator<Item = &String>| {
        let mut all = vec![PathGlob::domain_regex()];
        all.extend(regexes.cloned());
        let cells = combinations.of(all)?;
        let paths = cells.iter().filter(|cell| cell.contains(0));
        let shown = paths.map(|cell| match cell.text.as_str() {
            absolute if absolute.starts_with('/') => absolute.to_owned(),
            relative => format!("./{relative}"),
        });
        Some(shown.collect::<Vec<String>>())
    };
    if let Some(texts) = texts(&mut regexes.iter()) {
        return (texts, true);
    }
    // Each glob by itself.
    let alone = regexes
        .iter()
        .filter_map(|regex| texts(&mut std::iter::once(regex)));
    let all: BTreeSet<String> = alone.flatten().collect();
    (all.into_iter().collect(), false)
}

/// Sets of elements, one of each kind that clauses tell apart, and whether that is all of them. What holds for a set and an element more depends on nothing
/// but what holds for the set and for the element: all must be good, or one.
fn sets<T: Clone>(
    elements: Vec<T>,
    given: Vec<Vec<T>>,
    holding: impl Fn(&Vec<T>) -> Holding,
) -> (Vec<Vec<T>>, bool) {
    // Each is kept that is distinct as an element, even if no clause tells it from nothing.
    let mut known = HashSet::new();
    let mut elements: Vec<Vec<T>> = elements.into_iter().map(|element| vec![element]).collect();
    elements.retain(|element| known.insert(holding(element)));
    let empty = Vec::new();
    let mut sets: Vec<Vec<T>> = elements.clone();
    for set in given.into_iter().chain([empty]) {
        if known.insert(holding(&set)) {
            sets.push(set);
        }
    }
    let mut position = 0;
    while let Some(set) = sets.get(position).cloned() {
        for element in &elements {
            let mut larger = set.clone();
            larger.extend_from_slice(element);
            if known.insert(holding(&larger)) {
                if sets.len() >= MOST_SETS {
                    return (sets, false);
                }
                sets.push(larger);
            }
        }
        position += 1;
    }
    (sets, true)
}

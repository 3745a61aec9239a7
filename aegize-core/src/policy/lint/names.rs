//! The names that the rules of an agent tell apart: each name that one of them says, and one for
//! every combination of globs that matches other names.

use std::collections::{BTreeSet, HashMap};

use super::super::compile::AgentRules;
use super::super::document::Rule;
use crate::pattern::{Languages, NameGlob};

/// The most names that are told apart by automaton from those that globs match.
const MOST: usize = 256;

/// The tools and operations of an agent's rules.
pub(super) struct Names<'p> {
    tools: BTreeSet<&'p str>,
    other_tools: Option<Vec<String>>,
    /// The operations that rules for one tool say.
    operations: HashMap<&'p str, BTreeSet<&'p str>>,
    /// Those that rules for many tools say, or all of them if they are few.
    shared_operations: BTreeSet<&'p str>,
    other_operations: Option<Vec<String>>,
}

impl<'p> Names<'p> {
    pub(super) fn new(agent: &'p AgentRules) -> Self {
        let mut tools = BTreeSet::new();
        let mut operations: HashMap<&str, BTreeSet<&str>> = HashMap::new();
        let mut shared_operations = BTreeSet::new();
        let mut all_operations = BTreeSet::new();
        let (mut tool_globs, mut operation_globs) = (Vec::new(), Vec::new());
        for rule in agent.rules() {
            let exact = match &rule.tool {
                NameGlob::Exact(tool) => {
                    tools.insert(&**tool);
                    operations.entry(tool).or_default()
                }
                glob => {
                    tool_globs.push(glob);
                    &mut shared_operations
                }
            };
            for operation in rule.operations.iter().flatten() {
                match operation {
                    NameGlob::Exact(operation) => {
                        exact.insert(&**operation);
                        all_operations.insert(&**operation);
                    }
                    glob => operation_globs.push(glob),
                }
            }
        }
        let other_operations = others(&all_operations, &operation_globs);
        if all_operations.len() <= MOST {
            shared_operations = all_operations;
        }
        Self {
            other_tools: others(&tools, &tool_globs),
            other_operations,
            tools,
            operations,
            shared_operations,
        }
    }

    /// The tools of a rule; `None` if they cannot be told apart.
    pub(super) fn tools<'s>(&'s self, rule: &'s Rule) -> Option<Vec<&'s str>> {
        if let NameGlob::Exact(tool) = &rule.tool {
            return Some(vec![tool]);
        }
        let others = self.other_tools.as_ref()?.iter().map(String::as_str);
        let tools = others.chain(self.tools.iter().copied());
        Some(tools.filter(|tool| rule.tool.is_match(tool)).collect())
    }

    /// The operations of a rule for one of its tools; `None` if they cannot be told apart.
    pub(super) fn operations<'s>(&'s self, rule: &'s Rule, tool: &str) -> Option<Vec<&'s str>> {
        let exact = rule.operations.iter().flatten().map(|glob| match glob {
            NameGlob::Exact(operation) => Some(&**operation),
            _ => None,
        });
        if rule.operations.is_some()
            && let Some(exact) = exact.collect::<Option<Vec<_>>>()
        {
            return Some(exact);
        }
        let others = self.other_operations.as_ref()?.iter().map(String::as_str);
        let said = self.operations.get(tool).into_iter().flatten();
        let said: BTreeSet<&str> = said.chain(&self.shared_operations).copied().collect();
        let operations = others.chain(said);
        Some(
            operations
                .filter(|operation| rule.covers_operation(operation))
                .collect(),
        )
    }
}

/// A name for every combination of globs, none of them among those that are said.
fn others(said: &BTreeSet<&str>, globs: &[&NameGlob]) -> Option<Vec<String>> {
    let globs: BTreeSet<String> = globs
        .iter()
        .filter(|glob| !matches!(glob, NameGlob::Any))
        .map(|glob| glob.to_regex())
        .collect();
    if globs.is_empty() {
        return Some(fresh(said).into_iter().collect());
    }
    // Names that are said are cells of their own, so that none of the others is one of them.
    let matched = said.iter().filter(|_| said.len() <= MOST);
    let exact = matched.map(|name| NameGlob::Exact((*name).into()).to_regex());
    let exact: Vec<String> = exact.collect();
    let everything = NameGlob::Any.to_regex();
    let regexes = globs.iter().chain(&exact).chain([&everything]);
    let regexes: Vec<&str> = regexes.map(String::as_str).collect();
    let cells = Languages::new(&regexes)?.cells()?;
    let mut names: Vec<String> = cells.into_iter().map(|cell| cell.text).collect();
    if said.len() <= MOST {
        names.retain(|name| !said.contains(&**name));
    } else if names.iter().any(|name| said.contains(&**name)) {
        return None;
    }
    Some(names)
}

/// A name that is not among those.
fn fresh(said: &BTreeSet<&str>) -> Option<String> {
    let plain = ["other".to_owned()].into_iter();
    let mut names = plain.chain((0..=said.len()).map(|number| format!("other_{number}")));
    names.find(|name| !said.contains(&**name))
}

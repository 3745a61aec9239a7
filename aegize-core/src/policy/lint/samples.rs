//! Calls that satisfy the conditions of a rule.

use serde_json::{Value, json};

use super::super::condition::{
    Answer, ArgumentCondition, Expectation, Literal, Matcher, Pointer, Standard, Test, TestKind,
};
use super::super::document::{Conditions, PathPattern, Rule, Section};
use super::super::evaluate::Facts;
use crate::action::ToolAction;
use crate::pattern::{EmailPattern, HostPattern, NormalPath, PathGlob, url_examples, witness};

/// The most calls that are made for one rule.
const MOST: usize = 4;

/// Calls with arguments and paths that a rule asks for, as far as they are found. Tool,
/// operation, risk and environment are still to be said.
pub(super) fn calls(agent_id: &str, rule: &Rule) -> Vec<ToolAction> {
    let standard = if rule.section == Section::Allow {
        Standard::Proved
    } else {
        Standard::Possible
    };
    let empty = ToolAction::new(agent_id.to_owned(), "", "");
    let Conditions {
        paths, arguments, ..
    } = &rule.conditions;
    let mut calls = vec![empty];
    for condition in arguments {
        let values = values(condition, standard);
        calls = combined(&calls, &values, |call, value| {
            let mut call = call.clone();
            if let Some(value) = value {
                place(&mut call, &condition.pointer, value.clone())?;
            }
            Some(call)
        });
    }
    if let Some(patterns) = paths {
        let paths: Vec<String> = patterns.iter().filter_map(path).take(MOST).collect();
        calls = combined(&calls, &paths, |call, path| {
            let names = ["path", "file", "path_1", "path_2"];
            let name = names
                .into_iter()
                .find(|name| !call.arguments.contains_key(*name))?;
            Some(call.clone().path_argument(name, path.as_str()))
        });
    }
    calls
}

/// The calls, each with a value of its own as far as there are several.
fn combined<V>(
    calls: &[ToolAction],
    values: &[V],
    with: impl Fn(&ToolAction, &V) -> Option<ToolAction>,
) -> Vec<ToolAction> {
    if values.is_empty() {
        return Vec::new();
    }
    let count = calls.len().max(values.len()).min(MOST);
    let calls = calls.iter().cycle().zip(values.iter().cycle());
    calls
        .take(count)
        .filter_map(|(call, value)| with(call, value))
        .collect()
}

/// A path that matches.
fn path(pattern: &PathPattern) -> Option<String> {
    let plain = filled(&pattern.text);
    let is_match = |path: NormalPath| pattern.glob.is_match(&path);
    if plain.starts_with(['.', '/']) && NormalPath::new(&plain).is_ok_and(is_match) {
        return Some(plain);
    }
    let found = witness(&[PathGlob::domain_regex(), pattern.glob.to_regex()], &[]).ok()??;
    Some(if found.starts_with('/') {
        found
    } else {
        format!("./{found}")
    })
}

/// A pattern with letters for its wildcards: most often it matches itself so, and no automaton
/// is needed to find out what does.
fn filled(pattern: &str) -> String {
    pattern.replace("**", "a").replace(['*', '?'], "a")
}

/// Values that satisfy a condition, the plainest first; `None` stands for no value at all.
fn values(condition: &ArgumentCondition, standard: Standard) -> Vec<Option<Value>> {
    let matcher = match &condition.expectation {
        Expectation::Present(false) => return vec![None],
        Expectation::Present(true) => return vec![Some(json!("any"))],
        Expectation::Matching { matcher, .. } => matcher,
    };
    let satisfies = |value: &Option<Value>| {
        let answer = match value {
            None => Answer::Absent,
            Some(value) => {
                let mut call = ToolAction::new("", "", "");
                if place(&mut call, &condition.pointer, value.clone()).is_none() {
                    return false;
                }
                let facts = Facts::new((&call).into(), None);
                condition.ask(facts.call.arguments, standard, None)
            }
        };
        condition.holds(answer, standard)
    };
    let plain = |test: &Test| test.kind.to_regex().map(|_| filled(&test.text).into());
    let found: Vec<_> = matcher.0.iter().map(plain).filter(satisfies).collect();
    if found.iter().any(Option::is_some) {
        return found;
    }
    let candidates = candidates(matcher).into_iter().map(Some);
    candidates
        .chain([None])
        .filter(satisfies)
        .take(MOST)
        .collect()
}

/// Puts a value where a pointer leads; `None` if something else is in the way.
fn place(call: &mut ToolAction, pointer: &Pointer, value: Value) -> Option<()> {
    let mut here = call
        .arguments
        .entry(&*pointer.argument)
        .or_insert(Value::Null);
    for segment in &pointer.rest {
        if here.is_null() {
            *here = json!({});
        }
        here = here
            .as_object_mut()?
            .entry(&**segment)
            .or_insert(Value::Null);
    }
    here.is_null().then(|| *here = value)
}

/// Values that may satisfy a matcher: what it names, what lies beside that, and plain ones.
fn candidates(matcher: &Matcher) -> Vec<Value> {
    let mut found = Vec::new();
    let regexes: Vec<String> = matcher
        .0
        .iter()
        .filter_map(|test| test.kind.to_regex())
        .collect();
    if !regexes.is_empty() {
        found.extend(text(&regexes, &[]));
    }
    for test in &matcher.0 {
        named(&test.kind, &mut found);
    }
    found.extend([json!("other"), json!(1), json!(true), json!(0), json!(-1)]);
    found.extend([json!(""), json!([]), json!([null])]);
    found
}

fn named(kind: &TestKind, found: &mut Vec<Value>) {
    match kind {
        TestKind::OneOf(literals) | TestKind::NotOneOf(literals) => {
            found.extend(literals.iter().filter_map(literal));
        }
        TestKind::Bound(_, end) => {
            found.extend(
                [end.to_json(), end.step(1.0), end.step(-1.0)]
                    .into_iter()
                    .flatten(),
            );
        }
        TestKind::MaxLength(most) => {
            let text = |length: usize| json!("a".repeat(length.min(4096)));
            found.extend([text((*most).min(8)), text(most.saturating_add(1))]);
        }
        TestKind::Glob(_) | TestKind::Matches(_) => {
            let regex = kind.to_regex().unwrap_or_default();
            found.extend(text(&[&regex], &[]));
            // What does not match, for who negates it.
            found.extend(text(&[], &[&regex]));
        }
        TestKind::Path { patterns, .. } => {
            found.extend(patterns.iter().filter_map(path).map(Value::from));
            found.push(json!("./other"));
        }
        TestKind::Email(patterns) => {
            found.extend(
                patterns
                    .iter()
                    .flat_map(EmailPattern::examples)
                    .map(Value::from),
            );
        }
        TestKind::Host(patterns) => {
            found.extend(
                patterns
                    .iter()
                    .flat_map(HostPattern::examples)
                    .map(Value::from),
            );
        }
        TestKind::Url(pattern) => {
            found.extend(url_examples(&[pattern]).0.into_iter().map(Value::from));
        }
        TestKind::Command(programs) => {
            for program in programs {
                found.extend([json!(program.as_str()), json!([program.as_str()])]);
            }
        }
        TestKind::Not(inner) => found.extend(candidates(inner)),
    }
}

fn literal(literal: &Literal) -> Option<Value> {
    match literal {
        Literal::Bool(value) => Some(json!(value)),
        Literal::Number(number) => number.to_json(),
        Literal::Text(text) => Some(json!(text)),
    }
}

/// A text that some patterns match and others do not.
fn text<S: AsRef<str>>(all: &[S], none: &[S]) -> Option<Value> {
    witness(all, none).ok().flatten().map(Value::from)
}

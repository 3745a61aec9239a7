//! Patterns and matchers of one rule that cannot mean what they say.

use super::super::condition::{Expectation, Matcher, TestKind};
use super::super::document::{Conditions, PathPattern, Rule, Section};
use super::FindingCode;
use super::shadow::is_about;
use crate::action::RiskLevel;
use crate::pattern::{Match, NormalPath, PathGlob, TextGlob, is_covered, witness};

/// What is wrong with a rule by itself.
pub(super) fn check(rule: &Rule) -> Vec<(FindingCode, String)> {
    let mut found = Vec::new();
    if rule.operations.as_ref().is_some_and(Vec::is_empty) {
        let message = "matches no call: its list of operations is empty; name one, or leave the \
            key out for all";
        found.push((FindingCode::NeverMatches, message.to_owned()));
    }
    if !RiskLevel::ALL.into_iter().any(|risk| is_about(rule, risk)) {
        let message = "matches no call: `unless` exempts every risk that it is about; lower the \
            `risk_level_max` there, or remove the rule";
        found.push((FindingCode::NeverMatches, message.to_owned()));
    }
    let is_proved = rule.section == Section::Allow;
    conditions(&rule.conditions, is_proved, &mut found);
    for exemption in &rule.unless {
        conditions(exemption, true, &mut found);
    }
    found
}

/// `is_proved`: whether what matches more also grants more.
fn conditions(conditions: &Conditions, is_proved: bool, found: &mut Vec<(FindingCode, String)>) {
    for pattern in conditions.paths.iter().flatten() {
        found.extend(path(pattern, is_proved));
    }
    for condition in &conditions.arguments {
        let Expectation::Matching { matcher, .. } = &condition.expectation else {
            continue;
        };
        for test in &matcher.0 {
            match &test.kind {
                TestKind::Path { patterns, .. } => {
                    found.extend(
                        patterns
                            .iter()
                            .filter_map(|pattern| path(pattern, is_proved)),
                    );
                }
                TestKind::Glob(_) | TestKind::Matches(_) if is_proved && is_universal(test) => {
                    let message = format!(
                        "`{}: {{{test}}}` is satisfied by every line of text; write what it has \
                         to look like, or `present: true`",
                        condition.pointer.text
                    );
                    found.push((FindingCode::PatternMatchesEverything, message));
                }
                _ => {}
            }
        }
        if is_contradictory(matcher) {
            let message = format!(
                "no single value satisfies `{}: {{{matcher}}}`; remove what contradicts the rest",
                condition.pointer.text
            );
            found.push((FindingCode::ContradictoryMatcher, message));
        }
    }
}

fn path(pattern: &PathPattern, is_proved: bool) -> Option<(FindingCode, String)> {
    let PathPattern { text, glob } = pattern;
    let covers = |paths: &str| {
        let paths = [PathGlob::domain_regex(), paths.to_owned()];
        is_covered(&paths, &[glob.to_regex()]) == Some(true)
    };
    // Without these, every part of a glob stands for some name.
    if text.contains(['[', '{'])
        && is_covered(&[PathGlob::domain_regex(), glob.to_regex()], &[]) == Some(true)
    {
        let message = format!(
            "the path glob `{text}` matches no path, since none has such a normal form; mend it, \
             for example `./data/**`"
        );
        return Some((FindingCode::PathMatchesNothing, message));
    }
    let matches = |probe: &str| NormalPath::new(probe).is_ok_and(|path| glob.is_match(&path));
    let kind = if !is_proved {
        return None;
    } else if matches("./a/b") && matches("./.c") && covers(r"\A[^/](?s:.*)\z") {
        "relative"
    } else if matches("/a/b") && matches("/.c") && covers(r"\A/[^/](?s:.*)\z") {
        "absolute"
    } else {
        return None;
    };
    let message = format!(
        "the path glob `{text}` matches every {kind} path; name a directory, such as `{}data/**`",
        if kind == "absolute" { "/srv/" } else { "./" }
    );
    Some((FindingCode::PathMatchesEverything, message))
}

/// Whether one pattern of a list matches every text of one line.
fn is_universal(test: &super::super::condition::Test) -> bool {
    let probes = ["", "a", "/", "a/b c"];
    let is_line = |regex: String| {
        let line = r"\A[^\n]*\z".to_owned();
        is_covered(&[line], &[regex]) == Some(true)
    };
    match &test.kind {
        TestKind::Glob(globs) => globs.iter().any(|glob| {
            probes.iter().all(|probe| glob.is_match(probe)) && is_line(TextGlob::to_regex(glob))
        }),
        TestKind::Matches(patterns) => patterns.iter().any(|pattern| {
            probes.iter().all(|probe| pattern.is_match(probe)) && is_line(pattern.to_string())
        }),
        _ => false,
    }
}

/// Whether no value that can be read satisfies a matcher, other than a list without elements.
fn is_contradictory(matcher: &Matcher) -> bool {
    let kinds = || matcher.0.iter().map(|test| &test.kind);
    let literals = kinds().find_map(|kind| match kind {
        TestKind::OneOf(literals) => Some(literals),
        _ => None,
    });
    if let Some(literals) = literals {
        let satisfies = |literal| kinds().all(|kind| kind.judge_literal(literal) == Match::Yes);
        return !kinds().any(TestKind::is_about_lists) && !literals.iter().any(satisfies);
    }
    let is_text = |kind: &TestKind| {
        !matches!(
            kind,
            TestKind::NotOneOf(_) | TestKind::Bound(..) | TestKind::MaxLength(_) | TestKind::Not(_)
        )
    };
    if kinds().any(|kind| matches!(kind, TestKind::Bound(..))) && kinds().any(is_text) {
        return true;
    }
    let regexes: Vec<String> = kinds().filter_map(TestKind::to_regex).collect();
    let may_be_empty =
        regexes.len() > 1 || kinds().any(|kind| matches!(kind, TestKind::Matches(_)));
    may_be_empty && witness(&regexes, &[]) == Ok(None)
}

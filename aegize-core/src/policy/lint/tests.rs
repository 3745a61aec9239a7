//! What is said to follow does, for every pair of conditions and every value of a long list.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::PermissionPolicy;
use super::super::document::{Rule, Section};
use super::super::evaluate::{Facts, mismatch};
use super::follows::{Follows, follows};
use super::shadow::asked;
use crate::action::ToolAction;

const MATCHERS: [&str; 55] = [
    "equals: a",
    "equals: 5",
    "one_of: [a, ab]",
    "one_of: [1, 5, a]",
    "one_of: ['./d/a', true]",
    "not_one_of: [a]",
    "not_one_of: [5, 7]",
    "min: 1",
    "min: 5",
    "above: 1",
    "above: 5",
    "max: 7",
    "below: 7",
    "max: 5",
    "min: 2, max: 6",
    "max_length: 2",
    "max_length: 1",
    "max_length: 0",
    "max_length: 2, glob: 'a*'",
    "glob: 'a*'",
    "glob: '*'",
    "glob: ['a', 'ab']",
    "glob: '**'",
    "glob: 'b*'",
    "matches: 'a+b?'",
    "matches: ['a', 'b.*']",
    "path: './d/**'",
    "path: './d/a'",
    "path: ['**', '/**']",
    "path: '**/a'",
    "email: '@acme.com'",
    "email: 'a@acme.com'",
    "email: 'é@acme.com'",
    "email: '@*.acme.com'",
    "email: ['@x.acme.com', 'a@acme.com']",
    "host: 'acme.com'",
    "host: '*.acme.com'",
    "host: ['x.acme.com', '10.1.0.0/16']",
    "host: ['*.acme.com', '10.0.0.0/8']",
    "host: ['127.0.0.0/8', localhost]",
    "url: {host: acme.com}",
    "url: {host: acme.com, scheme: https}",
    "url: {scheme: [https, http], host: ['acme.com', '*.acme.com']}",
    "url: {scheme: https, host: acme.com, path: '/v1/**'}",
    "url: {scheme: https, path: ['/v1/a', '/V1/b/*']}",
    "url: {port: 443}",
    "url: {scheme: custom}",
    "url: {scheme: custom, host: acme.com}",
    "command: [git, ls]",
    "command: ls",
    "command: ls, max_length: 4",
    "present: true",
    "present: false",
    "not: {path: './d/**'}",
    "not: {not: {glob: 'a*'}}",
];

/// The matchers, most of them also negated, and for what must be proved also optional.
fn matchers(section: Section) -> Vec<String> {
    let mut all: Vec<String> = MATCHERS.map(str::to_owned).into();
    let is_whole = |text: &&str| !text.starts_with("present") && !text.contains("max_length: 2, ");
    let negated = MATCHERS.iter().copied().filter(is_whole);
    all.extend(negated.map(|matcher| format!("not: {{{matcher}}}")));
    if section == Section::Allow {
        all.push("min: 5, optional: true".to_owned());
        all.push("glob: '*', optional: true".to_owned());
    }
    all
}

fn rules(section: Section) -> Vec<Arc<Rule>> {
    let mut text = format!("agents:\n  bot:\n    {}:\n", section.key());
    for matcher in matchers(section) {
        writeln!(text, "    - {{tool: a, args: {{x: {{{matcher}}}}}}}").unwrap();
    }
    let policy = PermissionPolicy::from_yaml_str(&text).unwrap();
    policy.0.agent("bot").unwrap().rules().to_vec()
}

fn calls() -> Vec<ToolAction> {
    let texts = [
        "",
        "a",
        "b",
        "ab",
        "aab",
        "ba",
        "c",
        "abc",
        "a\nb",
        "/",
        "./d",
        "./d/a",
        "./d/c",
        "/d/a",
        "d\\a",
        "~",
        "..",
        "x/a",
        "a@acme.com",
        "A@acme.com",
        "a+b@acme.com",
        "b@acme.com",
        "b@x.acme.com",
        "é@acme.com",
        "é@x.acme.com",
        "a@acme",
        "b@localhost",
        "acme.com",
        "x.acme.com",
        "y.x.acme.com",
        "acme",
        "x",
        "localhost",
        "127.0.0.1",
        "0.0.0.0",
        "::1",
        "10.1.2.3",
        "10.9.9.9",
        "::ffff:10.1.2.3",
        "2002:0a01:0203::",
        "11.0.0.1",
        "https://acme.com/",
        "http://acme.com/v1/a",
        "https://acme.com/v1/a",
        "https://acme.com/V1/a",
        "https://x.com/v1/a",
        "https://acme.com/v1/b/c",
        "https://acme.com/V1/b/c",
        "https://x.acme.com:444/v1",
        "ftp://acme.com/",
        "custom://acme.com/v1/a",
        "https://acme/v1/a",
        "https://a@acme.com/",
        "git",
        "ls",
        "git status",
        "ls -l",
        "/bin/ls",
        "LS",
        "rm",
        "rm; ls",
        "ls.exe",
    ];
    let mut values: Vec<Value> = texts.map(Value::from).into();
    values.extend([
        json!(0),
        json!(1),
        json!(1.5),
        json!(2),
        json!(4.5),
        json!(5),
        json!(5.0),
        json!(5.5),
        json!(6),
    ]);
    values.extend([json!(7), json!(8), json!(true), json!(false)]);
    let plain = values.clone();
    values.extend(plain.iter().map(|value| json!([value])));
    values.extend(plain.iter().map(|value| json!(["a", value])));
    values.extend(plain.iter().map(|value| json!([5, value, null])));
    values.extend([
        json!([]),
        json!([null]),
        json!({}),
        json!({"a": 1}),
        json!([[]]),
        json!(null),
    ]);
    values.extend([json!(["ls", "-l"]), json!(["git", "a;b"]), json!([7, 8, 9])]);
    let with = |value: Value| ToolAction::new("bot", "a", "").argument("x", value);
    let mut calls: Vec<ToolAction> = values.into_iter().map(with).collect();
    calls.push(ToolAction::new("bot", "a", ""));
    calls
}

/// For each rule, which of the calls satisfy it.
fn answers(rules: &[Arc<Rule>], calls: &[ToolAction]) -> Vec<Vec<bool>> {
    let applies =
        |rule: &Rule, call: &ToolAction| mismatch(rule, &Facts::new(call.into(), None)).is_none();
    let row = |rule: &Arc<Rule>| calls.iter().map(|call| applies(rule, call)).collect();
    rules.iter().map(row).collect()
}

#[test]
fn what_follows_is_refuted_by_no_value() {
    let calls = calls();
    let (allow, deny) = (rules(Section::Allow), rules(Section::Deny));
    let (allowed, denied) = (answers(&allow, &calls), answers(&deny, &calls));
    let cases = [
        ((&allow, &allowed), (&allow, &allowed), 180),
        ((&deny, &denied), (&deny, &denied), 180),
        ((&deny, &denied), (&allow, &allowed), 70),
    ];
    for ((wanted, wanted_answers), (given, given_answers), least) in cases {
        let mut found = 0;
        for (conclusion, holds) in wanted.iter().zip(wanted_answers) {
            for (premise, given) in given.iter().zip(given_answers) {
                if follows(asked(conclusion), asked(premise)) == Follows::No {
                    continue;
                }
                found += 1;
                for ((call, holds), given) in calls.iter().zip(holds).zip(given) {
                    let refutes = *given && !holds;
                    assert!(
                        !refutes,
                        "{premise:?}\n{conclusion:?}\n{:?}",
                        call.arguments
                    );
                }
            }
        }
        assert!(found >= least, "{found}");
    }
}

#[test]
fn what_follows_is_found() {
    let (allow, deny) = (rules(Section::Allow), rules(Section::Deny));
    let position = |section, matcher: &str| {
        matchers(section)
            .iter()
            .position(|known| known == matcher)
            .unwrap()
    };
    for (given, wanted) in [
        ("one_of: [a, ab]", "glob: 'a*'"),
        ("one_of: [a, ab]", "not: {equals: 5}"),
        ("min: 5", "above: 1"),
        ("above: 5", "min: 5"),
        ("below: 7", "max: 7"),
        ("max_length: 1", "max_length: 2"),
        ("glob: ['a', 'ab']", "matches: 'a+b?'"),
        ("matches: ['a', 'b.*']", "glob: '**'"),
        ("glob: 'b*'", "not: {glob: 'a*'}"),
        ("not: {glob: 'a*'}", "not: {glob: ['a', 'ab']}"),
        ("path: './d/a'", "path: './d/**'"),
        ("path: './d/a'", "path: '**/a'"),
        ("email: 'a@acme.com'", "email: '@acme.com'"),
        ("email: ['@x.acme.com', 'a@acme.com']", "present: true"),
        (
            "host: ['x.acme.com', '10.1.0.0/16']",
            "host: ['*.acme.com', '10.0.0.0/8']",
        ),
        (
            "url: {host: acme.com, scheme: https}",
            "url: {host: acme.com}",
        ),
        (
            "url: {scheme: https, host: acme.com, path: '/v1/**'}",
            "url: {host: acme.com, scheme: https}",
        ),
        ("command: ls, max_length: 4", "command: [git, ls]"),
        ("not: {max_length: 2}", "not: {max_length: 1}"),
        ("not: {not: {glob: 'a*'}}", "not: {not: {glob: 'a*'}}"),
    ] {
        for (section, rules) in [(Section::Allow, &allow), (Section::Deny, &deny)] {
            let rule = |matcher| asked(&rules[position(section, matcher)]);
            assert_ne!(
                follows(rule(wanted), rule(given)),
                Follows::No,
                "{section:?} {given} {wanted}"
            );
        }
    }
}

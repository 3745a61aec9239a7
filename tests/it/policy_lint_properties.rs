//! Random policies: what lint calls shadowed never decides, and without arguments nothing is missed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aegize::{Environment, FindingCode, PermissionPolicy, RiskLevel, ToolAction};
use serde_json::{Value, json};

/// Numbers in a fixed order that looks like none.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn one<'t, T: ?Sized>(&mut self, of: &[&'t T]) -> &'t T {
        of[self.below(of.len())]
    }

    fn some<'t>(&mut self, of: &[&'t str], most: usize) -> Vec<&'t str> {
        let count = 1 + self.below(most);
        (0..count).map(|_| self.one(of)).collect()
    }
}

const RISKS: [&str; 4] = ["low", "medium", "high", "critical"];

/// A rule without conditions on arguments, in flow style.
fn plain_rule(dice: &mut Dice, section: &str) -> String {
    let tools = ["a", "b", "ab", "a*", "*b", "[ab]", "*", "?", "{a,bb}"];
    let mut rule = format!("tool: '{}'", dice.one(&tools));
    if dice.below(3) > 0 {
        let operations = dice.some(&["a", "b", "a*", "[ab]", "*", "?*"], 3);
        write!(rule, ", operations: ['{}']", operations.join("', '")).unwrap();
    }
    if dice.below(3) == 0 {
        let key = if section == "allow" { "max" } else { "min" };
        write!(rule, ", risk_level_{key}: {}", dice.one(&RISKS)).unwrap();
    }
    if section != "allow" && dice.below(5) == 0 {
        write!(rule, ", unless: {{risk_level_max: {}}}", dice.one(&RISKS)).unwrap();
    }
    rule
}

fn sections(
    dice: &mut Dice,
    indent: &str,
    most: usize,
    rule: fn(&mut Dice, &str) -> String,
) -> String {
    let mut text = String::new();
    for section in ["deny", "require_approval", "allow"] {
        let count = dice.below(most + 1);
        if count > 0 {
            writeln!(text, "{indent}{section}:").unwrap();
        }
        for _ in 0..count {
            writeln!(text, "{indent}- {{{}}}", rule(dice, section)).unwrap();
        }
    }
    text
}

/// A policy with two agents, a role that both have, and an environment.
fn policy(dice: &mut Dice, rule: fn(&mut Dice, &str) -> String) -> String {
    let mut text = String::from("roles:\n  both:\n    deny: [{tool: never_used_otherwise}]\n");
    if dice.below(2) == 0 {
        text = format!(
            "roles:\n  both:\n    allow:\n    - {{{}}}\n",
            rule(dice, "allow")
        );
    }
    let (one, two) = (
        sections(dice, "    ", 3, rule),
        sections(dice, "    ", 1, rule),
    );
    write!(
        text,
        "agents:\n  one:\n    roles: [both]\n{one}  two:\n    roles: [both]\n{two}"
    )
    .unwrap();
    if dice.below(2) == 0 {
        let environment = dice.one(&["dev", "prod"]);
        let rules = sections(dice, "    ", 1, rule);
        write!(
            text,
            "environments:\n  {environment}:\n    widens: true\n{rules}"
        )
        .unwrap();
    }
    text
}

/// Every text of up to so many of the letters.
fn texts(longest: usize) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut last = texts.clone();
    for _ in 0..longest {
        let longer = |text: &String| ["a", "b", "c"].map(|letter| format!("{text}{letter}"));
        last = last.iter().flat_map(longer).collect();
        texts.extend(last.clone());
    }
    texts
}

fn environments() -> impl Iterator<Item = Option<Environment>> {
    Environment::ALL.into_iter().map(Some).chain([None])
}

/// The rules that lint says never decide.
fn silent(policy: &PermissionPolicy) -> BTreeSet<String> {
    let mut silent = BTreeSet::new();
    for finding in policy.lint(&[]) {
        let is_silent = matches!(
            finding.code(),
            FindingCode::ShadowedRule | FindingCode::DuplicateRule | FindingCode::NeverMatches
        );
        if let Some(witness) = finding.witness() {
            let verdict = policy.evaluate(witness);
            assert_eq!(verdict.rule(), Some(finding.related()[0].rule()));
        }
        if is_silent {
            silent.insert(finding.rule().unwrap().to_owned());
        }
    }
    silent
}

#[test]
fn without_arguments_lint_is_exact() {
    let (tools, operations) = (texts(3), texts(2));
    let (mut hidden, mut live) = (0, 0);
    for seed in 0..25 {
        let text = policy(&mut Dice(seed), plain_rule);
        let policy = PermissionPolicy::from_yaml_str(&text).unwrap();
        let mut deciding = BTreeSet::new();
        for (tool, operation) in tools
            .iter()
            .flat_map(|t| operations.iter().map(move |o| (t, o)))
        {
            let mut call = ToolAction::new("", tool.clone(), operation.clone());
            for environment in environments() {
                if let Some(environment) = environment {
                    call = call.environment(environment);
                } else {
                    call.metadata.clear();
                }
                for (agent, risk) in ["one", "two"]
                    .into_iter()
                    .flat_map(|a| RiskLevel::ALL.map(|r| (a, r)))
                {
                    call.agent_id = agent.into();
                    call.risk_level = risk;
                    deciding.extend(policy.evaluate(&call).rule().map(str::to_owned));
                }
            }
        }
        deciding.extend(
            policy
                .evaluate(&ToolAction::new("one", "never_used_otherwise", ""))
                .rule()
                .map(str::to_owned),
        );
        let all: BTreeSet<String> = policy.rules().map(|rule| rule.name().to_owned()).collect();
        let never: BTreeSet<String> = all.difference(&deciding).cloned().collect();
        assert_eq!(silent(&policy), never, "{seed}\n{text}");
        hidden += never.len();
        live += deciding.len();
    }
    assert!(hidden > 20 && live > 60, "{hidden} {live}");
}

/// A rule with conditions on arguments and paths.
fn rule(dice: &mut Dice, section: &str) -> String {
    let mut rule = format!("tool: '{}'", dice.one(&["a", "a", "*"]));
    if dice.below(3) == 0 {
        write!(rule, ", paths: ['{}']", dice.some(&PATHS, 2).join("', '")).unwrap();
    }
    if dice.below(4) == 0 {
        rule += ", symlinks: ignore";
    }
    let is_proved = section == "allow";
    if dice.below(4) > 0 {
        write!(rule, ", args: {{{}}}", arguments(dice, is_proved)).unwrap();
    }
    if !is_proved && dice.below(4) == 0 {
        write!(rule, ", unless: {{args: {{{}}}}}", arguments(dice, true)).unwrap();
    }
    rule
}

const PATHS: [&str; 8] = [
    "./d/**",
    "./d/*",
    "./d/a",
    "**",
    "**/a",
    "/d/**",
    "./d/[ab]",
    "./d/{a,b}/**",
];

fn arguments(dice: &mut Dice, is_proved: bool) -> String {
    let mut arguments = format!("x: {{{}}}", matcher(dice, is_proved));
    if dice.below(4) == 0 {
        write!(arguments, ", /w/v: {{{}}}", matcher(dice, is_proved)).unwrap();
    }
    arguments
}

fn matcher(dice: &mut Dice, is_proved: bool) -> String {
    const TESTS: [&str; 40] = [
        "equals: a",
        "equals: 5",
        "equals: true",
        "one_of: [a, ab]",
        "one_of: [1, 5, a]",
        "not_one_of: [a]",
        "not_one_of: [5, 7]",
        "min: 1",
        "min: 5",
        "above: 1",
        "above: 5",
        "max: 7",
        "below: 7",
        "max: 5",
        "max_length: 2",
        "max_length: 1",
        "max_length: 0",
        "glob: 'a*'",
        "glob: '*'",
        "glob: ['a', 'ab']",
        "glob: '**'",
        "matches: 'a+b?'",
        "matches: ['a', 'b.*']",
        "path: './d/**'",
        "path: './d/a'",
        "path: '**'",
        "email: '@acme.com'",
        "email: 'a@acme.com'",
        "email: '@*.acme.com'",
        "host: 'acme.com'",
        "host: ['*.acme.com', '10.0.0.0/8']",
        "host: '10.1.0.0/16'",
        "url: {host: acme.com}",
        "url: {scheme: https, host: ['acme.com', '*.acme.com']}",
        "url: {scheme: https, host: acme.com, path: '/v1/**'}",
        "url: {scheme: https, path: ['/v1/a', '/v1/b/*']}",
        "command: [git, ls]",
        "command: ls",
        "present: true",
        "present: false",
    ];
    let test = dice.one(&TESTS);
    if test.starts_with("present") {
        return test.to_owned();
    }
    let mut matcher = match dice.below(5) {
        0 => format!("not: {{{test}}}"),
        _ => test.to_owned(),
    };
    let second = dice.one(&TESTS);
    let key = |text: &str| text.split(':').next().unwrap().to_owned();
    let is_range = |text: &str| ["min", "max", "above", "below"].contains(&&*key(text));
    if dice.below(3) == 0
        && key(second) != key(&matcher)
        && !second.starts_with("present")
        && !(is_range(test) && is_range(second))
    {
        write!(matcher, ", {second}").unwrap();
    }
    if is_proved && dice.below(5) == 0 {
        matcher += ", optional: true";
    }
    matcher
}

fn values() -> Vec<Value> {
    let mut values: Vec<Value> = [
        "",
        "a",
        "b",
        "ab",
        "aab",
        "ba",
        "c",
        "a\nb",
        "./d",
        "./d/a",
        "d/b",
        "./d/c",
        "./d/a/b",
        "/d/a",
        "~",
        "../x",
        "a/b",
        "a@acme.com",
        "A@acme.com",
        "b@acme.com",
        "b@x.acme.com",
        "é@acme.com",
        "a@acme",
        "acme.com",
        "x.acme.com",
        "acme",
        "10.1.2.3",
        "10.9.9.9",
        "::ffff:10.1.2.3",
        "https://acme.com/",
        "http://acme.com/v1/a",
        "https://acme.com/v1/a",
        "https://acme.com/V1/a",
        "https://x.acme.com/v1/b/c",
        "https://other.com/v1/a",
        "git",
        "git status",
        "ls -l",
        "/bin/ls",
        "rm; ls",
    ]
    .map(Value::from)
    .into();
    values.extend([
        json!(0),
        json!(1),
        json!(1.5),
        json!(5),
        json!(5.0),
        json!(6),
        json!(7),
        json!(8),
        json!(true),
        json!(false),
    ]);
    let lists: Vec<Value> = values.iter().map(|value| json!([value])).collect();
    values.extend(lists);
    values.extend([
        json!([]),
        json!([null]),
        json!({}),
        json!({"a": 1}),
        json!([[]]),
        json!(["a", "b"]),
        json!(["a", 5]),
        json!(["a", "ab", "a"]),
        json!([5, 8]),
        json!(["a", null]),
        json!(["ls", "-l"]),
        json!(["git", "a;b"]),
        json!(["./d/a", "/etc"]),
    ]);
    values
}

#[test]
fn what_is_shadowed_never_decides() {
    let values = values();
    let paths = [
        json!("./d/a"),
        json!("./d/b/c"),
        json!("/d/x"),
        json!("d/c"),
        json!(["./d/a", "/x"]),
        json!("~"),
        json!(5),
    ];
    let (mut hidden, mut rules) = (0, 0);
    for seed in 0..60 {
        let text = policy(&mut Dice(seed), rule);
        // Ranges and lists that contradict themselves are refused, and are no subject here.
        let Ok(policy) = PermissionPolicy::from_yaml_str(&text) else {
            continue;
        };
        rules += policy.rules().count();
        let silent = silent(&policy);
        if silent.is_empty() {
            continue;
        }
        hidden += silent.len();
        let mut dice = Dice(seed ^ 0xffff);
        let judge = |call: &mut ToolAction| {
            for agent in ["one", "two"] {
                call.agent_id = agent.into();
                let verdict = policy.evaluate(call);
                let is_silent = verdict.rule().is_some_and(|rule| silent.contains(rule));
                assert!(!is_silent, "{seed}\n{text}\n{call:?}\n{verdict:?}");
            }
        };
        for round in 0..3 {
            for value in &values {
                let mut call = ToolAction::new("", dice.one(&["a", "a", "b"]), "o")
                    .argument("x", value.clone());
                if dice.below(2) == 0 {
                    let inner = &values[dice.below(values.len())];
                    call = call.argument("w", json!({"v": inner}));
                }
                if dice.below(2) == 0 {
                    call = call.path_argument("p", paths[dice.below(paths.len())].clone());
                }
                if round == 2 {
                    call.arguments.shift_remove("x");
                }
                if dice.below(2) == 0 {
                    call = call.environment(Environment::ALL[dice.below(3)]);
                }
                judge(&mut call);
            }
        }
    }
    assert!(hidden > 20 && rules > 200, "{hidden} of {rules}");
}

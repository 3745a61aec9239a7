//! Properties of comparisons of random policies that differ in a rule.

use serde_json::{Map, Value, json};

use super::check;
use crate::action::{RiskLevel, ToolAction};
use crate::identity::Environment;
use crate::policy::{PermissionPolicy, Ruling};

/// A generator of numbers that looks random (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn some<'t, T>(&mut self, from: &'t [T], most: usize) -> Vec<&'t T> {
        let count = 1 + self.below(most);
        (0..count).map(|_| self.pick(from)).collect()
    }
}

const TOOLS: [&str; 6] = ["files", "git.push", "git.*", "*.push", "*", "[fg]*"];
const TOOL_NAMES: [&str; 6] = ["files", "git.push", "git.pull", "x.push", "other", "f"];
const OPERATIONS: [&str; 4] = ["read", "write", "re*", "*e"];
const OPERATION_NAMES: [&str; 5] = ["read", "write", "reload", "drive", "list"];
const PATHS: [&str; 8] = [
    "./a/**", "./a/b/*", "**/.env", "/srv/**", "/srv/*/x", "a/b/c", "**", "/**",
];
const PATH_TEXTS: [&str; 12] = [
    "./a",
    "a/b/c",
    "a/b/.env",
    "a/x",
    "/srv",
    "/srv/q/x",
    "/srv/.env",
    "/etc/x",
    "b",
    ".env",
    "~/a",
    "a/../../b",
];
const MATCHERS: [&str; 22] = [
    r#"{"equals": "x"}"#,
    r#"{"one_of": ["x", "y", 1]}"#,
    r#"{"not_one_of": ["x", true]}"#,
    r#"{"min": 1}"#,
    r#"{"max": 5}"#,
    r#"{"above": 1, "below": 5.5}"#,
    r#"{"max_length": 2}"#,
    r#"{"max_length": 0}"#,
    r#"{"glob": "x*"}"#,
    r#"{"glob": ["*y", "z"]}"#,
    r#"{"matches": "x[a-z]*"}"#,
    r#"{"path": ["./a/**"]}"#,
    r#"{"email": ["@acme.com", "b@c.org"]}"#,
    r#"{"email": "@*.acme.com"}"#,
    r#"{"host": ["acme.com", "10.0.0.0/8"]}"#,
    r#"{"host": "10.1.0.0/16"}"#,
    r#"{"url": {"scheme": "https", "host": "acme.com"}}"#,
    r#"{"command": ["git", "ls"]}"#,
    r#"{"present": true}"#,
    r#"{"present": false}"#,
    r#"{"not": {"glob": "x*"}}"#,
    r#"{"not": {"min": 3}}"#,
];
const POINTERS: [&str; 3] = ["p", "q", "/r/s"];

fn values() -> Vec<Value> {
    vec![
        json!("x"),
        json!("y"),
        json!("z"),
        json!("xy"),
        json!("xx"),
        json!("xyz"),
        json!("w"),
        json!(1),
        json!(5),
        json!(5.2),
        json!(5.5),
        json!(0),
        json!(3),
        json!(true),
        json!(null),
        json!({}),
        json!([]),
        json!(["x", "y"]),
        json!(["x", 1]),
        json!([1, 6]),
        json!([{}]),
        json!(["w", "x", "y"]),
        json!("./a/b"),
        json!("a@acme.com"),
        json!("a@b.acme.com"),
        json!("b@c.org"),
        json!("b+d@c.org"),
        json!("é@acme.com"),
        json!(["a@acme.com", "z@z.zz"]),
        json!("acme.com"),
        json!("10.1.2.3"),
        json!("10.2.2.3"),
        json!("11.0.0.1"),
        json!("https://acme.com/x"),
        json!("http://acme.com/x"),
        json!("https://evil.com"),
        json!("git log"),
        json!("ls"),
        json!("git; rm"),
        json!(["git", "log"]),
        json!(["rm"]),
        json!("~/x"),
        json!("localhost"),
        json!("acme"),
    ]
}

struct Shape {
    arguments: bool,
}

fn conditions(random: &mut Random, shape: &Shape, is_allow: bool) -> Map<String, Value> {
    let mut fields = Map::new();
    if random.chance(30) {
        let key = if is_allow {
            "risk_level_max"
        } else {
            "risk_level_min"
        };
        fields.insert(key.into(), random.pick(&RiskLevel::ALL).as_str().into());
    }
    if random.chance(40) {
        fields.insert("paths".into(), json!(random.some(&PATHS, 2)));
    }
    if shape.arguments && random.chance(60) {
        let mut matchers = Map::new();
        for pointer in random.some(&POINTERS, 2) {
            let text: &&str = random.pick(&MATCHERS);
            let mut matcher: Value = serde_json::from_str(text).unwrap();
            if is_allow && random.chance(20) && matcher.get("present").is_none() {
                matcher["optional"] = json!(true);
            }
            matchers.insert((*pointer).into(), matcher);
        }
        fields.insert("args".into(), matchers.into());
    }
    fields
}

fn rule(random: &mut Random, shape: &Shape, section: &str) -> Value {
    let mut fields = conditions(random, shape, section == "allow");
    fields.insert("tool".into(), json!(random.pick(&TOOLS)));
    if random.chance(50) {
        fields.insert("operations".into(), json!(random.some(&OPERATIONS, 2)));
    }
    if section != "allow" && random.chance(30) {
        let exemption = conditions(random, shape, true);
        if !exemption.is_empty() {
            fields.insert("unless".into(), exemption.into());
        }
    }
    fields.into()
}

fn sections(random: &mut Random, shape: &Shape, most: usize) -> Value {
    let mut sections = Map::new();
    for (section, count) in [
        ("deny", most / 2),
        ("require_approval", most / 2),
        ("allow", most),
    ] {
        let rules = (0..random.below(count + 1)).map(|_| rule(random, shape, section));
        sections.insert(section.into(), rules.collect());
    }
    sections.into()
}

fn document(random: &mut Random, shape: &Shape) -> Value {
    let mut bot = sections(random, shape, 4);
    if random.chance(40) {
        let mut prod = sections(random, shape, 2);
        prod["widens"] = json!(true);
        bot["environments"] = json!({ "prod": prod });
    }
    let mut document = json!({ "agents": { "bot": bot } });
    if random.chance(40) {
        let rules = rule(random, shape, "require_approval");
        document["environments"] = json!({ "dev": { "require_approval": [rules] } });
    }
    document
}

/// The document with one rule removed, added, or replaced.
fn edited(random: &mut Random, shape: &Shape, document: &Value) -> Value {
    let mut document = document.clone();
    let section = *random.pick(&["deny", "require_approval", "allow", "allow"]);
    let rules = document["agents"]["bot"][section].as_array_mut().unwrap();
    if !rules.is_empty() && random.chance(60) {
        let position = random.below(rules.len());
        rules.remove(position);
    }
    if random.chance(60) {
        rules.push(rule(random, shape, section));
    }
    document
}

fn call(random: &mut Random, shape: &Shape, values: &[Value]) -> ToolAction {
    let mut action = ToolAction::new(
        "bot",
        *random.pick(&TOOL_NAMES),
        *random.pick(&OPERATION_NAMES),
    )
    .risk_level(*random.pick(&RiskLevel::ALL));
    if random.chance(70) {
        action = action.environment(*random.pick(&Environment::ALL));
    }
    let paths = match random.below(4) {
        0 => Value::Null,
        count => json!(
            (0..count)
                .map(|_| *random.pick(&PATH_TEXTS))
                .collect::<Vec<_>>()
        ),
    };
    action = action.path_argument("path", paths);
    if shape.arguments {
        for name in ["p", "q", "s"] {
            if random.chance(70) {
                let value = random.pick(values).clone();
                action = match name {
                    "s" => action.argument("r", json!({ "s": value })),
                    name => action.argument(name, value),
                };
            }
        }
    }
    action
}

/// How many edits changed the decision about some of many calls, and of how many of these a
/// comparison that calls itself exhaustive said nothing; and how many comparisons did not.
fn missed(shape: &Shape, rounds: u64) -> (usize, usize, usize) {
    let values = values();
    let (mut different, mut missed, mut partial) = (0, 0, 0);
    for seed in 1..=rounds {
        let random = &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let before = document(random, shape);
        let after = edited(random, shape, &before);
        let load = |document: &Value| PermissionPolicy::from_value(document).unwrap();
        let (old, new) = (load(&before), load(&after));
        let diff = old.diff(&new);
        check(&old, &new, &diff);
        assert!(old.diff(&old).changes().is_empty() && old.diff(&old).is_exhaustive());

        let mirrored = new.diff(&old);
        check(&new, &old, &mirrored);
        let mut forwards: Vec<_> = diff
            .changes()
            .iter()
            .map(|c| (c.before().clone(), c.after().clone()))
            .collect();
        let mut backwards: Vec<_> = mirrored
            .changes()
            .iter()
            .map(|c| (c.after().clone(), c.before().clone()))
            .collect();
        for changes in [&mut forwards, &mut backwards] {
            changes
                .sort_by_key(|(a, b)| (a.rule().map(str::to_owned), b.rule().map(str::to_owned)));
        }
        let deciders = |changes: &[(Ruling, Ruling)]| -> Vec<_> {
            let names = changes
                .iter()
                .map(|(a, b)| (a.rule().map(str::to_owned), b.rule().map(str::to_owned)));
            names.collect()
        };
        assert_eq!(deciders(&forwards), deciders(&backwards), "seed {seed}");

        partial += usize::from(!diff.is_exhaustive());
        let witness = (0..300)
            .map(|_| call(random, shape, &values))
            .find(|action| old.evaluate(action).decision() != new.evaluate(action).decision());
        if let Some(witness) = witness {
            different += 1;
            if diff.changes().is_empty() {
                missed += 1;
                eprintln!(
                    "seed {seed}: {witness:?}\n{before}\n{after}\n{:?}",
                    diff.limits()
                );
            }
        }
    }
    (different, missed, partial)
}

#[test]
fn no_difference_is_missed_without_conditions_on_arguments() {
    let (different, missed, partial) = missed(&Shape { arguments: false }, 60);
    assert!(different > 20, "only {different} edits made a difference");
    assert_eq!((missed, partial), (0, 0));
}

#[test]
fn no_difference_is_missed_with_conditions_on_arguments() {
    let (different, missed, partial) = missed(&Shape { arguments: true }, 60);
    assert!(different > 20, "only {different} edits made a difference");
    assert_eq!(missed, 0);
    assert!(partial < 30, "{partial} comparisons gave up");
}

//! Comparisons of policies, by table.

mod random;

use std::fmt::Write as _;

use serde_json::Value;

use crate::action::RiskLevel;
use crate::policy::{Change, Direction, PermissionPolicy, PolicyDiff};

fn policy(text: &str) -> PermissionPolicy {
    PermissionPolicy::from_yaml_str(text).unwrap()
}

/// The policy whose only agent has these sections.
fn bot(sections: &str) -> PermissionPolicy {
    policy(&format!("agents: {{bot: {{{sections}}}}}"))
}

fn shown(change: &Change) -> String {
    let action = change.action();
    let mut text = format!(
        "{} {}/{} {} -> {}",
        change.direction().as_str(),
        action.tool_name,
        action.operation,
        change.before().decision(),
        change.after().decision(),
    );
    if action.risk_level != RiskLevel::Low {
        write!(text, " at {}", action.risk_level).unwrap();
    }
    for map in [&action.arguments, &action.metadata] {
        if !map.is_empty() {
            write!(text, " {}", Value::Object(map.clone())).unwrap();
        }
    }
    text
}

/// Every claim that a comparison makes, checked.
fn check(old: &PermissionPolicy, new: &PermissionPolicy, diff: &PolicyDiff) {
    for change in diff.changes() {
        let action = change.action();
        let (before, after) = (old.evaluate(action), new.evaluate(action));
        assert_ne!(before.decision(), after.decision(), "{change:?}");
        assert_eq!(before.decision(), change.before().decision());
        assert_eq!(after.decision(), change.after().decision());
        assert_eq!(before.rule(), change.before().rule());
        assert_eq!(after.rule(), change.after().rule());
        let laxness = |decision| {
            ["deny", "require_approval", "allow"]
                .iter()
                .position(|word| *word == decision)
        };
        let widens = laxness(after.decision().as_str()) > laxness(before.decision().as_str());
        assert_eq!(
            change.direction() == Direction::Widens,
            widens,
            "{change:?}"
        );
        for agent in change.agents() {
            let mut action = action.clone();
            action.agent_id = agent.clone().into();
            assert_eq!(old.evaluate(&action).decision(), before.decision());
            assert_eq!(new.evaluate(&action).decision(), after.decision());
        }
    }
}

#[test]
fn differences_are_shown_by_the_smallest_call() {
    let rows: [(&str, &str, &[&str]); 20] = [
        (
            "allow: [{tool: a}], environments: {prod: {deny: [{tool: a}]}}",
            "allow: [{tool: a}], environments: {dev: {deny: [{tool: a}]}}",
            &[
                r#"widens a/other deny -> allow {"environment":"prod"}"#,
                r#"tightens a/other allow -> deny {"environment":"dev"}"#,
            ],
        ),
        (
            "deny: [{tool: shell}], allow: [{tool: '*'}]",
            "allow: [{tool: '*'}]",
            &["widens shell/other deny -> allow"],
        ),
        (
            "",
            "allow: [{tool: a, operations: [x, k]}]",
            &["widens a/k deny -> allow"],
        ),
        (
            "allow: [{tool: 'git.*'}]",
            "allow: [{tool: 'git.*'}], deny: [{tool: '*.push'}]",
            &["tightens git.push/other allow -> deny"],
        ),
        (
            "allow: [{tool: a}]",
            "allow: [{tool: a, risk_level_max: medium}]",
            &["tightens a/other allow -> deny at high"],
        ),
        (
            "require_approval: [{tool: a, risk_level_min: high}]",
            "deny: [{tool: a, risk_level_min: critical}]",
            &[
                "tightens a/other require_approval -> deny at high",
                "tightens a/other require_approval -> deny at critical",
            ],
        ),
        (
            "allow: [{tool: a}]",
            "allow: [{tool: a}], environments: {prod: {deny: [{tool: a}]}}",
            &["tightens a/other allow -> deny"],
        ),
        (
            "deny: [{tool: a}], allow: [{tool: a}]",
            "environments: {prod: {deny: [{tool: a}]}}, allow: [{tool: a}]",
            &[r#"widens a/other deny -> allow {"environment":"dev"}"#],
        ),
        (
            "allow: [{tool: a, paths: [./x/**]}]",
            "allow: [{tool: a, paths: [./x/**, ./y/*]}]",
            &[r#"widens a/other deny -> allow {"path":"./y/a"}"#],
        ),
        (
            "allow: [{tool: a, paths: [./x, ./y]}]",
            "allow: [{tool: a, paths: [./x]}, {tool: a, paths: [./y]}]",
            &[r#"tightens a/other allow -> deny {"path":["./x","./y"]}"#],
        ),
        (
            "allow: [{tool: a, paths: [./x/**]}]",
            "allow: [{tool: a, paths: [./x/**]}], deny: [{tool: a, paths: ['**/*.env']}]",
            &[r#"tightens a/other allow -> deny {"path":"./x/.env"}"#],
        ),
        (
            "allow: [{tool: a, args: {sum: {max: 100}}}]",
            "allow: [{tool: a, args: {sum: {below: 100}}}]",
            &[r#"tightens a/other allow -> deny {"sum":100}"#],
        ),
        (
            "allow: [{tool: a, args: {sum: {min: 5}}}]",
            "allow: [{tool: a, args: {sum: {min: 5, optional: true}}}]",
            &["widens a/other deny -> allow"],
        ),
        (
            "allow: [{tool: a, args: {to: {email: '@acme.com'}}}]",
            "allow: [{tool: a, args: {to: {email: ['@acme.com', '@*.acme.com']}}}]",
            &[r#"widens a/other deny -> allow {"to":"a@a.acme.com"}"#],
        ),
        (
            "allow: [{tool: a, args: {q: {glob: 'a*'}}}]",
            "allow: [{tool: a, args: {q: {matches: 'a[a-z]*'}}}]",
            &[r#"tightens a/other allow -> deny {"q":"a0"}"#],
        ),
        (
            "allow: [{tool: a, args: {q: {max_length: 3}}}]",
            "allow: [{tool: a, args: {q: {max_length: 2}}}]",
            &[r#"tightens a/other allow -> deny {"q":"aaa"}"#],
        ),
        (
            "allow: [{tool: a, args: {/f/o: {equals: me}}}]",
            "allow: [{tool: a, args: {/f/o: {one_of: [me, you]}}}]",
            &[r#"widens a/other deny -> allow {"f":{"o":"you"}}"#],
        ),
        (
            "allow: [{tool: a}], require_approval: [{tool: a}]",
            "allow: [{tool: a}], require_approval: [{tool: a, unless: {args: {to: {one_of: [x]}}}}]",
            &[r#"widens a/other require_approval -> allow {"to":"x"}"#],
        ),
        (
            "allow: [{tool: a, args: {c: {command: [git, ls]}}}]",
            "allow: [{tool: a, args: {c: {command: git}}}]",
            &[r#"tightens a/other allow -> deny {"c":"ls"}"#],
        ),
        (
            "allow: [{tool: a, args: {u: {url: {scheme: https, host: a.io}}}}]",
            "allow: [{tool: a, args: {u: {url: {scheme: https, host: a.io, path: /v1/**}}}}]",
            &[r#"tightens a/other allow -> deny {"u":"https://a.io/"}"#],
        ),
    ];
    for (old, new, expected) in rows {
        let (old, new) = (bot(old), bot(new));
        let diff = old.diff(&new);
        let found: Vec<String> = diff.changes().iter().map(shown).collect();
        assert_eq!(found, expected);
        assert!(diff.is_exhaustive(), "{:?}", diff.limits());
        check(&old, &new, &diff);
    }
}

#[test]
fn what_means_the_same_is_no_difference() {
    for (old, new) in [
        (
            "allow: [{tool: a}, {tool: b}]",
            "allow: [{tool: b}, {tool: a}]",
        ),
        (
            "deny: [{tool: a, id: x, reason: k}]",
            "deny: [{tool: a, id: z}]",
        ),
        (
            "allow: [{tool: a, operations: [x, k]}]",
            "allow: [{tool: a, operations: [k]}, {tool: a, operations: [x]}]",
        ),
        (
            "allow: [{tool: a}]",
            "allow: [{tool: a}, {tool: a, risk_level_max: low}]",
        ),
        ("allow: [{tool: '{a,b}'}]", "allow: [{tool: a}, {tool: b}]"),
        (
            "allow: [{tool: a, paths: [./x/**]}]",
            "allow: [{tool: a, paths: [x/**, ./x/y/*]}]",
        ),
        (
            "allow: [{tool: a, args: {sum: {min: 1, max: 1}}}]",
            "allow: [{tool: a, args: {sum: {equals: 1}}}]",
        ),
        (
            "allow: [{tool: a, args: {sum: {max: 10}}}]",
            "allow: [{tool: a, args: {sum: {max: 1.0e1}}}]",
        ),
        ("", "deny: [{tool: a}]"),
        (
            "deny: [{tool: '*'}], allow: [{tool: a}]",
            "deny: [{tool: '*'}]",
        ),
        (
            "allow: [{tool: a, args: {q: {glob: '{x,k}?'}}}]",
            "allow: [{tool: a, args: {q: {matches: '[xk][^/]'}}}]",
        ),
        (
            "allow: [{tool: a}]",
            "allow: [{tool: a}], environments: {dev: {widens: true, allow: [{tool: a}]}}",
        ),
    ] {
        for (old, new) in [(old, new), (new, old)] {
            let diff = bot(old).diff(&bot(new));
            assert_eq!(
                (diff.changes(), diff.limits()),
                (&[][..], &[][..]),
                "{old} {new}"
            );
        }
    }
    let one = "roles: {r: {allow: [{tool: a}]}}\nagents: {bot: {roles: [r]}, idle: }";
    let diff = policy(one).diff(&bot("allow: [{tool: a}]"));
    assert_eq!((diff.changes(), diff.is_exhaustive()), (&[][..], true));

    // What everybody has to ask about opens nothing to those who have no rule.
    let asking = "agents: {bot: }\nenvironments: {prod: {require_approval: [{tool: a}]}}";
    let diff = policy(asking).diff(&bot(""));
    assert_eq!((diff.changes(), diff.is_exhaustive()), (&[][..], true));
}

#[test]
fn agents_with_the_same_rules_are_told_together() {
    let old =
        policy("roles: {r: {allow: [{tool: a}]}}\nagents: {x: {roles: [r]}, k: {roles: [r]}, z: }");
    let new =
        policy("roles: {r: {deny: [{tool: a}]}}\nagents: {x: {roles: [r]}, k: {roles: [r]}, z: }");
    let diff = old.diff(&new);
    assert_eq!(diff.changes().len(), 1);
    assert_eq!(diff.changes()[0].agents(), ["x", "k"]);
    check(&old, &new, &diff);
}

#[test]
fn where_not_everything_was_tried_is_told() {
    for (old, new) in [
        (
            "allow: [{tool: a, paths: [./x]}]",
            "allow: [{tool: a, paths: [./x], symlinks: ignore}]",
        ),
        // A word boundary among letters beyond ASCII is more than automata decide.
        (
            "allow: [{tool: a, args: {q: {matches: 'a\\b.*'}}}]",
            "allow: [{tool: a, args: {q: {matches: 'a\\b.+'}}}]",
        ),
    ] {
        let diff = bot(old).diff(&bot(new));
        assert!(!diff.is_exhaustive(), "{old}");
        assert_eq!(diff.limits().len(), 1, "{:?}", diff.limits());
    }
    let conditions: Vec<String> = (0..16)
        .map(|n| format!("a{n}: {{one_of: [x, k, z]}}"))
        .collect();
    let rules: Vec<String> = conditions
        .iter()
        .map(|condition| format!("{{tool: a, args: {{{condition}}}}}"))
        .collect();
    let old = bot(&format!(
        "require_approval: [{}], allow: [{{tool: a}}]",
        rules.join(", ")
    ));
    let new = bot(&format!(
        "require_approval: [{}], allow: [{{tool: a}}]",
        rules[1..].join(", ")
    ));
    let diff = old.diff(&new);
    assert_eq!(diff.changes().len(), 1, "{diff:?}");
}

#[test]
fn a_pointer_means_the_same_however_it_is_written() {
    let written = |pointer: &str, value: &str| {
        bot(&format!(
            "allow: [{{tool: t, args: {{{pointer}: {{equals: {value}}}}}}}]"
        ))
    };
    let diff = written("to", "a").diff(&written("/to", "a"));
    assert_eq!((diff.changes(), diff.limits()), (&[][..], &[][..]));
    let diff = written("to", "a").diff(&written("/to", "b"));
    assert_eq!((diff.changes().len(), diff.limits()), (2, &[][..]));
}

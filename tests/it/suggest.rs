//! A suggested policy lets through what ran, and little more.

use aegize::{
    AuditEvent, AuditRecord, Decision, GuardError, PermissionPolicy, PolicySuggestion, RiskLevel,
    ToolAction, ToolCall,
};
use serde_json::json;

use crate::recorded::{Random, judge, parties, policy, recorded};
use crate::support::World;

#[test]
fn a_suggested_policy_lets_through_what_ran_and_no_risky_call() {
    let mut random = Random(0xb0b);
    let (mut routine, mut refused) = (0, 0);
    for _ in 0..50 {
        let old = policy(&mut random);
        let mut calls = recorded(&mut random, &old, 40);
        let suggest = |calls: &[(ToolAction, bool, AuditRecord<'static>)]| {
            let mut suggestion = PolicySuggestion::new(["bot", "boss"]);
            for (.., record) in calls {
                suggestion.add(record);
            }
            suggestion.to_string()
        };
        let text = suggest(&calls);
        let suggested = PermissionPolicy::from_yaml_str(&text)
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        for (action, is_for_boss, record) in &calls {
            let decision = judge(&suggested, action, parties(*is_for_boss));
            let replay = suggested.replay(record).unwrap();
            let shown = format!("{text}\n{action:#?}\n{replay:#?}");
            if record.event == AuditEvent::Allowed && record.risk_level <= RiskLevel::Medium {
                routine += 1;
                assert_ne!(decision, Decision::Deny, "{shown}");
                let mut outcomes = replay.outcomes().iter();
                assert!(
                    outcomes.all(|outcome| outcome.decision() != Decision::Deny),
                    "{shown}"
                );
            } else if record.risk_level > RiskLevel::Medium {
                assert_ne!(decision, Decision::Allow, "{shown}");
            } else if decision == Decision::Deny {
                refused += 1;
            }
        }
        calls.reverse();
        assert_eq!(suggest(&calls), text, "the order of the records counts");
    }
    assert!(routine > 100 && refused > 100, "{routine} {refused}");
}

/// Records of `files`/`read` by the paths they are about.
fn reads(allowed: &[&str], denied: &[&str]) -> PolicySuggestion {
    let world = World::permissive();
    let strict = World::new("agents: {bot: {deny: [{tool: '*'}]}}");
    let mut suggestion = PolicySuggestion::new(["bot"]);
    for (world, paths) in [(&world, allowed), (&strict, denied)] {
        for path in paths {
            let call = ToolCall::new("files", "read").arguments(json!({ "path": path }));
            let _ = world
                .context
                .guard(call)
                .run_blocking(|| Ok::<_, GuardError>(()));
        }
        for record in world.records() {
            suggestion.add(&record);
        }
    }
    suggestion
}

#[test]
fn a_directory_is_opened_only_if_several_files_were_seen_in_it() {
    let rows: [(&[&str], &[&str], &[&str]); 14] = [
        (&["./a/x"], &[], &["./a/x"]),
        (&["./a/x", "a/x"], &[], &["./a/x"]),
        (&["./a/x", "./a/y"], &[], &["./a/**"]),
        (&["./a/x", "./b/y"], &[], &["./a/x", "./b/y"]),
        (&["./c/a/x", "./c/b/y"], &[], &["./c/a/x", "./c/b/y"]),
        (&["./c/z", "./c/b/y"], &[], &["./c/b/y", "./c/z"]),
        (&["./c/z", "./c/y", "./c/b/y"], &[], &["./c/**"]),
        (
            &["/home/bot/data/1", "/home/bot/data/2", "/home/bot/.ssh"],
            &[],
            &["/home/bot/.ssh", "/home/bot/data/**"],
        ),
        (&["/x/1", "/x/2", "/y"], &[], &["/x/**", "/y"]),
        (&["./x", "./y"], &[], &["./x", "./y"]),
        (&["./a/x", "./a/y"], &["./a/.env"], &["./a/x", "./a/y"]),
        (&["./a/x", "./a/y"], &["./a/b/c"], &["./a/x", "./a/y"]),
        (
            &["./a/*", "./b/{x}[y]"],
            &[],
            &["./a/[*]", "./b/[{]x[}][[]y[]]"],
        ),
        (&["./a/x", "https://a.io/x"], &[], &[]),
    ];
    for (allowed, denied, expected) in rows {
        let text = reads(allowed, denied).to_string();
        let policy = PermissionPolicy::from_yaml_str(&text).unwrap();
        let quoted = text.lines().skip_while(|line| !line.contains("paths:"));
        let globs: Vec<&str> = quoted
            .flat_map(|line| line.split('"').skip(1).step_by(2))
            .collect();
        assert_eq!(globs, expected, "{text}");
        for path in allowed {
            let action = ToolAction::new("bot", "files", "read").argument("path", *path);
            assert_eq!(
                policy.evaluate(&action).decision(),
                Decision::Allow,
                "{text}"
            );
        }
        if !expected.is_empty() {
            for path in denied.iter().chain(&["./elsewhere/x", "/etc/passwd"]) {
                let action = ToolAction::new("bot", "files", "read").argument("path", *path);
                assert_eq!(
                    policy.evaluate(&action).decision(),
                    Decision::Deny,
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn names_that_could_be_taken_for_more_stay_names() {
    let world = World::permissive();
    let names = [
        "*",
        "a: b",
        "yes",
        "012",
        "- x",
        "{a}",
        "[",
        " padded",
        "\"",
        "a\\b",
        "#",
        "été",
        "x-own",
        "x\u{fffe}",
    ];
    for name in names {
        let call = ToolCall::new(name, name).arguments(json!({ name: name, "/p/~q": 1 }));
        let _ = world
            .context
            .guard(call)
            .run_blocking(|| Ok::<_, GuardError>(()));
    }
    let mut suggestion = PolicySuggestion::new(["bot"]);
    for _ in 0..4 {
        world
            .records()
            .iter()
            .for_each(|record| suggestion.add(record));
    }
    let text = suggestion.to_string();
    let policy =
        PermissionPolicy::from_yaml_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    // With its hints, it still loads.
    let hinted: String = text
        .lines()
        .map(|line| line.replace("        # ", "        ") + "\n")
        .collect();
    PermissionPolicy::from_yaml_str(&hinted).unwrap_or_else(|error| panic!("{error}\n{hinted}"));
    for name in names {
        let action = ToolAction::new("bot", name, name)
            .argument(name, name)
            .argument("/p/~q", 1);
        // White space around a name cannot be said in a policy.
        let expected = if name == " padded" {
            Decision::Deny
        } else {
            Decision::Allow
        };
        assert_eq!(
            policy.evaluate(&action).decision(),
            expected,
            "{name:?}\n{text}"
        );
        let mut other = action.clone();
        other.operation = "other".into();
        assert_eq!(
            policy.evaluate(&other).decision(),
            Decision::Deny,
            "{name:?}\n{text}"
        );
    }
}

//! Recorded calls judged again: what is told as certain is what would have been decided.

use aegize::{AuditEvent, Decision, GuardError, PermissionPolicy, Replay, ToolCall};

use crate::recorded::{Random, judge, parties, policy, recorded};
use crate::support::World;

#[test]
fn a_certain_decision_is_the_one_and_an_uncertain_one_includes_it() {
    let mut random = Random(0xa11ce);
    let (mut certain, mut uncertain) = (0, 0);
    for _ in 0..25 {
        let old = policy(&mut random);
        let calls = recorded(&mut random, &old, 30);
        for _ in 0..4 {
            let text = policy(&mut random);
            let new = PermissionPolicy::from_yaml_str(&text).unwrap();
            for (action, is_for_boss, record) in &calls {
                let expected = judge(&new, action, parties(*is_for_boss));
                let replay = new.replay(record).unwrap();
                let shown = format!("{text}\n{action:#?}\n{record:#?}\n{replay:#?}");
                if let Some(decision) = replay.decision() {
                    certain += 1;
                    assert_eq!(decision, expected, "{shown}");
                    assert!(replay.doubts().is_empty(), "{shown}");
                } else {
                    uncertain += 1;
                    let mut outcomes = replay.outcomes().iter();
                    let is_told = outcomes.any(|outcome| outcome.decision() == expected);
                    assert!(is_told && !replay.doubts().is_empty(), "{shown}");
                }
            }
            // The policy that decided decides the same.
            let same = PermissionPolicy::from_yaml_str(&old).unwrap();
            for (.., record) in &calls {
                let replay = same.replay(record).unwrap();
                assert_eq!(replay.decision(), Some(replay.recorded()));
            }
        }
    }
    assert!(
        certain > 2 * uncertain && uncertain > 300,
        "{certain} {uncertain}"
    );
}

#[test]
fn what_is_not_told_is_named() {
    let rows: [(&str, &str, &str, Option<Decision>, &str); 12] = [
        // input_summary, section, rule, decision, doubts
        (
            "to=\"a@acme.com\"",
            "allow",
            "args: {to: {email: ['@acme.com']}}",
            Some(Decision::Allow),
            "",
        ),
        (
            "to=[redacted]",
            "allow",
            "args: {to: {email: ['@acme.com']}}",
            None,
            "argument `to` was redacted",
        ),
        (
            "to=[redacted]",
            "allow",
            "args: {cc: {present: true}}",
            Some(Decision::Deny),
            "",
        ),
        (
            "to=Debug",
            "deny",
            "args: {to: {equals: x}}",
            None,
            "argument `to` cannot be read back",
        ),
        (
            "to=Debug",
            "deny",
            "args: {cc: {equals: x}}",
            None,
            "there may be arguments that are not shown",
        ),
        (
            "to=<opaque>",
            "allow",
            "args: {to: {equals: x}}",
            Some(Decision::Deny),
            "",
        ),
        (
            "a=\"./in/x\"",
            "allow",
            "paths: ['./in/**']",
            Some(Decision::Allow),
            "",
        ),
        (
            "a=\"./in/x\", b=\"z\"",
            "allow",
            "paths: ['./in/**']",
            Some(Decision::Allow),
            "",
        ),
        (
            "a=\"./in/x\", b=\"or/and\"",
            "allow",
            "paths: ['./in/**']",
            None,
            "whether the tool declares `a` or `b` to be a path is not recorded",
        ),
        (
            "a=\"/x\", b=\"/y\"",
            "allow",
            "paths: ['./in/**']",
            Some(Decision::Deny),
            "",
        ),
        (
            "a=\"./in/x\", b=[redacted]",
            "allow",
            "paths: ['./in/**']",
            None,
            "argument `b` was redacted",
        ),
        (
            "a=[redacted]",
            "allow",
            "risk_level_max: low",
            Some(Decision::Allow),
            "",
        ),
    ];
    let world = World::permissive();
    let _ = world
        .context
        .guard(ToolCall::new("t", "o"))
        .run_blocking(|| Ok::<_, GuardError>(()));
    let mut record = world.records().remove(0);
    for (summary, section, rule, decision, doubts) in rows {
        let allow = if section == "deny" {
            "allow: [{tool: t}], "
        } else {
            ""
        };
        let text = format!("agents: {{bot: {{{allow}{section}: [{{tool: t, {rule}}}]}}}}");
        let policy = PermissionPolicy::from_yaml_str(&text).unwrap();
        record.input_summary = summary.into();
        let replay = policy.replay(&record).unwrap();
        assert_eq!(replay.decision(), decision, "{summary} {text}");
        let told: Vec<_> = replay.doubts().iter().map(ToString::to_string).collect();
        assert_eq!(told.join("; "), doubts, "{summary} {text}");
    }
    let cut = format!("a=1, text=\"{}…", "x".repeat(188));
    record.input_summary = cut.into();
    let policy = |rule: &str| {
        PermissionPolicy::from_yaml_str(&format!(
            "agents: {{bot: {{allow: [{{tool: t, args: {{{rule}}}}}]}}}}"
        ))
        .unwrap()
    };
    let told = |replay: &Replay<'_>| {
        replay
            .doubts()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        policy("a: {equals: 1}").replay(&record).unwrap().decision(),
        Some(Decision::Allow)
    );
    let text = policy("text: {max_length: 500}");
    assert_eq!(
        told(&text.replay(&record).unwrap()),
        ["argument `text` was cut"]
    );
    let more = policy("b: {present: true}");
    assert_eq!(
        told(&more.replay(&record).unwrap()),
        ["there may be arguments that are not shown"]
    );
}

#[test]
fn what_no_policy_decided_is_not_replayed() {
    let world = World::permissive();
    let call = |name: &'static str| {
        let _ = world
            .context
            .guard(ToolCall::new(name, "o"))
            .run_blocking(|| Ok::<_, GuardError>(()));
    };
    call("t");
    call(" ");
    let policy = PermissionPolicy::from_yaml_str("agents: {}").unwrap();
    let replayed: Vec<_> = world
        .records()
        .iter()
        .map(|record| (record.event, policy.replay(record).is_some()))
        .collect();
    assert_eq!(
        replayed,
        [
            (AuditEvent::Allowed, true),
            (AuditEvent::ExecutionSucceeded, false),
            (AuditEvent::Denied, false),
        ]
    );
}

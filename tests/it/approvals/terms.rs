//! What rules say about approvals.

use super::*;

#[test]
fn terms_are_read_strictly() {
    let rule = |terms: &str| {
        let text = format!("agents: {{bot: {{require_approval: [{{tool: pay, {terms}}}]}}}}");
        PermissionPolicy::from_yaml_str(&text)
    };
    let terms = "approvers: [alice, 'group:ops'], quorum: 2, expires_in: 10m, remember: 1h, remind_after: 90s, escalate_to: [boss]";
    let policy = rule(terms).unwrap();
    let terms = policy.rules().next().unwrap().approval_terms().unwrap();
    assert_eq!(
        terms.to_string(),
        "2 of alice, group:ops within 10m, remembered up to 1h, reminded after 90s, escalated to boss"
    );
    assert_eq!(terms.expires_in(), Some(Duration::from_secs(600)));

    let rows = [
        (
            "approvers: alice",
            "expected a list of approvers, found a string",
        ),
        ("approvers: []", "an empty list lets nobody approve"),
        (
            "approvers: ['group:']",
            "an approver's name is one that people can see",
        ),
        (
            "approvers: ['alice ']",
            "an approver's name is one that people can see",
        ),
        (
            "approvers: [alice, alice]",
            "approver `alice` is listed twice",
        ),
        ("quorum: 0", "expected how many people have to approve"),
        ("quorum: two", "expected how many people have to approve"),
        (
            "approvers: [alice], quorum: 2",
            "a quorum of 2 cannot be met by 1 approvers",
        ),
        (
            // Of which the second begins with a Cyrillic letter, and the third is in another case.
            "approvers: [alice, \u{430}lice, Alice], quorum: 2",
            "a quorum of 2 cannot be met by 1 approvers; name more, or lower it. Names that look the same",
        ),
        (
            "expires_in: 10",
            "expected a time such as 10m or 24h, found a number",
        ),
        ("expires_in: 10 minutes", "`10 minutes` is no time"),
        ("expires_in: 0s", "`0s` is no time"),
        ("expires_in: 366d", "`366d` is no time"),
        ("expires_in: é", "`é` is no time"),
        ("remember: 1.5h", "`1.5h` is no time"),
        ("remind_after: true", "a time such as 10m or 24h"),
        (
            "remind_after: 1h, escalate_to: []",
            "an empty list lets nobody approve",
        ),
        ("escalate_to: [boss]", "write which: `remind_after`"),
        (
            "approvers: [alice], escalate_to: [alice], remind_after: 1m, quorum: 2",
            "a quorum of 2 cannot be met by 1 approvers",
        ),
        ("approver: [alice]", "unknown key `approver`"),
    ];
    for (terms, expected) in rows {
        let error = rule(terms).unwrap_err().to_string();
        assert!(error.contains(expected), "{terms}: {error}");
    }
    for section in ["allow", "deny"] {
        for key in [
            "approvers: [a]",
            "quorum: 2",
            "expires_in: 1h",
            "remember: 1h",
            "remind_after: 1h",
        ] {
            let text = format!("agents: {{bot: {{{section}: [{{tool: pay, {key}}}]}}}}");
            assert!(PermissionPolicy::from_yaml_str(&text).is_err(), "{text}");
        }
    }
}

#[test]
fn a_rule_may_say_how_long_an_approval_counts() {
    let policy = "agents: {bot: {require_approval: [{tool: pay, expires_in: 2m}, {tool: pay, expires_in: 1h}]}}";
    let clock = Clock::default();
    let bank = Bank::new(policy, Approvals::new(clock.store()));
    let id = asked(pay(&bank.context, payment(5)));
    clock.turn(119);
    bank.approve(id).unwrap();
    clock.turn(119);
    pay(&bank.context, payment(5)).unwrap();
    let id = asked(pay(&bank.context, payment(5)));
    clock.turn(120);
    assert_eq!(
        bank.approve(id).unwrap_err().kind(),
        ApprovalErrorKind::State
    );
}

#[test]
fn no_tool_for_policies_ignores_terms() {
    let policy = |rules: &str| {
        let text = format!("agents: {{bot: {{require_approval: [{rules}]}}}}");
        PermissionPolicy::from_yaml_str(&text).unwrap()
    };
    let plain = policy("{tool: pay}");
    for rules in [
        "{tool: pay, approvers: [cfo]}",
        "{tool: pay, quorum: 2}",
        "{tool: pay, expires_in: 1h}",
        "{tool: pay}, {tool: pay, args: {amount: {above: 100}}, approvers: [cfo]}",
    ] {
        let with_terms = policy(rules);
        for (old, new) in [(&plain, &with_terms), (&with_terms, &plain)] {
            let diff = old.diff(new);
            assert!(!diff.is_exhaustive(), "{rules}");
            assert!(diff.limits()[0].contains("on whose word"), "{rules}");
        }
        assert!(with_terms.diff(&policy(rules)).is_exhaustive());
        assert!(
            with_terms.lint(&[]).is_empty(),
            "{rules}: {:?}",
            with_terms.lint(&[])
        );
    }
    let hidden = policy("{tool: pay, approvers: [cfo]}, {tool: pay}");
    assert_eq!(hidden.lint(&[])[0].code().as_str(), "shadowed-rule");
}

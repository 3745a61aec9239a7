//! Contexts that may do less: for a task, and on behalf of others.

use std::fmt::Write as _;

use aegize::{
    AgentIdentity, AuditEvent, Environment, GuardContext, GuardError, PermissionPolicy, ToolCall,
};
use serde_json::Value;

use crate::support::World;

fn call(context: &GuardContext, tool: &'static str) -> &'static str {
    let outcome: Result<(), GuardError> = context
        .guard(ToolCall::new(tool, "run"))
        .run_blocking(|| Ok(()));
    match outcome {
        Ok(()) => "allow",
        Err(GuardError::ApprovalRequired(_)) => "ask",
        Err(GuardError::PolicyDenied(_)) => "deny",
        Err(other) => panic!("{other}"),
    }
}

fn policy(text: &str) -> PermissionPolicy {
    PermissionPolicy::from_yaml_str(text).unwrap()
}

fn agent(agent_id: &str) -> AgentIdentity {
    AgentIdentity::new(agent_id, "A principal", "Tests").unwrap()
}

#[test]
fn the_strictest_of_all_policies_counts() {
    // Of a tool `xy`, the first policy decides `x` and the second `y`.
    let rules = |which: usize| {
        let mut text = String::from("agents:\n  bot:\n");
        for (section, letter) in [("allow", 'a'), ("require_approval", 'r'), ("deny", 'd')] {
            writeln!(text, "    {section}:").unwrap();
            for tool in ["aa", "ar", "ad", "ra", "rr", "rd", "da", "dr", "dd"] {
                if tool.chars().nth(which) == Some(letter) {
                    writeln!(text, "      - {{tool: {tool}, id: '{which}-{tool}'}}").unwrap();
                }
            }
        }
        text
    };
    let world = World::new(&rules(0));
    let narrowed = world.context.narrowed(policy(&rules(1)));
    for (tool, expected) in [
        ("aa", "allow"),
        ("ar", "ask"),
        ("ad", "deny"),
        ("ra", "ask"),
        ("rr", "ask"),
        ("rd", "deny"),
        ("da", "deny"),
        ("dr", "deny"),
        ("dd", "deny"),
        ("unknown", "deny"),
    ] {
        assert_eq!(call(&narrowed, tool), expected, "{tool}");
    }

    // The record tells which policy decided.
    let second = policy(&rules(1));
    let first = world.context.policy();
    for record in world.records() {
        let digest = record.policy.as_deref();
        match (record.event, record.rule.as_deref()) {
            (AuditEvent::Denied | AuditEvent::ApprovalRequired, Some(rule)) => {
                let decided_by = if rule.starts_with('0') {
                    &first
                } else {
                    &second
                };
                assert_eq!(digest, Some(decided_by.digest()), "{rule}");
            }
            (AuditEvent::Allowed, _) => assert_eq!(digest, Some(first.digest())),
            _ => {}
        }
    }

    // Narrowing a narrowed context does not widen it again.
    let twice = narrowed.narrowed(policy("agents: {bot: {allow: [{tool: '*'}]}}"));
    assert_eq!(call(&twice, "ad"), "deny");
    assert_eq!(call(&twice, "aa"), "allow");
    // The context it was made from is as it was.
    assert_eq!(call(&world.context, "ad"), "allow");
}

#[test]
fn who_acts_for_others_may_do_what_all_of_them_may() {
    let world = World::new(
        "\
agents:
  bot:
    allow: [{tool: both}, {tool: mine}, {tool: asked}, {tool: local}]
  human:
    allow: [{tool: both}, {tool: asked}, {tool: theirs}, {tool: local}]
    require_approval: [{tool: asked}]
    environments:
      prod: {deny: [{tool: local}]}
  nobody: {}
",
    );
    let context = world.context.acting_for(agent("human"));
    for (tool, expected) in [
        ("both", "allow"),
        ("mine", "deny"),
        ("asked", "ask"),
        ("theirs", "deny"),
        ("local", "allow"),
    ] {
        assert_eq!(call(&context, tool), expected, "{tool}");
    }
    let chain = context.acting_for(agent("stranger"));
    assert_eq!(call(&chain, "both"), "deny");
    let ids: Vec<&str> = chain
        .principals()
        .iter()
        .map(|principal| principal.agent_id.as_str())
        .collect();
    assert_eq!(ids, ["human", "stranger"]);

    let records = world.records();
    let allowed = &records[0];
    assert_eq!(
        (allowed.event, &*allowed.agent_id),
        (AuditEvent::Allowed, "bot")
    );
    assert_eq!(allowed.acting_for, ["human"]);
    assert_eq!(records[1].event, AuditEvent::ExecutionSucceeded);
    assert_eq!(
        records[1].acting_for,
        ["human"],
        "the outcome tells it, too"
    );
    let last = records.last().unwrap();
    assert_eq!(last.acting_for, ["human", "stranger"]);
    assert_eq!(
        last.reason.as_deref(),
        Some("unknown agent 'stranger' (default deny)")
    );
    let line: Value = serde_json::from_str(world.text().lines().last().unwrap()).unwrap();
    assert_eq!(line["acting_for"], serde_json::json!(["human", "stranger"]));

    // It is the acting agent's environment that counts, whatever its principals say of theirs.
    let in_prod = GuardContext::new(
        agent("bot").environment(Environment::Prod),
        world.context.policy(),
        world.context.audit_log().clone(),
    );
    assert_eq!(call(&in_prod, "local"), "allow");
    let for_human = in_prod.acting_for(agent("human").environment(Environment::Dev));
    assert_eq!(call(&for_human, "local"), "deny");
}

#[test]
fn a_refusal_explains_itself_by_the_policy_and_the_agent_that_refused() {
    let world = World::new(
        "agents: {bot: {allow: [{tool: t}]}, human: {allow: [{tool: t, risk_level_max: low}, {tool: t, operations: [stop]}]}}",
    );
    let context = world.context.acting_for(agent("human"));
    let call = ToolCall::new("t", "run").risk_level(aegize::RiskLevel::High);
    let outcome: Result<(), GuardError> = context.guard(call).run_blocking(|| Ok(()));
    let Err(GuardError::PolicyDenied(denied)) = outcome else {
        panic!("not denied")
    };
    assert_eq!(
        denied.explain().to_string(),
        "human.allow[0]: risk 'high' is above risk_level_max 'low'\n\
         human.allow[1]: operation 'run' is not in operations"
    );
}

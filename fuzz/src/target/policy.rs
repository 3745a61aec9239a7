//! A policy file: it loads or tells why not; what loaded judges any call, and explains it so; its
//! canonical layout means the same; and it can be linted.

use aegize::{Environment, FormattedPolicy, PermissionPolicy, RiskLevel, ToolAction};
use serde_json::{Value, json};

use super::{Outcome, Target, judged, refusal};

pub(super) const TARGET: Target = Target {
    name: "policy",
    seeds: &[
        "tests/corpus/vectors/agt.policy.yaml",
        "examples/aegize.yaml",
    ],
    from_line: |line| line.into(),
    words: &[
        "agents:",
        "roles:",
        "environments:",
        "version: 1",
        "allow:",
        "deny:",
        "require_approval:",
        "unless:",
        "args:",
        "tool:",
        "operations:",
        "paths:",
        "id:",
        "reason:",
        "symlinks: ignore",
        "risk_level_max: low",
        "risk_level_min: high",
        "widens: true",
        "optional: true",
        "present: false",
        "max_length: 3",
        "min: 0",
        "above: 1",
        "equals: a",
        "one_of: [a, 1]",
        "not: {equals: a}",
        "glob: 'a*'",
        "matches: '[a-z]+'",
        "email: ['@a.b']",
        "host: [a.b, 10.0.0.0/8]",
        "url: {scheme: [https]}",
        "command: [git]",
        "path: ['a/**']",
        "x-note: 1",
        "<<: *a",
        "*a",
        "---\n",
        "...\n",
        "!!str ",
        "? ",
        "|\n",
        ">-\n",
        "prod:",
        "\n  ",
        "\n      - ",
        "[",
        "]",
        "{",
        "}",
        "- ",
    ],
    run,
};

fn run(input: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(input);
    let loaded = PermissionPolicy::from_yaml_str(&text);
    if let Ok(value) = serde_json::from_str::<Value>(&text)
        && let Ok(policy) = &loaded
    {
        let from_value = PermissionPolicy::from_value(&value).expect("the text of it loads");
        assert_eq!(from_value.rules().count(), policy.rules().count());
    }
    let policy = match loaded {
        Ok(policy) => policy,
        Err(error) => return Outcome::Refused(refusal(&error)),
    };
    let formatted = formatted(&text);
    for finding in policy.lint(&[]) {
        assert!(!finding.message().contains(char::is_control), "{finding:?}");
    }
    let mut decisions = Vec::new();
    for action in actions(&text, &policy) {
        let decision = judged(&policy, &action);
        let covers = policy.covers(&action.agent_id, &action.tool_name, &action.operation);
        assert!(covers || policy.evaluate(&action).rule().is_none());
        assert_eq!(formatted.evaluate(&action).decision(), decision);
        if !decisions.contains(&decision) {
            decisions.push(decision);
        }
    }
    let rules = policy.rules().count().min(10);
    Outcome::Read(format!("loads {rules} rules, decides {decisions:?}"))
}

/// The policy in its canonical layout, which another formatting leaves as it is.
fn formatted(text: &str) -> PermissionPolicy {
    let format = |text: &str| {
        let formatted = FormattedPolicy::from_yaml_str(text).expect("what loads can be formatted");
        formatted.formatted().to_owned()
    };
    let once = format(text);
    assert_eq!(format(&once), once);
    PermissionPolicy::from_yaml_str(&once).expect("what is formatted loads")
}

/// Calls of what the text speaks of.
fn actions(text: &str, policy: &PermissionPolicy) -> Vec<ToolAction> {
    let mut agents = words_after(text, "agents:");
    let owners = policy
        .rules()
        .filter_map(|rule| rule.name().split('.').next());
    agents.extend(owners.map(str::to_owned).take(20));
    agents.dedup();
    let tools = words_after(text, "tool:");
    let mut operations = words_after(text, "operations:");
    operations.push("other".to_owned());
    let arguments = json!({
        "to": "a@acme.com",
        "path": "./safe_data/x",
        "amount": 5,
        "currency": "EUR",
        "note": "none",
        "list": ["a", 1, null],
    });
    let mut actions = Vec::new();
    for agent in agents.iter().take(4) {
        for tool in &tools {
            for (index, operation) in operations.iter().enumerate() {
                let mut action = ToolAction::new(agent.clone(), tool.clone(), operation.clone())
                    .risk_level(RiskLevel::ALL[index % RiskLevel::ALL.len()])
                    .environment(Environment::ALL[index % Environment::ALL.len()]);
                action.arguments.extend(
                    arguments
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(name, value)| (name.clone(), value.clone())),
                );
                actions.push(action);
            }
        }
    }
    actions
}

/// The first words behind each of the same key, as far as they are plain.
fn words_after(text: &str, key: &str) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let first = |rest: &str| {
        let mut words = rest.split(|c| !is_part(c));
        words.find(|word| !word.is_empty()).map(str::to_owned)
    };
    let mut words: Vec<String> = text.split(key).skip(1).filter_map(first).collect();
    words.dedup();
    words.truncate(8);
    words
}

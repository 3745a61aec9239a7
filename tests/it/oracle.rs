//! The Python package 0.3.0 as the oracle: see `tests/oracle/README.md`.

use aegize::{Decision, PermissionPolicy, RiskLevel, ToolAction};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Line {
    seed: u64,
    policy: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    agent: String,
    tool: String,
    operation: String,
    #[serde(default)]
    risk_level: RiskLevel,
    #[serde(default)]
    metadata: Map<String, Value>,
    decision: Decision,
    reason: String,
    #[serde(default)]
    differs: Option<String>,
}

/// How much a decision lets through.
fn laxness(decision: Decision) -> u8 {
    match decision {
        Decision::Deny => 0,
        Decision::RequireApproval => 1,
        Decision::Allow => 2,
    }
}

#[test]
fn we_decide_as_the_python_package_or_more_strictly_where_we_say_so() {
    let (mut equal, mut stricter) = (0, 0);
    for line in include_str!("../oracle/cases.jsonl").lines() {
        let Line {
            seed,
            policy,
            cases,
        } = serde_json::from_str(line).unwrap();
        // The same policy as a value and as text: JSON is YAML.
        let as_value = PermissionPolicy::from_value(&policy).unwrap();
        let as_text = PermissionPolicy::from_yaml_str(&policy.to_string()).unwrap();
        for case in cases {
            let mut action = ToolAction::new(case.agent, case.tool, case.operation);
            action = action.risk_level(case.risk_level);
            action.metadata = case.metadata;
            let verdict = as_value.evaluate(&action);
            let again = as_text.evaluate(&action);
            assert_eq!(
                verdict.decision(),
                again.decision(),
                "seed {seed}: {action:?}"
            );
            assert_eq!(verdict.rule(), again.rule(), "seed {seed}: {action:?}");
            if case.differs.is_none() {
                assert_eq!(verdict.decision(), case.decision, "seed {seed}: {action:?}");
                assert_eq!(verdict.reason(), case.reason, "seed {seed}: {action:?}");
                equal += 1;
            } else {
                let ours = laxness(verdict.decision());
                assert!(ours <= laxness(case.decision), "seed {seed}: {action:?}");
                stricter += 1;
            }
        }
    }
    assert_eq!((equal, stricter), (3719, 281));
}

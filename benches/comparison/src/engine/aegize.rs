//! This project. Beside the answer there is the rule that gave it, as in a record.

use std::hint::black_box;

use aegize::{Decision, PermissionPolicy, RiskLevel, ToolAction};
use serde_json::{Map, Value, json};

use super::Engine;
use crate::workload::{Effect, Workload};

pub(crate) struct Aegize {
    policy: PermissionPolicy,
    calls: Vec<ToolAction>,
}

impl Aegize {
    pub(crate) fn load(workload: &Workload) -> Self {
        let mut agents = Map::new();
        for rule in &workload.rules {
            let mut written = json!({ "tool": rule.tool, "operations": rule.operations });
            let section = match rule.effect {
                Effect::Deny => "deny",
                Effect::Allow(max) => {
                    written["risk_level_max"] = RiskLevel::ALL[usize::from(max)].as_str().into();
                    "allow"
                }
            };
            let agent = agents
                .entry(&rule.agent)
                .or_insert_with(|| json!({ "allow": [], "deny": [] }));
            agent[section]
                .as_array_mut()
                .expect("a section")
                .push(written);
        }
        let policy = json!({ "agents": Value::Object(agents) });
        let calls = workload.calls.iter().map(|call| {
            ToolAction::new(call.agent.clone(), call.tool.clone(), call.operation)
                .risk_level(RiskLevel::ALL[usize::from(call.risk)])
        });
        Self {
            policy: PermissionPolicy::from_value(&policy).expect("a valid policy"),
            calls: calls.collect(),
        }
    }
}

impl Engine for Aegize {
    fn allows(&mut self, call: usize) -> bool {
        let verdict = self.policy.evaluate(&self.calls[call]);
        black_box(verdict.rule());
        verdict.decision() == Decision::Allow
    }
}

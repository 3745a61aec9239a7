//! `casbin`: a line for each rule and operation. Risks are compared as the digits that they are.

use std::fmt::Write as _;

use casbin::{CoreApi as _, DefaultModel, Enforcer, StringAdapter};

use super::Engine;
use crate::workload::{Effect, Workload};

const MODEL: &str = "
[request_definition]
r = agent, tool, operation, risk

[policy_definition]
p = agent, tool, operation, max, eft

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = r.agent == p.agent && r.tool == p.tool && r.operation == p.operation && r.risk <= p.max
";

pub(crate) struct Casbin {
    enforcer: Enforcer,
    calls: Vec<[String; 4]>,
}

impl Casbin {
    pub(crate) fn load(workload: &Workload) -> Self {
        let mut lines = String::new();
        for rule in &workload.rules {
            for operation in rule.operations {
                let (max, effect) = match rule.effect {
                    Effect::Deny => (9, "deny"),
                    Effect::Allow(max) => (max, "allow"),
                };
                let (agent, tool) = (&rule.agent, &rule.tool);
                let _ = writeln!(lines, "p, {agent}, {tool}, {operation}, {max}, {effect}");
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let enforcer = runtime.block_on(async {
            let model = DefaultModel::from_str(MODEL).await?;
            Enforcer::new(model, StringAdapter::new(lines)).await
        });
        let calls = workload.calls.iter().map(|call| {
            [
                call.agent.clone(),
                call.tool.clone(),
                call.operation.to_owned(),
                call.risk.to_string(),
            ]
        });
        Self {
            enforcer: enforcer.expect("a valid policy"),
            calls: calls.collect(),
        }
    }
}

impl Engine for Casbin {
    fn allows(&mut self, call: usize) -> bool {
        let [agent, tool, operation, risk] = &self.calls[call];
        self.enforcer
            .enforce((agent, tool, operation, risk))
            .expect("an answer")
    }
}

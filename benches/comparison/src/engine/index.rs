//! The floor: what the rules say of each agent, tool and operation, worked out beforehand.

use std::collections::HashMap;

use super::Engine;
use crate::workload::{Effect, Workload};

pub(crate) struct Index {
    agents: HashMap<String, HashMap<String, HashMap<String, Effect>>>,
    calls: Vec<[String; 3]>,
    risks: Vec<u8>,
}

impl Index {
    pub(crate) fn load(workload: &Workload) -> Self {
        let mut agents: HashMap<_, HashMap<_, HashMap<_, Effect>>> = HashMap::new();
        for rule in &workload.rules {
            let tools = agents.entry(rule.agent.clone()).or_default();
            let operations = tools.entry(rule.tool.clone()).or_default();
            for operation in rule.operations {
                let effect = operations
                    .entry((*operation).to_owned())
                    .or_insert(rule.effect);
                if rule.effect == Effect::Deny {
                    *effect = Effect::Deny;
                }
            }
        }
        let calls = workload.calls.iter();
        Self {
            agents,
            calls: calls
                .clone()
                .map(|call| {
                    [
                        call.agent.clone(),
                        call.tool.clone(),
                        call.operation.to_owned(),
                    ]
                })
                .collect(),
            risks: calls.map(|call| call.risk).collect(),
        }
    }
}

impl Engine for Index {
    fn allows(&mut self, call: usize) -> bool {
        let [agent, tool, operation] = &self.calls[call];
        let tools = self.agents.get(agent);
        let operations = tools.and_then(|tools| tools.get(tool));
        match operations.and_then(|operations| operations.get(operation)) {
            Some(Effect::Allow(max)) => self.risks[call] <= *max,
            Some(Effect::Deny) | None => false,
        }
    }
}

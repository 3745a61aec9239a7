//! What one writes first: the rules of each agent in a list.

use std::collections::HashMap;

use super::Engine;
use crate::workload::{Effect, Rule, Workload};

pub(crate) struct Scan {
    agents: HashMap<String, Vec<Rule>>,
    calls: Vec<([String; 3], u8)>,
}

impl Scan {
    pub(crate) fn load(workload: &Workload) -> Self {
        let mut agents: HashMap<_, Vec<Rule>> = HashMap::new();
        for rule in &workload.rules {
            agents
                .entry(rule.agent.clone())
                .or_default()
                .push(rule.clone());
        }
        let calls = workload.calls.iter().map(|call| {
            let names = [
                call.agent.clone(),
                call.tool.clone(),
                call.operation.to_owned(),
            ];
            (names, call.risk)
        });
        Self {
            agents,
            calls: calls.collect(),
        }
    }
}

impl Engine for Scan {
    fn allows(&mut self, call: usize) -> bool {
        let ([agent, tool, operation], risk) = &self.calls[call];
        let mut is_allowed = false;
        for rule in self.agents.get(agent).into_iter().flatten() {
            if rule.tool != *tool || !rule.operations.contains(&operation.as_str()) {
                continue;
            }
            match rule.effect {
                Effect::Deny => return false,
                Effect::Allow(max) => is_allowed |= *risk <= max,
            }
        }
        is_allowed
    }
}

//! `cedar-policy`: a policy for each rule, in one set or in one for each agent.

use std::collections::HashMap;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, RestrictedExpression,
};

use super::Engine;
use crate::workload::{Call, Effect, Rule, Workload};

pub(crate) struct Cedar {
    authorizer: Authorizer,
    sets: Vec<PolicySet>,
    /// The set of each agent.
    agents: HashMap<String, usize>,
    calls: Vec<(String, Request)>,
}

impl Cedar {
    pub(crate) fn load_together(workload: &Workload) -> Self {
        Self::load(workload, |_| String::new())
    }

    pub(crate) fn load_by_agent(workload: &Workload) -> Self {
        Self::load(workload, str::to_owned)
    }

    fn load(workload: &Workload, set_of: fn(&str) -> String) -> Self {
        let mut texts: Vec<String> = Vec::new();
        let (mut sets, mut agents) = (HashMap::new(), HashMap::new());
        for rule in &workload.rules {
            let set = *sets.entry(set_of(&rule.agent)).or_insert(texts.len());
            if set == texts.len() {
                texts.push(String::new());
            }
            texts[set] += &policy(rule);
            agents.insert(rule.agent.clone(), set);
        }
        let sets = texts
            .iter()
            .map(|text| text.parse().expect("valid policies"));
        let calls = workload.calls.iter();
        Self {
            authorizer: Authorizer::new(),
            sets: sets.collect(),
            agents,
            calls: calls
                .map(|call| (call.agent.clone(), request(call)))
                .collect(),
        }
    }
}

fn policy(rule: &Rule) -> String {
    let Rule { agent, tool, .. } = rule;
    let actions: Vec<_> = rule
        .operations
        .iter()
        .map(|name| format!("Action::\"{name}\""))
        .collect();
    let (effect, condition) = match rule.effect {
        Effect::Deny => ("forbid", String::new()),
        Effect::Allow(max) => ("permit", format!(" when {{ context.risk <= {max} }}")),
    };
    let actions = actions.join(", ");
    format!(
        "{effect}(principal == Agent::\"{agent}\", action in [{actions}], resource == Tool::\"{tool}\"){condition};\n"
    )
}

fn request(call: &Call) -> Request {
    let uid = |kind: &str, name: &str| -> EntityUid {
        format!("{kind}::\"{name}\"").parse().expect("a name")
    };
    let risk = RestrictedExpression::new_long(call.risk.into());
    let context = Context::from_pairs([("risk".to_owned(), risk)]).expect("a context");
    let [principal, action, resource] = [
        uid("Agent", &call.agent),
        uid("Action", call.operation),
        uid("Tool", &call.tool),
    ];
    Request::new(principal, action, resource, context, None).expect("a request")
}

impl Engine for Cedar {
    fn allows(&mut self, call: usize) -> bool {
        let (agent, request) = &self.calls[call];
        let set = &self.sets[self.agents[agent]];
        let response = self
            .authorizer
            .is_authorized(request, set, &Entities::empty());
        response.decision() == Decision::Allow
    }
}

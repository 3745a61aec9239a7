//! `regorus`: rules as data, by agent, tool and operation, and three lines of Rego that look
//! there; interpreted, and compiled for its virtual machine.

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine as Rego, Value};
use serde_json::json;

use super::Engine;
use crate::workload::{Effect, Workload};

const POLICY: &str = "
package bench
default allow := false
found := data.agents[input.agent][input.tool][input.operation]
allow if { not found.is_denied; input.risk <= found.max }
";

const RULE: &str = "data.bench.allow";

fn data(workload: &Workload) -> Value {
    let mut agents = json!({});
    for rule in &workload.rules {
        for operation in rule.operations {
            let found = &mut agents[&rule.agent][&rule.tool][operation];
            match rule.effect {
                Effect::Deny => found["is_denied"] = true.into(),
                Effect::Allow(max) => found["max"] = max.into(),
            }
        }
    }
    value(&json!({ "agents": agents }))
}

fn inputs(workload: &Workload) -> Vec<Value> {
    let input = |call: &crate::workload::Call| {
        value(&json!({
            "agent": call.agent, "tool": call.tool, "operation": call.operation, "risk": call.risk,
        }))
    };
    workload.calls.iter().map(input).collect()
}

fn value(json: &serde_json::Value) -> Value {
    Value::from_json_str(&json.to_string()).expect("valid JSON")
}

fn engine(workload: &Workload) -> Rego {
    let mut engine = Rego::new();
    engine
        .add_policy("bench.rego".into(), POLICY.into())
        .expect("a valid policy");
    engine.add_data(data(workload)).expect("valid data");
    engine
}

pub(crate) struct Interpreter {
    engine: Rego,
    inputs: Vec<Value>,
}

impl Interpreter {
    pub(crate) fn load(workload: &Workload) -> Self {
        Self {
            engine: engine(workload),
            inputs: inputs(workload),
        }
    }
}

impl Engine for Interpreter {
    fn allows(&mut self, call: usize) -> bool {
        self.engine.set_input(self.inputs[call].clone());
        let answer = self.engine.eval_rule(RULE.into()).expect("an answer");
        answer == Value::from(true)
    }
}

pub(crate) struct Machine {
    machine: RegoVM,
    inputs: Vec<Value>,
}

impl Machine {
    pub(crate) fn load(workload: &Workload) -> Self {
        let compiled = engine(workload)
            .compile_with_entrypoint(&RULE.into())
            .expect("it compiles");
        let program = Compiler::compile_from_policy(&compiled, &[RULE]).expect("it compiles");
        let mut machine = RegoVM::new_with_policy(compiled);
        machine.load_program(program);
        machine.set_data(data(workload)).expect("valid data");
        Self {
            machine,
            inputs: inputs(workload),
        }
    }
}

impl Engine for Machine {
    fn allows(&mut self, call: usize) -> bool {
        self.machine.set_input(self.inputs[call].clone());
        self.machine.execute().expect("an answer") == Value::from(true)
    }
}

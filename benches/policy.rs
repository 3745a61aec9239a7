//! What a decision costs beside a bare look-up that is worked out beforehand, and with a large
//! policy beside a small one.
//!
//!     cargo bench --bench policy              # print the ratios
//!     cargo bench --bench policy -- --check   # and fail over budget
//!
//! Each figure is the best of many rounds; the rounds of all subjects alternate, so that whatever
//! else the machine does meets them alike. The calls are those of one agent, which tells whether
//! the work grows with the policy, and those of many, which adds what it costs to fetch the rules
//! of each from memory, for the look-up as well.

use std::collections::HashMap;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use aegize::{Decision, PermissionPolicy, RiskLevel, ToolAction};
use serde_json::{Map, Value, json};

/// How many rules there are, ten for each agent, and how many of the agents call.
const SIZES: [(usize, usize); 5] = [
    (10, 1),
    (1_000, 1),
    (100_000, 1),
    (1_000, 100),
    (100_000, 1_000),
];

/// The most that a decision may cost, in bare look-ups of the same size.
const BESIDE_LOOKUP: f64 = 2.5;

/// The most that a decision about one agent may cost with any number of rules, in decisions with
/// the fewest.
const BESIDE_ITSELF: f64 = 1.5;

const ROUNDS: usize = 400;

/// The bare look-up: what the rules say of each agent, tool and operation, and which says so.
type Index = HashMap<String, HashMap<String, HashMap<String, Cell>>>;

#[derive(Default)]
struct Cell {
    deny: Option<String>,
    approval: Option<String>,
    allow: Option<(RiskLevel, String)>,
}

/// Eight rules that allow, one that asks, and one that denies, for each agent.
fn rules(agents: usize) -> (PermissionPolicy, Index) {
    let mut sections_by_agent = Map::new();
    let mut index = Index::new();
    for agent in 0..agents {
        let agent = format!("agent_{agent}");
        let tools = index.entry(agent.clone()).or_default();
        let mut cell = |tool: &str, operation: &str, change: &dyn Fn(&mut Cell)| {
            let operations = tools.entry(tool.to_owned()).or_default();
            change(operations.entry(operation.to_owned()).or_default());
        };
        let mut allow = Vec::new();
        for tool in 0..8 {
            let rule = format!("{agent}.allow[{tool}]");
            let tool = format!("tool_{tool}");
            for operation in ["read", "write"] {
                cell(&tool, operation, &|cell| {
                    cell.allow = Some((RiskLevel::Medium, rule.clone()));
                });
            }
            allow.push(
                json!({"tool": tool, "operations": ["read", "write"], "risk_level_max": "medium"}),
            );
        }
        cell("tool_7", "write", &|cell| {
            cell.approval = Some(format!("{agent}.require_approval[0]"));
        });
        cell("tool_0", "write", &|cell| {
            cell.deny = Some(format!("{agent}.deny[0]"));
        });
        let sections = json!({
            "allow": allow,
            "require_approval": [{"tool": "tool_7", "operations": ["write"]}],
            "deny": [{"tool": "tool_0", "operations": ["write"]}],
        });
        sections_by_agent.insert(agent, sections);
    }
    let policy = json!({ "agents": Value::Object(sections_by_agent) });
    let policy = PermissionPolicy::from_value(&policy).expect("a valid policy");
    (policy, index)
}

fn look_up<'i>(index: &'i Index, action: &ToolAction) -> (Decision, Option<&'i str>) {
    let tools = index.get(&*action.agent_id);
    let operations = tools.and_then(|tools| tools.get(&*action.tool_name));
    let cell = operations.and_then(|operations| operations.get(&*action.operation));
    match cell {
        Some(Cell {
            deny: Some(rule), ..
        }) => (Decision::Deny, Some(rule)),
        Some(Cell {
            approval: Some(rule),
            ..
        }) => (Decision::RequireApproval, Some(rule)),
        Some(Cell {
            allow: Some((most, rule)),
            ..
        }) if action.risk_level <= *most => (Decision::Allow, Some(rule)),
        _ => (Decision::Deny, None),
    }
}

fn decide<'p>(policy: &'p PermissionPolicy, action: &'p ToolAction) -> (Decision, Option<&'p str>) {
    let verdict = policy.evaluate(action);
    (verdict.decision(), verdict.rule())
}

/// Allowed, asked about, denied by a rule, and denied by default for each of three reasons.
fn actions(agents: usize, callers: usize) -> Vec<ToolAction> {
    let calls = [
        ("tool_3", "read", RiskLevel::Low),
        ("tool_7", "write", RiskLevel::Low),
        ("tool_0", "write", RiskLevel::Low),
        ("tool_5", "delete", RiskLevel::Low),
        ("tool_9", "read", RiskLevel::Low),
        ("tool_3", "read", RiskLevel::High),
    ];
    let calls = calls.iter().cycle().take(600).enumerate();
    calls
        .map(|(index, (tool, operation, risk))| {
            // All over the policy.
            let agent = (index % callers * 7919 + agents / 2) % agents;
            ToolAction::new(format!("agent_{agent}"), *tool, *operation).risk_level(*risk)
        })
        .collect()
}

/// Nanoseconds of a bare look-up and of a decision.
struct Times {
    look_up: f64,
    decision: f64,
}

fn measure() -> Vec<Times> {
    let subjects: Vec<_> = SIZES
        .iter()
        .map(|(size, callers)| {
            let (policy, index) = rules(size / 10);
            (policy, index, actions(size / 10, *callers))
        })
        .collect();
    let mut times = Vec::new();
    for (policy, index, actions) in &subjects {
        for action in actions {
            assert_eq!(decide(policy, action), look_up(index, action), "{action:?}");
        }
        times.push(Times {
            look_up: f64::INFINITY,
            decision: f64::INFINITY,
        });
    }
    for _ in 0..ROUNDS {
        for ((policy, index, actions), times) in subjects.iter().zip(&mut times) {
            let look_up = each(actions, |action| {
                black_box(look_up(index, action));
            });
            let decision = each(actions, |action| {
                black_box(decide(policy, action));
            });
            times.look_up = times.look_up.min(look_up);
            times.decision = times.decision.min(decision);
        }
    }
    times
}

/// Nanoseconds that each action takes.
fn each(actions: &[ToolAction], mut answer: impl FnMut(&ToolAction)) -> f64 {
    let start = Instant::now();
    for action in actions {
        answer(black_box(action));
    }
    let calls = u32::try_from(actions.len()).expect("a few actions");
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn main() -> ExitCode {
    let times = measure();
    let mut is_over = false;
    println!("A decision");
    let first = times[0].decision;
    for ((size, callers), Times { look_up, decision }) in SIZES.iter().zip(&times) {
        let (beside_lookup, beside_itself) = (decision / look_up, decision / first);
        is_over |= beside_lookup > BESIDE_LOOKUP;
        is_over |= *callers == 1 && beside_itself > BESIDE_ITSELF;
        println!(
            "  {size:>6} rules, {callers:>4} callers   look-up {look_up:>4.0} ns   decision {decision:>4.0} ns   {beside_lookup:.2}× the look-up, {beside_itself:.2}× the first"
        );
    }
    println!("  budget: {BESIDE_LOOKUP}× the look-up; {BESIDE_ITSELF}× the first, with one caller");
    if is_over && std::env::args().any(|argument| argument == "--check") {
        eprintln!("over budget");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

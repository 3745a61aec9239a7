//! What loading a large policy costs, beside the YAML parser alone, and what a decision costs
//! with it, beside a bare look-up in hash maps of the same size.
//!
//!     cargo bench --bench load
//!
//! Each figure is the best of several rounds; the rounds of all subjects alternate, so that
//! whatever else the machine does meets them alike.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use aegize::{PermissionPolicy, ToolAction};
use granit_parser::Parser;

/// Rules of each agent.
const RULES: usize = 10;

/// A policy as people write them: ten rules for each agent, and a path glob in every second.
fn policy(agents: usize) -> String {
    let mut text = String::from("version: 1\nagents:\n");
    for agent in 0..agents {
        let _ = write!(text, "  agent_{agent}:\n    allow:\n");
        for rule in 0..RULES - 2 {
            let _ = write!(
                text,
                "      - tool: tool_{rule}\n        operations: [read, write]\n        risk_level_max: medium\n"
            );
            if rule % 2 == 0 {
                let _ = writeln!(text, "        paths: [\"./data/{agent}/*.{{md,txt}}\"]");
            }
        }
        text.push_str(
            "    deny:\n      - tool: files\n        paths: [\"**/.env\"]\n      - tool: tool_0\n        operations: [delete]\n",
        );
    }
    text
}

/// The best of several rounds of each subject.
fn best<const N: usize>(rounds: u32, mut subjects: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut best = [Duration::MAX; N];
    for _ in 0..rounds {
        for (subject, best) in subjects.iter_mut().zip(&mut best) {
            let start = Instant::now();
            subject();
            *best = start.elapsed().min(*best);
        }
    }
    best
}

fn loading(rules: usize, rounds: u32) {
    let text = policy(rules / RULES);
    let [parser, loader] = best(
        rounds,
        [
            &mut || {
                for event in Parser::new_from_str(&text) {
                    black_box(event.expect("valid YAML"));
                }
            },
            &mut || {
                black_box(PermissionPolicy::from_yaml_str(&text).expect("a valid policy"));
            },
        ],
    );
    println!(
        "  {rules:>6} rules, {:>5} kB   parser alone {:>7.1} ms   loaded {:>7.1} ms   {:>5.2}×",
        text.len() / 1024,
        parser.as_secs_f64() * 1e3,
        loader.as_secs_f64() * 1e3,
        loader.as_secs_f64() / parser.as_secs_f64(),
    );
}

type Floor = HashMap<String, HashMap<String, HashMap<String, u8>>>;

/// The look-ups that a decision cannot do without, on maps of as many agents.
fn floor(agents: usize) -> Floor {
    let operations = || HashMap::from(["read", "write"].map(|name| (name.to_owned(), 1)));
    let tools = || {
        (0..RULES)
            .map(|rule| (format!("tool_{rule}"), operations()))
            .collect()
    };
    (0..agents)
        .map(|agent| (format!("agent_{agent}"), tools()))
        .collect()
}

fn deciding(rules: usize) {
    let agents = rules / RULES;
    let policy = PermissionPolicy::from_yaml_str(&policy(agents)).expect("a valid policy");
    let floor = floor(agents);
    // Different agents, as they come, so that their rules are not all in the cache.
    let actions: Vec<ToolAction> = (0..1_000)
        .map(|call| {
            let agent = call * 7919 % agents;
            ToolAction::new(format!("agent_{agent}"), "tool_1", "read")
        })
        .collect();
    let with_paths: Vec<ToolAction> = (0..1_000)
        .map(|call| {
            let agent = call * 7919 % agents;
            let path = format!("./data/{agent}/report.md");
            ToolAction::new(format!("agent_{agent}"), "tool_0", "read").path_argument("path", path)
        })
        .collect();
    let times = best(
        200,
        [
            &mut || {
                for action in &actions {
                    let tools = floor.get(&*action.agent_id);
                    let operations = tools.and_then(|tools| tools.get(&*action.tool_name));
                    black_box(operations.and_then(|found| found.get(&*action.operation)));
                }
            },
            &mut || {
                for action in &actions {
                    black_box(policy.evaluate(action).decision());
                }
            },
            &mut || {
                for _ in &actions {
                    black_box(policy.evaluate(black_box(&actions[0])).decision());
                }
            },
            &mut || {
                for action in &with_paths {
                    black_box(policy.evaluate(action).decision());
                }
            },
        ],
    );
    let [floor, plain, again, path] = times.map(|time| time.as_secs_f64() * 1e6);
    println!(
        "  {rules:>6} rules   floor {floor:>4.0} ns   allowed {plain:>4.0} ns {:>5.2}×   the same again {again:>4.0} ns   allowed by path {path:>4.0} ns",
        plain / floor
    );
}

fn main() {
    println!("Loading a policy");
    loading(10_000, 20);
    loading(100_000, 5);
    println!("A decision, each for another agent");
    for rules in [10, 1_000, 100_000] {
        deciding(rules);
    }
}

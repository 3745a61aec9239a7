//! What a decision and a whole allowed call cost, as ratios to a floor taken in the same run.
//!
//!     cargo bench --bench guard
//!
//! Each figure is the best of many short rounds; the rounds of all subjects alternate, so that
//! whatever else the machine does meets them alike.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use aegize::{
    AgentIdentity, AuditLog, GuardContext, GuardError, PermissionPolicy, Redactor, ToolAction,
    guarded_tool, with_context,
};

/// One thing to measure: its name, and a round of `calls` calls.
struct Subject<'s> {
    name: String,
    round: Box<dyn FnMut(u32) + 's>,
}

fn subject<'s>(name: impl Into<String>, mut call: impl FnMut() + 's) -> Subject<'s> {
    Subject {
        name: name.into(),
        round: Box::new(move |calls| (0..calls).for_each(|_| call())),
    }
}

/// Prints each subject's nanoseconds a call, and its ratio to the first.
fn compare(title: &str, mut subjects: Vec<Subject<'_>>) {
    const ROUNDS: usize = 200;
    const CALLS: u32 = 500;
    let mut best = vec![f64::INFINITY; subjects.len()];
    for _ in 0..ROUNDS {
        for (subject, best) in subjects.iter_mut().zip(&mut best) {
            let start = Instant::now();
            (subject.round)(CALLS);
            *best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        }
    }
    println!("{title}");
    for (subject, nanoseconds) in subjects.iter().zip(&best) {
        let ratio = nanoseconds / best[0];
        println!("  {:<44} {nanoseconds:>9.0} ns {ratio:>7.2}×", subject.name);
    }
}

/// A policy in which the rule that decides is one of many.
fn policy(agents: usize, rules: usize) -> PermissionPolicy {
    let rule = |index| serde_json::json!({"tool": format!("tool_{index}"), "operations": ["read", "write"], "risk_level_max": "medium"});
    let agents = (0..agents).map(|agent| {
        let allow = (0..rules).map(rule).collect::<Vec<_>>();
        (
            format!("agent_{agent}"),
            serde_json::json!({ "allow": allow }),
        )
    });
    let agents: serde_json::Map<_, _> = agents.collect();
    PermissionPolicy::from_value(&serde_json::json!({ "agents": agents })).expect("a valid policy")
}

#[guarded_tool(tool_name = "tool_0", operation = "read")]
fn guarded(query: &str) -> Result<usize, GuardError> {
    Ok(black_box(query).len())
}

fn main() {
    let policies = [(1, 1), (10, 100), (100, 1_000)]
        .map(|(agents, rules)| (agents * rules, policy(agents, rules)));
    let action = ToolAction::new("agent_0", "tool_0", "read");
    let denied = ToolAction::new("agent_0", "tool_0", "delete");
    let map: HashMap<String, HashMap<String, HashMap<String, u8>>> = HashMap::from([(
        "agent_0".into(),
        HashMap::from([("tool_0".into(), HashMap::from([("read".into(), 1)]))]),
    )]);
    let mut decisions = vec![subject("floor: three nested hash look-ups", || {
        let found = map.get("agent_0").and_then(|tools| tools.get("tool_0"));
        black_box(found.and_then(|operations| operations.get(black_box("read"))));
    })];
    for (rules, policy) in &policies {
        decisions.push(subject(format!("allowed, {rules} rules"), || {
            black_box(policy.evaluate(black_box(&action)).decision());
        }));
        decisions.push(subject(format!("denied by default, {rules} rules"), || {
            black_box(policy.evaluate(black_box(&denied)).decision());
        }));
    }
    compare("A decision", decisions);

    let directory = tempfile::tempdir().expect("a directory");
    let context = GuardContext::new(
        AgentIdentity::new("agent_0", "Bench", "Bench").expect("an identity"),
        policies[0].1.clone(),
        AuditLog::open(directory.path().join("audit.jsonl")).expect("a log"),
    );
    with_context(&context, || guarded("Aegize runtime")).expect("an allowed call");
    let records = context.audit_log().read_all().expect("two records");
    let mut raw: File = OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.path().join("raw.jsonl"))
        .expect("a file");
    let mut line = Vec::new();
    compare(
        "A whole allowed call, with its two records written",
        vec![
            subject("floor: serialise and write two records", || {
                for record in &records {
                    line.clear();
                    serde_json::to_writer(&mut line, record).expect("a record");
                    line.push(b'\n');
                    raw.write_all(&line).expect("a write");
                }
            }),
            subject("guarded call", || {
                with_context(&context, || guarded(black_box("Aegize runtime"))).expect("allowed");
            }),
            subject("guarded call, a secret in its argument", || {
                with_context(&context, || guarded(black_box("--password hunter2")))
                    .expect("allowed");
            }),
            subject("guarded call, 50 MB argument", {
                let huge = "x".repeat(50_000_000);
                let context = context.clone();
                move || {
                    with_context(&context, || guarded(black_box(&huge))).expect("allowed");
                }
            }),
        ],
    );

    let prose = "The quarterly numbers are due on Friday: send them to the board, please. ";
    let (short, long) = (prose.repeat(3), prose.repeat(28));
    let secret = format!("{short} postgres://shop:hunter2@db/shop");
    let redactor = Redactor::new();
    let look = |text: &str| {
        black_box(redactor.redact(black_box(text)));
    };
    compare(
        "Looking for secrets in a text",
        vec![
            subject("floor: count the characters of 219 bytes", || {
                black_box(black_box(&short).chars().filter(|c| *c != ' ').count());
            }),
            subject("prose, 219 bytes", || look(&short)),
            subject("prose, 2044 bytes", || look(&long)),
            subject("prose with a secret, 251 bytes", || look(&secret)),
        ],
    );
}

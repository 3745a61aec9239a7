//! What a call leaves behind, and what a refusal tells.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Write;
use std::io;

use aegize::tlog::leaf;
use aegize::{AuditEvent, AuditLog, GuardError, guarded_tool, with_context};
use serde_json::json;

use crate::support::{World, context};

const POLICY: &str = "\
agents:
  bot:
    allow:
      - {tool: files, operations: [read], risk_level_max: medium, paths: ['./safe_data/**']}
      - {tool: math}
    require_approval:
      - {tool: email, operations: [send], reason: mail leaves the company}
    deny:
      - {id: no-shell, tool: shell}
";

thread_local! {
    static RAN: Cell<bool> = const { Cell::new(false) };
}

fn ran() -> bool {
    RAN.replace(false)
}

#[guarded_tool(tool_name = "math", operation = "divide", risk_level = "medium")]
fn divide(a: i64, b: i64) -> Result<i64, String> {
    RAN.set(true);
    a.checked_div(b)
        .ok_or_else(|| format!("cannot divide {a} by {b}"))
}

#[guarded_tool(tool_name = "email", operation = "send", risk_level = "high")]
fn send(to: &str, #[guard(redact)] password: &str) -> Result<(), GuardError> {
    let _ = (to, password);
    RAN.set(true);
    Ok(())
}

#[guarded_tool(tool_name = "shell", operation = "run", risk_level = "critical")]
fn shell(cmd: &str) -> io::Result<()> {
    let _ = cmd;
    RAN.set(true);
    Ok(())
}

#[guarded_tool(tool_name = "files", operation = "read", risk_level = "high")]
fn read(#[guard(path)] path: &str) -> anyhow::Result<()> {
    let _ = path;
    RAN.set(true);
    Ok(())
}

#[guarded_tool(tool_name = "files", operation = "read")]
fn read_secretly(#[guard(path, redact)] path: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let _ = path;
    RAN.set(true);
    Ok(())
}

#[test]
fn an_allowed_call_leaves_its_decision_and_its_outcome() {
    let world = World::new(POLICY);
    with_context(&world.context, || {
        assert_eq!(divide(7, 2), Ok(3));
        assert_eq!(divide(7, 0), Err("cannot divide 7 by 0".to_owned()));
    });
    let records = world.records();
    let lines: Vec<serde_json::Value> = world
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let policy = world.context.policy();
    let digest = policy.digest();
    let text = world.text();
    let lines_of: Vec<&str> = text.lines().collect();
    for (index, (record, line)) in records.iter().zip(&lines).enumerate() {
        // One encoding: what is read writes the same bytes again.
        assert_eq!(serde_json::to_string(record).unwrap(), lines_of[index]);
        let event = [
            "allowed",
            "execution_succeeded",
            "allowed",
            "execution_failed",
        ][index];
        let input_summary = ["a=7, b=2", "a=7, b=0"][index / 2];
        let action_id = records[index / 2 * 2].action_id;
        let mut expected = json!({
            "timestamp": line["timestamp"],
            "seq": index,
            "event": event,
            "action_id": action_id,
            "agent_id": "bot",
            "tool_name": "math",
            "operation": "divide",
            "risk_level": "medium",
            "input_summary": input_summary,
        });
        let more = match index {
            0 | 2 => {
                json!({"reason": "allowed by rule for tool 'math'", "rule": "bot.allow[1]", "policy": digest})
            }
            1 => json!({"result_summary": "3", "duration_us": line["duration_us"]}),
            _ => json!({"error": "cannot divide 7 by 0", "duration_us": line["duration_us"]}),
        };
        let fields = expected.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        fields.insert("metadata".to_owned(), json!({"environment": "dev"}));
        let before = index.checked_sub(1).and_then(|before| lines_of.get(before));
        let prev = before.map_or("0".repeat(64), |line| leaf(line.as_bytes()).to_string());
        fields.insert("prev".to_owned(), prev.into());
        // As text: the order of the fields counts.
        assert_eq!(line.to_string(), expected.to_string());
        let timestamp = line["timestamp"].as_str().unwrap();
        assert_eq!(
            timestamp.len(),
            "2026-06-27T18:00:00.123456Z".len(),
            "{timestamp}"
        );
        assert!(timestamp.ends_with('Z'));
    }
    assert_ne!(records[0].action_id, records[2].action_id);
    assert_eq!(records[0].action_id.get_version_num(), 7);
}

#[test]
fn a_denied_call_never_begins_and_tells_why() {
    let world = World::new(POLICY);
    let refused = with_context(&world.context, || shell("rm -rf /var/data")).unwrap_err();
    assert!(!ran());
    assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    assert_eq!(refused.to_string(), "denied by rule for tool 'shell'");
    let refused = refused
        .into_inner()
        .unwrap()
        .downcast::<GuardError>()
        .unwrap();
    let GuardError::PolicyDenied(denied) = *refused else {
        panic!("{refused:?}")
    };
    assert_eq!(denied.rule(), Some("no-shell"));
    assert_eq!(denied.action().tool_name, "shell");
    assert_eq!(denied.action().arguments["cmd"], json!("rm -rf /var/data"));
    let [record] = &world.records()[..] else {
        panic!()
    };
    assert_eq!(record.event, AuditEvent::Denied);
    assert_eq!(record.action_id, denied.action().action_id);
    assert_eq!(record.rule.as_deref(), Some("no-shell"));
}

#[test]
fn near_misses_come_beside_the_reason() {
    let world = World::new(POLICY);
    let refused = with_context(&world.context, || read("../x")).unwrap_err();
    assert!(!ran());
    let Some(GuardError::PolicyDenied(denied)) = refused.downcast_ref() else {
        panic!("{refused:?}")
    };
    assert_eq!(
        denied.reason(),
        "no matching allow rule for tool 'files' operation 'read' (default deny)"
    );
    assert_eq!(denied.rule(), None);
    assert_eq!(
        denied.explain().to_string(),
        "bot.allow[0]: risk 'high' is above risk_level_max 'medium'"
    );
    assert_eq!(denied.action().path_arguments, ["path"]);
}

#[test]
fn a_call_that_needs_approval_never_begins() {
    let world = World::new(POLICY);
    let refused = with_context(&world.context, || send("ceo@example.com", "hunter2")).unwrap_err();
    assert!(!ran());
    let GuardError::ApprovalRequired(pending) = &refused else {
        panic!("{refused:?}")
    };
    let reason = "approval required for tool 'email': mail leaves the company";
    assert_eq!(
        (pending.reason(), refused.to_string().as_str()),
        (reason, reason)
    );
    assert_eq!(pending.rule(), "bot.require_approval[0]");
    assert_eq!(world.events(), [AuditEvent::ApprovalRequired]);
}

#[test]
fn a_redacted_value_is_in_no_record_and_no_message() {
    let world = World::new(POLICY);
    let mut seen = String::new();
    with_context(&world.context, || {
        let refused = send("ceo@example.com", "hunter2").unwrap_err();
        write!(seen, "{refused} {refused:?}").unwrap();
        let refused = read_secretly("/etc/hunter2").unwrap_err();
        let guard: &GuardError = refused.downcast_ref().unwrap();
        let GuardError::PolicyDenied(denied) = guard else {
            panic!()
        };
        assert_eq!(
            denied.explain().to_string(),
            "bot.allow[0]: path of `path` (redacted) is outside ./safe_data/**"
        );
        write!(seen, "{refused} {refused:?} {}", denied.explain()).unwrap();
        // Policy looks at it all the same.
        read_secretly("./safe_data/hunter2").unwrap();
    });
    seen += &world.text();
    assert!(!seen.contains("hunter2"), "{seen}");
    assert_eq!(
        world.records()[0].input_summary,
        "to=\"ceo@example.com\", password=[redacted]"
    );
}

#[test]
fn a_decision_that_cannot_be_written_is_a_refusal() {
    let log = AuditLog::open("/dev/full").unwrap();
    let context = context("bot", POLICY, log);
    let refused = with_context(&context, || send("a", "hunter2")).unwrap_err();
    assert!(
        matches!(refused, GuardError::AuditUnavailable(_)),
        "{refused:?}"
    );
    assert_eq!(
        refused.to_string(),
        "the decision about tool 'email' operation 'send' cannot be recorded: audit log `/dev/full` cannot be written: No space left on device (os error 28)"
    );
    let refused = with_context(&context, || divide(1, 1)).unwrap_err();
    assert!(refused.contains("cannot be recorded"), "{refused}");
    assert!(!ran());
}

#[test]
fn errors_are_small_and_can_cross_threads() {
    fn crosses<T: Error + Send + Sync + 'static>() {}
    crosses::<GuardError>();
    assert!(size_of::<GuardError>() <= 16);
}

//! Records as events of the Open Cybersecurity Schema Framework.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use aegize::AuditRecord;
use serde_json::{Value, json};

/// A record of each event, and one that a later version writes.
fn lines() -> Vec<String> {
    let decided = json!({
        "reason": "denied by rule for tool 'shell'", "rule": "bot.deny[0]", "policy": "sha256:00",
    });
    let cases = [
        ("allowed", decided.clone()),
        ("denied", decided.clone()),
        ("approval_required", decided),
        (
            "denied",
            json!({ "reason": "no matching allow rule (default deny)" }),
        ),
        (
            "execution_succeeded",
            json!({ "result_summary": "12 files", "duration_us": 1_234_567 }),
        ),
        (
            "execution_failed",
            json!({ "error": "no such file", "duration_us": 999 }),
        ),
        (
            "execution_abandoned",
            json!({ "error": "the process ended before the call did" }),
        ),
        (
            "log_recovered",
            json!({ "reason": "a torn last line was set aside" }),
        ),
        (
            "token_created",
            json!({
                "operation": "create", "reason": "token 1 of alice@acme.com, in ops",
                "approvers": ["carol"],
            }),
        ),
        (
            "token_revoked",
            json!({
                "operation": "revoke", "reason": "token 1 of alice@acme.com",
                "approvers": ["carol"],
            }),
        ),
        (
            "execution_reversed",
            json!({ "error": "e", "reason": "r", "result_summary": "s" }),
        ),
    ];
    let lines = cases.into_iter().enumerate().map(|(seq, (event, rest))| {
        let mut record = json!({
            "timestamp": "2026-06-27T18:00:00.123456Z", "seq": seq, "event": event,
            "action_id": "01970b8e-4c2d-7d3e-9f10-2b6a5c8d1e4f", "agent_id": "bot",
            "acting_for": ["ann"], "tool_name": "shell", "operation": "run",
            "risk_level": "high", "input_summary": "cmd=\"ls \u{e9}\"",
        });
        let fields = record.as_object_mut().unwrap();
        fields.extend(rest.as_object().unwrap().clone());
        fields.insert("redacted".to_owned(), json!(["api_key"]));
        fields.insert(
            "metadata".to_owned(),
            json!({ "environment": "dev", "ticket": 7 }),
        );
        fields.insert("prev".to_owned(), json!("0".repeat(64)));
        record.to_string()
    });
    lines.collect()
}

fn event(line: &str) -> Value {
    serde_json::from_str::<AuditRecord<'_>>(line)
        .unwrap()
        .to_ocsf()
}

#[test]
fn a_denial_is_told_in_full() {
    let mut event = event(&lines()[1]);
    assert!(event["metadata"]["product"]["version"].take().is_string());
    assert_eq!(
        event,
        json!({
            "activity_id": 99, "activity_name": "run",
            "category_uid": 6, "category_name": "Application Activity",
            "class_uid": 6003, "class_name": "API Activity",
            "type_uid": 600_399,
            "time": 1_782_583_200_123_i64,
            "severity_id": 3, "severity": "Medium",
            "message": "bot: shell run: denied: denied by rule for tool 'shell'",
            "status_id": 2, "status": "Failure",
            "status_detail": "denied by rule for tool 'shell'",
            "action_id": 2, "action": "Denied",
            "disposition_id": 2, "disposition": "Blocked",
            "risk_level_id": 3, "risk_level": "High",
            "metadata": {
                "version": "1.5.0", "profiles": ["security_control"],
                "product": { "name": "Aegize", "vendor_name": "Aegize", "version": null },
                "original_time": "2026-06-27T18:00:00.123456Z",
                "event_code": "denied", "sequence": 1,
                "correlation_uid": "01970b8e-4c2d-7d3e-9f10-2b6a5c8d1e4f",
            },
            "actor": { "user": { "uid": "bot", "type_id": 99, "type": "Agent" } },
            "api": {
                "operation": "run", "service": { "name": "shell" },
                "request": {
                    "uid": "01970b8e-4c2d-7d3e-9f10-2b6a5c8d1e4f",
                    "data": { "input_summary": "cmd=\"ls \u{e9}\"" },
                },
            },
            "src_endpoint": { "svc_name": "bot" },
            "dst_endpoint": { "svc_name": "shell" },
            "policy": { "uid": "sha256:00", "is_applied": true },
            "unmapped": {
                "acting_for": ["ann"], "rule": "bot.deny[0]", "redacted": ["api_key"],
                "metadata": { "environment": "dev", "ticket": 7 }, "prev": "0".repeat(64),
            },
        })
    );
}

#[test]
fn every_event_says_how_it_ended() {
    let seen: Vec<_> = lines()
        .iter()
        .map(|line| {
            let event = event(line);
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            [
                text("severity"),
                text("status"),
                text("action"),
                text("disposition"),
            ]
            .join(" ")
        })
        .collect();
    assert_eq!(
        seen,
        [
            "Informational allowed Allowed Allowed",
            "Medium Failure Denied Blocked",
            "Low approval_required Denied Blocked",
            "Medium Failure Denied Blocked",
            "Informational Success Allowed Allowed",
            "Medium Failure Allowed Error",
            "Medium Failure Allowed Error",
            "High log_recovered Observed Logged",
            "Low token_created Observed Logged",
            "Low token_revoked Observed Logged",
            "Unknown Unknown Unknown Unknown",
        ]
    );
}

#[test]
fn operations_of_the_schemas_own_names_are_its_activities() {
    for (operation, id) in [
        ("create", 1),
        ("read", 2),
        ("update", 3),
        ("delete", 4),
        ("Read", 99),
    ] {
        let line = lines()[0].replace(r#""run""#, &format!("{operation:?}"));
        let event = event(&line);
        assert_eq!(event["activity_id"], id, "{operation}");
        assert_eq!(event["type_uid"], 600_300 + id, "{operation}");
    }
}

/// Whatever a line says is somewhere in its event, the numbers in their units.
#[test]
fn nothing_of_a_record_is_left_out() {
    for line in lines() {
        let event = event(&line).to_string();
        let fields: Value = serde_json::from_str(&line).unwrap();
        for (name, value) in fields.as_object().unwrap() {
            let told = match (name.as_str(), value.as_str()) {
                ("event", Some("execution_reversed")) => "other".to_owned(),
                ("risk_level", _) => "High".to_owned(),
                _ => value.to_string(),
            };
            assert!(event.contains(&told), "{name} of {line} in {event}");
        }
    }
}

#[test]
#[ignore = "needs Python packages that know the schema; .ci/run installs them and runs this"]
fn events_are_valid_by_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checker = Command::new(root.join("target/receivers/bin/python"))
        .arg(root.join("tests/interop/valid_ocsf.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = checker.stdin.take().unwrap();
    for line in lines() {
        writeln!(input, "{}", event(&line)).unwrap();
    }
    drop(input);
    let output = checker.wait_with_output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, format!("{} events are valid\n", lines().len()));
}

//! `aegize audit stats`.

use std::fs::write;

use super::{audit, directory, line, ran};
use serde_json::{Value, json};
use tempfile::TempDir;

#[test]
fn statistics_are_told() {
    let directory = directory();
    for log in ["audit.jsonl", "audit"] {
        let told = ran(audit(directory.path(), &["stats", log]).env("COLUMNS", "80"));
        let expected = "\
11 records, 2026-06-27 23:59:50 to 2026-06-28 00:00:07 UTC

decisions   6: 4 allowed, 1 denied (16.7 %), 1 approval (16.7 %)
executions  3: 1 succeeded, 1 failed (33.3 %), 1 abandoned (33.3 %)
recovered   1
other       1
durations   min 840 µs, median 840 µs, p95 2.1 s, p99 2.1 s, max 2.1 s
open        1 attempt without an outcome, such as
            seq 10, 2026-06-28 00:00:06, bot, files read

AGENT                  ALLOWED   DENIED  APPROVAL  SUCCEEDED   FAILED  ABANDONED
bot                          4        1         0          1        1          1
assistant_of_account…        0        0         1          0        0          0

CALL                   ALLOWED   DENIED  APPROVAL  SUCCEEDED   FAILED  ABANDONED
files read                   3        0         0          1        1          1
files write                  1        0         0          0        0          0
github.com/mcp pull_…        0        0         1          0        0          0
shell run                    0        1         0          0        0          0
";
        assert_eq!(
            (told.stdout.as_str(), told.stderr.as_str(), told.code),
            (expected, "", Some(0))
        );
    }
}

/// They are nobody's attempts, and no decisions.
#[test]
fn tokens_are_told_by_who_made_and_revoked_them() {
    let own = |event: &str, operation: &str, reason: &str| {
        let told = json!({
            "action_id": "01970000-0000-7000-8000-000000000000", "agent_id": "aegize",
            "tool_name": "approver_tokens", "operation": operation, "input_summary": "",
            "reason": reason, "approvers": ["carol"],
        });
        line(0, event, &told)
    };
    let made = "token 3f6a0c9d12e4b785 of alice@acme.com, in ops, finance, U1 in Slack";
    let log = [
        own("token_created", "create", made),
        own(
            "token_created",
            "create",
            "token 00112233445566aa of bob@acme.com, in no group",
        ),
        own(
            "token_revoked",
            "revoke",
            "token 3f6a0c9d12e4b785 of alice@acme.com",
        ),
    ];
    let directory = TempDir::new().unwrap();
    write(directory.path().join("audit.jsonl"), log.concat()).unwrap();
    let shown = ran(&mut audit(directory.path(), &["show", "audit.jsonl"])).stdout;
    let expected = "\
SEQ   TIME                  EVENT      RISK      AGENT         CALL                    DETAILS
0     2026-06-27 23:59:50Z  created    low       aegize        approver_tokens create  by carol  token 3f6a0c9d12e4b785 of alice@acme.com, in ops, finance, U1 in Slack
0     2026-06-27 23:59:50Z  created    low       aegize        approver_tokens create  by carol  token 00112233445566aa of bob@acme.com, in no group
0     2026-06-27 23:59:50Z  revoked    low       aegize        approver_tokens revoke  by carol  token 3f6a0c9d12e4b785 of alice@acme.com
";
    assert_eq!(shown, expected);
    let counted = ran(&mut audit(directory.path(), &["stats", "audit.jsonl"])).stdout;
    let expected = "\
3 records, 2026-06-27 23:59:50 to 2026-06-27 23:59:50 UTC

decisions   0: 0 allowed, 0 denied, 0 approval
executions  0: 0 succeeded, 0 failed, 0 abandoned
tokens      2 created, 1 revoked
";
    assert_eq!(counted, expected);
}

#[test]
fn programs_get_statistics_as_json() {
    let directory = directory();
    let arguments = [
        "stats", "audit", "--format", "json", "--agent", "bot", "--tool", "files",
    ];
    let told = ran(&mut audit(directory.path(), &arguments));
    let events = |allowed, succeeded, failed, abandoned, other| {
        json!({
            "allowed": allowed, "denied": 0, "approval_required": 0,
            "approval_granted": 0, "approval_rejected": 0, "approval_expired": 0,
            "approval_revoked": 0, "approval_withdrawn": 0, "approval_consumed": 0,
            "execution_succeeded": succeeded,
            "execution_failed": failed, "execution_abandoned": abandoned, "log_recovered": 0,
            "token_created": 0, "token_revoked": 0, "other": other,
        })
    };
    let third = 1.0 / 3.0;
    let expected = json!({
        "records": 8,
        "bad_lines": 0,
        "first": "2026-06-27T23:59:50.500000Z",
        "last": "2026-06-28T00:00:07.000000Z",
        "decisions": 4,
        "executions": 3,
        "rates": {
            "denied": 0.0, "approval_required": 0.0,
            "execution_failed": third, "execution_abandoned": third,
        },
        "duration_us": {
            "count": 2, "min": 840, "median": 840, "p95": 2_100_000, "p99": 2_100_000, "max": 2_100_000,
        },
        "events": events(4, 1, 1, 1, 1),
        "agents": [{"agent": "bot", "events": events(4, 1, 1, 1, 1)}],
        "agents_not_listed": 0,
        "tools": [
            {"tool": "files", "operation": "read", "events": events(3, 1, 1, 1, 1)},
            {"tool": "files", "operation": "write", "events": events(1, 0, 0, 0, 0)},
        ],
        "tools_not_listed": 0,
        "open": {
            "count": 1,
            "not_followed": 0,
            "oldest": [{
                "seq": 10, "timestamp": "2026-06-28T00:00:06.000000Z",
                "action_id": "01970000-0000-7000-8000-000000000005",
                "agent": "bot", "tool": "files", "operation": "read",
            }],
        },
    });
    let stats: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(stats, expected);

    // An outcome that was not asked for is one all the same.
    let arguments = [
        "stats",
        "audit",
        "--format",
        "json",
        "--until",
        "2026-06-28",
    ];
    let told = ran(&mut audit(directory.path(), &arguments));
    let stats: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(
        (&stats["records"], &stats["open"]["count"]),
        (&json!(4), &json!(0))
    );

    write(directory.path().join("empty.jsonl"), "").unwrap();
    let told = ran(&mut audit(
        directory.path(),
        &["stats", "empty.jsonl", "--format", "json"],
    ));
    let stats: Value = serde_json::from_str(&told.stdout).unwrap();
    for nothing in ["first", "last", "duration_us"] {
        assert_eq!(stats[nothing], Value::Null, "{nothing}");
    }
    assert_eq!(stats["rates"]["denied"], Value::Null);
}

#[test]
fn percentiles_are_those_of_all_executions() {
    let directory = TempDir::new().unwrap();
    let durations = (1..=10_000_u64).map(|us| us * 977 % 10_007 * 1000);
    let mut sorted: Vec<u64> = durations.clone().collect();
    sorted.sort_unstable();
    let lines = durations.map(|us| line(1, "execution_succeeded", &json!({"duration_us": us})));
    write(
        directory.path().join("audit.jsonl"),
        lines.collect::<String>(),
    )
    .unwrap();
    let told = ran(&mut audit(
        directory.path(),
        &["stats", "audit.jsonl", "--format", "json"],
    ));
    let stats: Value = serde_json::from_str(&told.stdout).unwrap();
    let told = |name: &str| stats["duration_us"][name].as_u64().unwrap();
    assert_eq!(
        (told("count"), told("min"), told("max")),
        (10_000, sorted[0], sorted[9_999])
    );
    for (name, index) in [("median", 5_000), ("p95", 9_500), ("p99", 9_900)] {
        let exact = sorted[index - 1];
        assert!(
            told(name).abs_diff(exact) <= exact / 1000,
            "{name}: {}, {exact}",
            told(name)
        );
    }
}

#[test]
fn many_agents_are_counted_and_not_all_listed() {
    let directory = TempDir::new().unwrap();
    let lines =
        (0..10_020).map(|index| line(0, "denied", &json!({"agent_id": format!("bot{index}")})));
    write(
        directory.path().join("audit.jsonl"),
        lines.collect::<String>(),
    )
    .unwrap();
    let told = ran(&mut audit(
        directory.path(),
        &["stats", "audit.jsonl", "--format", "json"],
    ));
    let stats: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(stats["records"], 10_020);
    assert_eq!(stats["agents_not_listed"], 20);
    assert_eq!(stats["agents"].as_array().unwrap().len(), 10_000);
    let told = ran(&mut audit(directory.path(), &["stats", "audit.jsonl"]));
    assert!(
        told.stdout
            .contains("\nand 9980 more\n20 records of others\n"),
        "{told:?}"
    );
}

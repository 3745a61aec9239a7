//! `aegize policy replay` and `aegize policy suggest` on logs as they are on disk.

use std::fs::write;
use std::path::Path;

use crate::support::{Ran, aegize};
use tempfile::TempDir;

/// One line of a log: sequence number, event, coordinates and summary.
fn line(seq: u32, event: &str, operation: &str, risk: &str, summary: &str) -> String {
    let summary = summary.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        r#"{{"timestamp":"2026-06-27T18:00:{seq:02}.500000Z","seq":{seq},"event":"{event}","action_id":"019700000000700080000000000000{seq:02}","agent_id":"bot","tool_name":"files","operation":"{operation}","risk_level":"{risk}","input_summary":"{summary}","reason":"because","rule":"bot.allow[0]","policy":"sha256:00","metadata":{{"environment":"dev"}}}}"#
    ) + "\n"
}

fn log() -> String {
    [
        line(0, "allowed", "read", "low", r#"path="./data/a.txt""#),
        line(
            1,
            "execution_succeeded",
            "read",
            "low",
            r#"path="./data/a.txt""#,
        ),
        line(2, "allowed", "read", "low", r#"path="./data/b.txt""#),
        line(3, "denied", "read", "low", r#"path="/etc/passwd""#),
        line(
            4,
            "allowed",
            "write",
            "high",
            r#"path="./out/x", content="so and so/on""#,
        ),
        line(
            5,
            "approval_required",
            "write",
            "medium",
            r#"path="./out/x", key=[redacted]"#,
        ),
        line(6, "denied", "delete", "low", r#"path="./data/a.txt""#),
    ]
    .concat()
}

const CANDIDATE: &str = "\
agents:
  bot:
    deny:
      - {tool: files, paths: ['**/b.txt']}
    allow:
      - {tool: files, operations: [read], paths: ['./data/**', '/etc/**']}
      - {id: writes, tool: files, operations: [write], paths: ['./out/**']}
";

fn directory(policy: &str, log: impl AsRef<[u8]>) -> TempDir {
    let directory = TempDir::new().unwrap();
    write(directory.path().join("policy.yaml"), policy).unwrap();
    write(directory.path().join("audit.jsonl"), log).unwrap();
    directory
}

fn policy(directory: &Path, arguments: &[&str]) -> Ran {
    let mut command = aegize(directory);
    command.arg("policy").args(arguments).env_remove("NO_COLOR");
    command.output().unwrap().into()
}

#[test]
fn decisions_that_would_differ_are_grouped() {
    let directory = directory(CANDIDATE, log());
    let ran = policy(directory.path(), &["replay", "policy.yaml", "audit.jsonl"]);
    let expected = "\
allow -> deny  1 call  bot  files read, low risk
    by bot.deny[0] (policy.yaml:4)
    such as seq 2 of audit.jsonl, 2026-06-27T18:00:02.500000Z
deny -> allow  1 call  bot  files read, low risk
    by bot.allow[0] (policy.yaml:6)
    such as seq 3 of audit.jsonl, 2026-06-27T18:00:03.500000Z
require_approval -> deny or allow?  1 call  bot  files write, medium risk
    cannot be told: argument `key` was redacted
    by bot.deny[0] (policy.yaml:4), or
       writes (policy.yaml:7), or
       no rule, which denies
    such as seq 5 of audit.jsonl, 2026-06-27T18:00:05.500000Z
allow -> allow or deny?  1 call  bot  files write, high risk
    cannot be told: whether the tool declares `path` or `content` to be a path is not recorded
    by writes (policy.yaml:7), or
       no rule, which denies
    such as seq 4 of audit.jsonl, 2026-06-27T18:00:04.500000Z

6 calls: 2 as recorded, 2 decided otherwise (1 widened, 1 tightened), 2 cannot be told
";
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str(), ran.code),
        (expected, "", Some(1))
    );
}

#[test]
fn programs_get_json() {
    let directory = directory(CANDIDATE, log());
    let arguments = ["replay", "policy.yaml", "audit.jsonl", "--format", "json"];
    let ran = policy(directory.path(), &arguments);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((told["calls"].as_u64(), ran.code), (Some(6), Some(1)));
    assert_eq!(told["widened"], 1);
    assert_eq!(told["tightened"], 1);
    assert_eq!(told["unknown"], 2);
    assert_eq!(
        told["groups"][0],
        serde_json::json!({
            "agent": "bot", "acting_for": [], "tool": "files", "operation": "read",
            "risk_level": "low", "recorded": "allow", "decision": "deny",
            "outcomes": [{"decision": "deny", "rule": "bot.deny[0]", "place": "policy.yaml:4"}],
            "doubts": [], "count": 1,
            "example": {"log": "audit.jsonl", "seq": 2, "timestamp": "2026-06-27T18:00:02.500000Z"},
        })
    );
    assert_eq!(told["groups"][2]["decision"], serde_json::Value::Null);
}

#[test]
fn a_suggested_policy_changes_nothing_that_ran_or_only_asks() {
    let directory = directory(CANDIDATE, log());
    let ran = policy(
        directory.path(),
        &["suggest", "audit.jsonl", "--agent", "bot"],
    );
    let expected = r#"# A suggestion from what an audit log records: read it before you use it. It lets through what
# ran, and nobody has said that all of that was right. What is denied needs no rule.
version: 1
agents:
  bot:
    # seen in dev
    allow:
      # 2 calls ran at low risk, 2026-06-27T18:00:00Z to 2026-06-27T18:00:02Z
      # 2 distinct paths in `paths`
      - tool: files
        operations: [read]
        risk_level_max: low
        paths: ["./data/**"]
    require_approval:
      # 1 call had to be approved at medium risk, 2026-06-27T18:00:05Z
      # 1 call ran at high risk, 2026-06-27T18:00:04Z, unasked
      - tool: files
        operations: [write]
    # Only ever denied; move to `allow` what is needed after all:
    #   # 1 call denied at low risk, 2026-06-27T18:00:06Z
    #   - tool: files
    #     operations: [delete]
    #     risk_level_max: low
"#;
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str(), ran.code),
        (expected, "", Some(0))
    );
    write(directory.path().join("suggested.yaml"), ran.stdout).unwrap();
    let ran = policy(directory.path(), &["fmt", "--check", "suggested.yaml"]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(0)));
    let ran = policy(
        directory.path(),
        &["replay", "suggested.yaml", "audit.jsonl"],
    );
    let expected = "\
allow -> require_approval  1 call  bot  files write, high risk
    by bot.require_approval[0] (suggested.yaml:17)
    such as seq 4 of audit.jsonl, 2026-06-27T18:00:04.500000Z

6 calls: 5 as recorded, 1 decided otherwise (0 widened, 1 tightened), 0 cannot be told
";
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(1)));
}

#[test]
fn a_suggestion_has_the_canonical_layout() {
    let seen = ["./a/x", "./b/y"].map(|path| format!("path={path:?}"));
    let allowed = [0, 1].map(|seq| line(seq, "allowed", "read", "low", &seen[seq as usize]));
    let unnameable = |line: String| line.replace(r#""files""#, r#""fi\nles*""#);
    let log = [
        allowed.concat(),
        unnameable(line(2, "allowed", "read", "low", "")),
        line(3, "denied", "delete", "low", &seen[0]),
        unnameable(line(4, "approval_required", "write", "low", "")),
    ];
    let directory = directory("agents: {}", log.concat());
    let ran = policy(
        directory.path(),
        &["suggest", "audit.jsonl", "--agent", "bot"],
    );
    assert!(
        ran.stdout.contains("paths: [./a/x, ./b/y]"),
        "{}",
        ran.stdout
    );
    write(directory.path().join("suggested.yaml"), ran.stdout).unwrap();
    let ran = policy(directory.path(), &["fmt", "--check", "suggested.yaml"]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(0)));
}

#[test]
fn a_log_may_be_a_directory_of_segments() {
    let directory = directory(CANDIDATE, log());
    let segments = directory.path().join("audit");
    std::fs::create_dir(&segments).unwrap();
    let lines: Vec<String> = log().split_inclusive('\n').map(str::to_owned).collect();
    write(
        segments.join("00000000000000000000.jsonl"),
        lines[..3].concat(),
    )
    .unwrap();
    write(
        segments.join("00000000000000000003.jsonl"),
        lines[3..].concat(),
    )
    .unwrap();
    let of = |log: &str| {
        let replayed = policy(directory.path(), &["replay", "policy.yaml", log]);
        let suggested = policy(directory.path(), &["suggest", log, "--agent", "bot"]);
        (replayed, suggested)
    };
    let (mut replayed, suggested) = of("audit");
    replayed.stdout = replayed.stdout.replace("of audit,", "of audit.jsonl,");
    assert_eq!((replayed, suggested), of("audit.jsonl"));
}

#[test]
fn nothing_to_tell_is_told() {
    let directory = directory("agents: {}", "");
    let ran = policy(directory.path(), &["replay", "policy.yaml", "audit.jsonl"]);
    let expected =
        "0 calls: 0 as recorded, 0 decided otherwise (0 widened, 0 tightened), 0 cannot be told\n";
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(0)));
    let suggest = |agent| {
        let arguments = ["suggest", "audit.jsonl", "--agent", agent];
        policy(directory.path(), &arguments)
    };
    let ran = suggest("bot");
    let warning = "warning: no decision about agent `bot` is on record\n";
    assert_eq!((ran.stderr.as_str(), ran.code), (warning, Some(1)));
    let ran = suggest("b\u{1b}ot");
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(2)));
    assert!(
        ran.stderr.contains(r"the agent id holds '\u{1b}'"),
        "{ran:?}"
    );
}

#[test]
fn lines_that_are_no_records_are_told_and_files_that_are_no_logs_are_unusable() {
    let mut torn = log();
    torn.truncate(torn.len() - 20);
    let directory = directory(CANDIDATE, torn);
    for arguments in [
        &["replay", "policy.yaml", "audit.jsonl"][..],
        &["suggest", "audit.jsonl", "--agent", "bot"],
    ] {
        let ran = policy(directory.path(), arguments);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let warning = "warning: audit log `audit.jsonl` has no record in line 7: ";
        assert!(ran.stderr.starts_with(warning), "{ran:?}");
        let is_told = ran
            .stdout
            .contains("\n1 line left out: no record, or a torn one\n");
        assert_eq!(is_told, arguments[0] == "replay", "{ran:?}");
    }
    let rows = [
        (
            "policy.yaml",
            "error: audit log `policy.yaml` has no record in line 1: ",
        ),
        (
            "missing.jsonl",
            "error: audit log `missing.jsonl` cannot be opened: ",
        ),
        (".", "error: audit log `.` cannot be "),
    ];
    for (log, error) in rows {
        let ran = policy(directory.path(), &["replay", "policy.yaml", log]);
        assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(2)), "{ran:?}");
        assert!(ran.stderr.starts_with(error), "{ran:?}");
        let ran = policy(directory.path(), &["suggest", log, "--agent", "bot"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_log_may_come_through_a_pipe() {
    use std::io::Write as _;
    use std::process::Stdio;

    let directory = directory(CANDIDATE, log());
    let mut child = aegize(directory.path())
        .args([
            "policy",
            "replay",
            "policy.yaml",
            "/dev/stdin",
            "audit.jsonl",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(log().as_bytes()).unwrap();
    drop(stdin);
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert!(ran.stdout.contains("\n12 calls: 4 as recorded"), "{ran:?}");
}

#[test]
fn colours_are_for_terminals() {
    let directory = directory(CANDIDATE, log());
    let run = |variable: &str| -> String {
        let mut command = aegize(directory.path());
        command.args(["policy", "replay", "policy.yaml", "audit.jsonl"]);
        for variable in ["NO_COLOR", "CLICOLOR_FORCE"] {
            command.env_remove(variable);
        }
        let ran: Ran = command.env(variable, "1").output().unwrap().into();
        ran.stdout
    };
    let plain = run("NO_COLOR");
    let coloured = run("CLICOLOR_FORCE");
    assert!(!plain.contains('\u{1b}'));
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31mdeny"), "{coloured:?}");
}

#[test]
fn words_of_the_log_do_not_move_the_cursor() {
    let name = r"\u001b[2J\n0 calls";
    let log = log().replace(
        r#""tool_name":"files""#,
        &format!(r#""tool_name":"{name}""#),
    );
    let directory = directory("agents: {}", log);
    for arguments in [
        &["replay", "policy.yaml", "audit.jsonl"][..],
        &["suggest", "audit.jsonl", "--agent", "bot"],
    ] {
        let ran = policy(directory.path(), arguments);
        assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
        assert!(!ran.stdout.contains("\n0 calls"), "{ran:?}");
    }
}

//! `aegize audit show` and `aegize audit stats`, on logs as they are on disk.

mod follow;
mod stats;

use std::fs::{self, write};
use std::path::Path;
use std::process::Command;

use crate::support::{Ran, aegize};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A record: what is given is told, the rest is as usual.
fn line(seq: usize, event: &str, told: &Value) -> String {
    let mut record = json!({
        "timestamp": format!("2026-06-27T23:59:{:02}.500000Z", 50 + seq % 10),
        "seq": seq,
        "event": event,
        "action_id": format!("01970000-0000-7000-8000-{:012}", seq / 2),
        "agent_id": "bot",
        "tool_name": "files",
        "operation": "read",
        "risk_level": "low",
        "input_summary": "path=\"./data/a.txt\"",
        "metadata": {},
    });
    let fields = record.as_object_mut().unwrap();
    fields.extend(told.as_object().unwrap().clone());
    record.to_string() + "\n"
}

fn lines() -> Vec<String> {
    let denied = json!({
        "tool_name": "shell", "operation": "run", "risk_level": "critical",
        "input_summary": "cmd=\"rm -rf /var/data\"", "reason": "denied by rule for tool 'shell'",
    });
    let asked = json!({
        "timestamp": "2026-06-28T00:00:01Z", "agent_id": "assistant_of_accounting",
        "acting_for": ["boss"], "tool_name": "github.com/mcp", "operation": "pull_request_create",
        "risk_level": "high", "input_summary": "title=\"日本語のタイトル\"",
        "reason": "approval required for tool 'github.com/mcp': code leaves the company",
    });
    let failed = json!({
        "timestamp": "2026-06-28T00:00:02Z", "error": "a\u{1b}[2J\nforged\u{202e}", "duration_us": 2_100_000,
    });
    let abandoned = json!({
        "timestamp": "2026-06-28T00:00:04.000001Z", "error": "the process ended before the call did",
    });
    let recovered = json!({
        "timestamp": "2026-06-28T00:00:05Z", "agent_id": "aegize", "tool_name": "audit_log", "operation": "recover",
        "input_summary": "", "reason": "a torn last line was set aside",
    });
    vec![
        line(0, "allowed", &json!({"reason": "allowed by rule"})),
        line(
            1,
            "execution_succeeded",
            &json!({"result_summary": "\"12 lines\"", "duration_us": 840}),
        ),
        line(2, "denied", &denied),
        line(3, "approval_required", &asked),
        line(4, "allowed", &json!({"operation": "write"})),
        line(5, "execution_failed", &failed),
        line(6, "allowed", &json!({"timestamp": "2026-06-28T00:00:03Z"})),
        line(7, "execution_abandoned", &abandoned),
        line(8, "log_recovered", &recovered),
        line(10, "allowed", &json!({"timestamp": "2026-06-28T00:00:06Z"})),
        line(
            13,
            "approval_delegated",
            &json!({"timestamp": "2026-06-28T00:00:07Z"}),
        ),
    ]
}

/// `audit.jsonl` with all lines, and the directory `audit` with the same in segments.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    let lines = lines();
    write(directory.path().join("audit.jsonl"), lines.concat()).unwrap();
    let segments = directory.path().join("audit");
    fs::create_dir(&segments).unwrap();
    for (start, lines) in [(0, &lines[..2]), (2, &lines[2..3]), (3, &lines[3..])] {
        write(segments.join(format!("{start:020}.jsonl")), lines.concat()).unwrap();
    }
    directory
}

fn audit(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = aegize(directory);
    command.arg("audit").args(arguments).env_remove("COLUMNS");
    command
}

fn ran(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

#[test]
fn a_terminal_shows_what_it_has_room_for() {
    let directory = directory();
    let rows = [
        (
            "80",
            "\
SEQ   TIME      EVENT      AGENT         CALL                 DETAILS
2026-06-27 UTC
0     23:59:50  allowed    bot           files read           path=\"./data/a.tx…
1     23:59:51  succeeded  bot           files read           840 µs  \"12 lines\"
2     23:59:52  denied     bot           shell run            denied by rule fo…
2026-06-28 UTC
3     00:00:01  approval   assistant_o…  github.com/mcp pul…  approval required…
2026-06-27 UTC
4     23:59:54  allowed    bot           files write          path=\"./data/a.tx…
2026-06-28 UTC
5     00:00:02  failed     bot           files read           2.1 s  a\\u{1b}[2J…
6     00:00:03  allowed    bot           files read           path=\"./data/a.tx…
7     00:00:04  abandoned  bot           files read           the process ended…
8     00:00:05  recovered  aegize        audit_log recover    a torn last line …
10    00:00:06  allowed    bot           files read           path=\"./data/a.tx…
13    00:00:07  other      bot           files read           path=\"./data/a.tx…
",
        ),
        (
            "120",
            "\
SEQ   TIME      EVENT      RISK      AGENT                CALL                             DETAILS
2026-06-27 UTC
0     23:59:50  allowed    low       bot                  files read                       path=\"./data/a.txt\"
1     23:59:51  succeeded  low       bot                  files read                       840 µs  \"12 lines\"
2     23:59:52  denied     critical  bot                  shell run                        denied by rule for tool 'she…
2026-06-28 UTC
3     00:00:01  approval   high      assistant_of_accou…  github.com/mcp pull_request_cr…  approval required for tool '…
2026-06-27 UTC
4     23:59:54  allowed    low       bot                  files write                      path=\"./data/a.txt\"
2026-06-28 UTC
5     00:00:02  failed     low       bot                  files read                       2.1 s  a\\u{1b}[2J\\nforged\\u{…
6     00:00:03  allowed    low       bot                  files read                       path=\"./data/a.txt\"
7     00:00:04  abandoned  low       bot                  files read                       the process ended before the…
8     00:00:05  recovered  low       aegize               audit_log recover                a torn last line was set asi…
10    00:00:06  allowed    low       bot                  files read                       path=\"./data/a.txt\"
13    00:00:07  other      low       bot                  files read                       path=\"./data/a.txt\"
",
        ),
    ];
    for (columns, expected) in rows {
        let mut command = audit(directory.path(), &["show", "audit.jsonl"]);
        let told = ran(command.env("COLUMNS", columns));
        assert_eq!(
            (told.stdout.as_str(), told.stderr.as_str(), told.code),
            (expected, "", Some(0))
        );
    }
}

#[test]
fn elsewhere_nothing_is_cut() {
    let directory = directory();
    let told = ran(&mut audit(directory.path(), &["show", "audit.jsonl"]));
    let expected = "\
SEQ   TIME                  EVENT      RISK      AGENT                             CALL                                DETAILS
0     2026-06-27 23:59:50Z  allowed    low       bot                               files read                          path=\"./data/a.txt\"
1     2026-06-27 23:59:51Z  succeeded  low       bot                               files read                          840 µs  \"12 lines\"
2     2026-06-27 23:59:52Z  denied     critical  bot                               shell run                           denied by rule for tool 'shell'  cmd=\"rm -rf /var/data\"
3     2026-06-28 00:00:01Z  approval   high      assistant_of_accounting for boss  github.com/mcp pull_request_create  approval required for tool 'github.com/mcp': code leaves the company  title=\"日本語のタイトル\"
4     2026-06-27 23:59:54Z  allowed    low       bot                               files write                         path=\"./data/a.txt\"
5     2026-06-28 00:00:02Z  failed     low       bot                               files read                          2.1 s  a\\u{1b}[2J\\nforged\\u{202e}
6     2026-06-28 00:00:03Z  allowed    low       bot                               files read                          path=\"./data/a.txt\"
7     2026-06-28 00:00:04Z  abandoned  low       bot                               files read                          the process ended before the call did
8     2026-06-28 00:00:05Z  recovered  low       aegize                            audit_log recover                   a torn last line was set aside
10    2026-06-28 00:00:06Z  allowed    low       bot                               files read                          path=\"./data/a.txt\"
13    2026-06-28 00:00:07Z  other      low       bot                               files read                          path=\"./data/a.txt\"
";
    assert_eq!((told.stdout.as_str(), told.code), (expected, Some(0)));
}

#[test]
fn colours_tell_events_apart_on_a_terminal() {
    let directory = directory();
    let show = |variable: &str| {
        let mut command = audit(directory.path(), &["show", "audit.jsonl"]);
        ran(command.env(variable, "1")).stdout
    };
    assert!(!show("NO_COLOR").contains('\u{1b}'));
    let coloured = show("CLICOLOR_FORCE");
    for event in [
        "\u{1b}[1m\u{1b}[32mallowed",
        "\u{1b}[1m\u{1b}[32msucceeded",
        "\u{1b}[1m\u{1b}[31mdenied",
        "\u{1b}[1m\u{1b}[31mfailed",
        "\u{1b}[1m\u{1b}[33mapproval",
        "\u{1b}[1m\u{1b}[33mabandoned",
        "\u{1b}[1m\u{1b}[33mcritical",
    ] {
        assert!(coloured.contains(event), "{event:?} in {coloured:?}");
    }
    assert!(!coloured.contains("\u{1b}[2J"), "{coloured:?}");
}

#[test]
fn json_is_the_log_byte_for_byte() {
    let directory = directory();
    // What other writers may have made of it: spaces, DEL and C1 controls, and fields to come.
    let odd = lines()[2]
        .replace("\":", "\" : ")
        .replace("rm -rf", "\u{7f}\u{9b}31m\u{202e}")
        .replace("{\"t", " { \"later\" : 10.0 ,\"t");
    let text = lines().concat() + &odd;
    write(directory.path().join("odd.jsonl"), &text).unwrap();
    for arguments in [
        ["show", "odd.jsonl", "--json"].as_slice(),
        &["show", "odd.jsonl", "--format", "json"],
        &[
            "show",
            "odd.jsonl",
            "--format=json",
            "--since",
            "2026-01-01",
        ],
    ] {
        let told = ran(audit(directory.path(), arguments).env("CLICOLOR_FORCE", "1"));
        assert_eq!(told.stdout, text, "{arguments:?}");
        assert_eq!((told.stderr.as_str(), told.code), ("", Some(0)));
    }
}

#[test]
fn ocsf_is_an_event_for_each_record_with_the_line_as_it_stands() {
    let directory = directory();
    let arguments = ["show", "audit.jsonl", "--format", "ocsf", "--tool", "files"];
    let told = ran(&mut audit(directory.path(), &arguments));
    assert_eq!((told.stderr.as_str(), told.code), ("", Some(0)));
    let lines = lines();
    let expected = [0, 1, 4, 5, 6, 7, 9, 10].map(|index| lines[index].trim_end());
    let events: Vec<Value> = told
        .stdout
        .lines()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    assert_eq!(events.len(), expected.len());
    for (event, line) in events.iter().zip(expected) {
        assert_eq!(event["class_uid"], 6003);
        assert_eq!(event["raw_data"], line);
    }
}

#[test]
fn filters_of_one_kind_are_alternatives_and_of_different_kinds_add_up() {
    let directory = directory();
    let rows: [(&[&str], &[usize]); 24] = [
        (&[], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (&["--agent", "bot"], &[0, 1, 2, 4, 5, 6, 7, 9, 10]),
        (&["--agent", "boss"], &[3]),
        (&["--agent", "boss", "--agent", "aegize"], &[3, 8]),
        (&["--agent", "b*"], &[]),
        (&["--tool", "files"], &[0, 1, 4, 5, 6, 7, 9, 10]),
        (&["--tool", "github.*"], &[3]),
        (&["--tool", "{shell,audit_log}"], &[2, 8]),
        (&["--tool", "shell", "--tool", "github*"], &[2, 3]),
        (&["--operation", "write"], &[4]),
        (&["--operation", "r*n"], &[2]),
        (&["--tool", "files", "--operation", "write"], &[4]),
        (&["--tool", "shell", "--operation", "write"], &[]),
        (&["--event", "denied"], &[2]),
        (
            &["--event", "denied", "--event", "execution_failed"],
            &[2, 5],
        ),
        (&["--event", "other"], &[10]),
        (&["--event", "allowed", "--operation", "write"], &[4]),
        (
            &["--action", "01970000-0000-7000-8000-000000000000"],
            &[0, 1],
        ),
        (
            &[
                "--action",
                "01970000000070008000000000000002",
                "--action",
                "01970000-0000-7000-8000-000000000003",
            ],
            &[4, 5, 6, 7],
        ),
        (&["--since", "2026-06-28"], &[3, 5, 6, 7, 8, 9, 10]),
        (&["--until", "2026-06-28"], &[0, 1, 2, 4]),
        (
            &[
                "--since",
                "2026-06-28 00:00:04.000001",
                "--until",
                "2026-06-28T02:00:06+02:00",
            ],
            &[7, 8],
        ),
        (
            &[
                "--since",
                "2026-06-28 00:00:04.000002",
                "--until",
                "2026-06-28 00:00:06",
            ],
            &[8],
        ),
        (&["--since", "0s"], &[]),
    ];
    let lines = lines();
    for (filters, expected) in rows {
        let expected: String = expected
            .iter()
            .map(|index| lines[*index].as_str())
            .collect();
        for log in ["audit.jsonl", "audit"] {
            let arguments = [&["show", log, "--json"], filters].concat();
            let told = ran(&mut audit(directory.path(), &arguments));
            assert_eq!(told.stdout, expected, "{arguments:?}");
            assert_eq!(
                (told.stderr.as_str(), told.code),
                ("", Some(0)),
                "{arguments:?}"
            );
        }
    }
}

#[test]
fn filters_that_make_no_sense_are_unusable() {
    let directory = directory();
    let rows = [
        (["--event", "alowed"], "a similar value exists: 'allowed'"),
        (
            ["--tool", "a**"],
            "in a name, `*` already stands for any text",
        ),
        (["--operation", ""], "is empty; write a name or a glob"),
        (["--since", "yesterday"], "write a date such as 2026-06-27"),
        (["--until", "1y"], "such as 90s, 15m, 1h, 2d or 4w"),
        (["--action", "41"], "invalid"),
    ];
    for (filter, error) in rows {
        for command in ["show", "stats"] {
            let told = ran(&mut audit(
                directory.path(),
                &[&[command, "audit.jsonl"], &filter[..]].concat(),
            ));
            assert_eq!(
                (told.code, told.stdout.as_str()),
                (Some(2), ""),
                "{filter:?}"
            );
            assert!(told.stderr.starts_with("error: "), "{told:?}");
            assert!(told.stderr.contains(error), "{filter:?}: {}", told.stderr);
        }
    }
    let both = ["show", "audit.jsonl", "--json", "--format", "human"];
    let told = ran(&mut audit(directory.path(), &both));
    assert!(told.stderr.contains("cannot be used with"), "{told:?}");
    assert_eq!(told.code, Some(2));
}

#[test]
fn lines_that_are_no_records_are_told_and_logs_without_records_are_unusable() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let bad = "no record\n".repeat(7);
    write(at("bad.jsonl"), &bad).unwrap();
    write(at("mixed.jsonl"), bad + &lines().concat() + "{\"torn").unwrap();
    write(at("empty.jsonl"), "").unwrap();
    fs::create_dir(at("no_log")).unwrap();
    for command in ["show", "stats"] {
        let told = ran(&mut audit(directory.path(), &[command, "mixed.jsonl"]));
        assert_eq!(told.code, Some(1), "{told:?}");
        for line in 1..=5 {
            let warning =
                format!("warning: audit log `mixed.jsonl` has no record in line {line}: ");
            assert_eq!(told.stderr.matches(&warning).count(), 1, "{told:?}");
        }
        assert!(!told.stderr.contains("in line 6"), "{told:?}");
        let left_out = "8 lines left out: no record, or a torn one\n";
        let stream = if command == "show" {
            &told.stderr
        } else {
            &told.stdout
        };
        assert!(stream.contains(left_out), "{told:?}");

        let told = ran(&mut audit(directory.path(), &[command, "empty.jsonl"]));
        assert_eq!((told.stderr.as_str(), told.code), ("", Some(0)));
        for (log, error) in [
            (
                "bad.jsonl",
                "error: audit log `bad.jsonl` has no record in line 1: ",
            ),
            ("missing", "error: audit log `missing` cannot be opened: "),
            (
                "no_log",
                "error: audit log `no_log` cannot be opened: it is a directory that holds no log",
            ),
        ] {
            let told = ran(&mut audit(directory.path(), &[command, log]));
            assert_eq!((told.stdout.as_str(), told.code), ("", Some(2)), "{told:?}");
            assert!(told.stderr.starts_with(error), "{told:?}");
        }
    }
    let told = ran(&mut audit(
        directory.path(),
        &["stats", "mixed.jsonl", "--format", "json"],
    ));
    let stats: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(
        (&stats["bad_lines"], &stats["records"]),
        (&json!(8), &json!(11))
    );
}

//! A log: every line is a record or an error, and opening it loses nothing.

use std::fs;
use std::sync::LazyLock;

use aegize::{AuditLog, AuditRecord, AuditRecords};
use tempfile::TempDir;

use super::{Outcome, Target};

pub(super) const TARGET: Target = Target {
    name: "audit",
    seeds: &[],
    from_line: |line| line.into(),
    words: &[
        "\"timestamp\":\"2026-01-01T00:00:00Z\",",
        "\"seq\":18446744073709551615,",
        "\"seq\":-1,",
        "\"event\":\"denied\",",
        "\"event\":\"later\",",
        "\"metadata\":{}",
        "\"duration_us\":1,",
        "\"acting_for\":[\"a\"],",
        "+23:59",
        "-23:59",
        "9999-12-31",
        "0000-01-01",
        ":60",
        "1e308",
        "\\ud800",
        "{",
        "}",
        "\n",
        "\n\n",
        "[[[[[[[[",
    ],
    run,
};

/// Gone with the next restart of the machine: a static is not dropped.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

fn run(input: &[u8]) -> Outcome {
    let path = FOLDER.path().join("audit.jsonl");
    let torn_path = FOLDER.path().join("audit.jsonl.torn-0");
    fs::write(&path, input).expect("a log on disk");

    let (mut records, mut problems) = (0, Vec::new());
    for record in AuditRecords::open(&path).expect("a file") {
        match record {
            Ok(record) => {
                records += 1;
                round_trip(&record);
            }
            Err(error) => problems.push(kind(&error.to_string())),
        }
    }
    problems.dedup();
    problems.truncate(2);

    let whole = input
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let opened = AuditLog::open(&path)
        .map(drop)
        .map_err(|error| kind(&error.to_string()));
    let after = fs::read(&path).expect("the log");
    let torn = fs::read(&torn_path).unwrap_or_default();
    match opened {
        Ok(()) => {
            assert!(
                after.starts_with(&input[..whole]),
                "a whole line was changed"
            );
            assert_eq!(torn, &input[whole..], "what was torn was lost");
        }
        Err(_) => assert_eq!(after, input, "a log that was refused was changed"),
    }
    let _ = fs::remove_file(torn_path);
    let told = format!("{} records, {problems:?}, {opened:?}", records.min(4));
    if records > 0 {
        Outcome::Read(told)
    } else {
        Outcome::Refused(told)
    }
}

/// What a record was read from need not be how it is written; that stays the same.
fn round_trip(record: &AuditRecord<'_>) {
    let Ok(written) = serde_json::to_string(record) else {
        return;
    };
    let read: AuditRecord<'static> = serde_json::from_str(&written).expect("what was written");
    assert_eq!(
        serde_json::to_string(&read).expect("it was written before"),
        written
    );
}

/// A message without what it takes from the input.
fn kind(message: &str) -> String {
    let words = message.rsplit(": ").next().unwrap_or_default();
    words
        .split('`')
        .step_by(2)
        .flat_map(str::chars)
        .filter(|c| !c.is_ascii_digit())
        .collect()
}

//! What is on record of tokens: that they were made and revoked, by whom and for whom.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use aegize::{AuditEvent, AuditRecord};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};

use super::bank::{ANYONE, Bank, user};
use crate::support::{Ran, aegize};

const ALICE: [&str; 9] = [
    "tokens",
    "create",
    "alice@acme.com",
    "--group",
    "ops",
    "--group",
    "finance",
    "--slack",
    "U1",
];

/// Logs that cannot be opened, or not be written.
const BROKEN: [&str; 3] = ["empty", "/dev/null/audit.jsonl", "/dev/full"];

/// An agent that has paid nothing yet, beside a directory without a log.
fn bank() -> Bank {
    let bank = Bank::new(ANYONE);
    fs::create_dir(bank.path().join("empty")).unwrap();
    bank
}

fn run_into(bank: &Bank, arguments: &[&str], stdout: impl Into<Stdio>) -> Ran {
    let mut command = bank.command(arguments);
    command.stdout(stdout).output().unwrap().into()
}

/// A file to which nothing can be written.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// The ids of the tokens that count.
fn ids(bank: &Bank) -> Vec<String> {
    let listed = bank.json(&["tokens", "list"]);
    let tokens = listed["tokens"].as_array().unwrap().iter();
    tokens
        .map(|token| token["id"].as_str().unwrap().to_owned())
        .collect()
}

fn log(bank: &Bank) -> String {
    fs::read_to_string(bank.path().join("audit.jsonl")).unwrap()
}

/// The id that a record tells.
fn id_of(record: &AuditRecord<'_>) -> String {
    record.metadata["token"].as_str().unwrap().to_owned()
}

fn told_by(directory: &Path, arguments: &[&str]) -> String {
    let ran: Ran = aegize(directory).args(arguments).output().unwrap().into();
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{arguments:?}");
    ran.stdout
}

#[test]
fn who_made_and_revoked_a_token_is_on_record() {
    let bank = bank();
    let made = bank.run(&ALICE);
    let token = made.stdout.trim_end();
    let (id, secret) = token["agz_".len()..].split_once('_').unwrap();
    // They keep their groups, and the log tells them again.
    let second = bank.run(&["tokens", "create", "alice@acme.com"]).stdout;
    let second = second.split('_').nth(1).unwrap();
    bank.told(&["tokens", "revoke", token]);
    let told: Vec<_> = bank
        .records()
        .iter()
        .map(|record| {
            assert_eq!(
                (
                    &*record.agent_id,
                    &*record.tool_name,
                    &*record.input_summary
                ),
                ("aegize", "approver_tokens", "")
            );
            assert_eq!(record.approvers, [user()]);
            (
                record.event,
                record.operation.to_string(),
                record.reason.as_deref().unwrap().to_owned(),
                Value::Object(record.metadata.clone().into_owned()),
            )
        })
        .collect();
    let expected = [
        (
            AuditEvent::TokenCreated,
            "create".to_owned(),
            format!("token {id} of alice@acme.com, in ops, finance, U1 in Slack"),
            json!({
                "token": id, "approver": "alice@acme.com", "groups": ["ops", "finance"],
                "slack": "U1",
            }),
        ),
        (
            AuditEvent::TokenCreated,
            "create".to_owned(),
            format!("token {second} of alice@acme.com, in ops, finance"),
            json!({
                "token": second, "approver": "alice@acme.com", "groups": ["ops", "finance"],
            }),
        ),
        (
            AuditEvent::TokenRevoked,
            "revoke".to_owned(),
            format!("token {id} of alice@acme.com"),
            json!({ "token": id, "approver": "alice@acme.com" }),
        ),
    ];
    assert_eq!(told, expected);
    for hidden in [secret, "argon2"] {
        assert!(!log(&bank).contains(hidden), "{hidden}");
    }
    told_by(bank.path(), &["audit", "verify", "audit.jsonl"]);
}

#[test]
fn what_is_on_record_of_tokens_is_no_decision() {
    let bank = bank();
    bank.run(&ALICE);
    let id = &ids(&bank)[0];
    bank.told(&["tokens", "revoke", id]);
    bank.asked(5);
    fs::write(bank.path().join("policy.yaml"), ANYONE).unwrap();
    let replayed = told_by(
        bank.path(),
        &["policy", "replay", "policy.yaml", "audit.jsonl"],
    );
    let expected =
        "1 call: 1 as recorded, 0 decided otherwise (0 widened, 0 tightened), 0 cannot be told\n";
    assert_eq!(replayed, expected);
    let mut command = aegize(bank.path());
    command.args(["policy", "suggest", "audit.jsonl", "--agent", "aegize"]);
    let suggested: Ran = command.output().unwrap().into();
    assert_eq!(
        suggested.stderr,
        "warning: no decision about agent `aegize` is on record\n"
    );
}

#[test]
fn a_token_that_is_not_there_leaves_no_record() {
    let bank = bank();
    let ran = bank.run(&["tokens", "revoke", "3f6a0c9d12e4b785"]);
    assert_eq!((ran.code, &*ran.stdout), (Some(4), ""));
    assert_eq!(log(&bank), "");
}

#[cfg(target_os = "linux")]
#[test]
fn no_token_is_made_that_cannot_be_recorded() {
    let bank = bank();
    for log in BROKEN {
        let ran = bank.run(&[&ALICE[..], &["--audit-log", log]].concat());
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{log}");
        assert!(ran.stderr.starts_with("error: "), "{log}\n{}", ran.stderr);
        assert!(!ran.stderr.contains("agz_"), "{log}\n{}", ran.stderr);
    }
    assert_eq!(ids(&bank), [""; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_revocation_that_cannot_be_recorded_stands() {
    let bank = bank();
    for log in BROKEN {
        bank.run(&ALICE);
        let id = &ids(&bank)[0];
        let ran = bank.run(&["tokens", "revoke", id, "--audit-log", log]);
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{log}");
        let problem = format!("error: token `{id}` is revoked, but unrecorded: ");
        assert!(
            ran.stderr.starts_with(&problem) && ran.stderr.contains(log),
            "{log}\n{}",
            ran.stderr
        );
        assert_eq!(ids(&bank), [""; 0], "{log}");
    }
    assert_eq!(bank.events(), [AuditEvent::TokenCreated; BROKEN.len()]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_token_that_nobody_got_is_revoked_again() {
    let bank = bank();
    let (reader, gone) = std::io::pipe().unwrap();
    drop(reader);
    let rows: [(Stdio, &str); 2] = [
        (
            full().into(),
            "error: cannot write to standard output: No space left on device (os error 28); token `",
        ),
        (gone.into(), "error: nobody reads standard output; token `"),
    ];
    for (stdout, problem) in rows {
        let ran = run_into(&bank, &ALICE, stdout);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(
            ran.stderr.starts_with(problem) && ran.stderr.ends_with("` is revoked again\n"),
            "{}",
            ran.stderr
        );
        assert_eq!(ids(&bank), [""; 0]);
    }
    let (made, revoked) = (AuditEvent::TokenCreated, AuditEvent::TokenRevoked);
    assert_eq!(bank.events(), [made, revoked, made, revoked]);
    let records = bank.records();
    assert_eq!(id_of(&records[0]), id_of(&records[1]));
    assert_eq!(id_of(&records[2]), id_of(&records[3]));
}

#[test]
fn a_token_that_was_not_kept_is_recorded_as_revoked() {
    let bank = bank();
    bank.run(&ALICE);
    let ran = bank.run(&["tokens", "create", "bob@acme.com", "--slack", "U1"]);
    assert_eq!((ran.code, &*ran.stdout), (Some(2), ""));
    let problem =
        "error: another approver is the user `U1` in Slack; give this one's own id; token `";
    assert!(
        ran.stderr.starts_with(problem) && ran.stderr.ends_with("` is revoked again\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(ids(&bank).len(), 1);
    let records = bank.records();
    let last = records.last().unwrap();
    assert_eq!(last.event, AuditEvent::TokenRevoked);
    assert_eq!(last.metadata["approver"], "bob@acme.com");
    assert_eq!(id_of(last), id_of(&records[1]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_token_that_nobody_got_and_that_stays_is_told() {
    let bank = bank();
    refuse_removal(&bank.path().join("approvals.db"));
    let ran = run_into(&bank, &ALICE, full());
    assert_eq!(ran.code, Some(2));
    let id = &ids(&bank)[0];
    let may_count = format!("; token `{id}` may count all the same (");
    let remedy = format!("): revoke it with `aegize approvals tokens revoke {id}`\n");
    assert!(
        ran.stderr.contains(&may_count) && ran.stderr.ends_with(&remedy),
        "{}",
        ran.stderr
    );
    assert_eq!(bank.events(), [AuditEvent::TokenCreated]);
}

/// From now on, the store can take no token back.
fn refuse_removal(file: &Path) {
    let sql = "CREATE TRIGGER stays BEFORE DELETE ON aegize_tokens \
         BEGIN SELECT RAISE(ABORT, 'it stays'); END";
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let made = runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        connection.execute(sqlx::raw_sql(sql)).await?;
        connection.close().await
    });
    made.unwrap();
}

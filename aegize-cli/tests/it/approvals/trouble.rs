//! Stores, logs and files that cannot be used: nothing is decided, and it is told why.

use std::fs;

use aegize::{ApprovalState, AuditEvent, GuardError};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::bank::{ANYONE, Bank, approvals, user};
use crate::support::Ran;

#[test]
fn a_store_that_is_not_there_is_not_made() {
    let directory = TempDir::new().unwrap();
    let commands: [&[&str]; 4] = [
        &["list"],
        &["approve", "0123456789ab", "--yes"],
        &["watch"],
        &["tokens", "list"],
    ];
    for arguments in commands {
        let ran: Ran = approvals(directory.path())
            .args(arguments)
            .output()
            .unwrap()
            .into();
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{arguments:?}");
        let problem = "error: approvals.db: is not there; agents make the store when they open it, so give theirs with --store\n";
        assert_eq!(ran.stderr, problem, "{arguments:?}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn stores_that_are_none_are_told() {
    let directory = TempDir::new().unwrap();
    fs::write(
        directory.path().join("text.db"),
        "not a database, and longer than its header would be".repeat(100),
    )
    .unwrap();
    for store in [
        "approvals.db",
        "mysql://localhost/approvals",
        "sqlite://text.db",
        "postgres://127.0.0.1:1/approvals",
    ] {
        let mut command = approvals(directory.path());
        let ran: Ran = command
            .args(["list", "--store", store])
            .output()
            .unwrap()
            .into();
        assert_eq!(
            (ran.code, &*ran.stdout),
            (Some(2), ""),
            "{store}\n{}",
            ran.stderr
        );
        assert!(ran.stderr.starts_with("error: "), "{store}\n{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{store}\n{}", ran.stderr);
    }
}

#[test]
fn nothing_is_decided_that_cannot_be_recorded() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    // A directory without a log, and the same where nobody can make one.
    fs::create_dir(bank.path().join("empty")).unwrap();
    for log in ["empty", "/dev/null/audit.jsonl", "/proc/audit.jsonl"] {
        for act in [
            &["approve", &*id.to_string(), "--yes"] as &[&str],
            &["reject", &id.to_string(), "--reason", "no"],
        ] {
            let ran = bank.run(&[act, &["--audit-log", log]].concat());
            assert_eq!(
                (ran.code, &*ran.stdout),
                (Some(2), ""),
                "{log}\n{}",
                ran.stderr
            );
        }
    }
    assert_eq!(bank.request(id).state(), ApprovalState::Requested);
}

#[cfg(target_os = "linux")]
#[test]
fn what_was_decided_and_could_not_be_recorded_is_told() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5).to_string();
    let ran = bank.run(&["approve", &id, "--yes", "--audit-log", "/dev/full"]);
    assert_eq!((ran.code, &*ran.stdout), (Some(2), ""));
    let problem = format!(
        "error: approval request `{id}` is granted, but unrecorded: audit log `/dev/full` cannot be written"
    );
    assert!(ran.stderr.starts_with(&problem), "{}", ran.stderr);
    // It is recorded when it is used.
    assert_eq!(bank.pay(5).unwrap(), "paid");
    let records = bank.records();
    let used = records
        .iter()
        .find(|record| record.event == AuditEvent::ApprovalConsumed);
    assert_eq!(used.unwrap().approvers, [user()]);
}

#[test]
fn a_log_that_cannot_be_written_is_told() {
    use std::os::unix::fs::PermissionsExt as _;

    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    let log = bank.path().join("audit.jsonl");
    fs::set_permissions(&log, fs::Permissions::from_mode(0o400)).unwrap();
    // Root writes all the same; then that is what is recorded.
    let can_write = fs::File::options().append(true).open(&log).is_ok();
    let ran = bank.run(&["approve", &id.to_string(), "--yes"]);
    let expected = if can_write {
        (Some(0), ApprovalState::Granted)
    } else {
        (Some(2), ApprovalState::Requested)
    };
    assert_eq!(
        (ran.code, bank.request(id).state()),
        expected,
        "{}",
        ran.stderr
    );
}

#[test]
fn looking_begins_no_log() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5).to_string();
    for look in [&["list"] as &[&str], &["show", &id], &["watch"]] {
        let ran = bank.run(&[look, &["--audit-log", "other.jsonl"]].concat());
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{look:?}");
        let problem = "error: other.jsonl: is not there; give the agents' audit log with --audit-log, \
                       since what has expired is recorded there\n";
        assert_eq!(ran.stderr, problem, "{look:?}");
    }
    assert!(!bank.path().join("other.jsonl").exists());
}

#[test]
fn a_log_that_was_not_there_is_told() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5).to_string();
    let ran = bank.run(&["approve", &id, "--yes", "--audit-log", "other.jsonl"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "warning: other.jsonl: was not there, and is begun; if the agents' log is another, give it with --audit-log\n"
    );
    let log = fs::read_to_string(bank.path().join("other.jsonl")).unwrap();
    assert!(log.contains("\"approval_granted\""), "{log}");
}

#[test]
fn the_places_are_taken_from_the_environment() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    let elsewhere = TempDir::new().unwrap();
    let mut command = approvals(elsewhere.path());
    command
        .args(["approve", &id.to_string(), "--yes"])
        .env(
            "AEGIZE_STORE",
            format!("sqlite://{}/approvals.db", bank.path().display()),
        )
        .env("AEGIZE_AUDIT_LOG", bank.path().join("audit.jsonl"));
    let ran: Ran = command.output().unwrap().into();
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""));
    assert_eq!(bank.request(id).state(), ApprovalState::Granted);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_request_that_cannot_be_read_hides_no_other() {
    let bank = Bank::new(ANYONE);
    let (damaged, healthy) = (bank.asked(5), bank.asked(6));
    bank.damage(damaged);
    let warning = |id| {
        format!("warning: 1 request cannot be read: {id}; `aegize approvals show {id}` tells why\n")
    };
    for arguments in [&["list"] as &[&str], &["list", "--all"]] {
        let ran = bank.run(arguments);
        assert_eq!((ran.code, ran.stderr), (Some(0), warning(damaged)));
        assert!(ran.stdout.contains("amount=6"), "{}", ran.stdout);
    }
    let ran = bank.run(&["list", "--json"]);
    let list: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(list["requests"][0]["id"], json!(healthy));
    assert_eq!(list["unreadable"], json!([damaged]));

    // By a part of its id as well: no other is meant by it.
    let id = damaged.simple().to_string();
    for id in [&id, &id[20..]] {
        for act in [&["show", id] as &[&str], &["approve", id, "--yes"]] {
            let ran = bank.run(act);
            assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{act:?}");
            let problem =
                format!("error: approval request `{damaged}` cannot be read: missing field `id`");
            assert!(ran.stderr.starts_with(&problem), "{}", ran.stderr);
        }
    }
    // Its call stays refused, and the other is decided.
    assert!(matches!(
        bank.pay(5),
        Err(GuardError::ApprovalUnavailable(_))
    ));
    let part = &healthy.simple().to_string()[20..];
    assert_eq!(bank.run(&["approve", part, "--yes"]).code, Some(0));
    assert_eq!(bank.pay(6).unwrap(), "paid");

    // Among those that were decided before, one that is left out is told, too.
    bank.damage(healthy);
    let ran = bank.run(&["show", &bank.asked(7).to_string()]);
    assert_eq!((ran.code, ran.stderr), (Some(0), warning(healthy)));
}

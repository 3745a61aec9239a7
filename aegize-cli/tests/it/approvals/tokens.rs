//! `aegize approvals tokens`, and deciding as whoever has one.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use super::bank::{Bank, approvals};
use crate::support::Ran;

const OPS: &str =
    "agents: {bot: {require_approval: [{tool: pay, approvers: ['group:ops'], quorum: 2}]}}";

fn run(directory: &Path, arguments: &[&str]) -> Ran {
    let mut command = approvals(directory);
    command.args(arguments).output().unwrap().into()
}

/// Makes a token, and checks that it stands alone on standard output.
#[track_caller]
fn created(directory: &Path, arguments: &[&str]) -> (String, String) {
    let ran = run(directory, &[&["tokens", "create"], arguments].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let token = ran.stdout.strip_suffix('\n').unwrap();
    assert!(token.starts_with("agz_"), "{token}");
    let is_token = |c: char| c.is_ascii_alphanumeric() || c == '_';
    assert!(token.chars().all(is_token), "{token}");
    let secret = token.rsplit_once('_').unwrap().1;
    assert!(!ran.stderr.contains(secret), "{}", ran.stderr);
    (token.to_owned(), ran.stderr)
}

#[test]
fn whoever_has_a_token_decides_as_that_person() {
    let bank = Bank::new(OPS);
    let id = bank.asked(5).to_string();
    let (alice, told) = created(
        bank.path(),
        &["alice@acme.com", "--group", "ops", "--group", "finance"],
    );
    assert!(
        told.ends_with(" of alice@acme.com, in ops, finance\n"),
        "{told}"
    );
    let (bob, _) = created(
        bank.path(),
        &["bob", "--group", "ops", "--slack", "U012AB3CD"],
    );
    let (carol, _) = created(bank.path(), &["carol"]);
    // Without groups, they keep those that they have.
    let (_, told) = created(bank.path(), &["bob"]);
    assert!(told.ends_with(" of bob, in ops\n"), "{told}");
    // With others, all their tokens have them.
    let (_, told) = created(bank.path(), &["carol", "--group", "audit"]);
    let warning =
        " of carol, in audit\nwarning: with their other tokens, too: they were in no group\n";
    assert!(told.ends_with(warning), "{told}");

    fs::write(bank.path().join("alice.token"), format!("{alice}\n")).unwrap();
    let told = bank.told(&["approve", &id, "--yes", "--token-file", "alice.token"]);
    assert!(told.ends_with("it lacks 1 of group:ops\n"), "{told}");
    let with = |token: &str| -> Ran {
        let mut command = bank.command(&["approve", &id, "--yes"]);
        command.env("AEGIZE_TOKEN", token).output().unwrap().into()
    };
    let ran = with(&carol);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let told =
        "error: `carol` is not among the approvers of rule `bot.require_approval[0]`; they are ";
    assert!(ran.stderr.starts_with(told), "{}", ran.stderr);
    assert!(!ran.stderr.contains("operating system"), "{}", ran.stderr);
    let ran = with(&bob);
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""));
    assert_eq!(bank.pay(5).unwrap(), "paid");
    let records = bank.records();
    let used = records
        .iter()
        .find(|record| record.approvers.len() == 2)
        .unwrap();
    assert_eq!(used.approvers, ["alice@acme.com", "bob"]);
}

#[test]
fn a_token_that_is_nobody_s_decides_nothing() {
    let bank = Bank::new(OPS);
    let id = bank.asked(5).to_string();
    let (token, _) = created(bank.path(), &["alice", "--group", "ops"]);
    let (start, last) = token.split_at(token.len() - 1);
    let other = format!("{start}{}", if last == "0" { "1" } else { "0" });
    let revoked = created(bank.path(), &["dan", "--group", "ops"]).0;
    assert_eq!(
        run(bank.path(), &["tokens", "revoke", &revoked]).code,
        Some(0)
    );
    for token in [
        "",
        "agz_",
        "nonsense",
        &other,
        &revoked,
        &token.to_uppercase(),
    ] {
        let mut command = bank.command(&["approve", &id, "--yes"]);
        let ran: Ran = command.env("AEGIZE_TOKEN", token).output().unwrap().into();
        assert_eq!((ran.code, &*ran.stdout), (Some(3), ""), "{token}");
        let problem =
            "error: the token in AEGIZE_TOKEN is nobody's, or was revoked; ask for another\n";
        assert_eq!(ran.stderr, problem, "{token}");
    }
    let ran = bank.run(&["approve", &id, "--yes", "--token-file", "missing"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.starts_with("error: missing: cannot be read: "),
        "{}",
        ran.stderr
    );
    assert_eq!(bank.request(id.parse().unwrap()).approvals(), []);
}

#[test]
fn tokens_are_listed_and_taken_back() {
    let bank = Bank::new(OPS);
    assert_eq!(bank.told(&["tokens", "list"]), "no tokens\n");
    let (token, _) = created(
        bank.path(),
        &["alice@acme.com", "--group", "ops", "--slack", "U1"],
    );
    created(bank.path(), &["bob"]);
    let id = token.split('_').nth(1).unwrap();
    let listed = bank.told(&["tokens", "list"]);
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(
        lines[0],
        "ID                APPROVER        GROUPS  SLACK  CREATED (UTC)"
    );
    assert!(
        lines[1].starts_with(&format!("{id}  alice@acme.com  ops     U1     2")),
        "{listed}"
    );
    assert!(
        lines[2].contains("  bob             -       -      2"),
        "{listed}"
    );
    let told = bank.json(&["tokens", "list"]);
    let first = &told["tokens"][0];
    assert_eq!(
        (
            &first["id"],
            &first["approver"],
            &first["groups"],
            &first["slack"]
        ),
        (
            &json!(id),
            &json!("alice@acme.com"),
            &json!(["ops"]),
            &json!("U1")
        )
    );
    assert_eq!(
        bank.told(&["tokens", "revoke", id]),
        format!("revoked  {id}\n")
    );
    let ran = bank.run(&["tokens", "revoke", id]);
    assert_eq!((ran.code, &*ran.stdout), (Some(4), ""));
    assert_eq!(
        bank.json(&["tokens", "list"])["tokens"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn approvers_may_be_kept_in_a_file() {
    let bank = Bank::new(OPS);
    let id = bank.asked(5).to_string();
    let elsewhere = TempDir::new().unwrap();
    let arguments = ["al\"ice", "--group", "ops", "--slack", "U1", "--print-hash"];
    let (token, entry) = created(elsewhere.path(), &arguments);
    assert_eq!(
        fs::read_dir(elsewhere.path()).unwrap().count(),
        0,
        "nothing is kept"
    );
    fs::write(bank.path().join("approvers.yaml"), entry).unwrap();
    let mut command = bank.command(&["approve", &id, "--yes", "--approvers", "approvers.yaml"]);
    let ran: Ran = command.env("AEGIZE_TOKEN", &token).output().unwrap().into();
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""));
    let request = bank.request(id.parse().unwrap());
    assert_eq!(request.approvals()[0].approver.name(), "al\"ice");
    let listed = bank.told(&["tokens", "list", "--approvers", "approvers.yaml"]);
    assert!(listed.contains("al\"ice    ops     U1     -"), "{listed}");
    // The store knows nobody of that file.
    let mut command = bank.command(&["approve", &id, "--yes"]);
    let ran: Ran = command.env("AEGIZE_TOKEN", &token).output().unwrap().into();
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
}

#[test]
fn the_file_in_the_documentation_is_one() {
    let bank = Bank::new(OPS);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/approvals.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```yaml\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("```").next());
    let file = blocks
        .find(|block| block.starts_with("approvers:\n"))
        .unwrap();
    fs::write(bank.path().join("approvers.yaml"), file).unwrap();
    let listed = bank.json(&["tokens", "list", "--approvers", "approvers.yaml"]);
    let first = &listed["tokens"][0];
    assert_eq!(
        (&first["approver"], &first["groups"], &first["slack"]),
        (
            &json!("alice@acme.com"),
            &json!(["ops", "finance"]),
            &json!("U012AB3CD")
        )
    );
}

#[test]
fn the_operating_system_s_user_is_in_the_groups_that_are_kept() {
    let bank = Bank::new(OPS);
    let id = bank.asked(5).to_string();
    let name = super::bank::user();
    let approvers = format!("approvers: {{'{name}': {{groups: [ops]}}}}");
    fs::write(bank.path().join("approvers.yaml"), approvers).unwrap();
    let ran = bank.run(&["approve", &id, "--yes"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    bank.told(&["approve", &id, "--yes", "--approvers", "approvers.yaml"]);
}

#[test]
fn names_that_are_none_are_refused() {
    let directory = TempDir::new().unwrap();
    let rows: [(&[&str], &str); 4] = [
        (&["group:ops"], "begins with `group:`"),
        (&[" "], "is blank"),
        (&["a\u{202e}b"], "nobody sees"),
        (&["alice", "--group", ""], "the name of the group is blank"),
    ];
    for (arguments, problem) in rows {
        let ran = run(
            directory.path(),
            &[&["tokens", "create"], arguments].concat(),
        );
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{arguments:?}");
        assert!(ran.stderr.contains(problem), "{}", ran.stderr);
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_token_may_be_made_before_any_agent_runs() {
    let directory = TempDir::new().unwrap();
    let (_, told) = created(directory.path(), &["alice"]);
    assert!(
        told.starts_with("warning: approvals.db: was not there, and is made; "),
        "{told}"
    );
    let bank = Bank::in_directory(directory, OPS);
    assert_eq!(
        bank.json(&["tokens", "list"])["tokens"][0]["approver"],
        "alice"
    );
}

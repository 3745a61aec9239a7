//! A call waits in one process, and a person decides in another.

use aegize::{ApprovalState, AuditEvent, GuardError, ToolCall};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::bank::{ANYONE, Bank, payment, user};
use crate::support::{Ran, aegize};

#[test]
fn an_approved_call_runs_once() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5).to_string();
    let told = bank.told(&["approve", &id, "--yes", "--reason", "as agreed"]);
    let (line, _) = told.split_once(" left to make the call\n").unwrap();
    assert_eq!(
        line,
        format!(
            "granted  {}  pay refund, 14 min",
            &id.replace('-', "")[20..]
        )
    );
    assert_eq!(bank.pay(5).unwrap(), "paid");
    assert_ne!(bank.asked(5).to_string(), id);

    let records = bank.records();
    let granted = &records[1];
    assert_eq!(granted.event, AuditEvent::ApprovalGranted);
    assert_eq!(granted.approvers, [user()]);
    assert_eq!(granted.reason.as_deref(), Some("as agreed"));
    assert_eq!(granted.request_id, Some(id.parse().unwrap()));

    let mut show = aegize(bank.path());
    let shown: Ran = show
        .args(["audit", "show", "audit.jsonl"])
        .output()
        .unwrap()
        .into();
    let lines: Vec<_> = shown.stdout.lines().collect();
    for (event, details) in [("granted", "as agreed  "), ("consumed", "")] {
        let line = lines.iter().find(|line| line.contains(event)).unwrap();
        assert!(
            line.contains(&format!("by {}  {details}", user())),
            "{line}"
        );
    }
}

#[test]
fn a_call_that_waits_goes_on_when_it_is_approved() {
    let bank = Bank::new(ANYONE);
    let waiting = bank.context.clone().wait_until_answered();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| {
            waiting
                .guard(payment(5))
                .run_blocking(|| Ok::<_, GuardError>("paid"))
        });
        let id = loop {
            let listed = bank.json(&["list"]);
            if let Some(request) = listed["requests"].get(0) {
                break request["id"].as_str().unwrap().to_owned();
            }
        };
        bank.told(&["approve", &id, "--yes"]);
        assert_eq!(call.join().unwrap().unwrap(), "paid");
    });
}

#[test]
fn a_rejected_call_is_refused_with_the_reason() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5).to_string();
    let told = bank.told(&["reject", &id, "--reason", "the invoice is paid"]);
    assert_eq!(
        told,
        format!("rejected  {}  pay refund\n", &id.replace('-', "")[20..])
    );
    let refused = bank.pay(5).unwrap_err().to_string();
    assert!(refused.contains("the invoice is paid"), "{refused}");
    assert_eq!(bank.records()[1].event, AuditEvent::ApprovalRejected);
    // Another call is another question.
    bank.asked(6);
}

#[test]
fn a_revoked_approval_lets_nothing_run() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    bank.told(&["approve", &id.to_string(), "--yes"]);
    let revoked = bank.json(&["revoke", &id.to_string(), "--reason", "a mistake"]);
    assert_eq!(revoked["state"], "revoked");
    assert_eq!(revoked["refusal"]["reason"], "a mistake");
    assert_ne!(bank.asked(5), id);
    assert_eq!(
        bank.events()[1..3],
        [AuditEvent::ApprovalGranted, AuditEvent::ApprovalRevoked]
    );
}

#[test]
fn an_approval_outlives_the_agent_s_process() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    let Bank { directory, .. } = bank;
    let bank = Bank::in_directory(directory, ANYONE);
    assert_eq!(bank.asked(5), id);
    bank.told(&["approve", &id.to_string(), "--yes"]);
    let Bank { directory, .. } = bank;
    let bank = Bank::in_directory(directory, ANYONE);
    assert_eq!(bank.pay(5).unwrap(), "paid");
    assert_eq!(bank.request(id).state(), ApprovalState::Consumed);
}

#[test]
fn a_policy_that_denies_wins_over_an_approval() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    bank.told(&["approve", &id.to_string(), "--yes"]);
    let Bank { directory, .. } = bank;
    let denies = "agents: {bot: {deny: [{tool: pay}]}}";
    let bank = Bank::in_directory(directory, denies);
    assert!(matches!(bank.pay(5), Err(GuardError::PolicyDenied(_))));
}

#[test]
fn several_people_are_asked_until_they_are_enough() {
    let policy = "agents: {bot: {require_approval: [{tool: pay, quorum: 2}]}}";
    let bank = Bank::new(policy);
    let id = bank.asked(5).to_string();
    let told = bank.told(&["approve", &id, "--yes"]);
    assert!(told.starts_with("requested  "), "{told}");
    assert!(
        told.ends_with("it lacks one person, whoever that is\n"),
        "{told}"
    );
    // The same person counts once.
    let again = bank.run(&["approve", &id, "--yes"]);
    assert_eq!(again.code, Some(1), "{}", again.stderr);
    assert!(
        again.stderr.contains("has already approved"),
        "{}",
        again.stderr
    );
    bank.asked(5);
}

#[test]
fn how_it_ends_tells_why_nothing_was_decided() {
    let policy = "agents: {bot: {require_approval: [
        {tool: pay, operations: [refund]}, {tool: pay, operations: [charge], approvers: ['group:ops']}]}}";
    let bank = Bank::new(policy);
    let decided = bank.asked(5).to_string();
    bank.told(&["approve", &decided, "--yes"]);
    let others = ToolCall::new("pay", "charge").arguments(json!({"amount": 1}));
    let others = bank.asked_for(others).to_string();
    let unknown = Uuid::nil().to_string();
    let rows: [(&[&str], i32, &str); 7] = [
        (
            &["approve", &decided, "--yes"],
            1,
            "is granted, not requested",
        ),
        (
            &["reject", &decided, "--reason", "no"],
            1,
            "is granted, not requested",
        ),
        (&["revoke", &others], 1, "is requested, not granted"),
        (
            &["approve", &others, "--yes"],
            3,
            "is not among the approvers",
        ),
        (
            &["approve", &unknown, "--yes"],
            4,
            "there is no approval request",
        ),
        (
            &["approve", "00000000", "--yes"],
            4,
            "there is no approval request",
        ),
        (
            &["approve", "nonsense", "--yes"],
            2,
            "it is no id of a request",
        ),
    ];
    let before = bank.events();
    for (arguments, code, problem) in rows {
        let ran = bank.run(arguments);
        assert_eq!(
            (ran.code, &*ran.stdout),
            (Some(code), ""),
            "{arguments:?}\n{}",
            ran.stderr
        );
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
        assert!(
            ran.stderr.contains(problem),
            "{arguments:?}\n{}",
            ran.stderr
        );
    }
    assert_eq!(
        bank.events(),
        before,
        "nothing is recorded that was not done"
    );
}

#[test]
fn nobody_s_name_is_taken_from_the_environment() {
    let bank = Bank::new(
        "agents: {bot: {require_approval: [{tool: pay, approvers: ['group:ops', alice]}]}}",
    );
    let id = bank.asked(5).to_string();
    let mut command = bank.command(&["approve", &id, "--yes"]);
    for variable in ["USER", "LOGNAME", "USERNAME", "SUDO_USER"] {
        command.env(variable, "alice");
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8(output.stderr).unwrap();
    // It says who may, and how to be one of them.
    let name = user();
    let told = format!(
        "error: `{name}` is not among the approvers of rule `bot.require_approval[0]`; they are alice, \
         group:ops; `{name}` is the operating system's user, in the groups that `--approvers` or a token \
         gave that name: to decide as another, give their token with --token-file\n"
    );
    assert_eq!(stderr, told);
    let ran = bank.run(&["reject", &id, "--reason", "no"]);
    assert_eq!((ran.code, ran.stderr), (Some(3), told));
}

#[test]
fn an_agent_does_not_approve_its_own_calls() {
    let name = user();
    let policy = format!("agents: {{'{name}': {{require_approval: [{{tool: pay}}]}}}}");
    let bank = Bank::of(&name, TempDir::new().unwrap(), &policy);
    let id = bank.asked(5).to_string();
    let ran = bank.run(&["approve", &id, "--yes"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("makes the call, and cannot decide about it"),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_approval_may_be_remembered_for_what_is_stated() {
    let policy = "agents: {bot: {require_approval: [{tool: pay, remember: 2h}]}}";
    let bank = Bank::new(policy);
    let id = bank.asked(50).to_string();
    let further = [
        "--remember",
        "1h",
        "--uses",
        "3",
        "--when",
        "args: {amount: {max: 100}}",
    ];
    let told = bank.told(&[&["approve", &*id, "--yes"], &further[..]].concat());
    let stated = "up to 3 calls within 1h: this one, or any where args: {amount: {max: 100}}";
    assert!(told.ends_with(&format!("pay refund, {stated}\n")), "{told}");
    for amount in [50, 100] {
        assert_eq!(bank.pay(amount).unwrap(), "paid");
    }
    bank.asked(101);
    let listed = bank.told(&["list", "--state", "granted"]);
    assert!(listed.contains("up to 3 calls"), "{listed}");
    let ran = bank.run(&["reject", &id, "--reason", ""]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    let shown = bank.told(&["show", &id]);
    assert!(
        shown.contains(&format!("extends to  {stated}; 2 used\n")),
        "{shown}"
    );
    let json = bank.json(&["show", &id]);
    let remember = json!({"seconds": 3600, "uses": 3, "conditions": "args: {amount: {max: 100}}"});
    assert_eq!(json["remember"], remember);
    assert_eq!(json["consumed_by"].as_array().unwrap().len(), 2);
    bank.told(&["revoke", &id]);
    bank.asked(50);
}

#[test]
fn what_may_not_be_remembered_approves_nothing() {
    let policy = "agents: {bot: {require_approval: [
        {tool: pay, operations: [refund]}, {tool: pay, operations: [charge], remember: 1h}]}}";
    let bank = Bank::new(policy);
    let never = bank.asked(5);
    let briefly = bank.asked_for(ToolCall::new("pay", "charge"));
    let rows: [(Uuid, &[&str], &str); 8] = [
        (
            never,
            &["--remember", "1h", "--uses", "2"],
            "has no `remember`",
        ),
        (
            briefly,
            &["--remember", "2h", "--uses", "2"],
            "for at most 1h",
        ),
        (
            briefly,
            &["--remember", "1h", "--uses", "0"],
            "for 1 to 1000 calls",
        ),
        (
            briefly,
            &["--remember", "0s", "--uses", "2"],
            "it is no length of time",
        ),
        (briefly, &["--remember", "1h"], "--uses <N>"),
        (briefly, &["--when", "args: {}"], "--remember <TIME>"),
        (
            briefly,
            &["--remember", "1h", "--uses", "2", "--when", "argz: {}"],
            "these conditions do not load: unknown key `argz`; did you mean `args`?",
        ),
        (
            briefly,
            &["--remember", "1h", "--uses", "2", "--when", "nonsense"],
            "write them as in policies, such as `args: {amount: {max: 100}}`",
        ),
    ];
    for (id, further, problem) in rows {
        let id = id.to_string();
        let ran = bank.run(&[&["approve", &*id, "--yes"], further].concat());
        assert_ne!(ran.code, Some(0), "{further:?}");
        assert!(ran.stderr.contains(problem), "{further:?}\n{}", ran.stderr);
    }
    for id in [never, briefly] {
        assert_eq!(bank.request(id).state(), ApprovalState::Requested);
    }
}

//! Questions on a terminal: they are answered there, after they were asked, and nowhere else.

use std::fs;
use std::process::Command;

use aegize::{ApprovalState, Approvals, ToolCall};
use serde_json::json;

use super::bank::{ANYONE, Bank, person, user};
use super::terminal::Terminal;
use crate::support::Ran;

/// Ctrl-C, and Ctrl-D at the beginning of a line.
const INTERRUPT: &str = "\x03";
const END: &str = "\x04";

#[test]
fn a_call_is_shown_before_it_is_approved() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    let mut terminal = Terminal::with(&bank.command(&["approve", &id.to_string()]));
    let shown = terminal.shows(&format!("Approve this call as {}? [y/N] ", user()));
    for part in [
        "pay refund",
        "amount  5",
        "\"a-customer\"",
        "money leaves",
        &id.to_string(),
    ] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    assert_eq!(bank.request(id).state(), ApprovalState::Requested);
    terminal.types("y\n");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("granted  "), "{shown}");
    assert_eq!(bank.pay(5).unwrap(), "paid");
}

#[test]
fn what_is_to_be_remembered_is_asked_about() {
    let bank = Bank::new("agents: {bot: {require_approval: [{tool: pay, remember: 1h}]}}");
    let id = bank.asked(5).to_string();
    let further = [
        "--remember",
        "1h",
        "--uses",
        "2",
        "--when",
        "args:\n  to: {equals: x}",
    ];
    let command = bank.command(&[&["approve", &*id], &further[..]].concat());
    let mut terminal = Terminal::with(&command);
    let stated = r"up to 2 calls within 1h: this one, or any where args:\n  to: {equals: x},";
    terminal.shows(&format!(
        "Approve this call, and in all {stated} as {}? ",
        user()
    ));
    terminal.types("n\n");
    assert_eq!(terminal.end().0, Some(1));
}

#[test]
fn anything_but_yes_approves_nothing() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    for keys in ["n\n", "\n", "yess\n", "yes please\n", END] {
        let mut terminal = Terminal::with(&bank.command(&["approve", &id.to_string()]));
        terminal.shows("[y/N] ");
        terminal.types(keys);
        let (code, shown) = terminal.end();
        assert_eq!(code, Some(1), "{keys:?}: {shown}");
        assert!(shown.contains("not approved"), "{keys:?}: {shown}");
    }
    let mut terminal = Terminal::with(&bank.command(&["approve", &id.to_string()]));
    terminal.shows("[y/N] ");
    terminal.types(INTERRUPT);
    let (code, shown) = terminal.end();
    assert_ne!(code, Some(0), "{shown}");
    assert_eq!(bank.request(id).state(), ApprovalState::Requested);
}

#[test]
fn what_was_typed_before_the_question_is_no_answer() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    let mut terminal = Terminal::new();
    terminal.types("y\ny\ny\n");
    terminal.run(&bank.command(&["approve", &id.to_string()]));
    terminal.shows("[y/N] ");
    terminal.types("n\n");
    let (code, shown) = terminal.end();
    assert_eq!(
        (code, bank.request(id).state()),
        (Some(1), ApprovalState::Requested),
        "{shown}"
    );
}

#[test]
fn what_is_piped_in_is_no_answer() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    fs::write(bank.path().join("yes"), "y\ny\ny\n").unwrap();
    let approve = bank.command(&["approve", &id.to_string()]);
    let mut piped = Command::new("sh");
    piped
        .args(["-c", "exec \"$@\" < yes", "sh"])
        .arg(approve.get_program())
        .args(approve.get_args())
        .current_dir(bank.path());
    let mut terminal = Terminal::with(&piped);
    terminal.shows("[y/N] ");
    terminal.types("n\n");
    let (code, shown) = terminal.end();
    assert_eq!(
        (code, bank.request(id).state()),
        (Some(1), ApprovalState::Requested),
        "{shown}"
    );
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    for (arguments, remedy) in [
        (
            &["approve", &*id.to_string()] as &[&str],
            "approve it with --yes",
        ),
        (&["watch", "--prompt"], "leave out --prompt"),
    ] {
        let command = bank.command(arguments);
        let mut session = Command::new("setsid");
        session
            .arg("--wait")
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(bank.path());
        let ran: Ran = session.output().unwrap().into();
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{}", ran.stderr);
        let problem = "error: there is no terminal to ask on; ";
        assert!(ran.stderr.starts_with(problem), "{}", ran.stderr);
        assert!(ran.stderr.contains(remedy), "{}", ran.stderr);
    }
    assert_eq!(bank.request(id).state(), ApprovalState::Requested);
}

#[test]
fn a_watcher_is_asked_about_each_call() {
    let bank = Bank::new(ANYONE);
    let approved = bank.asked(1);
    let mut terminal = Terminal::with(&bank.command(&["watch", "--prompt"]));
    let shown = terminal.shows("[y]es, [n]o, [s]kip: ");
    assert!(shown.contains("amount  1"), "{shown}");
    terminal.types("maybe\n");
    terminal.shows("[y]es, [n]o, [s]kip: ");
    terminal.types("y\n");
    terminal.shows("Why? ");
    terminal.types("as agreed\n");
    terminal.shows("granted  ");
    assert_eq!(bank.pay(1).unwrap(), "paid");
    let request = bank.request(approved);
    assert_eq!(request.approvals()[0].approver.name(), user());
    assert_eq!(request.approvals()[0].reason.as_deref(), Some("as agreed"));

    let rejected = bank.asked(2);
    let shown = terminal.shows("[y]es, [n]o, [s]kip: ");
    assert!(shown.contains("amount  2"), "{shown}");
    assert!(
        shown.contains("consumed"),
        "what became of the first is told: {shown}"
    );
    terminal.types("no\n");
    terminal.shows("Why? ");
    terminal.types("\n");
    terminal.shows("rejected  ");

    let skipped = bank.asked(3);
    terminal.shows("[y]es, [n]o, [s]kip: ");
    terminal.types("s\n");
    let late = bank.asked(4);
    let shown = terminal.shows("[y]es, [n]o, [s]kip: ");
    assert!(shown.contains("amount  4"), "{shown}");
    // Somebody else is faster.
    let desk = Approvals::new(bank.store.clone()).desk(bank.context.audit_log());
    pollster::block_on(desk.reject(late, &person("carol"), None)).unwrap();
    terminal.types("y\n");
    terminal.shows("Why? ");
    terminal.types("\n");
    terminal.shows("not decided: approval request");

    let interrupted = bank.asked(5);
    terminal.shows("[y]es, [n]o, [s]kip: ");
    terminal.types(INTERRUPT);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    let states =
        [approved, rejected, skipped, late, interrupted].map(|id| bank.request(id).state());
    let expected = [
        ApprovalState::Consumed,
        ApprovalState::Rejected,
        ApprovalState::Requested,
        ApprovalState::Rejected,
        ApprovalState::Requested,
    ];
    assert_eq!(states, expected);
}

#[test]
fn nobody_is_asked_what_they_may_not_decide() {
    let bank = Bank::new(
        "agents: {bot: {require_approval: [
            {tool: pay, operations: [charge], approvers: [alice]}, {tool: pay, operations: [refund]}]}}",
    );
    bank.asked_for(ToolCall::new("pay", "charge"));
    bank.asked(7);
    let mut terminal = Terminal::with(&bank.command(&["watch", "--prompt"]));
    let shown = terminal.shows("[y]es, [n]o, [s]kip: ");
    assert!(shown.contains("amount  7"), "{shown}");
    terminal.types(END);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn a_terminal_is_shown_no_hostile_text() {
    let bank = Bank::new(ANYONE);
    let hostile = "\u{1b}]0;x\u{7}\u{202e}\u{9b}31m";
    let call = ToolCall::new("pay", "refund").arguments(json!({hostile: hostile}));
    let id = bank
        .asked_for(call.metadata(json!({hostile: hostile})))
        .to_string();
    let commands: [&[&str]; 4] = [
        &["list"],
        &["list", "--json"],
        &["show", &id],
        &["show", &id, "--json"],
    ];
    for arguments in commands {
        let (code, shown) = Terminal::with(&bank.command(arguments)).end();
        assert_eq!(code, Some(0), "{shown}");
        let is_active = |c: char| c == '\u{202e}' || c.is_control() && c != '\n' && c != '\r';
        assert!(!shown.contains(is_active), "{arguments:?}: {shown:?}");
    }
}

#[test]
fn a_terminal_breaks_no_line_itself() {
    let bank = Bank::new(ANYONE);
    let spoof = format!("{}granted", " ".repeat(95));
    let call = ToolCall::new("pay", "refund").arguments(json!({"note": spoof}));
    let id = bank.asked_for(call).to_string();
    for (columns, width) in [(100, 100), (0, 80)] {
        let is_broken = |shown: &str| shown.lines().any(|line| line.chars().count() > width);
        for (arguments, last) in [
            (&["approve", &*id] as &[&str], "[y/N] "),
            (&["watch"], "granted"),
        ] {
            let mut command = bank.command(arguments);
            command.env_remove("COLUMNS");
            let mut terminal = Terminal::sized(columns);
            terminal.run(&command);
            let shown = terminal.shows(last);
            assert!(!is_broken(&shown), "{arguments:?}: {shown}");
            terminal.types(INTERRUPT);
            terminal.end();
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_token_may_come_by_a_pipe() {
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;

    let bank =
        Bank::new("agents: {bot: {require_approval: [{tool: pay, approvers: ['group:ops']}]}}");
    let id = bank.asked(5);
    let alice = person("alice").group("ops").unwrap();
    let token = pollster::block_on(bank.store.directory().create_token(&alice, None)).unwrap();
    let (read, mut write) = std::io::pipe().unwrap();
    write.write_all(token.text().as_bytes()).unwrap();
    drop(write);
    let file = format!("/proc/{}/fd/{}", std::process::id(), read.as_raw_fd());
    let id_text = id.to_string();
    let asking = ["approve", &*id_text, "--token-file", &*file];
    let mut terminal = Terminal::with(&bank.command(&asking));
    terminal.shows("[y/N] ");
    terminal.types("y\n");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(bank.request(id).state(), ApprovalState::Granted);
}

#[test]
fn a_narrow_terminal_leaves_out_what_tells_the_least() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    bank.asked(6);
    for (columns, headings) in [
        (80, "ID            LEFT  RISK  AGENT  CALL        DETAILS"),
        (
            120,
            "ID            STATE      AGE  LEFT  RISK  AGENT  CALL        DETAILS",
        ),
    ] {
        let mut command = bank.command(&["list"]);
        command.env_remove("COLUMNS");
        let mut terminal = Terminal::sized(columns);
        terminal.run(&command);
        let (_, shown) = terminal.end();
        assert!(shown.contains(headings), "{shown}");
        assert!(shown.contains("amount=6, to=\"a-customer\""), "{shown}");
    }
    // Of what does not wait, it is told how it stands, also if that is the same for all.
    bank.told(&["approve", &id.to_string(), "--yes"]);
    for arguments in [
        &["list", "--all"] as &[&str],
        &["list", "--state", "granted"],
    ] {
        let mut command = bank.command(arguments);
        command.env_remove("COLUMNS");
        let mut terminal = Terminal::sized(80);
        terminal.run(&command);
        let (_, shown) = terminal.end();
        assert!(shown.contains("  granted  "), "{shown}");
    }
}

#[test]
fn whoever_is_no_approver_by_the_time_they_answer_decides_nothing() {
    let bank =
        Bank::new("agents: {bot: {require_approval: [{tool: pay, approvers: ['group:ops']}]}}");
    let id = bank.asked(5);
    let directory = bank.store.directory();
    let alice = person("alice").group("ops").unwrap();
    for (arguments, answers) in [
        (
            &["approve", &*id.to_string()] as &[&str],
            &["y\n"] as &[&str],
        ),
        (&["watch", "--prompt"], &["y\n", "\n"]),
    ] {
        let token = pollster::block_on(directory.create_token(&alice, None)).unwrap();
        fs::write(bank.path().join("alice.token"), token.text()).unwrap();
        let asking = [arguments, &["--token-file", "alice.token"]].concat();
        let mut terminal = Terminal::with(&bank.command(&asking));
        terminal.shows("Approve this call as alice? ");
        assert!(
            pollster::block_on(directory.revoke_token(token.id()))
                .unwrap()
                .is_some()
        );
        for (answer, question) in answers.iter().zip(["]", "Why? "]) {
            terminal.shows(question);
            terminal.types(answer);
        }
        let (code, shown) = terminal.end();
        assert_eq!(code, Some(3), "{arguments:?}: {shown}");
        assert!(shown.contains("was revoked"), "{arguments:?}: {shown}");
        assert_eq!(bank.request(id).state(), ApprovalState::Requested);
    }
}

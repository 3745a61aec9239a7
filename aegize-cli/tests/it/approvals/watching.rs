//! `aegize approvals watch` into a pipe.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use aegize::{Approvals, AuditEvent, ToolCall};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde_json::Value;

use super::bank::{ANYONE, Bank, person};

struct Watcher {
    child: Child,
    /// None any more when nobody reads.
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Of a test that has failed; otherwise it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Watcher {
    fn new(bank: &Bank, arguments: &[&str]) -> Self {
        let mut command = bank.command(&[&["watch"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            lines: Some(lines),
        }
    }

    fn line(&mut self) -> String {
        self.lines.as_mut().unwrap().next().unwrap().unwrap()
    }

    fn json(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }
}

#[test]
fn requests_are_told_as_they_come_change_and_end() {
    let bank = Bank::new(ANYONE);
    let desk = Approvals::new(bank.store.clone()).desk(bank.context.audit_log());
    let first = bank.asked(1);
    let ended = bank.asked(2);
    pollster::block_on(desk.reject(ended, &person("alice"), None)).unwrap();
    let mut people = Watcher::new(&bank, &[]);
    let mut programs = Watcher::new(&bank, &["--json"]);

    let mut told = |state: &str, parts: &[&str]| {
        let line = people.line();
        for part in [&[state], parts].concat() {
            assert!(line.contains(part), "no {part} in {line}");
        }
        let json = programs.json();
        assert_eq!(json["state"], state, "{json}");
        json
    };
    let json = told(
        "requested",
        &["bot  pay refund  low risk  24 h to decide  amount=1"],
    );
    assert_eq!(json["id"], first.to_string());
    pollster::block_on(desk.approve(first, &person("alice"), Some("fine"))).unwrap();
    told("granted", &["approved by alice: fine"]);
    bank.pay(1).unwrap();
    told("consumed", &[]);
    let second = bank.asked(3);
    let json = told("requested", &["amount=3"]);
    assert_eq!(json["id"], second.to_string());
    bank.asked(3);
    let json = told("requested", &["asked 2 times"]);
    assert_eq!(json["asked"], 2);
    pollster::block_on(desk.reject(second, &person("bob"), Some("no"))).unwrap();
    told("rejected", &["rejected by bob: no"]);
    for watcher in [people, programs] {
        assert_eq!(interrupted(watcher), Some(0));
    }
}

#[test]
fn an_end_that_no_store_tells_of_is_told() {
    let bank = Bank::new(
        "agents: {bot: {require_approval: [
            {tool: pay, operations: [charge]}, {tool: pay, operations: [refund], expires_in: 1s}]}}",
    );
    bank.asked_for(ToolCall::new("pay", "charge"));
    let mut watcher = Watcher::new(&bank, &["--json"]);
    assert_eq!(watcher.json()["operation"], "charge");
    let id = bank.asked(1).to_string();
    // On a slow machine, it is seen at its end only.
    loop {
        let told = watcher.json();
        assert_eq!(told["id"], id);
        if told["state"] == "expired" {
            break;
        }
        assert_eq!(told["state"], "requested");
    }
    assert_eq!(bank.events().last(), Some(&AuditEvent::ApprovalExpired));
    assert_eq!(interrupted(watcher), Some(0));
}

#[test]
fn what_came_and_ended_between_two_looks_is_told() {
    let bank = Bank::new(ANYONE);
    bank.asked(1);
    let mut watcher = Watcher::new(&bank, &["--json"]);
    watcher.json();
    let pid = Pid::from_child(&watcher.child);
    kill_process(pid, Signal::STOP).unwrap();
    waitpid(Some(pid), WaitOptions::UNTRACED).unwrap();
    let id = bank.asked(2);
    let desk = Approvals::new(bank.store.clone()).desk(bank.context.audit_log());
    pollster::block_on(desk.reject(id, &person("alice"), None)).unwrap();
    kill_process(pid, Signal::CONT).unwrap();
    let told = watcher.json();
    assert_eq!(
        (&told["id"], &told["state"]),
        (&id.to_string().into(), &"rejected".into())
    );
    assert_eq!(interrupted(watcher), Some(0));
}

#[test]
fn nobody_who_reads_is_the_end() {
    let bank = Bank::new(ANYONE);
    bank.asked(1);
    let mut watcher = Watcher::new(&bank, &[]);
    watcher.line();
    watcher.lines = None;
    assert_eq!(watcher.child.wait().unwrap().code(), Some(0));
}

fn interrupted(mut watcher: Watcher) -> Option<i32> {
    let pid = Pid::from_child(&watcher.child);
    kill_process(pid, Signal::INT).unwrap();
    watcher.child.wait().unwrap().code()
}

#[test]
fn what_cannot_be_read_is_told_once_and_the_rest_goes_on() {
    let bank = Bank::new(ANYONE);
    let open = bank.asked(1);
    let mut command = bank.command(&["watch", "--json"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let errors = child.stderr.take().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut watcher = Watcher {
        child,
        lines: Some(lines),
    };
    assert_eq!(watcher.json()["id"], open.to_string());
    bank.damage(open);
    for amount in 2..5 {
        let id = bank.asked(amount);
        assert_eq!(watcher.json()["id"], id.to_string());
    }
    watcher.child.kill().unwrap();
    let told = std::io::read_to_string(errors).unwrap();
    let warning = format!(
        "warning: 1 request cannot be read: {open}; `aegize approvals show {open}` tells why\n"
    );
    assert_eq!(told, warning);
}

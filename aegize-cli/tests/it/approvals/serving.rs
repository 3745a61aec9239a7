//! `aegize serve`: what the command adds to the inbox, which has tests of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use aegize::AuditEvent;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::bank::{ANYONE, Bank, approvals};
use super::terminal::Terminal;
use crate::support::{Ran, aegize};

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn new(command: &mut Command) -> Self {
        command.args(["--listen", "127.0.0.1:0"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening at http://").unwrap();
        Self {
            child,
            address: address.trim_end().to_owned(),
        }
    }

    fn answer(&self, request: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let host = &self.address;
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Told to stop; how it ended, and what it said.
    fn stopped(mut self) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let mut stderr = String::new();
        let mut told = self.child.stderr.take().unwrap();
        told.read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stderr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Of a test that has failed; otherwise it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(bank: &Bank) -> Command {
    let mut command = aegize(bank.path());
    command.arg("serve");
    command
}

#[test]
fn a_call_is_approved_through_the_server() {
    let bank = Bank::new(ANYONE);
    let id = bank.asked(5);
    let ran = bank.run(&["tokens", "create", "alice@acme.com"]);
    let token = ran.stdout.trim_end();
    let server = Server::new(&mut serve(&bank));
    assert!(
        server
            .answer("GET /healthz", "", "")
            .starts_with("HTTP/1.1 200 ")
    );
    let page = server.answer("GET /", "", "");
    assert!(
        !page.contains(&id.to_string()),
        "nobody is signed in: {page}"
    );
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let path = format!("POST /api/v1/requests/{id}/approve");
    let refused = server.answer(&path, "Content-Type: application/json\r\n", "{}");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    let approved = server.answer(&path, &headers, "{\"reason\": \"as agreed\"}");
    assert!(approved.starts_with("HTTP/1.1 200 "), "{approved}");
    // It is the same object that the command has.
    let body = approved.split_once("\r\n\r\n").unwrap().1;
    let mut shown = bank.json(&["show", &id.to_string()]);
    shown.as_object_mut().unwrap().remove("earlier");
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), shown);
    assert_eq!(bank.pay(5).unwrap(), "paid");
    let records = bank.records();
    assert_eq!(records[2].event, AuditEvent::ApprovalGranted);
    assert_eq!(records[2].approvers, ["alice@acme.com"]);
    let (code, told) = server.stopped();
    assert_eq!(code, Some(0));
    // The name that browsers tell from other servers' of this host.
    assert!(told.starts_with("in a browser, open http://aegize.localhost:"));
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn channels_are_told_and_may_answer() {
    let bank = Bank::new(ANYONE);
    let fifo = bank.path().join("told");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    fs::write(
        bank.path().join("secret"),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    .unwrap();
    let channels = r#"
channels:
  - {name: program, type: command, command: [sh, -c, 'cat > "$0"', told]}
  - {name: hook, type: webhook, url: "http://127.0.0.1:1", secret_file: secret, callback_secret_file: secret}
"#;
    fs::write(bank.path().join("channels.yaml"), channels).unwrap();
    let id = bank.asked(5).to_string();
    let server = Server::new(serve(&bank).args(["--channels", "channels.yaml"]));
    let told: Value = serde_json::from_str(&fs::read_to_string(&fifo).unwrap()).unwrap();
    assert!(told.to_string().contains(&id), "{told}");
    let unsigned = server.answer("POST /callbacks/webhook/hook", "", "{}");
    assert!(unsigned.starts_with("HTTP/1.1 401 "), "{unsigned}");
    assert_eq!(server.stopped().0, Some(0));
}

#[test]
fn what_a_terminal_is_told_to_answer_with_does_so() {
    let bank = Bank::new(ANYONE);
    fs::write(
        bank.path().join("channels.yaml"),
        "channels: [{name: here, type: terminal}]",
    )
    .unwrap();
    std::os::unix::fs::symlink(".", bank.path().join("the agents'")).unwrap();
    let id = bank.asked(5);
    let mut command = serve(&bank);
    command.args(["--listen", "127.0.0.1:0", "--channels", "channels.yaml"]);
    command.args(["--store", "sqlite://./approvals.db"]);
    command.args(["--audit-log", "the agents'/audit.jsonl"]);
    let mut terminal = Terminal::with(&command);
    terminal.shows("answer with `aegize ");
    let told = terminal.shows("` or `reject`");
    let answer = told.strip_suffix("` or `reject`").unwrap();
    let places = "--store sqlite://./approvals.db --audit-log \"the agents'/audit.jsonl\"";
    assert_eq!(answer, format!("approvals approve {id} {places}"));
    let program = command.get_program().to_str().unwrap();
    let ran = Command::new("sh")
        .args(["-c", &format!("'{program}' {answer} --yes")])
        .current_dir(bank.path())
        .output()
        .unwrap();
    let ran = Ran::from(ran);
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{answer}");
    assert_eq!(bank.pay(5).unwrap(), "paid");
    terminal.types("\u{3}");
    assert_eq!(terminal.end().0, Some(0));
}

#[test]
fn who_has_no_token_is_told_how_to_make_one() {
    let bank = Bank::new(ANYONE);
    let server = Server::new(&mut serve(&bank));
    let (code, told) = server.stopped();
    let note = "nobody can sign in yet: make a token with `aegize approvals tokens create NAME`\n";
    assert_eq!(code, Some(0));
    assert!(told.ends_with(note), "{told}");
    // In the store that is served, whatever that is.
    let server = Server::new(serve(&bank).args(["--store", "sqlite://./approvals.db"]));
    let (_, told) = server.stopped();
    let note = "tokens create NAME --store sqlite://./approvals.db`\n";
    assert!(told.ends_with(note), "{told}");
}

#[test]
fn approvers_that_cannot_be_read_are_told_once_where_the_server_runs() {
    let bank = Bank::new(ANYONE);
    let file = bank.path().join("approvers.yaml");
    fs::write(&file, "approvers: {}").unwrap();
    let server = Server::new(serve(&bank).args(["--approvers", "approvers.yaml"]));
    fs::write(&file, "approvers:\n  alice@acme.com: {group: [ops]}\n").unwrap();
    let token = format!("agz_{}_{}", "0".repeat(16), "0".repeat(64));
    let headers = format!("Authorization: Bearer {token}\r\n");
    for _ in 0..3 {
        let answer = server.answer("GET /api/v1/me", &headers, "");
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(
            !answer.contains("group"),
            "it is for whoever runs the server: {answer}"
        );
    }
    let (_, told) = server.stopped();
    let warnings = told.lines().filter(|line| line.starts_with("warning: "));
    let [warning] = warnings.collect::<Vec<_>>()[..] else {
        panic!("{told}");
    };
    for part in ["approvers.yaml:2:", "`group`"] {
        assert!(warning.contains(part), "no {part} in {warning}");
    }
}

#[test]
fn a_server_may_begin_before_any_agent() {
    let directory = TempDir::new().unwrap();
    let mut command = aegize(directory.path());
    let (code, told) = Server::new(command.arg("serve")).stopped();
    assert_eq!(code, Some(0));
    for file in ["approvals.db", "audit.jsonl"] {
        assert!(
            told.contains(&format!("warning: {file}: was not there, and is ")),
            "{told}"
        );
        assert!(directory.path().join(file).exists());
    }
    let mut list = approvals(directory.path());
    let ran: Ran = list.arg("list").output().unwrap().into();
    assert_eq!(ran.stdout, "no requests\n");
}

#[test]
fn what_is_not_served_is_told_and_nothing_listens() {
    let bank = Bank::new(ANYONE);
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    fs::write(bank.path().join("cert.pem"), "nothing").unwrap();
    fs::write(bank.path().join("approvers.yaml"), "approvers: 5").unwrap();
    let rows: [(&[&str], &str); 14] = [
        (&["--listen", "0.0.0.0:0"], "give that with --host"),
        (
            &["--listen", "0.0.0.0:0", "--host", "a.example"],
            "tokens would be sent in the clear",
        ),
        (&["--listen", "localhost"], "give an address and a port"),
        (
            &["--listen", "203.0.113.1:80"],
            "cannot listen at `203.0.113.1:80`",
        ),
        (&["--listen", &taken], "cannot listen at `127.0.0.1:"),
        (&["--tls-cert", "cert.pem"], "--tls-key <FILE>"),
        (
            &["--tls-cert", "cert.pem", "--tls-key", "cert.pem"],
            "the certificate or its key cannot be used",
        ),
        (
            &["--approvers", "approvers.yaml", "--listen", "127.0.0.1:0"],
            "approvers.yaml",
        ),
        (&["--channels", "cert.pem"], "cert.pem"),
        (
            &["--host", "http://acme.com"],
            "`http://acme.com` is no name",
        ),
        (&["--host", "acme.com:8787"], "`acme.com:8787` is no name"),
        (&["--host", ""], "`` is no name"),
        (
            &["--audit-log", "missing/audit.jsonl"],
            "missing: is not there, and no audit log in it",
        ),
        (
            &["--store", "mysql://x", "--listen", "127.0.0.1:0"],
            "sqlite://",
        ),
    ];
    for (arguments, problem) in rows {
        let ran: Ran = serve(&bank).args(arguments).output().unwrap().into();
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{arguments:?}");
        assert!(
            ran.stderr.starts_with("error: "),
            "{arguments:?}\n{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains(problem),
            "{arguments:?}\n{}",
            ran.stderr
        );
    }
}

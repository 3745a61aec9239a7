//! Standard output and error that are closed or full.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::support::{POLICY, Ran, TESTS, aegize, directory, policy_test_in};

const FAILING: &str = "tests: [{agent: bot, tool: shell, operation: run, expect: allow}]";

#[test]
fn a_pipe_that_nobody_reads_is_no_error() {
    for (tests, code) in [(TESTS, 0), (FAILING, 1)] {
        let directory = directory(POLICY, tests);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran: Ran = policy_test_in(directory.path())
            .stdout(writer)
            .output()
            .unwrap()
            .into();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), ""));
    }
}

#[test]
fn help_into_a_pipe_that_nobody_reads_is_no_error() {
    let directory = directory(POLICY, TESTS);
    for arguments in [
        &["--help"] as &[&str],
        &["--version"],
        &["policy", "test", "--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = aegize(directory.path())
            .args(arguments)
            .stdout(writer)
            .output();
        let ran: Ran = output.unwrap().into();
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_reader_may_stop_after_the_first_line() {
    // More than a pipe holds, so that the process is still writing when the reader goes.
    let cases = "  - {agent: bot, tool: clock, operation: read, expect: allow}\n".repeat(20_000);
    let directory = directory(POLICY, format!("tests:\n{cases}"));
    let mut command = policy_test_in(directory.path());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert_eq!(first, "PASS  test #1  (expected allow)\n");
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), stderr.as_str()),
        (Some(0), "")
    );
}

#[cfg(target_os = "linux")]
fn full() -> std::fs::File {
    std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let directory = directory(POLICY, TESTS);
    let policy_test = ["policy", "test", "policy.yaml", "tests.yaml"];
    std::fs::create_dir(directory.path().join("audit")).unwrap();
    let segment = "audit/00000000000000000000.jsonl";
    let line = r#"{"timestamp":"2026-06-27T18:00:00Z","seq":0,"event":"denied","action_id":"01970000-0000-7000-8000-000000000000","agent_id":"bot","tool_name":"shell","operation":"run","risk_level":"low","input_summary":"","metadata":{}}"#;
    std::fs::write(directory.path().join(segment), format!("{line}\n")).unwrap();
    for arguments in [
        &policy_test as &[&str],
        &["audit", "show", "audit"],
        &["audit", "show", "audit", "--json"],
        &["audit", "stats", "audit"],
        &["--help"],
        &["--version"],
    ] {
        let output = aegize(directory.path())
            .args(arguments)
            .stdout(full())
            .output();
        let ran: Ran = output.unwrap().into();
        assert_eq!(ran.code, Some(2), "{arguments:?}");
        let error = "error: cannot write to standard output: ";
        assert!(
            ran.stderr.starts_with(error),
            "{arguments:?}\n{}",
            ran.stderr
        );
        assert_eq!(
            ran.stderr.lines().count(),
            1,
            "{arguments:?}\n{}",
            ran.stderr
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn errors_that_cannot_be_written_still_have_their_code() {
    let directory = directory(POLICY, "tests: []");
    for arguments in [
        &["policy", "test", "policy.yaml", "tests.yaml"] as &[&str],
        &["policy", "tset"],
        &[],
    ] {
        let mut command = aegize(directory.path());
        let status = command
            .args(arguments)
            .stdout(full())
            .stderr(full())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(2), "{arguments:?}");
    }
}

//! `aegize audit show --follow`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};

use super::{audit, directory, line, lines};
use serde_json::json;

/// A child that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn follow(directory: &Path, arguments: &[&str]) -> (Running, BufReader<std::process::ChildStdout>) {
    let arguments = [&["show", "--follow", "--json"], arguments].concat();
    let mut command = audit(directory, &arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    (Running(child), stdout)
}

fn next(stdout: &mut impl BufRead) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    line
}

#[test]
fn a_log_is_followed_into_new_files_until_it_is_cut() {
    let directory = directory();
    let segment = |start: usize| directory.path().join(format!("audit/{start:020}.jsonl"));
    let (mut running, mut stdout) = follow(directory.path(), &["audit"]);
    for line in lines() {
        assert_eq!(next(&mut stdout), line);
    }
    let mut last = File::options().append(true).open(segment(3)).unwrap();
    for index in 11..20 {
        let line = line(index, "denied", &json!({}));
        let (begin, end) = line.split_at(index * 10);
        last.write_all(begin.as_bytes()).unwrap();
        last.write_all(end.as_bytes()).unwrap();
        assert_eq!(next(&mut stdout), line);
        if index % 3 == 0 {
            last = File::create(segment(index + 1)).unwrap();
        }
    }
    drop(last);
    fs::remove_file(segment(19)).unwrap();
    assert_eq!(next(&mut stdout), "");
    assert_eq!(running.0.wait().unwrap().code(), Some(2));
    let stderr = std::io::read_to_string(running.0.stderr.take().unwrap()).unwrap();
    assert!(
        stderr.contains("was removed or moved while it was read"),
        "{stderr}"
    );
}

#[cfg(unix)]
#[test]
fn following_ends_when_nobody_reads_any_more() {
    let directory = directory();
    let (mut running, mut stdout) = follow(directory.path(), &["audit.jsonl"]);
    assert_eq!(next(&mut stdout), lines()[0]);
    drop(stdout);
    // Nothing is written that it could fail to tell.
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    let stderr = std::io::read_to_string(running.0.stderr.take().unwrap()).unwrap();
    assert_eq!(stderr, "");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_shown_as_it_comes_and_ends() {
    let directory = directory();
    let (mut running, mut stdout) = follow(directory.path(), &["/dev/stdin"]);
    let mut stdin = running.0.stdin.take().unwrap();
    for line in lines() {
        stdin.write_all(line.as_bytes()).unwrap();
        assert_eq!(next(&mut stdout), line);
    }
    drop(stdin);
    assert_eq!(next(&mut stdout), "");
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

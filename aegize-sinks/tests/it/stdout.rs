//! Standard output, seen from outside: the tests' program starts itself as the writer.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use aegize_core::AuditSink as _;
use aegize_core::Batch;
use aegize_core::SinkErrorKind::Rejected;
use aegize_sinks::{LineFormat, StdoutSink};
use serde_json::Value;

use crate::support::{assert_error, deliver, line, lines};

const FORMAT: &str = "AEGIZE_TEST_FORMAT";

fn writer(format: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "stdout::as_a_writer", "--ignored", "--nocapture"])
        .env(FORMAT, format);
    command
}

/// What a writer wrote between the test harness's own lines.
fn objects(output: &str) -> &str {
    let begin = output.find("\n{").unwrap() + 1;
    let end = output.rfind("}\n").unwrap() + 2;
    &output[begin..end]
}

#[test]
#[ignore = "the other side of the tests here, which start it"]
fn as_a_writer() {
    let mut sink = StdoutSink::new();
    if std::env::var(FORMAT).unwrap() == "ocsf" {
        sink = sink.format(LineFormat::Ocsf);
        let error = sink.deliver(&Batch::new(0, b"[]\n")).unwrap_err();
        assert_error(&error, Rejected, "line 0 is no record");
    }
    println!();
    for first in (0..6000).step_by(3000) {
        while deliver(&mut sink, first..first + 3000).is_err() {
            std::thread::yield_now();
        }
    }
}

#[test]
fn lines_come_out_as_they_are() {
    let output = writer("json").output().unwrap();
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(objects(&output) == lines(0..6000));
}

#[test]
fn siems_get_their_own_format() {
    let output = writer("ocsf").output().unwrap();
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    let mut count = 0;
    for (seq, text) in (0..).zip(objects(&output).lines()) {
        let event: Value = serde_json::from_str(text).unwrap();
        assert_eq!(event["raw_data"], line(seq, 10));
        count += 1;
    }
    assert_eq!(count, 6000);
}

/// The sink is told `WouldBlock` in the middle of lines, and goes on from there.
#[cfg(unix)]
#[test]
fn a_slow_reader_gets_every_line_once() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    let (reader, output) = UnixStream::pair().unwrap();
    output.set_nonblocking(true).unwrap();
    let mut child = writer("json");
    let mut child = child
        .stdout(Stdio::from(OwnedFd::from(output)))
        .spawn()
        .unwrap();
    let mut seen = String::new();
    for text in BufReader::with_capacity(100, reader).lines() {
        seen.push_str(&(text.unwrap() + "\n"));
        // The test ends with the records, since the harness panics where it cannot write.
        if seen.ends_with(&(line(5999, 10) + "\n")) {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(objects(&seen) == lines(0..6000));
}

//! Outcomes that cannot be written when they happen.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::ledger::{
    Ledger, TEN_KB, add, attempt, attempt_with, count_beside, cut, length, open, pipe, refusal,
    torn_end,
};
use crate::worker::Worker;

/// A process that runs into its limit, which is then lifted.
pub(crate) fn until_there_is_room() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let mut worker = Worker::limited(30, true, "obey", &log, &[]);
    worker.expect("ready");
    // Three records of ten KB or so go in; the fourth is the outcome.
    assert_eq!(worker.call("1", TEN_KB), "done 1");
    assert_eq!(worker.call("2", TEN_KB), "done 2");
    let problem = "cannot be written: File too large (os error 27)";
    for id in ["3", "4"] {
        let answer = worker.call(id, 1);
        assert_eq!(answer, format!("refused {id} {}", refusal(&log, problem)));
    }
    let before = ["1 allowed", "1 execution_succeeded", "2 allowed"];
    assert_eq!(Ledger::read(&log).story(), before);

    // Another process is not held up.
    attempt(&open(&log), "5", 1).assert_done("5");

    let process = worker.id().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &process, "--fsize=unlimited"])
        .status();
    assert!(lifted.expect("prlimit runs").success());
    assert_eq!(worker.call("6", 1), "done 6");
    assert_eq!(worker.call("7", 1), "done 7");
    worker.finish();
    let ledger = Ledger::read(&log);
    let after = [
        "5 allowed",
        "5 execution_succeeded",
        "2 execution_succeeded",
        "6 allowed",
        "6 execution_succeeded",
        "7 allowed",
        "7 execution_succeeded",
    ];
    assert_eq!(ledger.story()[..3], before);
    assert_eq!(ledger.story()[3..], after);
    assert_eq!(count_beside(&log), 0);
    "written when the limit was lifted".to_owned()
}

/// A process that ends without another call, after there was room again.
pub(crate) fn until_the_log_is_dropped() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let mut worker = Worker::limited(30, true, "obey", &log, &[]);
    worker.expect("ready");
    assert_eq!(worker.call("1", TEN_KB), "done 1");
    assert_eq!(worker.call("2", TEN_KB), "done 2");
    let before = ["1 allowed", "1 execution_succeeded", "2 allowed"];
    assert_eq!(Ledger::read(&log).story(), before);
    let process = worker.id().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &process, "--fsize=unlimited"])
        .status();
    assert!(lifted.expect("prlimit runs").success());
    worker.finish();
    assert_eq!(Ledger::read(&log).story()[3..], ["2 execution_succeeded"]);
    "written as the last thing".to_owned()
}

/// A pipe whose reader goes away while the body runs.
pub(crate) fn until_somebody_reads() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = pipe(directory.path());
    let context = open(&log);
    let reader = File::open(&log).expect("the pipe can be read");
    attempt(&context, "1", 1).assert_done("1");
    attempt_with(&context, "2", 1, || drop(reader)).assert_done("2");
    attempt(&context, "3", 1).assert_refused(&log, "cannot be written: Broken pipe (os error 32)");

    // What the first reader left is in the pipe still.
    let reader = File::open(&log).expect("the pipe can be read");
    attempt(&context, "4", 1).assert_done("4");
    drop(context);
    let records = BufReader::new(reader).lines().map(|line| {
        let line = line.expect("a line");
        let record: Value = serde_json::from_str(&line).expect("a record");
        let told = [
            &record["seq"],
            &record["metadata"]["call"],
            &record["event"],
        ];
        told.map(|value| value.as_str().map_or(value.to_string(), str::to_owned))
            .join(" ")
    });
    let story = [
        "0 1 allowed",
        "1 1 execution_succeeded",
        "2 2 allowed",
        "3 2 execution_succeeded",
        "4 4 allowed",
        "5 4 execution_succeeded",
    ];
    assert_eq!(records.collect::<Vec<_>>(), story);
    "written when there was a reader".to_owned()
}

/// What a body does to a log.
type Spoil = fn(&Path);

/// Bodies that spoil the end of the log: cut, or followed by what is no record.
pub(crate) fn until_the_end_is_known() -> String {
    let cut_by_ten = |log: &Path| {
        cut(log, length(log) - 10);
    };
    let cut_by_a_line = |log: &Path| {
        let bytes = fs::read(log).expect("the log can be read");
        cut(
            log,
            bytes.len() - 1 - torn_end(&bytes[..bytes.len() - 1]).len(),
        );
    };
    let scribble = |log: &Path| add(log, b"Dear diary,\n");
    let ways: [(Spoil, &str); 3] = [
        (
            cut_by_ten,
            "is 10 bytes shorter than it was; find out who cut it, and open it again",
        ),
        (
            cut_by_a_line,
            "bytes shorter than it was; find out who cut it, and open it again",
        ),
        (
            scribble,
            "does not end with a record (expected value at line 1 column 1); give the log a file of its own",
        ),
    ];
    for (spoil, problem) in ways {
        let directory = tempfile::tempdir().expect("a directory");
        let log = directory.path().join("audit.jsonl");
        let context = open(&log);
        attempt(&context, "1", 1).assert_done("1");
        let mut bytes = Vec::new();
        attempt_with(&context, "2", TEN_KB, || {
            bytes = fs::read(&log).expect("the log can be read");
            spoil(&log);
        })
        .assert_done("2");
        for _ in 0..2 {
            let refused = attempt(&context, "3", 1);
            assert!(!refused.has_run);
            let error = refused.result.expect_err("the call is refused").to_string();
            assert!(error.ends_with(problem), "{error}");
        }

        fs::write(&log, &bytes).expect("the log can be written");
        attempt(&context, "4", 1).assert_done("4");
        let story = [
            "2 allowed",
            "2 execution_succeeded",
            "4 allowed",
            "4 execution_succeeded",
        ];
        assert_eq!(Ledger::read(&log).story()[2..], story);
        assert_eq!(count_beside(&log), 0);
    }
    "cut in and between lines, scribbled on".to_owned()
}

/// Calls within calls: each outcome is kept, the inner one first.
pub(crate) fn in_order() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let context = open(&log);
    let mut bytes = Vec::new();
    attempt_with(&context, "1", 1, || {
        attempt_with(&context, "2", 1, || {
            attempt_with(&context, "3", 1, || {
                bytes = fs::read(&log).expect("the log can be read");
                cut(&log, bytes.len() - 1);
            })
            .assert_done("3");
            assert!(!attempt(&context, "4", 1).has_run);
        })
        .assert_done("2");
    })
    .assert_done("1");
    assert_eq!(length(&log), bytes.len() - 1, "a refused call wrote");
    fs::write(&log, &bytes).expect("the log can be written");
    attempt(&context, "5", 1).assert_done("5");
    let story = [
        "1 allowed",
        "2 allowed",
        "3 allowed",
        "3 execution_succeeded",
        "2 execution_succeeded",
        "1 execution_succeeded",
        "5 allowed",
        "5 execution_succeeded",
    ];
    assert_eq!(Ledger::read(&log).story(), story);
    "three at once".to_owned()
}

pub(crate) fn of_a_panic() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let context = open(&log);
    let mut bytes = Vec::new();
    let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
        attempt_with(&context, "1", TEN_KB, || {
            bytes = fs::read(&log).expect("the log can be read");
            cut(&log, 0);
            // Without a word on the terminal.
            panic::resume_unwind(Box::new("meant"));
        })
    }));
    assert!(panicked.is_err());
    assert!(!attempt(&context, "2", 1).has_run);
    fs::write(&log, &bytes).expect("the log can be written");
    attempt(&context, "3", 1).assert_done("3");
    let story = [
        "1 allowed",
        "1 execution_failed",
        "3 allowed",
        "3 execution_succeeded",
    ];
    assert_eq!(Ledger::read(&log).story(), story);
    "the panic went on, its record was kept".to_owned()
}

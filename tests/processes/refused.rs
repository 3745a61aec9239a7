//! Logs that cannot be written, each for a reason that the refusal tells.
//!
//! The faults are such that they bind root, too.

use std::fs;
use std::path::Path;

use aegize::{AuditEvent, AuditLog, AuditRecords, GuardError, ToolCall};

use crate::ledger::{
    Ledger, add, aside, assert_unopened, attempt, attempt_with, count_beside, cut, length, open,
    pipe, rest,
};

pub(crate) fn a_full_device() -> String {
    let path = Path::new("/dev/full");
    let context = open(path);
    let problem = "cannot be written: No space left on device (os error 28)";
    attempt(&context, "1", 1).assert_refused(path, problem);
    attempt(&context, "2", 10_000).assert_refused(path, problem);

    let directory = tempfile::tempdir().expect("a directory");
    let link = directory.path().join("audit.jsonl");
    #[cfg(unix)]
    std::os::unix::fs::symlink(path, &link).expect("a link");
    attempt(&open(&link), "3", 1).assert_refused(&link, problem);
    assert_eq!(count_beside(&link), 0);
    "the body did not run".to_owned()
}

pub(crate) fn removed_while_open() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let problem = "has been removed or moved; open it again to begin a new one";

    let context = open(&log);
    attempt(&context, "1", 1).assert_done("1");
    rest(&log);
    fs::remove_file(&log).expect("the log can be removed");
    attempt(&context, "2", 1).assert_refused(&log, problem);
    assert!(!log.exists(), "a refused call made a file");

    // A new log in its place is another log.
    let new = open(&log);
    attempt(&new, "3", 1).assert_done("3");
    attempt(&context, "4", 1).assert_refused(&log, problem);
    assert_eq!(
        Ledger::read(&log).story(),
        ["3 allowed", "3 execution_succeeded"]
    );

    let other = directory.path().join("other.jsonl");
    attempt(&open(&other), "5", 1).assert_done("5");
    rest(&log);
    fs::rename(&other, &log).expect("the log can be replaced");
    attempt(&new, "6", 1).assert_refused(&log, problem);
    assert_eq!(
        Ledger::read(&log).story(),
        ["5 allowed", "5 execution_succeeded"]
    );
    "by unlink and by rename".to_owned()
}

pub(crate) fn cut_while_open() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let context = open(&log);
    attempt(&context, "1", 1).assert_done("1");
    let one = length(&log);
    attempt(&context, "2", 1).assert_done("2");
    let cut_by = |shorter: usize| {
        format!("is {shorter} bytes shorter than it was; find out who cut it, and open it again")
    };

    // In a line: what is left of it is torn.
    cut(&log, length(&log) - 7);
    attempt(&context, "3", 1).assert_refused(&log, &cut_by(7));
    let again = open(&log);
    attempt(&again, "4", 1).assert_done("4");
    let story = ["log_recovered", "4 allowed", "4 execution_succeeded"];
    assert_eq!(Ledger::read(&log).story()[3..], story);

    // Between lines, and to nothing.
    let problem = cut_by(length(&log) - one);
    cut(&log, one);
    attempt(&again, "5", 1).assert_refused(&log, &problem);
    let once_more = open(&log);
    attempt(&once_more, "6", 1).assert_done("6");
    assert_eq!(Ledger::read(&log).len(), 4);
    let problem = cut_by(length(&log));
    cut(&log, 0);
    attempt(&once_more, "7", 1).assert_refused(&log, &problem);
    assert_eq!(length(&log), 0, "a refused call wrote");
    "in a line, between lines, to nothing".to_owned()
}

pub(crate) fn no_file() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    let log = at("audit.jsonl");

    fs::create_dir(&log).expect("a directory");
    let problem = "is a directory without a log; give it a rotation to begin one there";
    assert_unopened(&log, problem);
    assert_eq!(fs::read_dir(&log).expect("the directory").count(), 0);

    fs::write(at("file"), "text\n").expect("a file");
    let problem = "cannot be opened: Not a directory (os error 20)";
    assert_unopened(&at("file/below/audit.jsonl"), problem);
    assert_eq!(fs::read(at("file")).expect("the file"), b"text\n");

    #[cfg(unix)]
    std::os::unix::fs::symlink("loop", at("loop")).expect("a link");
    let problem = "cannot be opened: Too many levels of symbolic links (os error 40)";
    assert_unopened(&at("loop"), problem);
    let endless = at(&"n".repeat(256));
    assert_unopened(
        &endless,
        "cannot be opened: File name too long (os error 36)",
    );

    // A directory in place of the log while it is open is a log that was removed.
    fs::remove_dir(&log).expect("the directory can be removed");
    let context = open(&log);
    let replace = || {
        rest(&log);
        fs::remove_file(&log).expect("the log can be removed");
        fs::create_dir(&log).expect("a directory");
    };
    attempt_with(&context, "1", 1, replace).assert_done("1");
    let problem = "has been removed or moved; open it again to begin a new one";
    attempt(&context, "2", 1).assert_refused(&log, problem);
    "directories, files and loops in the way".to_owned()
}

pub(crate) fn right_below_a_file() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, "text\n").expect("a file");
    let problem = "cannot be opened: Not a directory (os error 20)";
    assert_unopened(&file.join("audit.jsonl"), problem);
    "not a directory".to_owned()
}

pub(crate) fn no_log() -> String {
    let cases = [
        (
            "Dear diary,\nwhat a day.\n".to_owned(),
            "expected value at line 1 column 1",
        ),
        ("a\nb".to_owned(), "expected value at line 1 column 1"),
        ("{\"event\":\"allowed\"}\n".to_owned(), "it has no `seq`"),
        (
            "{\"event\":\"allowed\"}\n{\"torn".to_owned(),
            "it has no `seq`",
        ),
        (
            "{\"seq\":-1}\n".to_owned(),
            "invalid value: integer `-1`, expected u64 at line 1 column 9",
        ),
        (
            "\n".to_owned(),
            "EOF while parsing a value at line 1 column 0",
        ),
    ];
    let directory = tempfile::tempdir().expect("a directory");
    for (index, (text, what)) in cases.iter().enumerate() {
        let log = directory.path().join(format!("{index}/audit.jsonl"));
        drop(open(&log));
        fs::write(&log, text).expect("the file can be written");
        let problem =
            format!("does not end with a record ({what}); give the log a file of its own");
        assert_unopened(&log, &problem);
        let left = fs::read(&log).expect("the file can be read");
        assert!(left == text.as_bytes(), "the file was changed");
        assert_eq!(count_beside(&log), 0);
    }

    // The same, under an open log.
    let log = directory.path().join("audit.jsonl");
    let context = open(&log);
    attempt(&context, "1", 1).assert_done("1");
    add(&log, b"Dear diary,\n");
    let problem = "does not end with a record (expected value at line 1 column 1); give the log a file of its own";
    attempt(&context, "2", 1).assert_refused(&log, problem);
    assert!(!aside(&log, 0).exists());
    format!("{} kinds of files", cases.len())
}

/// A pipe has room for a while, but nobody will have read it.
pub(crate) fn a_pipe_nobody_reads() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = pipe(directory.path());
    let context = open(&log);
    let problem = "cannot be written: Broken pipe (os error 32)";
    attempt(&context, "1", 1).assert_refused(&log, problem);
    attempt(&context, "2", 1).assert_refused(&log, problem);
    "the body did not run".to_owned()
}

/// Names are a model's to make up when calls are forwarded. What they do to a record must not
/// keep anybody from reading the ones after it.
pub(crate) fn a_name_without_end() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let context = open(&log);
    let call = ToolCall::new("x".repeat(9 << 20), "fetch");
    let refused: Result<(), GuardError> = context.guard(call).run_blocking(|| Ok(()));
    assert!(refused.is_err());
    attempt(&context, "after", 1).assert_done("after");
    let records = AuditRecords::open(&log).expect("the log can be opened");
    let records = records
        .collect::<Result<Vec<_>, _>>()
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        records.last().map(|record| record.event),
        Some(AuditEvent::ExecutionSucceeded)
    );
    "refused, and the log can be read".to_owned()
}

/// Files whose last line could be taken for a record, or for the torn beginning of one.
pub(crate) fn almost_a_log(text: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    fs::write(&log, text).expect("the file can be written");
    let error = AuditLog::open(&log)
        .map(|_| ())
        .expect_err("the file is no log")
        .to_string();
    let path = log.display();
    let start = format!("audit log `{path}` does not end with a record (");
    assert!(error.starts_with(&start), "{error}");
    assert!(
        error.ends_with("); give the log a file of its own"),
        "{error}"
    );
    let left = fs::read(&log).expect("the file can be read");
    assert!(left == text.as_bytes(), "the file was changed");
    assert_eq!(count_beside(&log), 0);
    error[start.len()..]
        .split(')')
        .next()
        .unwrap_or_default()
        .to_owned()
}

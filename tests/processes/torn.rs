//! Lines torn by hand.

use std::fs;
use std::path::Path;

use crate::ledger::{
    LARGE, Ledger, add, aside, assert_private, assert_unopened, attempt, count_beside, cut, open,
    torn_end,
};
use crate::worker::Worker;

/// Makes a log of some calls and gives its bytes.
fn log_of(path: &Path, calls: &[&str], size: usize) -> Vec<u8> {
    let context = open(path);
    for id in calls {
        attempt(&context, id, size).assert_done(id);
    }
    fs::read(path).expect("the log can be read")
}

pub(crate) fn in_the_last_line() -> String {
    let mut cuts = 0;
    for size in [1, LARGE] {
        let directory = tempfile::tempdir().expect("a directory");
        let whole = log_of(&directory.path().join("whole.jsonl"), &["1", "2"], size);
        let last = torn_end(&whole[..whole.len() - 1]).len();
        // One byte left, some left, all but the line break left.
        for left in [1, last / 3, last / 2, last - 1, last] {
            let log = directory.path().join(format!("{left}/audit.jsonl"));
            drop(open(&log));
            fs::write(&log, &whole).expect("the log can be written");
            let start = whole.len() - 1 - last;
            cut(&log, start + left);

            let context = open(&log);
            attempt(&context, "3", size).assert_done("3");
            let ledger = Ledger::read(&log);
            let story = [
                "1 allowed",
                "1 execution_succeeded",
                "2 allowed",
                "log_recovered",
            ];
            assert_eq!(ledger.story()[..4], story);
            let rest = [
                "2 execution_abandoned",
                "3 allowed",
                "3 execution_succeeded",
            ];
            assert_eq!(ledger.story()[4..], rest);
            ledger.assert_recovered(&log, 0, &[&whole[start..start + left]]);
            let bytes = fs::read(&log).expect("the log can be read");
            assert!(
                bytes.starts_with(&whole[..start]),
                "what was whole has changed"
            );
            assert_eq!(count_beside(&log), 1);
            cuts += 1;
        }
    }
    format!("{cuts} cuts")
}

pub(crate) fn in_the_first_line() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let whole = log_of(&directory.path().join("whole.jsonl"), &["1"], LARGE);
    let first = whole
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("a line");
    let cuts = [1, 2, first / 2, first];
    for left in cuts {
        let log = directory.path().join(format!("{left}/audit.jsonl"));
        drop(open(&log));
        assert_private(&log);
        fs::write(&log, &whole[..left]).expect("the log can be written");
        attempt(&open(&log), "2", 1).assert_done("2");
        let ledger = Ledger::read(&log);
        assert_eq!(
            ledger.story(),
            ["log_recovered", "2 allowed", "2 execution_succeeded"]
        );
        ledger.assert_recovered(&log, 0, &[&whole[..left]]);
    }
    format!("{} cuts, `{{` among them", cuts.len())
}

pub(crate) fn several_times() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    log_of(&log, &["0"], 1);
    // Somebody else's file is left alone, whatever its name.
    fs::write(aside(&log, 0), "not ours").expect("the file can be written");
    let torn = [
        &b"{"[..],
        b"{\"seq\":7",
        b"\0\0\0\0\0\0\0\0",
        "{\"\u{e9}".as_bytes(),
        b"{\"\xc3",
    ];
    for (index, torn) in torn.iter().enumerate() {
        add(&log, torn);
        let id = format!("{}", index + 1);
        attempt(&open(&log), &id, 1).assert_done(&id);
    }
    let ledger = Ledger::read(&log);
    ledger.assert_recovered(&log, 1, &torn);
    assert_eq!(ledger.len(), 2 + torn.len() * 3);
    assert_eq!(
        fs::read(aside(&log, 0)).expect("the file is there"),
        b"not ours"
    );
    assert_eq!(count_beside(&log), 1 + torn.len());
    format!("{} in a row", torn.len())
}

pub(crate) fn while_others_have_it_open() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let contexts = [open(&log), open(&log)];
    let mut other = Worker::start("obey", &log, &[]);
    other.expect("ready");
    let mut torn = Vec::new();
    for round in 0..6 {
        torn.push(format!("{{\"timestamp\":\"{round}"));
        add(&log, torn[round].as_bytes());
        let id = format!("{round}");
        if round % 3 == 2 {
            assert_eq!(other.call(&id, 1), format!("done {id}"));
        } else {
            attempt(&contexts[round % 3], &id, 1).assert_done(&id);
        }
    }
    other.finish();
    let ledger = Ledger::read(&log);
    assert_eq!(ledger.len(), 3 * torn.len());
    ledger.assert_recovered(&log, 0, &torn);
    format!("{} times, three writers", torn.len())
}

/// With a name that leaves no room for `.torn-0`, there is no file to set the line aside in.
pub(crate) fn and_not_to_be_set_aside() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("n".repeat(250));
    let context = open(&log);
    attempt(&context, "1", 1).assert_done("1");
    add(&log, b"{\"torn");
    let bytes = fs::read(&log).expect("the log can be read");

    let problem = "has a torn last line that cannot be set aside: File name too long (os error 36)";
    assert_unopened(&log, problem);
    // Not only the first time: nothing may be written behind the torn line.
    for id in ["2", "3"] {
        attempt(&context, id, 1).assert_refused(&log, problem);
    }
    assert_eq!(fs::read(&log).expect("the log can be read"), bytes);

    cut(&log, bytes.len() - b"{\"torn".len());
    attempt(&context, "4", 1).assert_done("4");
    assert_eq!(Ledger::read(&log).len(), 4);
    "refused, and nothing lost".to_owned()
}

/// A log is where it was when it was opened, wherever the process goes.
pub(crate) fn under_a_relative_path() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    fs::create_dir(directory.path().join("elsewhere")).expect("a directory");
    let mut worker = Worker::start_in(directory.path(), "obey", Path::new("audit.jsonl"));
    worker.expect("ready");
    worker.say("to elsewhere");
    worker.expect("gone");
    add(&log, b"{\"torn");
    assert_eq!(worker.call("1", 1), "done 1");
    worker.say("read all");
    worker.expect("3 records");
    worker.finish();
    assert_eq!(Ledger::read(&log).len(), 3);
    let kept = fs::read(aside(&log, 0)).expect("the torn line is beside the log");
    assert_eq!(kept, b"{\"torn");
    "set aside beside the log".to_owned()
}

//! Files that cannot grow: what a full disk does, done by the limit on a file's size.

use std::fs;

use crate::ledger::{Ledger, TEN_KB, add, attempt, count_beside, length, open, refusal, torn_end};
use crate::worker::Worker;

const TOO_LARGE: &str = "cannot be written: File too large (os error 27)";

/// The kernel writes the part of a record that fits. Whether that is a decision or an outcome
/// depends on the size of what was there before.
pub(crate) fn a_record_crosses_the_limit() -> String {
    let (mut decisions, mut outcomes) = (0, 0);
    for round in 0..8 {
        let directory = tempfile::tempdir().expect("a directory");
        let log = directory.path().join("audit.jsonl");
        let mut done = vec!["before".to_owned()];
        attempt(&open(&log), "before", 1 + round * TEN_KB / 4).assert_done("before");

        let mut worker = Worker::limited(64, true, "obey", &log, &[]);
        worker.expect("ready");
        let mut call = 0;
        let refused = loop {
            assert!(call < 20, "nothing was refused");
            let id = format!("{call}");
            let answer = worker.call(&id, TEN_KB);
            if answer != format!("done {id}") {
                break answer;
            }
            done.push(id);
            call += 1;
        };
        assert_eq!(
            refused,
            format!("refused {call} {}", refusal(&log, TOO_LARGE))
        );
        let again = worker.call("again", TEN_KB);
        assert_eq!(again, format!("refused again {}", refusal(&log, TOO_LARGE)));
        let bytes = fs::read(&log).expect("the log can be read");
        assert!(torn_end(&bytes).is_empty(), "part of a record was left");
        worker.finish();

        // The outcome of the last call that ran may have been lost with the process.
        let before = Ledger::read(&log);
        let last = done.last().cloned().expect("a call");
        if before.len() == 2 * done.len() {
            decisions += 1;
        } else {
            outcomes += 1;
            assert_eq!(before.story().last(), Some(&format!("{last} allowed")));
            done.pop();
        }
        before.assert_complete(&done);

        attempt(&open(&log), "after", TEN_KB).assert_done("after");
        done.push("after".to_owned());
        let after = Ledger::read(&log);
        after.assert_complete(&done);
        // What was lost is closed, too.
        assert_eq!(after.len(), before.len() + 2 + after.assert_closed());
        assert_eq!(count_beside(&log), 0);
    }
    assert!(
        decisions > 0 && outcomes > 0,
        "{decisions} decisions, {outcomes} outcomes"
    );
    format!("{decisions} decisions and {outcomes} outcomes did not fit")
}

/// A torn line that could be set aside, but there is no room to say so.
pub(crate) fn the_recovery_crosses_the_limit() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let context = open(&log);
    let torn = b"{\"torn";
    // There has to be room for the torn line below the limit, but not for a record.
    let mut call = 0;
    while !(800..1000).contains(&(length(&log) % 1024)) {
        let id = call.to_string();
        attempt(&context, &id, 7 * call).assert_done(&id);
        call += 1;
    }
    let kib = length(&log) / 1024 + 1;
    add(&log, torn);

    let mut worker = Worker::limited(kib, true, "obey", &log, &[]);
    worker.expect(&format!(
        "unopened audit log `{}` {TOO_LARGE}",
        log.display()
    ));
    worker.finish();

    attempt(&open(&log), "after", 1).assert_done("after");
    let ledger = Ledger::read(&log);
    ledger.assert_recovered(&log, 0, &[torn]);
    assert_eq!(count_beside(&log), 1);
    "told when there was room".to_owned()
}

/// A torn line, and no room for a copy of it.
pub(crate) fn no_room_to_set_aside() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let mut worker = Worker::limited(1, true, "obey", &log, &[]);
    worker.expect("ready");
    let torn = b"{\"torn ".repeat(1000);
    add(&log, &torn);

    let problem = "has a torn last line that cannot be set aside: File too large (os error 27)";
    for id in ["1", "2", "3"] {
        let answer = worker.call(id, 1);
        assert_eq!(answer, format!("refused {id} {}", refusal(&log, problem)));
    }
    assert_eq!(fs::read(&log).expect("the log can be read"), torn);
    assert_eq!(
        count_beside(&log),
        0,
        "files beside the log, after as many refusals"
    );
    worker.finish();

    attempt(&open(&log), "4", 1).assert_done("4");
    Ledger::read(&log).assert_recovered(&log, 0, &[torn]);
    "refused, and nothing left behind".to_owned()
}

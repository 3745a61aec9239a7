//! Many processes on one log.

use std::fs;

use crate::ledger::{Ledger, TEN_KB, add, assert_private, count_beside, open};
use crate::worker::Worker;

pub(crate) fn eight_processes_of_eight_threads() -> String {
    const CALLS: usize = 20;
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("logs/of/today/audit.jsonl");

    let flood = |process: usize| {
        let (tag, calls) = (format!("p{process}"), CALLS.to_string());
        Worker::start("flood", &log, &[&tag, &calls, &TEN_KB.to_string()])
    };
    let mut workers: Vec<_> = (0..8).map(flood).collect();
    for worker in &mut workers {
        worker.expect("ready");
    }
    for worker in &mut workers {
        worker.say("go");
    }
    let done: Vec<_> = workers.into_iter().flat_map(Worker::finish).collect();
    assert_eq!(done.len(), 8 * 8 * CALLS);

    let ledger = Ledger::read(&log);
    assert_eq!(ledger.len(), 2 * done.len());
    ledger.assert_complete(&done);
    assert_eq!(count_beside(&log), 0, "files beside the log");
    assert_private(&log);
    let bytes = fs::metadata(&log).expect("the log").len();
    let (records, each) = (ledger.len(), bytes / ledger.len() as u64);
    assert!((9_000..12_000).contains(&each), "{each} bytes a record");
    format!("{records} records of {each} bytes")
}

/// The writers take turns, so that each finds that the log has grown, and then both write at
/// once. The reader keeps up: no turn begins before it saw what the one before wrote.
pub(crate) fn a_reader_beside_two_writers() -> String {
    const TURNS: usize = 30;
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let mut writers = [0, 1].map(|_| Worker::start("obey", &log, &[]));
    for writer in &mut writers {
        writer.expect("ready");
    }
    let mut reader = Worker::start("read", &log, &[]);

    let mut done = Vec::new();
    let mut states = 0;
    for turn in 0..TURNS {
        for (name, writer) in ["a", "b"].iter().zip(&mut writers) {
            let id = format!("{name}.{turn}");
            assert_eq!(writer.call(&id, TEN_KB), format!("done {id}"));
            done.push(id);
        }
        for call in 0..3 {
            for (name, writer) in ["a", "b"].iter().zip(&mut writers) {
                writer.say(&format!("{name}.{turn}.{call} {TEN_KB}"));
            }
        }
        for writer in &mut writers {
            done.extend((0..3).map(|_| writer.done().expect("a call that returned")));
        }
        let mut seen = 0;
        while seen < 2 * done.len() {
            let line = reader.hear().expect("the reader reads");
            seen = line
                .parse()
                .unwrap_or_else(|_| panic!("the reader saw {line}"));
            states += 1;
        }
    }
    reader.kill();
    for writer in writers {
        writer.finish();
    }

    let ledger = Ledger::read(&log);
    assert_eq!(ledger.len(), 2 * done.len());
    ledger.assert_complete(&done);
    format!("{} records, {states} states seen", ledger.len())
}

pub(crate) fn many_open_a_torn_log_at_once() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let mut torn = Vec::new();
    let mut done = Vec::new();
    for round in 0..4 {
        drop(open(&log));
        torn.push(format!("{{\"timestamp\":\"torn in round {round}"));
        add(&log, torn.last().expect("a line").as_bytes());
        let mut workers: Vec<_> = (0..6).map(|_| Worker::start("obey", &log, &[])).collect();
        for (index, worker) in workers.iter_mut().enumerate() {
            worker.expect("ready");
            worker.say(&format!("{round}.{index} 1"));
        }
        done.extend(workers.into_iter().flat_map(Worker::finish));
    }
    let ledger = Ledger::read(&log);
    ledger.assert_complete(&done);
    ledger.assert_recovered(&log, 0, &torn);
    assert_eq!(ledger.len(), 2 * done.len() + torn.len());
    assert_eq!(count_beside(&log), torn.len());
    format!("{} opened, {} recovered", done.len(), torn.len())
}

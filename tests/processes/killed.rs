//! Processes that die while they write.

use std::fs;

use crate::ledger::{LARGE, Ledger, TEN_KB, attempt, count_beside, open, torn_end};
use crate::worker::Worker;

const SIGKILL: i32 = 9;
const SIGXFSZ: i32 = 25;

fn signal(status: std::process::ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    return status.code();
}

/// Whoever writes next deals with what the dead one left: the next to open the log, or one that
/// had it open before.
pub(crate) fn in_the_middle() -> String {
    const LOGS: usize = 5;
    const ROUNDS: usize = 8;
    let (mut acknowledged, mut tears, mut abandoned) = (0, 0, 0);
    for _ in 0..LOGS {
        let directory = tempfile::tempdir().expect("a directory");
        let log = directory.path().join("audit.jsonl");
        let mut witness = Worker::start("obey", &log, &[]);
        witness.expect("ready");
        let mut done = Vec::new();
        let mut torn: Vec<Vec<u8>> = Vec::new();
        for round in 0..ROUNDS {
            let tag = format!("r{round}");
            let mut victim = Worker::start("flood", &log, &[&tag, "1000000", &LARGE.to_string()]);
            victim.expect("ready");
            victim.say("go");
            // The more it has said, the more is in the pipe already: any moment will do.
            for _ in 0..=round * 5 % 7 {
                done.push(victim.done().expect("a call that returned"));
            }
            victim.kill();
            let (rest, status) = victim.end();
            assert_eq!(signal(status), Some(SIGKILL), "{status}");
            done.extend(rest);

            let bytes = fs::read(&log).expect("the log can be read");
            let end = torn_end(&bytes);
            if !end.is_empty() {
                torn.push(end.to_owned());
            }
            let id = format!("after.{round}");
            if round % 2 == 0 {
                attempt(&open(&log), &id, 10).assert_done(&id);
            } else {
                assert_eq!(witness.call(&id, 10), format!("done {id}"));
            }
            done.push(id);
            assert_eq!(count_beside(&log), torn.len(), "files beside the log");
        }
        witness.finish();
        let ledger = Ledger::read(&log);
        ledger.assert_complete(&done);
        ledger.assert_recovered(&log, 0, &torn);
        // Now that nobody has it open, the next one closes what the dead left open.
        drop(open(&log));
        let ledger = Ledger::read(&log);
        abandoned += ledger.assert_closed();
        let length = ledger.len();
        drop(open(&log));
        assert_eq!(Ledger::read(&log).len(), length, "closed once");
        acknowledged += done.len();
        tears += torn.len();
    }
    format!(
        "{} kills, {tears} torn lines, {abandoned} calls abandoned, {acknowledged} acknowledged",
        LOGS * ROUNDS
    )
}

/// A death that always tears the line: the kernel writes the part that fits, then kills.
pub(crate) fn by_the_size_limit() -> String {
    const STEP: usize = 64;
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let mut done = Vec::new();
    let mut torn: Vec<Vec<u8>> = Vec::new();
    for round in 1..=6 {
        let limit = round * STEP;
        let arguments = [
            &*format!("r{round}"),
            "1000000",
            &(TEN_KB + round).to_string(),
        ];
        let mut victim = Worker::limited(limit, false, "flood", &log, &arguments);
        victim.expect("ready");
        victim.say("go");
        let (acknowledged, status) = victim.end();
        assert_eq!(signal(status), Some(SIGXFSZ), "{status}");
        done.extend(acknowledged);

        let bytes = fs::read(&log).expect("the log can be read");
        assert_eq!(bytes.len(), limit * 1024);
        // Nothing is torn if a record happens to end at the limit.
        let end = torn_end(&bytes);
        if !end.is_empty() {
            torn.push(end.to_owned());
        }
        let id = format!("after.{round}");
        attempt(&open(&log), &id, 10).assert_done(&id);
        done.push(id);
    }
    assert!(!torn.is_empty(), "no line was torn");
    let ledger = Ledger::read(&log);
    ledger.assert_complete(&done);
    ledger.assert_recovered(&log, 0, &torn);
    ledger.assert_closed();
    assert_eq!(count_beside(&log), torn.len());
    format!(
        "{} torn lines, {} calls acknowledged",
        torn.len(),
        done.len()
    )
}

//! A sync that takes long: who waits for it, and who does not.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aegize::{AuditLog, Durability};

use crate::interposer::{arm, hold};
use crate::ledger::{Ledger, context, pipe, tool_call};
use crate::worker::{Worker, say};

/// One thread, and a call whose sync does not end before somebody opens a pipe.
pub(crate) fn wait(log: &Path) {
    let directory = log.parent().expect("a directory");
    let opened = AuditLog::options()
        .durability(Durability::Synced)
        .open(log)
        .expect("the log opens");
    let context = context(opened);
    arm("none 0 once 0", directory);
    hold(&directory.join("pipe"));

    let runs = Cell::new(0);
    let body = || async {
        runs.set(runs.get() + 1);
        Ok::<_, aegize::GuardError>("ran".to_owned())
    };
    let mut first = pin!(context.guard(tool_call("first", 1)).run(body));
    let mut task = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut task).is_pending());
    {
        // While the sync is under way, a second call is given up.
        let second = pin!(context.guard(tool_call("second", 1)).run(body));
        assert!(second.poll(&mut task).is_pending());
    }
    for _ in 0..100 {
        assert!(first.as_mut().poll(&mut task).is_pending());
    }
    assert_eq!(runs.get(), 0, "a body ran before its decision was on disk");
    say("not held up");
    let ended = pollster::block_on(poll_fn(|task| match first.as_mut().poll(task) {
        Poll::Ready(ended) => Poll::Ready(ended),
        Poll::Pending => Poll::Pending,
    }));
    say(&format!("{} {}", ended.expect("the call runs"), runs.get()));
}

pub(crate) fn by_no_task() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let log = directory.path().join("audit.jsonl");
    let gate = pipe(directory.path());
    let mut worker = Worker::interposed("wait", &log);
    worker.expect("not held up");
    drop(OpenOptions::new().write(true).open(gate));
    worker.expect("ran 1");
    worker.finish();
    let story = [
        "first allowed",
        "second allowed",
        "second execution_abandoned",
        "first execution_succeeded",
    ];
    assert_eq!(Ledger::read(&log).story(), story);
    "a thread went on, and a call was given up".to_owned()
}

//! Tasks that wait for a sync while others of their thread go on.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::future::poll_fn;
use std::path::Path;
use std::rc::Rc;
use std::task::Poll;

use aegize::{GuardContext, GuardError};
use tokio::task::{LocalSet, yield_now};

use crate::faulty::key;
use crate::interposer::{arm, hold};
use crate::ledger::{context, pipe, tool_call};
use crate::plan::Plan;
use crate::whole::Whole;
use crate::worker::{Worker, say};

/// A call that counts whether its body has run.
async fn call(context: GuardContext, id: &'static str, ran: Rc<Cell<u32>>) {
    let body = || async {
        ran.set(ran.get() + 1);
        Ok(())
    };
    let result: Result<(), GuardError> = context.guard(tool_call(id, 400)).run(body).await;
    result.expect("the call is allowed");
}

/// On one thread: two calls wait for a sync that is held up, a third is dropped while it waits, and
/// a task that waits for nothing sees all that and lets the sync go on.
pub(crate) fn work(root: &Path, plan: &str) {
    let plan = Plan::named(plan);
    let log = plan.log(root);
    arm("none 0 once 0", root);
    let context = context(plan.options(&key(root)).open(&log).expect("the log opens"));
    let gate = root.join("pipe");
    let ran = Rc::new(Cell::new(0));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let tasks = LocalSet::new();
    hold(&gate);
    for id in ["1", "2"] {
        tasks.spawn_local(call(context.clone(), id, Rc::clone(&ran)));
    }
    let dropped = Rc::new(Cell::new(0));
    let mut third = Box::pin(call(context.clone(), "3", Rc::clone(&dropped)));
    let ran_before = Rc::clone(&ran);
    tasks.spawn_local(async move {
        poll_fn(|context| {
            assert!(third.as_mut().poll(context).is_pending(), "it did not wait");
            Poll::Ready(())
        })
        .await;
        drop(third);
        let is_written = |id: &str| {
            let (whole, _) = Whole::as_it_is(&log).expect("the log can be read");
            whole
                .0
                .iter()
                .any(|line| line.event() == "allowed" && line.call() == id)
        };
        while !["1", "2", "3"].iter().all(|id| is_written(id)) {
            yield_now().await;
        }
        assert_eq!(
            ran_before.get(),
            0,
            "a body ran before its record was on disk"
        );
        say("went on");
        // Another thread syncs, and waits for this: else nobody would ever come.
        OpenOptions::new()
            .write(true)
            .open(gate)
            .expect("the gate opens");
    });
    runtime.expect("a runtime").block_on(tasks);
    assert_eq!((ran.get(), dropped.get()), (2, 0));
    drop(context);
    say("done");
}

pub(crate) fn for_a_sync() -> String {
    let plans = [
        "synced tasks new",
        "synced tasks new rotated",
        "synced tasks left rotated signed",
    ];
    for plan in plans {
        let (root, _) = crate::storm::root(Plan::named(plan));
        pipe(root.path());
        let mut worker = Worker::interposed("wait", root.path(), &[plan]);
        worker.expect("went on");
        worker.expect("done");
        worker.finish();
        let whole = Whole::read(&Plan::named(plan).log(root.path())).expect("a log");
        let outcomes = whole.outcomes().expect("outcomes");
        assert_eq!(outcomes["1"], "execution_succeeded");
        assert_eq!(outcomes["2"], "execution_succeeded");
        assert_eq!(outcomes["3"], "execution_abandoned");
        let abandoned = whole
            .0
            .iter()
            .find(|line| line.call() == "3" && line.event() != "allowed");
        let error = &abandoned.expect("an outcome").record["error"];
        assert_eq!(error, "dropped before it finished");
    }
    format!("{} ways to write", plans.len())
}

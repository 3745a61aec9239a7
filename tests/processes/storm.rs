//! Processes of many tasks on one log, killed at any moment, or left to finish.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use aegize::AuditRecords;
use aegize::tlog::SigningKey;

use crate::faulty::key;
use crate::ledger::{context, tool_call};
use crate::plan::Plan;
use crate::whole::{Whole, beside, files};
use crate::worker::{Worker, hear, say};

/// How many tasks a process has.
const TASKS: usize = 64;
const PROCESSES: usize = 4;

/// Makes calls in many tasks at once, each so many after the other. A body that runs adds its name
/// to a file.
pub(crate) fn work(root: &Path, plan: &str, tag: &str, calls: usize) {
    let plan = Plan::named(plan);
    let log = plan.options(&key(root)).open(plan.log(root));
    let context = context(log.expect("the log opens"));
    let witness = OpenOptions::new()
        .append(true)
        .create(true)
        .open(root.join("witness"));
    let witness = Arc::new(witness.expect("a witness"));
    say("ready");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build();
    let runtime = runtime.expect("a runtime");
    let tasks = (0..TASKS).map(|task| {
        let (context, witness, tag) = (context.clone(), Arc::clone(&witness), tag.to_owned());
        runtime.spawn(async move {
            for call in 0..calls {
                let id = format!("{tag}.{task}.{call}");
                let body = || async {
                    let line = format!("{id}\n");
                    (&*witness)
                        .write_all(line.as_bytes())
                        .expect("the witness can be written");
                    Ok(id.clone())
                };
                let result: Result<_, aegize::GuardError> =
                    context.guard(tool_call(&id, 40)).run(body).await;
                match result {
                    Ok(id) => say(&format!("done {id}")),
                    Err(error) => say(&format!("refused {id} {error}")),
                }
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    for task in tasks {
        runtime.block_on(task).expect("a task ends");
    }
    drop(context);
    // Whoever has said all still has the log closed before it ends.
    drop(runtime);
    hear();
}

pub(crate) fn root(plan: Plan) -> (tempfile::TempDir, SigningKey) {
    let root = tempfile::tempdir().expect("a directory");
    let key = SigningKey::generate("example.com/agents").expect("a key");
    fs::write(root.path().join("key"), &*key.to_secret_text()).expect("a key file");
    fs::write(root.path().join("witness"), "").expect("a witness");
    plan.prepare(root.path(), &key);
    (root, key)
}

fn start(root: &Path, plan: Plan, tag: &str, calls: usize) -> Worker {
    let mut worker = Worker::start("storm", root, &[plan.0, tag, &calls.to_string()]);
    worker.guard();
    worker
}

/// Numbers that look random and are the same in every run (splitmix64).
struct Moments(u64);

impl Moments {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// Kills so many processes, of four at a time, and tells what was found then.
fn kill(plan: Plan, kills: usize) -> String {
    const SEED: u64 = 5;
    let (root, key) = root(plan);
    let root = root.path();
    let log = plan.log(root);
    let done = Mutex::new(Vec::new());
    let notes = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for slot in 0..PROCESSES {
            let (done, notes, log) = (&done, &notes, &log);
            scope.spawn(move || {
                let mut moments = Moments(SEED + slot as u64);
                for round in 0..kills / PROCESSES {
                    let mut worker = start(root, plan, &format!("{slot}.{round}"), usize::MAX);
                    let lines = moments.below(150);
                    // One that is killed at once may not have opened the log.
                    if lines > 0 {
                        worker.expect("ready");
                    }
                    let heard: Vec<_> = (1..lines).map_while(|_| worker.done()).collect();
                    assert_eq!(
                        heard.len() as u64,
                        lines.saturating_sub(1),
                        "it ended itself"
                    );
                    worker.kill();
                    let rest = std::iter::from_fn(|| worker.hear());
                    let rest = rest.filter_map(|line| Some(line.strip_prefix("done ")?.to_owned()));
                    let mut done = done.lock().expect("no panic");
                    done.extend(heard);
                    done.extend(rest);
                    drop(done);
                    if plan.is("signed") {
                        let mut notes = notes.lock().expect("no panic");
                        notes.extend(fs::read_to_string(beside(log, "checkpoint")).ok());
                    }
                }
            });
        }
    });
    drop(plan.options(&key).open(&log).expect("the log opens"));
    let whole = Whole::read(&log).expect("a log");
    let closed = whole.0.len();
    drop(plan.options(&key).open(&log).expect("the log opens again"));
    let whole_again = Whole::read(&log).expect("a log");
    assert_eq!(whole_again.0.len(), closed, "what was open is closed once");

    let context = format!("seed {SEED}, {}", plan.0);
    whole.check_chain().expect(&context);
    let outcomes = whole.outcomes().expect(&context);
    let done = done.into_inner().expect("no panic");
    for id in &done {
        assert_eq!(
            outcomes.get(&**id),
            Some(&"execution_succeeded"),
            "{context}: {id}"
        );
    }
    let witness = fs::read_to_string(root.join("witness")).expect("a witness");
    let witnessed: HashSet<_> = witness.lines().collect();
    for id in &witnessed {
        assert!(
            outcomes.contains_key(id),
            "{context}: {id} ran without a record"
        );
    }
    for (id, outcome) in &outcomes {
        assert_ne!(*outcome, "open", "{context}: {id}");
        assert!(
            *outcome == "execution_abandoned" || witnessed.contains(id),
            "{context}: {id}"
        );
    }
    let notes = notes.into_inner().expect("no panic");
    let sizes = notes
        .iter()
        .map(|note| whole.check(note, key.verifier()).expect(&context));
    let sizes: Vec<_> = sizes.collect();
    assert!(sizes.is_sorted(), "{context}: {sizes:?}");
    assert!(
        !plan.is("signed") || sizes.last() > Some(&0),
        "nothing was signed"
    );
    let abandoned = outcomes
        .values()
        .filter(|outcome| **outcome == "execution_abandoned");
    format!(
        "{kills} kills, {} records in {} files, {} acknowledged, {} abandoned, {} checkpoints",
        whole.0.len(),
        files(&log).expect("files").len(),
        done.len(),
        abandoned.count(),
        sizes.len(),
    )
}

pub(crate) fn a_hundred_kills_under_synced() -> String {
    kill(Plan::named("synced storm"), 100)
}

pub(crate) fn kills_under_written() -> String {
    kill(Plan::named("written storm"), 40)
}

pub(crate) fn kills_while_files_and_checkpoints_follow_each_other() -> String {
    let synced = kill(Plan::named("synced storm rotated signed"), 40);
    let written = kill(Plan::named("written storm rotated signed"), 40);
    format!("synced: {synced}; written: {written}")
}

/// One chain across the files that all of them begin.
pub(crate) fn four_processes_that_rotate() -> String {
    const CALLS: usize = 5;
    let plan = Plan::named("written storm rotated signed");
    let (root, key) = root(plan);
    let log = plan.log(root.path());
    let tag = |process| format!("p{process}");
    let mut workers: Vec<_> = (0..PROCESSES)
        .map(|process| start(root.path(), plan, &tag(process), CALLS))
        .collect();
    for worker in &mut workers {
        worker.expect("ready");
    }
    let done: Vec<_> = workers.into_iter().flat_map(Worker::finish).collect();
    assert_eq!(done.len(), PROCESSES * TASKS * CALLS);
    let whole = Whole::read(&log).expect("a log");
    whole.check_chain().expect("one chain");
    let outcomes = whole.outcomes().expect("outcomes");
    assert_eq!(outcomes.len(), done.len());
    assert!(
        outcomes
            .values()
            .all(|outcome| *outcome == "execution_succeeded")
    );
    let note = fs::read_to_string(beside(&log, "checkpoint")).expect("a checkpoint");
    let size = whole
        .check(&note, key.verifier())
        .expect("a checkpoint of this log");
    assert_eq!(size, whole.0.len() as u64);
    let files = files(&log).expect("files").len();
    assert!(files > 4, "{files} files");
    format!("{} records in {files} files", whole.0.len())
}

/// A process that has a log for itself and writes all the time keeps nobody out.
pub(crate) fn a_newcomer_and_a_reader_beside_one_that_never_rests() -> String {
    let plan = Plan::named("written storm");
    let (root, _) = root(plan);
    let log = plan.log(root.path());
    let mut busy = start(root.path(), plan, "busy", usize::MAX);
    busy.expect("ready");
    let process = busy.id();
    thread::scope(|scope| {
        // Nobody may have to wait for a reader of what it says.
        let busy = scope.spawn(move || std::iter::from_fn(|| busy.done()).count());
        let mut newcomer = Worker::start("obey", &log, &[]);
        newcomer.guard();
        newcomer.expect("ready");
        assert_eq!(newcomer.call("new", 10), "done new");
        assert_eq!(newcomer.call("again", 10), "done again");
        newcomer.finish();
        let read = AuditRecords::open(&log).expect("the log can be read");
        assert!(
            read.inspect(|record| assert!(record.is_ok(), "{record:?}"))
                .count()
                > 4
        );
        assert!(!busy.is_finished(), "it did not write any more");
        let killed = std::process::Command::new("kill")
            .args(["-9", &process.to_string()])
            .status();
        assert!(killed.expect("kill runs").success());
        format!(
            "while another made {} calls",
            busy.join().expect("no panic")
        )
    })
}

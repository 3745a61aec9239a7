//! Processes of many tasks that are killed at any moment.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use aegize::tlog::SigningKey;
use aegize::{
    AuditEvent, AuditLog, AuditLogOptions, AuditRecords, Durability, GuardError, GuardFutureExt,
    LogVerdict, LogVerifier, Rotation,
};

use crate::ledger::{context, tool_call};
use crate::worker::{Worker, say};

const TASKS: usize = 64;
const PROCESSES: usize = 4;

/// How the log is written.
fn options(is_synced: bool, key: &Path) -> AuditLogOptions {
    if is_synced {
        return AuditLog::options().durability(Durability::Synced);
    }
    let key: SigningKey = fs::read_to_string(key)
        .expect("the key is there")
        .parse()
        .expect("a key");
    AuditLog::options()
        .rotation(Rotation::Size(50_000))
        .signing_key(key)
        .checkpoint_every(100, Duration::from_secs(60))
}

/// Calls in many tasks as fast as it can, and says of each body that it runs, and of each call that it
/// returned.
pub(crate) fn flood(log: &Path, tag: &str, kind: &str, key: &Path) {
    let log = options(kind == "synced", key).open(log);
    let context = context(log.expect("the log opens"));
    say("ready");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (tag, context) = (tag.to_owned(), context.clone());
            runtime.spawn(async move {
                for call in 0.. {
                    let id = format!("{tag}.{task}.{call}");
                    let body = async || {
                        say(&format!("ran {id}"));
                        Ok::<_, GuardError>(())
                    };
                    let call = context.guard(tool_call(&id, 20)).run(body);
                    call.with_context(&context).await.expect("it is allowed");
                    say(&format!("done {id}"));
                }
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).expect("it does not end");
    }
}

/// What the processes of one lane said, one after the other, and the checkpoints seen.
#[derive(Default)]
struct Said {
    ran: HashSet<String>,
    done: Vec<String>,
    checkpoints: Vec<String>,
}

/// Starts a process, hears so many lines, kills it, and hears the rest.
fn lane(log: &Path, lane: usize, kills: usize, kind: &str, key: &Path) -> Said {
    let mut said = Said::default();
    for kill in 0..kills {
        let tag = format!("p{lane}.{kill}");
        let key = key.to_str().expect("a path");
        let mut worker = Worker::start("tasks", log, &[&tag, kind, key]);
        worker.guard();
        worker.expect("ready");
        // Any moment will do, the same ones each time.
        let mut left = (lane * 7919 + kill * 104_729) % 211;
        let mut is_killed = false;
        while let Some(line) = worker.hear() {
            match line.split_once(' ') {
                Some(("ran", id)) => drop(said.ran.insert(id.to_owned())),
                Some(("done", id)) => said.done.push(id.to_owned()),
                _ => panic!("{line}"),
            }
            if left == 0 && !is_killed {
                worker.kill();
                is_killed = true;
            }
            left = left.saturating_sub(1);
        }
        said.checkpoints
            .extend(fs::read_to_string(log.join("log.checkpoint")));
    }
    said
}

fn killed(kind: &str, kills: usize) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let (log, key) = (directory.path().join("audit"), directory.path().join("key"));
    let signer = SigningKey::generate("example.com/agents").expect("a key");
    fs::write(&key, &*signer.to_secret_text()).expect("a key file");

    let lanes: Vec<Said> = thread::scope(|scope| {
        let (log, key) = (&log, &key);
        let lanes = (0..PROCESSES)
            .map(|number| scope.spawn(move || lane(log, number, kills / PROCESSES, kind, key)));
        let lanes: Vec<_> = lanes.collect();
        let lanes = lanes.into_iter();
        lanes.map(|lane| lane.join().expect("a lane")).collect()
    });
    // Nobody has it open: what the dead left open is closed, once.
    for _ in 0..2 {
        drop(
            options(kind == "synced", &key)
                .open(&log)
                .expect("the log opens"),
        );
    }

    let mut verifier = LogVerifier::new(&log).trust(signer.verifier().clone());
    let mut checkpoints = 0;
    for (number, text) in lanes.iter().flat_map(|said| &said.checkpoints).enumerate() {
        let file: PathBuf = directory.path().join(format!("{number}.checkpoint"));
        fs::write(&file, text).expect("a checkpoint");
        verifier = verifier.since(file);
        checkpoints += 1;
    }
    let verdict = verifier.verify().expect("the log can be read");
    assert!(matches!(verdict, LogVerdict::Intact(_)), "{verdict:?}");

    let mut attempts: BTreeMap<String, Vec<AuditEvent>> = BTreeMap::new();
    for record in AuditRecords::open(&log).expect("the log") {
        let record = record.expect("a record");
        if let Some(id) = record.metadata.get("call").and_then(|id| id.as_str()) {
            attempts
                .entry(id.to_owned())
                .or_default()
                .push(record.event);
        }
    }
    let mut abandoned = 0;
    for (id, events) in &attempts {
        let [AuditEvent::Allowed, outcome] = events[..] else {
            panic!("{id}: {events:?}");
        };
        abandoned += usize::from(outcome == AuditEvent::ExecutionAbandoned);
    }
    let (mut ran, mut done) = (0, 0);
    for said in &lanes {
        for id in &said.ran {
            assert!(attempts.contains_key(id), "{id} ran, and nothing says so");
            ran += 1;
        }
        for id in &said.done {
            assert_eq!(attempts[id][1], AuditEvent::ExecutionSucceeded, "{id}");
            assert!(said.ran.contains(id), "{id} returned and did not run");
            done += 1;
        }
    }
    assert!(
        done > 0 && abandoned > 0,
        "{done} done, {abandoned} abandoned"
    );
    format!(
        "{kills} kills, {ran} ran, {done} acknowledged, {abandoned} abandoned, {checkpoints} checkpoints"
    )
}

pub(crate) fn killed_while_they_sync() -> String {
    killed("synced", 100)
}

pub(crate) fn killed_while_files_rotate() -> String {
    killed("rotated", 40)
}

//! Processes that deliver a log and die on the way.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::carrier::{REFUSES, parcels};
use crate::ledger::{add, attempt, open};
use crate::worker::Worker;

/// In memory, where there is such a place: all is synced, and some disks take their time.
fn directory() -> TempDir {
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    directory.expect("a directory")
}

fn carry(log: &Path, receiver: &Path, records: usize, dies_at: usize) -> Worker {
    let receiver = receiver.to_str().expect("text");
    let arguments = [receiver, &records.to_string(), &dies_at.to_string()];
    let mut worker = Worker::start("carry", log, &arguments);
    worker.expect("ready");
    worker
}

/// Has a worker deliver everything, and tells how far it has come.
fn drain(worker: &mut Worker) -> String {
    worker.say("drain");
    loop {
        let line = worker.hear().expect("an answer");
        if !line.starts_with("delivered ") {
            return line;
        }
    }
}

/// That a receiver has a log, and no batch twice but right behind itself. Tells how many came twice.
fn assert_received(receiver: &Path, log: &[u8]) -> usize {
    let bytes = fs::read(receiver).expect("something was received");
    let (mut parcels, whole) = parcels(&bytes);
    assert_eq!(whole, bytes.len(), "a parcel is torn");
    let all = parcels.len();
    parcels.dedup();
    let arrived: Vec<u8> = parcels
        .iter()
        .flat_map(|(_, batch)| *batch)
        .copied()
        .collect();
    assert!(arrived == log, "the receiver has something else");
    all - parcels.len()
}

/// Killed from outside while the log grows, whenever that happens to be; sometimes another process
/// stands by and takes over.
pub(crate) fn killed_at_any_moment() -> String {
    const ROUNDS: usize = 60;
    let directory = directory();
    let log = directory.path().join("audit.jsonl");
    let receiver = directory.path().join("received");
    let context = open(&log);
    let mut calls = 0;
    for round in 0..ROUNDS {
        for _ in 0..6 {
            attempt(&context, &calls.to_string(), 100).assert_done(&calls.to_string());
            calls += 1;
        }
        let mut victim = carry(&log, &receiver, 1 + round % 3, 0);
        // The more it has said, the more is in the pipe already: any moment will do.
        for _ in 0..round % 5 {
            let line = victim.hear().expect("it delivers");
            assert!(line.starts_with("delivered "), "{line}");
        }
        let bystander = (round % 4 == 3).then(|| carry(&log, &receiver, 1 + round % 5, 0));
        victim.kill();
        if let Some(mut bystander) = bystander {
            let drained = drain(&mut bystander);
            assert_eq!(drained, format!("drained {}", 2 * calls));
            bystander.kill();
        }
    }
    let mut last = carry(&log, &receiver, 100, 0);
    assert_eq!(drain(&mut last), format!("drained {}", 2 * calls));
    last.kill();
    let log = fs::read(&log).expect("the log can be read");
    let repeats = assert_received(&receiver, &log);
    format!(
        "{ROUNDS} kills, {} records, {repeats} batches came twice",
        2 * calls
    )
}

/// Killed right after the receiver has a batch, before that is noted: it comes again, as it was,
/// though the next process would make larger batches and the log has grown.
pub(crate) fn killed_before_it_is_noted() -> String {
    const ROUNDS: usize = 40;
    let directory = directory();
    let log = directory.path().join("audit");
    fs::create_dir(&log).expect("a directory");
    let receiver = directory.path().join("received");
    let mut whole = String::new();
    let mut segment = PathBuf::new();
    let mut seq = 0;
    for round in 0..ROUNDS {
        if round % 3 == 0 {
            segment = log.join(format!("{seq:020}.jsonl"));
            fs::write(&segment, "").expect("a segment");
        }
        let start = whole.len();
        for _ in 0..20 {
            writeln!(whole, "{{\"seq\":{seq}}}").expect("a line");
            seq += 1;
        }
        add(&segment, &whole.as_bytes()[start..]);
        // There are always at least so many batches: twenty records in batches of at most seven.
        let mut victim = carry(&log, &receiver, 1 + round % 7, 1 + round % 3);
        while victim.hear().is_some() {}
    }
    let mut last = carry(&log, &receiver, 100, 0);
    assert_eq!(drain(&mut last), format!("drained {seq}"));
    last.kill();
    let repeats = assert_received(&receiver, whole.as_bytes());
    assert_eq!(repeats, ROUNDS, "batches that came twice");
    format!("{seq} records, {repeats} batches came twice")
}

/// Of several processes one delivers; when it dies, another goes on.
pub(crate) fn by_one_of_three() -> String {
    let directory = directory();
    let log = directory.path().join("audit.jsonl");
    let receiver = directory.path().join("received");
    let context = open(&log);
    let mut workers: Vec<_> = (0..3).map(|_| carry(&log, &receiver, 2, 0)).collect();
    let mut calls = 0;
    while let Some(mut worker) = workers.pop() {
        for _ in 0..10 {
            attempt(&context, &calls.to_string(), 100).assert_done(&calls.to_string());
            calls += 1;
        }
        for worker in workers.iter_mut().chain([&mut worker]) {
            assert_eq!(drain(worker), format!("drained {}", 2 * calls));
        }
        worker.kill();
    }
    let bytes = fs::read(&log).expect("the log can be read");
    assert_eq!(assert_received(&receiver, &bytes), 0, "batches came twice");
    format!("{} records, none twice", 2 * calls)
}

/// Without room for the cursor nothing is delivered; without room for what was refused nothing is
/// passed over.
pub(crate) fn only_with_room() -> String {
    let directory = directory();
    let log = directory.path().join("audit.jsonl");
    let line = format!("{{\"seq\":0,\"text\":\"{}\"}}\n", "x".repeat(4000));
    fs::write(&log, line).expect("the log can be written");
    let mut worker = Worker::limited(0, true, "carry", &log, &[REFUSES, "10", "0"]);
    worker.expect("ready");
    let limit = |worker: &Worker, bytes: &str| {
        let process = worker.id().to_string();
        let limit = format!("--fsize={bytes}:unlimited");
        let set = Command::new("prlimit")
            .args(["--pid", &process, &limit])
            .status();
        assert!(set.expect("prlimit runs").success());
    };
    let beside = |what: &str| directory.path().join(format!("audit.jsonl.{what}"));
    let no_room = |what: &str| {
        let path = beside(what);
        let path = path.display();
        format!("`{path}` cannot be written: File too large (os error 27)")
    };
    worker.say("status");
    worker.expect(&no_room("cursor-carrier"));
    assert!(!beside("cursor-carrier").exists());
    assert!(
        !beside("rejected-carrier").exists(),
        "nothing was delivered"
    );

    // Room for the cursor, and not for the record.
    limit(&worker, "2048");
    loop {
        worker.say("status");
        let line = worker.hear().expect("an answer");
        if line == no_room("rejected-carrier") {
            break;
        }
        assert_eq!(line, no_room("cursor-carrier"));
    }
    let cursor = fs::read_to_string(beside("cursor-carrier")).expect("the cursor");
    assert!(cursor.contains("\"delivered\":null"), "{cursor}");
    let kept = fs::read(beside("rejected-carrier")).expect("the file is there");
    assert!(kept.is_empty(), "part of a line was left");

    limit(&worker, "unlimited");
    assert_eq!(drain(&mut worker), "drained 1");
    let kept = fs::read_to_string(beside("rejected-carrier")).expect("the file is there");
    assert_eq!(kept.lines().count(), 1);
    "told, and done when there was room".to_owned()
}

//! Steps at times that the tests choose, with sinks that do as they are told.

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use super::*;
use crate::audit::sink::Batch;

mod received;
mod told;

/// What a sink was called with, and what the cursor was at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    first_seq: u64,
    text: String,
    cursor: Vec<u8>,
}

/// What a sink does, from the front of a list, and then takes everything.
#[derive(Default)]
struct Script {
    answers: VecDeque<Result<(), SinkError>>,
    calls: Vec<Call>,
    /// Of the batches that were taken, the position of the first record, and the text.
    taken: Vec<(u64, String)>,
    published: Vec<(u64, String)>,
    /// Words that make a batch or a checkpoint be refused.
    refuses: &'static str,
    panics: bool,
}

#[derive(Clone)]
struct Scripted {
    script: Arc<Mutex<Script>>,
    limits: BatchLimits,
    cursor: PathBuf,
}

impl Scripted {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditSink for Scripted {
    fn limits(&self) -> BatchLimits {
        self.limits
    }

    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        let mut script = self.script();
        let text = String::from_utf8(batch.bytes().to_vec()).unwrap();
        let refused = !script.refuses.is_empty() && text.contains(script.refuses);
        script.calls.push(Call {
            first_seq: batch.first_seq(),
            text,
            cursor: fs::read(&self.cursor).unwrap(),
        });
        assert!(!std::mem::take(&mut script.panics), "told to");
        if refused {
            return Err(SinkError::rejected("will not have it"));
        }
        let answer = script.answers.pop_front().unwrap_or(Ok(()));
        if answer.is_ok() {
            let call = script.calls.last().cloned().unwrap();
            script.taken.push((call.first_seq, call.text));
        }
        answer
    }

    fn publish(&mut self, size: u64, checkpoint: &str) -> Result<(), SinkError> {
        let mut script = self.script();
        script.published.push((size, checkpoint.to_owned()));
        if !script.refuses.is_empty() && checkpoint.contains(script.refuses) {
            return Err(SinkError::rejected("will not have it"));
        }
        script.answers.pop_front().unwrap_or(Ok(()))
    }
}

/// A log, a sink, and the time.
struct World {
    log: PathBuf,
    sink: Scripted,
    board: Arc<Board>,
    now: Duration,
    wanted: u64,
    _directory: TempDir,
}

const HALF: fn() -> u32 = || 0;

impl World {
    fn new(limits: BatchLimits) -> Self {
        // In memory, where there is such a place: all is synced, ten thousands of times.
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let directory = directory.unwrap();
        let log = directory.path().join("audit.jsonl");
        let sink = Scripted {
            script: Arc::default(),
            limits,
            cursor: directory.path().join("audit.jsonl.cursor-s"),
        };
        Self {
            log,
            sink,
            board: Arc::default(),
            now: Duration::from_secs(1000),
            wanted: 0,
            _directory: directory,
        }
    }

    fn delivery(&self) -> Delivery<Scripted> {
        let (log, board) = (self.log.clone(), Arc::clone(&self.board));
        Delivery::new(log, "s", self.sink.clone(), board, HALF)
    }

    fn step(&self, delivery: &mut Delivery<Scripted>) -> Duration {
        delivery.step(self.now, self.wanted)
    }

    /// Goes on, without time passing, until there is nothing to do at once.
    fn settle(&self, delivery: &mut Delivery<Scripted>) -> Duration {
        let mut pauses = (0..1000).map(|_| self.step(delivery));
        let pause = pauses.find(|pause| !pause.is_zero());
        pause.expect("an end to what is to be done")
    }

    fn add(&self, text: &str) {
        add(&self.log, text);
    }

    fn beside(&self, what: &str) -> PathBuf {
        beside(&self.log, what)
    }

    fn calls(&self) -> Vec<(u64, String)> {
        let calls = std::mem::take(&mut self.sink.script().calls);
        let tell = |call: Call| (call.first_seq, call.text);
        calls.into_iter().map(tell).collect()
    }

    fn error(&self) -> String {
        self.board.status().error.expect("an error")
    }
}

fn beside(log: &Path, what: &str) -> PathBuf {
    PathBuf::from(format!("{}.{what}", log.display()))
}

fn add(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn limits(records: usize, bytes: usize, linger: u64) -> BatchLimits {
    BatchLimits {
        records,
        bytes,
        linger: Duration::from_millis(linger),
    }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn calls(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    let own = |(seq, text): &(u64, &str)| (*seq, (*text).to_owned());
    expected.iter().map(own).collect()
}

#[test]
fn a_batch_is_as_large_as_the_limits_allow() {
    for (limits, expected) in [
        (limits(100, 100, 0), &["a\nbb\nccc\ndddd\n"][..]),
        (limits(2, 100, 0), &["a\nbb\n", "ccc\ndddd\n"]),
        (limits(0, 0, 0), &["a\n", "bb\n", "ccc\n", "dddd\n"]),
        (limits(100, 5, 0), &["a\nbb\n", "ccc\n", "dddd\n"]),
        (limits(100, 9, 0), &["a\nbb\nccc\n", "dddd\n"]),
        (limits(100, 4, 0), &["a\n", "bb\n", "ccc\n", "dddd\n"]),
    ] {
        let world = World::new(limits);
        world.add("a\nbb\nccc\ndddd\n{\"torn");
        assert_eq!(world.settle(&mut world.delivery()), POLL);
        let calls = world.calls();
        let texts: Vec<&str> = calls.iter().map(|(_, text)| &**text).collect();
        assert_eq!(texts, expected, "{limits:?}");
        let status = world.board.status();
        assert_eq!((status.next_seq, status.records, status.bytes), (4, 4, 14));
        assert_eq!((status.lag_bytes, status.failures), (0, 0));
    }
}

#[test]
fn a_batch_that_is_not_full_waits_for_more() {
    let mut world = World::new(limits(3, 100, 250));
    let mut delivery = world.delivery();
    world.add("a\n");
    assert_eq!(world.settle(&mut delivery), ms(100));
    world.now += ms(100);
    world.add("b\n");
    assert_eq!(world.settle(&mut delivery), ms(100));
    world.now += ms(100);
    assert_eq!(world.settle(&mut delivery), ms(50));
    assert_eq!(world.calls(), []);
    assert_eq!(world.board.status().lag_bytes, 4);
    world.now += ms(50);
    world.settle(&mut delivery);
    assert_eq!(world.calls(), calls(&[(0, "a\nb\n")]));

    world.add("c\nd\ne\nf\n");
    world.settle(&mut delivery);
    let full = calls(&[(2, "c\nd\ne\n")]);
    assert_eq!(world.calls(), full, "one that is full does not");
    world.wanted = 1;
    world.settle(&mut delivery);
    let rest = calls(&[(5, "f\n")]);
    assert_eq!(world.calls(), rest, "nor does one for which somebody waits");
    world.add("g\n");
    world.settle(&mut delivery);
    assert_eq!(world.calls(), [], "and then they do again");
}

#[test]
fn a_segment_that_is_complete_does_not_wait() {
    let mut world = World::new(limits(3, 100, 250));
    fs::create_dir(&world.log).unwrap();
    world.sink.cursor = world.log.join("log.cursor-s");
    let segment = |first: u64| world.log.join(format!("{first:020}.jsonl"));
    let mut delivery = world.delivery();
    add(&segment(0), "a\n");
    assert_eq!(world.settle(&mut delivery), ms(100));
    add(&segment(1), "b\n");
    world.settle(&mut delivery);
    assert_eq!(world.calls(), calls(&[(0, "a\n")]));
}

#[test]
fn a_failure_is_tried_again_after_a_wait() {
    let mut world = World::new(limits(100, 100, 0));
    let mut delivery = world.delivery();
    let failures = ["no route", "no route", "busy"].map(SinkError::unavailable);
    let [first, second, third] = failures;
    world.sink.script().answers =
        [Err(first), Err(second), Err(third.retry_after(ms(7000)))].into();
    world.add("a\n");
    for (wait, error) in [(125, "no route"), (250, "no route"), (7000, "busy")] {
        assert_eq!(world.settle(&mut delivery), ms(wait));
        assert_eq!(world.error(), error);
        world.add("b\n");
        world.now += ms(wait - 1);
        assert_eq!(world.step(&mut delivery), ms(1));
        assert_eq!(world.calls(), calls(&[(0, "a\n")]), "the same batch");
        assert_eq!(world.board.status().next_seq, 0);
        world.now += ms(1);
    }
    assert_eq!(world.settle(&mut delivery), POLL);
    assert_eq!(world.calls(), calls(&[(0, "a\n"), (1, "b\nb\nb\n")]));
    let status = world.board.status();
    assert_eq!((status.failures, status.error), (3, None));
}

#[test]
fn whoever_waits_is_not_kept_by_a_backoff_but_by_the_receiver() {
    let mut world = World::new(limits(100, 100, 0));
    let mut delivery = world.delivery();
    let busy = || SinkError::unavailable("busy");
    let asks = busy().retry_after(ms(5000));
    world.sink.script().answers = [Err(busy()), Err(busy()), Err(asks)].into();
    world.add("a\n");
    assert_eq!(world.settle(&mut delivery), ms(125));
    world.wanted = 1;
    assert_eq!(world.settle(&mut delivery), ms(125), "from the beginning");
    world.wanted = 2;
    assert_eq!(world.settle(&mut delivery), ms(5000));
    world.wanted = 3;
    assert_eq!(world.settle(&mut delivery), ms(5000));
    assert_eq!(world.calls().len(), 3);
}

#[test]
fn a_panic_is_a_failure() {
    let mut world = World::new(limits(100, 100, 0));
    let mut delivery = world.delivery();
    world.sink.script().panics = true;
    world.add("a\n");
    world.settle(&mut delivery);
    assert_eq!(world.error(), "the sink panicked: told to");
    world.now += ms(250);
    world.settle(&mut delivery);
    assert_eq!(world.calls(), calls(&[(0, "a\n"), (0, "a\n")]));
}

#[test]
fn what_is_refused_is_found_by_halving_and_kept() {
    let world = World::new(limits(100, 100, 0));
    let mut delivery = world.delivery();
    world.sink.script().refuses = "bad";
    world.add("a\nb\nc\nbad\ne\nf\n");
    assert_eq!(world.settle(&mut delivery), POLL);
    let expected = [
        (0, "a\nb\nc\nbad\ne\nf\n"),
        (0, "a\nb\nc\n"),
        (3, "bad\ne\nf\n"),
        (3, "bad\n"),
        (4, "e\nf\n"),
    ];
    let made: Vec<Call> = world.sink.script().calls.clone();
    assert_eq!(world.calls(), calls(&expected));
    // Each of them is what the cursor says is under way: whenever the process ends, it is the one
    // that comes again.
    for call in made {
        let cursor: Cursor = serde_json::from_slice(&call.cursor).unwrap();
        let end = call.first_seq + u64::try_from(call.text.lines().count()).unwrap();
        assert_eq!(cursor.next_seq(), call.first_seq);
        assert_eq!(cursor.under_way.unwrap().next_seq, end);
    }
    let kept = fs::read_to_string(world.beside("rejected-s")).unwrap();
    let line = "{\"seq\":3,\"error\":\"will not have it\",\"text\":\"bad\"}\n";
    assert_eq!(kept, line);
    let status = world.board.status();
    assert_eq!((status.records, status.rejected), (5, 1));
    assert_eq!((status.next_seq, status.lag_bytes), (6, 0));
}

#[test]
fn what_cannot_be_kept_is_not_passed_over() {
    let mut world = World::new(limits(100, 100, 0));
    let mut delivery = world.delivery();
    world.sink.script().refuses = "bad";
    world.add("bad\nb\n");
    fs::create_dir(world.beside("rejected-s")).unwrap();
    for _ in 0..3 {
        world.settle(&mut delivery);
        assert!(world.error().contains("rejected-s` cannot be written"));
        assert_eq!(world.board.status().next_seq, 0);
        world.now += ms(60_000);
    }
    fs::remove_dir(world.beside("rejected-s")).unwrap();
    world.settle(&mut delivery);
    let expected = [(0, "bad\nb\n"), (0, "bad\n"), (1, "b\n")];
    assert_eq!(world.calls(), calls(&expected), "each once");
}

/// A receiver that takes the batch, and then there is no room for the cursor.
struct Filling(Scripted, PathBuf);
impl AuditSink for Filling {
    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        fs::create_dir(&self.1).unwrap();
        self.0.deliver(batch)
    }
}

#[test]
fn without_a_cursor_nothing_is_delivered_and_nothing_twice() {
    let mut world = World::new(limits(100, 100, 0));
    let mut delivery = world.delivery();
    let new = world.beside("cursor-s.new");
    world.add("a\n");
    fs::create_dir(&new).unwrap();
    world.settle(&mut delivery);
    assert!(world.error().contains("cursor-s` cannot be written: "));
    assert_eq!(world.calls(), [], "not before it is noted");
    fs::remove_dir(&new).unwrap();
    world.now += ms(60_000);
    world.settle(&mut delivery);
    assert_eq!(world.calls(), calls(&[(0, "a\n")]));

    drop(delivery);
    world.add("b\n");
    let (log, board) = (world.log.clone(), Arc::clone(&world.board));
    let sink = Filling(world.sink.clone(), new.clone());
    let mut delivery = Delivery::new(log, "s", sink, board, HALF);
    for _ in 0..3 {
        while delivery.step(world.now, 0).is_zero() {}
        assert_eq!(world.board.status().next_seq, 2);
        assert!(world.error().contains("cursor-s` cannot be written: "));
        world.add("c\n");
        world.now += ms(60_000);
    }
    assert_eq!(
        world.calls(),
        calls(&[(1, "b\n")]),
        "once, and nothing after"
    );
    fs::remove_dir(&new).unwrap();
    while delivery.step(world.now, 0).is_zero() {}
    assert_eq!(world.calls(), calls(&[(2, "c\nc\nc\n")]));
}

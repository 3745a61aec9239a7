//! A log on its way to a sink. Processes that die on the way are in `tests/processes`.

mod stopped;

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aegize::{
    AuditSink, Batch, BatchLimits, GuardError, ShipErrorKind, Shipper, SinkError, SinkState,
    guarded_tool, with_context,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::World;

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(600);

/// What somebody was given: the names of batches, and their lines.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<(String, String)>>>);

impl Received {
    fn text(&self) -> String {
        let batches = self.0.lock().unwrap();
        batches.iter().map(|(_, text)| &**text).collect()
    }

    fn batches(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().clone()
    }
}

/// Takes what an answer says it takes.
struct Sink<F> {
    received: Received,
    limits: BatchLimits,
    answer: F,
}

impl<F: FnMut(&Batch<'_>) -> Result<(), SinkError> + Send> AuditSink for Sink<F> {
    fn limits(&self) -> BatchLimits {
        self.limits
    }

    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        (self.answer)(batch)?;
        let text = String::from_utf8(batch.bytes().to_vec()).unwrap();
        self.received.0.lock().unwrap().push((batch.id(), text));
        Ok(())
    }
}

/// A sink of at most so many records at a time.
fn sink<F>(received: &Received, records: usize, answer: F) -> Sink<F>
where
    F: FnMut(&Batch<'_>) -> Result<(), SinkError> + Send,
{
    let limits = BatchLimits {
        records,
        ..BatchLimits::default()
    };
    Sink {
        received: received.clone(),
        limits,
        answer,
    }
}

fn willing(received: &Received) -> impl AuditSink + 'static {
    sink(received, 500, |_| Ok(()))
}

/// A sink that takes nothing, whose first refusal has been told when this returns.
fn start_busy(log: &Path) -> Shipper {
    let (sender, was_called) = channel();
    let busy = sink(&Received::default(), 500, move |_| {
        let _ = sender.send(());
        Err(SinkError::unavailable("busy").retry_after(LONG))
    });
    let shipper = Shipper::start(log, "siem", busy).unwrap();
    was_called.recv().unwrap();
    shipper
}

/// In memory, where there is such a place: all is synced, and some disks take their time.
fn directory() -> TempDir {
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    directory.unwrap()
}

fn log() -> (TempDir, PathBuf) {
    let directory = directory();
    let log = directory.path().join("audit.jsonl");
    (directory, log)
}

fn add(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Lines from one number up to another.
fn lines(from: usize, to: usize) -> String {
    let mut text = String::new();
    for seq in from..to {
        writeln!(text, "{{\"seq\":{seq}}}").unwrap();
    }
    text
}

fn beside(log: &Path, what: &str) -> PathBuf {
    PathBuf::from(format!("{}.{what}", log.display()))
}

#[guarded_tool(tool_name = "clock", operation = "read")]
fn read_clock() -> Result<u8, GuardError> {
    Ok(12)
}

#[test]
fn a_log_is_delivered_while_it_is_written() {
    let world = World::permissive();
    let received = Received::default();
    let path = world.context.audit_log().path();
    let shipper = Shipper::start(path, "siem", willing(&received)).unwrap();
    for _ in 0..5 {
        with_context(&world.context, read_clock).unwrap();
        shipper.drain(LONG).unwrap();
        assert_eq!(received.text(), world.text());
    }
    let status = shipper.status();
    assert_eq!(status.state, SinkState::Delivering);
    assert_eq!((status.next_seq, status.records), (10, 10));
    assert_eq!(status.bytes, world.text().len() as u64);
    assert_eq!((status.lag_bytes, status.error), (0, None));
}

#[test]
fn a_log_need_not_be_there_yet() {
    let (directory, _) = log();
    let log = directory.path().join("not/yet/audit.jsonl");
    let received = Received::default();
    let shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
    shipper.drain(LONG).unwrap();
    assert_eq!(shipper.status().state, SinkState::Waiting);
    assert!(!directory.path().join("not").exists(), "nothing is made");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    add(&log, &lines(0, 3));
    shipper.drain(LONG).unwrap();
    assert_eq!(received.text(), lines(0, 3));
}

#[test]
fn whoever_starts_later_goes_on() {
    let (_directory, log) = log();
    let received = Received::default();
    for round in 0..6 {
        add(&log, &lines(3 * round, 3 * round + 3));
        let shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
        if round % 2 == 0 {
            shipper.drain(LONG).unwrap();
        }
    }
    let shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
    shipper.drain(LONG).unwrap();
    assert_eq!(received.text(), lines(0, 18));
    let other = Received::default();
    let archive = Shipper::start(&log, "archive", willing(&other)).unwrap();
    archive.drain(LONG).unwrap();
    assert_eq!(other.text(), lines(0, 18), "a name of its own");
}

#[test]
fn segments_are_one_log() {
    let directory = directory();
    let log = directory.path().join("audit");
    fs::create_dir(&log).unwrap();
    let segment = |first: usize| log.join(format!("{first:020}.jsonl"));
    let received = Received::default();
    let shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
    shipper.drain(LONG).unwrap();
    add(&segment(0), &lines(0, 4));
    add(&segment(4), &lines(4, 5));
    add(&segment(5), "");
    shipper.drain(LONG).unwrap();
    assert_eq!(received.text(), lines(0, 5));
    drop(shipper);
    let shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
    for first in 5..9 {
        add(&segment(first), &lines(first, first + 1));
        shipper.drain(LONG).unwrap();
        assert_eq!(received.text(), lines(0, first + 1));
    }
    assert!(log.join("log.cursor-siem").exists());
    assert_eq!(shipper.status().next_seq, 9);
}

#[test]
fn a_receiver_that_fails_half_of_the_time_gets_all() {
    let (_directory, log) = log();
    add(&log, &lines(0, 20));
    let received = Received::default();
    let mut calls = 0;
    let flaky = sink(&received, 5, move |_| {
        calls += 1;
        match calls % 4 {
            1 => Err(SinkError::unavailable("busy")),
            3 => panic!("a bug of the sink"),
            _ => Ok(()),
        }
    });
    let shipper = Shipper::start(&log, "siem", flaky).unwrap();
    shipper.drain(LONG).unwrap();
    assert_eq!(received.text(), lines(0, 20));
    assert_eq!(received.batches().len(), 4);
    assert_eq!(shipper.status().failures, 4);
}

#[test]
fn what_is_refused_is_kept_beside_the_log() {
    let (_directory, log) = log();
    add(&log, &lines(0, 100));
    let received = Received::default();
    let refused = |line: &[u8]| line.ends_with(b"7}") || line == br#"{"seq":10}"#;
    let picky = sink(&received, 64, move |batch| {
        if batch.lines().any(refused) {
            return Err(SinkError::rejected("not that one"));
        }
        Ok(())
    });
    let shipper = Shipper::start(&log, "siem", picky).unwrap();
    shipper.drain(LONG).unwrap();
    let (bad, good): (Vec<_>, Vec<_>) =
        (0..100).partition(|seq| refused(lines(*seq, seq + 1).trim_end().as_bytes()));
    let expected: String = good.iter().map(|seq| lines(*seq, seq + 1)).collect();
    assert_eq!(received.text(), expected);
    let status = shipper.status();
    assert_eq!(status.rejected, bad.len() as u64);
    assert_eq!((status.records, status.next_seq), (89, 100));
    let kept = fs::read_to_string(beside(&log, "rejected-siem")).unwrap();
    let kept: Vec<Value> = kept
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let seqs: Vec<_> = kept.iter().map(|line| line["seq"].clone()).collect();
    assert_eq!(seqs, bad);
    for (kept, seq) in kept.iter().zip(bad) {
        assert_eq!(kept["error"], "not that one");
        assert_eq!(kept["text"], lines(seq, seq + 1).trim_end());
    }
}

#[test]
fn a_receiver_that_hangs_holds_up_nobody() {
    let world = World::permissive();
    let received = Received::default();
    let (entered, is_entered) = channel();
    let (release, is_released): (Sender<()>, Receiver<()>) = channel();
    let hanging = sink(&received, 2, move |_| {
        let _ = entered.send(());
        is_released
            .recv()
            .map_err(|_| SinkError::unavailable("released for good"))
    });
    let path = world.context.audit_log().path();
    let shipper = Shipper::start(path, "siem", hanging).unwrap();
    with_context(&world.context, read_clock).unwrap();
    is_entered.recv().unwrap();
    for _ in 0..3 {
        with_context(&world.context, read_clock).unwrap();
    }
    assert!(shipper.status().lag_bytes > 0);
    let error = shipper.drain(Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ShipErrorKind::TimedOut);
    let expected = format!(
        "audit log `{}` has not been delivered to `siem` from record 0 on: the time was too short",
        path.display(),
    );
    assert_eq!(error.to_string(), expected);
    // A batch may have caught one of a call's two records: there are at most as many as records.
    for _ in 0..8 {
        release.send(()).unwrap();
    }
    shipper.drain(LONG).unwrap();
    assert_eq!(received.text(), world.text());
}

#[test]
fn dropping_does_not_wait_for_a_receiver_that_is_not_there() {
    let (_directory, log) = log();
    add(&log, &lines(0, 3));
    let shipper = start_busy(&log);
    let error = shipper.drain(Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ShipErrorKind::TimedOut);
    drop(shipper);
    let received = Received::default();
    let shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
    shipper.drain(LONG).unwrap();
    assert_eq!(received.text(), lines(0, 3));
}

/// The batch is noted before it is delivered: it is the same one again, however much has been
/// written since, and whatever the limits are now.
#[test]
fn a_batch_that_was_not_noted_is_delivered_again_as_it_was() {
    let (_directory, log) = log();
    let cursor = beside(&log, "cursor-siem");
    let received = Received::default();
    for (round, records) in [4, 100, 1, 3, 100].into_iter().enumerate() {
        add(&log, &lines(10 * round, 10 * round + 10));
        let (sender, noted) = channel();
        let at = cursor.clone();
        let dying = sink(&received, records, move |_| {
            sender.send(fs::read(&at).unwrap()).unwrap();
            Ok(())
        });
        let shipper = Shipper::start(&log, "siem", dying).unwrap();
        shipper.drain(LONG).unwrap();
        drop(shipper);
        // As if the process had ended right after the last delivery.
        fs::write(&cursor, noted.iter().last().unwrap()).unwrap();
    }
    let shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
    shipper.drain(LONG).unwrap();
    let batches = received.batches();
    let mut once = batches.clone();
    once.dedup();
    assert_eq!(batches.len() - once.len(), 5, "each last one came twice");
    let text: String = once.iter().map(|(_, text)| &**text).collect();
    assert_eq!(text, lines(0, 50));
}

#[test]
fn one_at_a_time_delivers_under_a_name() {
    let (_directory, log) = log();
    add(&log, &lines(0, 3));
    let received = Received::default();
    let first = Shipper::start(&log, "siem", willing(&received)).unwrap();
    first.drain(LONG).unwrap();
    let second = Shipper::start(&log, "siem", willing(&received)).unwrap();
    second.drain(LONG).unwrap();
    assert_eq!(first.status().state, SinkState::Delivering);
    assert_eq!(second.status().state, SinkState::StandingBy);
    assert_eq!(second.status().next_seq, 3);
    assert_eq!(second.status().records, 0);
    add(&log, &lines(3, 5));
    second.drain(LONG).unwrap();
    assert_eq!(received.text(), lines(0, 5), "by the first");
    drop(first);
    add(&log, &lines(5, 9));
    second.drain(LONG).unwrap();
    assert_eq!(received.text(), lines(0, 9));
    let status = second.status();
    assert_eq!((status.state, status.records), (SinkState::Delivering, 4));
}

#[test]
fn a_checkpoint_follows_its_records() {
    struct Publishing(Sender<String>);

    impl AuditSink for Publishing {
        fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
            let count = batch.lines().count();
            self.0.send(format!("{count} records")).unwrap();
            Ok(())
        }

        fn publish(&mut self, size: u64, checkpoint: &str) -> Result<(), SinkError> {
            self.0.send(format!("{size}: {checkpoint}")).unwrap();
            Ok(())
        }
    }

    let (_directory, log) = log();
    add(&log, &lines(0, 3));
    let note = "log\n3\nroot\n\n\u{2014} log AAAA\n";
    fs::write(beside(&log, "checkpoint"), note).unwrap();
    let (sender, told) = channel();
    // As drivers are chosen at run time.
    let sink: Box<dyn AuditSink> = Box::new(Publishing(sender));
    let shipper = Shipper::start(&log, "siem", sink).unwrap();
    shipper.drain(LONG).unwrap();
    assert_eq!(shipper.status().published, 3);
    drop(shipper);
    let told: Vec<_> = told.iter().collect();
    assert_eq!(told, ["3 records".to_owned(), format!("3: {note}")]);
}

#[test]
fn a_name_is_plain_and_short() {
    let (_directory, log) = log();
    let too_long = "n".repeat(33);
    for name in ["", "a b", "../x", "a/b", "a.lock", "é", "a\n", &too_long] {
        let error = Shipper::start(&log, name, willing(&Received::default())).unwrap_err();
        assert_eq!(error.kind(), ShipErrorKind::BadName, "{name:?}");
        let remedy = "is no name for a sink; give one of at most 32 letters, digits, `-` and `_`";
        assert!(error.to_string().contains(remedy), "{error}");
    }
    for name in ["a", "SIEM-2_b", &too_long[..32]] {
        Shipper::start(&log, name, willing(&Received::default())).unwrap();
    }
}

#[test]
#[cfg(unix)]
fn what_lies_beside_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, log) = log();
    add(&log, &lines(0, 3));
    let received = Received::default();
    let picky = sink(&received, 500, |_| Err(SinkError::rejected("no")));
    let shipper = Shipper::start(&log, "siem", picky).unwrap();
    shipper.drain(LONG).unwrap();
    let mut seen = Vec::new();
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if let Some(what) = name.strip_prefix("audit.jsonl.") {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
            seen.push(what.to_owned());
        }
    }
    seen.sort();
    assert_eq!(seen, ["cursor-siem", "cursor-siem.lock", "rejected-siem"]);
}

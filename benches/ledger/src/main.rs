//! What it costs to record calls, beside the least that has to be done, and beside SQLite.
//!
//!     cargo run --release --manifest-path benches/ledger/Cargo.toml
//!
//! A call writes two records, the decision and the outcome. Callers are threads, or tasks where it
//! says so. Rounds of all subjects alternate, and each subject's best round counts, so that whatever
//! else the machine does meets them alike. Latency is that of a call, from its beginning until it
//! has returned, in the best round.

mod floor;
mod guarded;
mod sqlite;

use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use aegize::Durability;

/// Something that records calls.
trait Subject {
    fn name(&self) -> &str;

    /// Makes so many calls in each of so many callers, and tells how long each call took and all of
    /// them together.
    fn round(&self, callers: usize, calls: usize) -> Round;
}

/// What a round took.
struct Round {
    calls: Vec<Duration>,
    whole: Duration,
}

/// A round whose callers are threads that make one call after the other.
fn threads(callers: usize, calls: usize, call: impl Fn() + Sync) -> Round {
    let barrier = Barrier::new(callers);
    thread::scope(|scope| {
        let caller = || {
            barrier.wait();
            let begin = Instant::now();
            let call = |_| {
                let start = Instant::now();
                call();
                start.elapsed()
            };
            let calls: Vec<_> = (0..calls).map(call).collect();
            (begin, calls, Instant::now())
        };
        let callers: Vec<_> = (0..callers).map(|_| scope.spawn(caller)).collect();
        let (mut begins, mut ends, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for caller in callers {
            let (begin, mut made, end) = caller.join().expect("a caller");
            begins.push(begin);
            ends.push(end);
            calls.append(&mut made);
        }
        let (begin, end) = (begins.into_iter().min(), ends.into_iter().max());
        let whole = begin.zip(end).map(|(begin, end)| end - begin);
        Round {
            calls,
            whole: whole.unwrap_or_default(),
        }
    })
}

/// The best of several rounds: records a second, and the calls' latencies in ascending order.
struct Best {
    rate: f64,
    latencies: Vec<Duration>,
}

fn compare(
    title: &str,
    callers: usize,
    calls: usize,
    rounds: usize,
    subjects: &[Box<dyn Subject>],
) {
    let mut best: Vec<Option<Best>> = subjects.iter().map(|_| None).collect();
    for _ in 0..rounds {
        for (subject, best) in subjects.iter().zip(&mut best) {
            let mut round = subject.round(callers, calls);
            let records = 2.0 * round.calls.len() as f64;
            let rate = records / round.whole.as_secs_f64();
            if best.as_ref().is_none_or(|best| best.rate < rate) {
                round.calls.sort_unstable();
                let latencies = round.calls;
                *best = Some(Best { rate, latencies });
            }
        }
    }
    println!("{title}, {callers} callers");
    let floor = best[0].as_ref().map_or(f64::NAN, |best| best.rate);
    for (subject, best) in subjects.iter().zip(best.iter().flatten()) {
        let at = |part: usize| best.latencies[(best.latencies.len() - 1) * part / 1000];
        println!(
            "  {:<46} {:>9.0} records/s {:>6.2}×   latency {:>9.1?} median {:>9.1?} p99",
            subject.name(),
            best.rate,
            best.rate / floor,
            at(500),
            at(990),
        );
    }
}

fn subjects(directory: &Path, durability: Durability) -> Vec<Box<dyn Subject>> {
    let is_synced = durability == Durability::Synced;
    let record = guarded::record();
    let mut subjects: Vec<Box<dyn Subject>> = vec![Box::new(floor::Floor::new(
        directory,
        record.clone(),
        is_synced,
        false,
    ))];
    if is_synced {
        subjects.push(Box::new(floor::Floor::new(
            directory,
            record.clone(),
            true,
            true,
        )));
    }
    subjects.push(Box::new(guarded::Threads::new(directory, durability)));
    subjects.push(Box::new(guarded::Tasks::new(directory, durability)));
    subjects.push(Box::new(sqlite::Sqlite::new(directory, record, is_synced)));
    subjects
}

fn main() {
    // On a disk, not in memory: a sync has to cost what it costs.
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    std::fs::create_dir_all(&here).expect("a directory");
    for callers in [1, 8, 64, 512] {
        let directory = tempfile::tempdir_in(&here).expect("a directory");
        let written = subjects(directory.path(), Durability::Written);
        compare("Written", callers, 10_000 / callers, 9, &written);
        let synced = subjects(directory.path(), Durability::Synced);
        let calls = (400 / callers).max(6);
        compare("Synced", callers, calls, 5, &synced);
    }
}

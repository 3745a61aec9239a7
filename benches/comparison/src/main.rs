//! What a decision costs, beside other policy engines on the same workload.
//!
//!     cargo run --release --manifest-path benches/comparison/Cargo.toml
//!
//! Every engine holds the same rules and answers the same calls. First it has to answer all of
//! them as the others do, or the program panics. Then its rounds alternate with those of all
//! others, so that whatever else the machine does meets them alike; the best round counts. A round
//! is run twice and measured once, since the other engines have had the processor's cache.
//! Requests are made beforehand, in the form that each engine takes.

mod engine;
mod workload;

use std::hint::black_box;
use std::time::{Duration, Instant};

use self::engine::{Engine, KINDS};
use self::workload::Workload;

/// How many rules there are, ten for each agent.
const SIZES: [usize; 3] = [10, 1_000, 100_000];

/// How many calls are answered, each by another agent as far as there are so many.
const CALLS: usize = 1_000;

const ROUNDS: usize = 200;

/// How long a round takes, with at least one call: short, to be left alone by other programs.
const ROUND: Duration = Duration::from_millis(2);

/// How long the rounds of one engine may take at one size, beside the first answers.
const BUDGET: Duration = Duration::from_secs(10);

fn main() {
    let columns: Vec<Vec<Option<Duration>>> = SIZES.iter().map(|rules| column(*rules)).collect();
    print!("| a decision, with rules:");
    for rules in SIZES {
        print!(" | {rules}");
    }
    println!(" |\n|---|---|---|---|");
    for (row, kind) in KINDS.iter().enumerate() {
        print!("| {}", kind.name);
        for column in &columns {
            print!(" | {}", column[row].map_or_else(|| "–".to_owned(), shown));
        }
        println!(" |");
    }
}

/// The time of a decision by each engine; none of those that would take too long.
fn column(rules: usize) -> Vec<Option<Duration>> {
    let workload = Workload::new(rules, CALLS);
    let mut subjects: Vec<Option<Subject>> = KINDS
        .iter()
        .map(|kind| {
            let is_in_time = kind.most_rules.is_none_or(|most| rules <= most);
            is_in_time.then(|| {
                eprintln!("{rules} rules: {}", kind.name);
                Subject::new((kind.load)(&workload), kind.name, &workload)
            })
        })
        .collect();
    for _ in 0..ROUNDS {
        for subject in subjects.iter_mut().flatten() {
            subject.round();
        }
    }
    let best = |subject: Subject| subject.best;
    subjects
        .into_iter()
        .map(|subject| subject.map(best))
        .collect()
}

/// An engine, and the best of its rounds so far.
struct Subject {
    engine: Box<dyn Engine>,
    /// How many calls a round answers.
    calls: usize,
    best: Duration,
    left: Duration,
}

impl Subject {
    /// Answers a sample of the calls, all if that does not take too long, and holds the answers
    /// to those that are expected.
    fn new(mut engine: Box<dyn Engine>, name: &str, workload: &Workload) -> Self {
        let start = Instant::now();
        let mut calls = 0;
        for call in &workload.calls {
            assert_eq!(engine.allows(calls), call.is_allowed, "{name}: {call:?}");
            calls += 1;
            if start.elapsed() > BUDGET && calls >= 20 {
                break;
            }
        }
        let each = start.elapsed() / u32::try_from(calls).expect("a few calls");
        let fitting = ROUND.as_nanos() / each.as_nanos().max(1);
        Self {
            engine,
            calls: usize::try_from(fitting)
                .expect("a few calls")
                .clamp(1, calls),
            best: Duration::MAX,
            left: BUDGET,
        }
    }

    fn round(&mut self) {
        if self.left.is_zero() {
            return;
        }
        let start = Instant::now();
        self.answer();
        let between = Instant::now();
        self.answer();
        let taken = between.elapsed();
        self.left = self.left.saturating_sub(start.elapsed());
        let calls = f64::from(u32::try_from(self.calls).expect("a few calls"));
        self.best = self.best.min(taken.div_f64(calls));
    }

    fn answer(&mut self) {
        for call in 0..self.calls {
            black_box(self.engine.allows(black_box(call)));
        }
    }
}

fn shown(time: Duration) -> String {
    let nanoseconds = time.as_secs_f64() * 1e9;
    match nanoseconds {
        ..1e3 => format!("{nanoseconds:.0} ns"),
        ..1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        _ => format!("{:.1} ms", nanoseconds / 1e6),
    }
}

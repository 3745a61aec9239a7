//! One input at a time: kept on disk while it runs, and held to its share of memory and time.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use allocation_counter::measure;

use crate::target::{Outcome, Target};

/// What any input may take from the heap, in bytes: the tables of one regular expression.
const BASE: u64 = 16 * 1024 * 1024;

/// What it may take for each of its own bytes.
const FACTOR: u64 = 1_000;

/// How long one input may take on a busy machine, in an unoptimised build.
const LONGEST: Duration = Duration::from_secs(20);

pub(crate) struct Runner<'t> {
    target: &'t Target,
    file: PathBuf,
    started: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    outcomes: HashSet<Outcome>,
    peak: u64,
}

impl<'t> Runner<'t> {
    pub(crate) fn new(target: &'t Target) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("found");
        fs::create_dir_all(&folder).expect("a folder for what is found");
        let runner = Self {
            target,
            file: folder.join(target.name),
            started: Arc::default(),
            is_over: Arc::default(),
            outcomes: HashSet::new(),
            peak: 0,
        };
        runner.watch();
        runner
    }

    /// Ends the process if one input takes too long.
    fn watch(&self) {
        let (started, is_over) = (Arc::clone(&self.started), Arc::clone(&self.is_over));
        let (name, file) = (self.target.name, self.file.clone());
        thread::spawn(move || {
            let mut before = None;
            while !is_over.load(Ordering::Relaxed) {
                let now = started.load(Ordering::Relaxed);
                if before.replace(now) == Some(now) {
                    eprintln!("{name}: {} takes too long", file.display());
                    std::process::exit(1);
                }
                thread::sleep(LONGEST);
            }
        });
    }

    /// Runs an input.
    pub(crate) fn run(&mut self, input: &[u8]) -> Outcome {
        fs::write(&self.file, input).expect("an input on disk");
        self.started.fetch_add(1, Ordering::Relaxed);
        let mut outcome = None;
        let taken = measure(|| outcome = Some((self.target.run)(input)));
        let most = BASE + FACTOR * input.len() as u64;
        assert!(
            taken.bytes_max <= most,
            "{} bytes of input took {} bytes at once",
            input.len(),
            taken.bytes_max
        );
        self.peak = self.peak.max(taken.bytes_max);
        outcome.expect("it was run")
    }

    /// Runs an input; whether it was understood and led to what was never seen. What is refused
    /// is not worth another change.
    pub(crate) fn is_promising(&mut self, input: &[u8]) -> bool {
        let outcome = self.run(input);
        let is_read = matches!(outcome, Outcome::Read(_));
        self.outcomes.insert(outcome) && is_read
    }

    /// How many different outcomes were seen.
    pub(crate) fn outcomes(&self) -> usize {
        self.outcomes.len()
    }

    /// The most that an input took from the heap, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak
    }
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if !thread::panicking() {
            // Nothing was found.
            let _ = fs::remove_file(&self.file);
        }
    }
}

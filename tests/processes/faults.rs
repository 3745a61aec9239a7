//! A fault at every call to the file system: the first, the second, and so on, until a run makes no
//! more calls that could fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use aegize::tlog::SigningKey;

use crate::interposer::library;
use crate::plan::{Plan, copy};
use crate::worker::Worker;

/// Kinds of faults: class of calls, error, and whether it stays. Errors are those of Linux.
const FAULTS: &[(&str, &str, &str)] = &[
    // EIO
    ("all", "5", "once"),
    ("all", "5", "always"),
    // EINTR
    ("all", "4", "once"),
    // ENOSPC
    ("write", "28", "once"),
    ("write", "28", "always"),
    ("open", "28", "always"),
    // ENOLCK
    ("flock", "37", "once"),
    ("flock", "37", "always"),
    ("write", "full", "always"),
    ("all", "die", "once"),
    ("write", "tear", "once"),
];

/// More of these are not looked for.
const ENOUGH: usize = 12;

pub(crate) fn at_every_call() -> String {
    // Syncs are not made here, and a disk would only make it slow.
    let memory = tempfile::tempdir_in("/dev/shm");
    let root = memory
        .or_else(|_| tempfile::tempdir())
        .expect("a directory");
    let key = SigningKey::generate("example.com/agents").expect("a key");
    fs::write(root.path().join("key"), &*key.to_secret_text()).expect("a key file");
    for plan in Plan::ALL {
        let template = root.path().join(plan.0);
        fs::create_dir(&template).expect("a directory");
        plan.prepare(&template, &key);
    }
    library();
    let jobs: Vec<_> = Plan::ALL
        .into_iter()
        .flat_map(|plan| FAULTS.iter().map(move |fault| (plan, *fault)))
        // Few calls can be interrupted; those of the longest plans are the same in each.
        .filter(|(plan, fault)| {
            let is_long = plan.is("left") && plan.is("signed");
            !is_long || plan.is("tasks") || fault.1 != "4"
        })
        .collect();
    let (next, runs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let problems = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for lane in 0..3 {
            let (root, jobs, next, runs, problems) = (root.path(), &jobs, &next, &runs, &problems);
            scope.spawn(move || {
                let mut lane = Lane::new(root, lane);
                while problems.lock().expect("no panic").len() < ENOUGH
                    && let Some((plan, fault)) = jobs.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let made = lane.enumerate(*plan, *fault, |fault, problem| {
                        let mut problems = problems.lock().expect("no panic");
                        problems
                            .entry(problem)
                            .or_insert_with(|| format!("{} with {fault}", plan.0));
                        problems.len() < ENOUGH
                    });
                    runs.fetch_add(made, Ordering::Relaxed);
                }
            });
        }
    });
    let problems = problems.into_inner().expect("no panic");
    assert!(problems.is_empty(), "{problems:#?}");
    format!("{} runs of {} plans", runs.into_inner(), Plan::ALL.len())
}

/// A worker that suffers, and one that inspects, again and again.
struct Lane<'r> {
    root: &'r Path,
    number: usize,
    victim: Worker,
    inspector: Worker,
}

impl<'r> Lane<'r> {
    fn new(root: &'r Path, number: usize) -> Self {
        Self {
            root,
            number,
            victim: Worker::interposed("suffer", root, &[]),
            inspector: Worker::interposed("inspect", root, &[]),
        }
    }

    /// Runs a plan with a fault at each call, and tells how many runs that were.
    fn enumerate(
        &mut self,
        plan: Plan,
        (class, error, mode): (&str, &str, &str),
        mut is_wrong: impl FnMut(&str, String) -> bool,
    ) -> usize {
        for k in 1.. {
            let fault = format!("{class} {error} {mode} {k}");
            match self.run(plan, &fault) {
                Ok(true) => {}
                Ok(false) => return k,
                Err(problem) => {
                    if !is_wrong(&fault, problem) {
                        return k;
                    }
                }
            }
        }
        unreachable!("runs end")
    }

    /// Makes one run and tells whether a call failed.
    fn run(&mut self, plan: Plan, fault: &str) -> Result<bool, String> {
        let directory = self.root.join(format!("{}", self.number));
        copy(&self.root.join(plan.0), &directory);
        let run = format!("{}|{}", plan.0, directory.display());
        self.victim.say(&format!("{fault}|{run}"));
        let (mut ran, mut told, mut wrong) = (Vec::new(), Vec::new(), None);
        let mut is_excused = false;
        let is_fired = loop {
            let Some(line) = self.victim.hear() else {
                self.victim = Worker::interposed("suffer", self.root, &[]);
                if fault.contains("die") || fault.contains("tear") {
                    is_excused = true;
                    break true;
                }
                let _ = fs::remove_dir_all(&directory);
                return Err("it hung, panicked or was killed".to_owned());
            };
            let (first, rest) = line.split_once(' ').expect("two words");
            match first {
                "began" => ran.push(rest.to_owned()),
                "ran" => {}
                "told" => told.push(rest.to_owned()),
                // What fails now, there is nobody to tell.
                "closing" => is_excused = rest == "false",
                "closed" => break rest == "true",
                _ => wrong = Some(line),
            }
        };
        let is_told = is_excused || !told.is_empty();
        let mode = fault.split(' ').nth(2).expect("a mode");
        let told = if is_told { "told" } else { "silent" };
        self.inspector
            .say(&format!("{}|{told} {mode}|{run}", ran.join(" ")));
        let seen = self.inspector.hear();
        fs::remove_dir_all(&directory).expect("the directory can be removed");
        let seen = seen.unwrap_or_else(|| {
            self.inspector = Worker::interposed("inspect", self.root, &[]);
            "the log could not be inspected: it hung or panicked".to_owned()
        });
        match wrong {
            Some(wrong) => Err(wrong),
            None if seen != "fine" => Err(seen),
            None => Ok(is_fired),
        }
    }
}

//! As much of libtest's command line as runners use.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

/// A name, and what to run: it panics, or tells in a few words what it saw.
pub(crate) type Scenario = (&'static str, fn() -> String);

/// Runs what the arguments select. A scenario that panics does not stop the others.
pub(crate) fn main(arguments: &[String], scenarios: &[Scenario]) -> ExitCode {
    let selection = Selection::new(arguments);
    let selected = scenarios.iter().filter(|(name, _)| selection.takes(name));
    if selection.lists {
        for (name, _) in selected {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    if !cfg!(target_os = "linux") {
        println!("not run: the scenarios need Linux (/dev/full, prlimit, bash's ulimit)");
        return ExitCode::SUCCESS;
    }
    let (mut passed, mut failed) = (0, 0);
    for (name, scenario) in selected {
        match panic::catch_unwind(AssertUnwindSafe(scenario)) {
            Ok(seen) => {
                passed += 1;
                println!("PASS  {name}  ({seen})");
            }
            Err(panic) => {
                failed += 1;
                println!("FAIL  {name}  ({})", text(&*panic));
            }
        }
    }
    println!("\n{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panicked")
}

#[derive(Default)]
struct Selection {
    lists: bool,
    is_exact: bool,
    /// Nothing here is ignored, so only ignored ones means none.
    only_ignored: bool,
    filters: Vec<String>,
    skips: Vec<String>,
}

impl Selection {
    fn new(arguments: &[String]) -> Self {
        let mut selection = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => selection.lists = true,
                "--exact" => selection.is_exact = true,
                "--ignored" => selection.only_ignored = true,
                "--skip" => selection.skips.extend(arguments.next().cloned()),
                "--test-threads" | "--format" | "--color" | "--logfile" | "--shuffle-seed"
                | "-Z" => {
                    arguments.next();
                }
                flag if flag.starts_with('-') => {
                    if let Some(name) = flag.strip_prefix("--skip=") {
                        selection.skips.push(name.to_owned());
                    }
                }
                filter => selection.filters.push(filter.to_owned()),
            }
        }
        selection
    }

    fn takes(&self, name: &str) -> bool {
        let is_meant = |filter: &String| {
            if self.is_exact {
                name == filter
            } else {
                name.contains(&**filter)
            }
        };
        !self.only_ignored
            && (self.filters.is_empty() || self.filters.iter().any(is_meant))
            && !self.skips.iter().any(is_meant)
    }
}

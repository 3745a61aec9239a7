//! One grant, many processes: the call runs once, and after a `kill -9` at any moment never twice.
//!
//! The scenarios need processes of their own, so this test has no libtest: with `worker …` the
//! program is one of those processes, otherwise it runs the scenarios; those on PostgreSQL with
//! `--ignored` alone, and beside the others with `--include-ignored`. Nothing waits for time.
//! `AEGIZE_ONCE_ROUNDS` is how many grants there are in each.

mod crowd;
mod database;
mod killed;
mod ledger;
mod worker;

use std::any::Any;
use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use self::database::{Kind, Scratch};

type Scenario = fn(&Scratch, u32) -> String;

const SCENARIOS: [(&str, Scenario); 2] = [
    ("four_processes_of_fifty_calls", crowd::four_processes),
    ("killed_at_any_moment", killed::at_any_moment),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [first, url, folder] = &*arguments
        && first == "worker"
    {
        worker::work(url, folder.as_ref());
        return ExitCode::SUCCESS;
    }
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let kinds = match (has("--ignored"), has("--include-ignored")) {
        (true, _) => vec![Kind::Postgres],
        (false, true) => vec![Kind::Sqlite, Kind::Postgres],
        (false, false) => vec![Kind::Sqlite],
    };
    let rounds = env::var("AEGIZE_ONCE_ROUNDS").ok();
    let rounds = rounds.map_or(10, |rounds| rounds.parse().expect("a number of rounds"));
    let filters: Vec<_> = arguments
        .iter()
        .filter(|one| !one.starts_with('-'))
        .collect();
    let (mut passed, mut failed) = (0, 0);
    for kind in kinds {
        for (name, scenario) in SCENARIOS {
            let name = format!("{}::{name}", kind.name());
            let is_meant = filters.is_empty() || filters.iter().any(|one| name.contains(&**one));
            if has("--list") {
                println!("{name}: test");
            } else if is_meant {
                let run = || scenario(&Scratch::new(kind), rounds);
                match panic::catch_unwind(AssertUnwindSafe(run)) {
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

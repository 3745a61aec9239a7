//! Feeds hostile input to what reads text, on stable Rust.
//!
//!     cargo run --manifest-path fuzz/Cargo.toml                                 # a smoke run
//!     cargo run --release --manifest-path fuzz/Cargo.toml -- --seconds 600 policy
//!     cargo run --manifest-path fuzz/Cargo.toml -- --replay fuzz/found/policy policy
//!
//! Inputs are seeds of the corpus, changed at random; one that is understood and leads to an
//! outcome not seen before joins the seeds. The same `--seed` and `--inputs` give the same inputs. An input is on disk before
//! it runs, as `found/<target>`, so that it is there whatever it does to the process.

mod input;
mod mutate;
mod target;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use self::input::Runner;
use self::target::{TARGETS, Target};

#[derive(Parser)]
#[command(about = "Feeds hostile input to what reads text")]
struct Options {
    /// What to run; everything if none is named
    #[arg(value_parser = TARGETS.each_ref().map(|target| target.name))]
    targets: Vec<String>,
    /// Inputs for each target, beside the seeds
    #[arg(long, default_value_t = 2_000)]
    inputs: u64,
    /// Run each target for so long, instead of so many inputs
    #[arg(long, conflicts_with = "inputs")]
    seconds: Option<u64>,
    /// Where randomness begins
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run this one input, and nothing else
    #[arg(long, requires = "targets")]
    replay: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let is_wanted = |target: &&Target| {
        options.targets.is_empty() || options.targets.iter().any(|name| name == target.name)
    };
    for target in TARGETS.iter().filter(is_wanted) {
        if let Some(file) = &options.replay {
            let input = match fs::read(file) {
                Ok(input) => input,
                Err(error) => {
                    eprintln!("{} cannot be read: {error}", file.display());
                    return ExitCode::from(2);
                }
            };
            println!("{}: {:?}", target.name, Runner::new(target).run(&input));
        } else {
            fuzz(target, &options);
        }
    }
    ExitCode::SUCCESS
}

fn fuzz(target: &Target, options: &Options) {
    let start = Instant::now();
    let mut random = fastrand::Rng::with_seed(options.seed);
    let mut runner = Runner::new(target);
    let mut pool = target::seeds(target);
    assert!(!pool.is_empty(), "{} has no seeds", target.name);
    for seed in &pool {
        runner.run(seed);
    }
    let mut inputs = 0;
    loop {
        let is_done = match options.seconds {
            Some(seconds) => start.elapsed() >= Duration::from_secs(seconds),
            None => inputs >= options.inputs,
        };
        if is_done {
            break;
        }
        let input = mutate::mutated(&mut random, &pool, target.words);
        if runner.is_promising(&input) {
            pool.push(input);
        }
        inputs += 1;
    }
    println!(
        "{:<10} {inputs} inputs, {} outcomes, at most {} kB for one, {:.1} s",
        target.name,
        runner.outcomes(),
        runner.peak() / 1024,
        start.elapsed().as_secs_f64(),
    );
}

//! The workers of the runs with faults: one that has them, and one that looks at what it left.

use std::cell::Cell;
use std::fmt::Display;
use std::fs::{self, File};
use std::path::Path;
use std::rc::Rc;
use std::thread;

use aegize::tlog::SigningKey;
use aegize::{GuardContext, GuardError};
use anyhow::{Result, ensure};

use crate::interposer::{Pause, State, arm};
use crate::ledger::{attempt, attempt_with, context, tool_call};
use crate::plan::{PYTHON, Plan, TORN};
use crate::whole::{Whole, beside};
use crate::worker::{hear, say};

fn one_line(text: impl Display) -> String {
    text.to_string().replace('\n', " / ")
}

pub(crate) fn key(root: &Path) -> SigningKey {
    let text = fs::read_to_string(root.join("key")).expect("the key is there");
    text.parse().expect("a key")
}

/// Makes the runs it is told to, a line each: `CLASS ERROR MODE K|PLAN|DIRECTORY`.
pub(crate) fn suffer(root: &Path) {
    let key = key(root);
    while let Some(line) = hear() {
        let parts: Vec<&str> = line.split('|').collect();
        let [fault, plan, directory] = parts[..] else {
            panic!("{line}");
        };
        let (plan, directory) = (Plan::named(plan), Path::new(directory));
        arm(fault, directory);
        run(plan, &key, directory, fault.contains("once"));
        let state = State::read();
        arm("none 0 once 0", directory);
        say(&format!("closed {}", state.is_fired));
    }
}

fn run(plan: Plan, key: &SigningKey, directory: &Path, is_transient: bool) {
    let log = plan.log(directory);
    let opened = match plan.options(key).open(&log) {
        Ok(opened) => opened,
        Err(error) => return say(&format!("told unopened {}", one_line(error))),
    };
    let context = context(opened);
    let call = |id: &str| {
        let mut seen = Ok(());
        let attempt = attempt_with(&context, id, 20, || seen = check_body(plan, &log, id));
        tell(id, attempt.result, attempt.has_run, seen);
    };
    if plan.is("tasks") {
        tasks(plan, &context, &log, ["1", "2", "3"]);
    } else {
        call("1");
        thread::scope(|scope| {
            scope.spawn(|| call("2"));
            scope.spawn(|| call("3"));
        });
    }
    let made = context.audit_log().checkpoint();
    let synced = context.audit_log().sync();
    for problem in [made.map(drop), synced].into_iter().filter_map(Result::err) {
        say(&format!("told {}", one_line(problem)));
    }
    if plan.is("tasks") {
        tasks(plan, &context, &log, ["4"]);
    } else {
        call("4");
    }
    let closing = State::read().is_fired;
    match context.audit_log().health() {
        Ok(()) if !is_transient => {}
        Ok(()) => {
            // Nobody else may have to wait for long.
            let _pause = Pause::new();
            let lock = if log.is_dir() {
                beside(&log, "lock")
            } else {
                log.clone()
            };
            if let Err(problem) = File::open(lock).and_then(|lock| lock.lock()) {
                say(&format!("wrong: nobody else can lock the log: {problem}"));
            }
        }
        Err(problem) => say(&format!("told {}", one_line(problem))),
    }
    say(&format!("closing {closing}"));
    drop(context);
    if let Err(problem) = check_published(plan, &log) {
        say(&format!("wrong {}", one_line(problem)));
    }
}

fn tell(id: &str, result: Result<String, GuardError>, has_run: bool, seen: Result<()>) {
    if let Err(problem) = seen {
        say(&format!("wrong {id} ran, and {}", one_line(problem)));
    }
    match result {
        Ok(_) if has_run => say(&format!("ran {id}")),
        Err(GuardError::AuditUnavailable(problem)) if !has_run => {
            say(&format!("told refused {id} {}", one_line(problem)));
        }
        other => say(&format!("wrong {id} {has_run} {other:?}")),
    }
}

/// Makes calls at the same time, on one thread.
fn tasks<const N: usize>(plan: Plan, context: &GuardContext, log: &Path, ids: [&'static str; N]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let tasks = tokio::task::LocalSet::new();
    for id in ids {
        let (context, log) = (context.clone(), log.to_owned());
        tasks.spawn_local(async move {
            let seen = Rc::new(Cell::new(None));
            let result = context.guard(tool_call(id, 20)).run(|| {
                let seen = Rc::clone(&seen);
                async move {
                    seen.set(Some(check_body(plan, &log, id)));
                    Ok(id.to_owned())
                }
            });
            let result = result.await;
            let seen = seen.take();
            tell(id, result, seen.is_some(), seen.unwrap_or(Ok(())));
        });
    }
    runtime.expect("a runtime").block_on(tasks);
}

/// What has to be true while a body runs.
fn check_body(plan: Plan, log: &Path, id: &str) -> Result<()> {
    say(&format!("began {id}"));
    let _pause = Pause::new();
    let lease = File::open(beside(log, "open"))?;
    ensure!(
        lease.try_lock().is_err(),
        "nobody can tell that its process has the log open"
    );
    if plan.is("buffered") {
        return Ok(());
    }
    let (whole, _) = Whole::as_it_is(log)?;
    let is_decision = |line: &&crate::whole::Line| line.event() == "allowed" && line.call() == id;
    let decision = whole.0.iter().find(is_decision);
    let Some(decision) = decision else {
        anyhow::bail!("there is no record of it");
    };
    if plan.is("synced") {
        let loss = State::read().loses(&fs::metadata(&decision.file)?, &decision.bytes);
        ensure!(loss.is_none(), "its record {}", loss.unwrap_or_default());
    }
    Ok(())
}

/// What a checkpoint covers that this process has published is on disk.
fn check_published(plan: Plan, log: &Path) -> Result<()> {
    let _pause = Pause::new();
    let state = State::read();
    let checkpoint = fs::read_to_string(beside(log, "checkpoint"));
    let (true, Ok(checkpoint)) = (plan.is("signed"), checkpoint) else {
        return Ok(());
    };
    let size: usize = checkpoint.lines().nth(1).unwrap_or_default().parse()?;
    let (whole, _) = Whole::as_it_is(log)?;
    let is_own = |line: &&crate::whole::Line| ["1", "2", "3", "4"].contains(&line.call());
    for line in whole.0.iter().take(size).filter(is_own) {
        let loss = state.loses(&fs::metadata(&line.file)?, &line.bytes);
        let loss = loss.filter(|loss| !loss.contains("name"));
        ensure!(
            loss.is_none(),
            "a record was signed for that {}",
            loss.unwrap_or_default()
        );
    }
    Ok(())
}

/// Looks at what runs left, a line each: `IDS THAT RAN|TOLD OR SILENT|PLAN|DIRECTORY`.
pub(crate) fn inspect(root: &Path) {
    let key = key(root);
    while let Some(line) = hear() {
        let parts: Vec<&str> = line.split('|').collect();
        let [ran, told, plan, directory] = parts[..] else {
            panic!("{line}");
        };
        let (plan, directory) = (Plan::named(plan), Path::new(directory));
        arm("none 0 once 0", directory);
        let ran: Vec<&str> = ran.split(' ').filter(|id| !id.is_empty()).collect();
        match inspect_one(plan, &key, &plan.log(directory), &ran, told) {
            Ok(()) => say("fine"),
            Err(problem) => say(&one_line(format!("{problem:#}"))),
        }
    }
}

fn inspect_one(plan: Plan, key: &SigningKey, log: &Path, ran: &[&str], told: &str) -> Result<()> {
    let is_silent = told.starts_with("silent");
    if is_silent {
        let whole = Whole::read(log)?;
        let outcomes = whole.outcomes()?;
        for id in ["1", "2", "3", "4"] {
            ensure!(
                outcomes.get(id) == Some(&"execution_succeeded"),
                "in silence, {id} has no outcome"
            );
        }
        // The last checkpoint is made when there is nobody left to tell.
        if plan.is("signed") && told == "silent once" {
            let size = whole.check(
                &fs::read_to_string(beside(log, "checkpoint"))?,
                key.verifier(),
            )?;
            ensure!(
                size == whole.0.len() as u64,
                "in silence, only {size} were signed for"
            );
        }
        check_left(plan, log, &whole)?;
    }

    let context = context(plan.options(key).open(log)?);
    let after = attempt(&context, "after", 20);
    ensure!(after.has_run, "refused afterwards: {:?}", after.result);
    drop(context);
    let whole = Whole::read(log)?;
    whole.check_chain()?;
    let outcomes = whole.outcomes()?;
    // What is only in memory may be lost, if that is told.
    for id in ran.iter().filter(|_| !plan.is("buffered") || is_silent) {
        ensure!(outcomes.contains_key(id), "the record of {id} is lost");
    }
    for (call, outcome) in &outcomes {
        let has_run = ran.contains(call) || ["before", "between", "after"].contains(call);
        ensure!(*outcome != "open", "{call} has no outcome");
        ensure!(
            has_run || *outcome == "execution_abandoned",
            "{call} did not run: {outcome}"
        );
    }
    check_left(plan, log, &whole)?;
    if plan.is("signed") {
        let size = whole.check(
            &fs::read_to_string(beside(log, "checkpoint"))?,
            key.verifier(),
        )?;
        ensure!(
            size == whole.0.len() as u64,
            "{size} of {} were signed for",
            whole.0.len()
        );
    }
    Ok(())
}

/// That what was there before was dealt with.
fn check_left(plan: Plan, log: &Path, whole: &Whole) -> Result<()> {
    if plan.is("python") {
        ensure!(
            fs::read_to_string(log)?.starts_with(PYTHON),
            "the old part has changed"
        );
    }
    if plan.is("left") {
        let outcomes = whole.outcomes()?;
        ensure!(
            outcomes.get("left") == Some(&"execution_abandoned"),
            "what was left is open"
        );
        let is_recovery = |line: &crate::whole::Line| line.event() == "log_recovered";
        ensure!(
            whole.0.iter().any(is_recovery),
            "nothing tells of the torn line"
        );
        let torn = crate::whole::aside(log)?;
        ensure!(
            torn.iter().any(|torn| torn.starts_with(TORN)),
            "the torn line is lost"
        );
    }
    Ok(())
}

//! The other processes: many identical calls at a time, on the same store and log.
//!
//! A worker says `ready`, and for each amount that it is told: `begun` before each call, `body`
//! where the body begins, and at last `done RAN REFUSED FAILED`. It ends at the end of its input.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio, exit};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Barrier};
use std::thread;

use aegize_core::{
    AgentIdentity, Approvals, AuditLog, GuardContext, GuardError, PermissionPolicy, ToolCall,
};
use aegize_store::Store;
use pollster::block_on;
use serde_json::json;

/// How many calls a worker makes at a time.
pub(crate) const CALLS: usize = 50;

/// What is on the store of a scenario: an agent, and the approvals.
pub(crate) fn agent(url: &str, folder: &Path) -> (GuardContext, Approvals) {
    let approvals = Approvals::new(block_on(Store::open(url)).expect("the store opens"));
    let log = AuditLog::open(folder.join("audit.jsonl")).expect("the log opens");
    let policy = "agents: {bot: {require_approval: [{tool: pay}]}}";
    let policy = PermissionPolicy::from_yaml_str(policy).expect("a policy");
    let identity = AgentIdentity::new("bot", "Test Bot", "Tests").expect("an identity");
    let context = GuardContext::new(identity, policy, log).approvals(approvals.clone());
    (context, approvals)
}

fn payment(amount: u32) -> ToolCall {
    ToolCall::new("pay", "refund").arguments(json!({"amount": amount}))
}

/// What the body does: it can be counted from outside, also after a kill.
fn pay(folder: &Path, amount: u32) {
    let mut options = OpenOptions::new();
    let file = options
        .create(true)
        .append(true)
        .open(folder.join("effects"));
    let line = format!("{amount}\n");
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .expect("an effect");
}

/// One guarded call.
pub(crate) fn call(context: &GuardContext, folder: &Path, amount: u32) -> Result<(), GuardError> {
    context.guard(payment(amount)).run_blocking(|| {
        pay(folder, amount);
        Ok(())
    })
}

fn say(line: &str) {
    // One write, so that a process that is killed says the whole line or nothing.
    if io::stdout()
        .write_all(format!("{line}\n").as_bytes())
        .is_err()
    {
        exit(1);
    }
}

/// Does one process's work.
pub(crate) fn work(url: &str, folder: &Path) {
    let (context, _) = agent(url, folder);
    say("ready");
    for (round, line) in io::stdin().lines().enumerate() {
        let amount = line.expect("a line").parse().expect("an amount");
        let results = if round % 2 == 0 {
            in_threads(&context, folder, amount)
        } else {
            in_tasks(&context, folder, amount)
        };
        let (mut ran, mut refused, mut failed) = (0, 0, 0);
        for result in results {
            match result {
                Ok(()) => ran += 1,
                Err(GuardError::ApprovalRequired(_)) => refused += 1,
                Err(error) => {
                    eprintln!("{error}");
                    failed += 1;
                }
            }
        }
        say(&format!("done {ran} {refused} {failed}"));
    }
}

fn in_threads(context: &GuardContext, folder: &Path, amount: u32) -> Vec<Result<(), GuardError>> {
    let barrier = Barrier::new(CALLS);
    thread::scope(|scope| {
        let call = || {
            barrier.wait();
            say("begun");
            context.guard(payment(amount)).run_blocking(|| {
                say("body");
                pay(folder, amount);
                Ok(())
            })
        };
        let calls: Vec<_> = (0..CALLS).map(|_| scope.spawn(call)).collect();
        calls
            .into_iter()
            .map(|call| call.join().expect("no panic"))
            .collect()
    })
}

fn in_tasks(context: &GuardContext, folder: &Path, amount: u32) -> Vec<Result<(), GuardError>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build();
    runtime.expect("a runtime").block_on(async {
        let calls: Vec<_> = (0..CALLS)
            .map(|_| {
                let (context, folder) = (context.clone(), Arc::<Path>::from(folder));
                tokio::spawn(async move {
                    say("begun");
                    let body = || async {
                        say("body");
                        pay(&folder, amount);
                        Ok(())
                    };
                    context.guard(payment(amount)).run(body).await
                })
            })
            .collect();
        let mut results = Vec::new();
        for call in calls {
            results.push(call.await.expect("no panic"));
        }
        results
    })
}

/// One of the other processes, as the scenario holds it.
pub(crate) struct Worker {
    child: Child,
    input: Option<ChildStdin>,
}

impl Worker {
    /// Starts one, which says what it says to a channel, with its number. When it has ended, it
    /// says nothing, once.
    pub(crate) fn start(
        url: &str,
        folder: &Path,
        number: usize,
        said: Sender<(usize, Option<String>)>,
    ) -> Self {
        let mut child = Command::new(env::current_exe().expect("a program"))
            .args(["worker", url])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = BufReader::new(child.stdout.take().expect("an output"));
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if said.send((number, Some(line))).is_err() {
                    return;
                }
            }
            // Nobody may listen any more.
            let _ = said.send((number, None));
        });
        Self {
            input: child.stdin.take(),
            child,
        }
    }

    pub(crate) fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("an input");
        // One that was killed hears nothing.
        let _ = writeln!(input, "{line}");
    }

    /// Ends it at once, by `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
    }

    pub(crate) fn end(mut self) {
        drop(self.input.take());
        self.child.wait().expect("it ends");
    }
}

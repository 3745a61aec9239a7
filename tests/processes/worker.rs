//! The other processes: what they do, and how the scenarios hold them.
//!
//! A worker says `ready` when its log is open, then `done ID` after each call that returned, or
//! `refused ID TEXT`. It ends at the end of its input, and when nobody reads what it says.

use std::env;
use std::io::{self, BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio, exit};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use aegize::{AuditLog, AuditRecords};

use crate::carrier::carry;
use crate::faulty;
use crate::interposer::library;
use crate::ledger::{Attempt, attempt, context, open};
use crate::{storm, waiting};

/// How long a worker may say nothing: the one clock there is, and no result depends on it.
const LONGEST_SILENCE: Duration = Duration::from_secs(20);

/// Does one process's work.
pub(crate) fn work(role: &str, log: &Path, arguments: &[String]) {
    match (role, arguments) {
        ("flood", [tag, calls, size]) => flood(log, tag, number(calls), number(size)),
        ("obey", []) => obey(log),
        ("read", []) => read(log),
        ("carry", [receiver, records, dies_at]) => {
            carry(log, receiver, number(records), number(dies_at));
        }
        ("suffer", []) => faulty::suffer(log),
        ("inspect", []) => faulty::inspect(log),
        ("storm", [plan, tag, calls]) => storm::work(log, plan, tag, number(calls)),
        ("wait", [plan]) => waiting::work(log, plan),
        _ => panic!("no such work: {role} {arguments:?}"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

pub(crate) fn say(line: &str) {
    // One write, so that a process that is killed says the whole line or nothing.
    if io::stdout()
        .write_all(format!("{line}\n").as_bytes())
        .is_err()
    {
        exit(1);
    }
}

pub(crate) fn hear() -> Option<String> {
    io::stdin().lines().next().map(|line| line.expect("a line"))
}

fn tell(id: &str, attempt: &Attempt) {
    match &attempt.result {
        Ok(value) if attempt.has_run && value == id => say(&format!("done {id}")),
        Err(error) if !attempt.has_run => say(&format!("refused {id} {error}")),
        result => say(&format!("wrong {id} {} {result:?}", attempt.has_run)),
    }
}

/// Calls in eight threads as fast as it can, after the first line of input. Half of the threads
/// share one open log, half have their own.
fn flood(log: &Path, tag: &str, calls: usize, size: usize) {
    let shared = context(AuditLog::open(log).expect("the log opens"));
    let contexts = (0..8).map(|thread| {
        if thread % 2 == 0 {
            shared.clone()
        } else {
            open(log)
        }
    });
    let contexts: Vec<_> = contexts.collect();
    say("ready");
    hear();
    thread::scope(|scope| {
        for (thread, context) in contexts.iter().enumerate() {
            scope.spawn(move || {
                for call in 0..calls {
                    let id = format!("{tag}.{thread}.{call}");
                    tell(&id, &attempt(context, &id, size));
                }
            });
        }
    });
}

/// Makes the calls it is told to, each a line `ID SIZE`. With `to DIRECTORY` it goes there, with
/// `read all` it counts the records.
fn obey(log: &Path) {
    let context = match AuditLog::open(log) {
        Ok(log) => context(log),
        Err(error) => return say(&format!("unopened {error}")),
    };
    say("ready");
    while let Some(line) = hear() {
        match line.split_once(' ').expect("two words") {
            ("to", directory) => {
                env::set_current_dir(directory).expect("the directory is there");
                say("gone");
            }
            ("read", "all") => {
                let records = context.audit_log().read_all().expect("the log can be read");
                say(&format!("{} records", records.len()));
            }
            (id, size) => tell(id, &attempt(&context, id, number(size))),
        }
    }
}

/// Reads the log again and again and says how many records it has when there are more.
fn read(log: &Path) {
    let mut before = None;
    loop {
        let mut count = 0;
        for record in AuditRecords::open(log).expect("the log can be opened") {
            match record {
                Ok(record) if record.seq == count => count += 1,
                other => return say(&format!("wrong {other:?}")),
            }
        }
        if before.is_some_and(|before| before > count) {
            return say(&format!("wrong: {before:?} records, then {count}"));
        }
        if before.replace(count) != Some(count) {
            say(&format!("{count}"));
        }
    }
}

/// A running worker. It is killed when dropped.
pub(crate) struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    /// Tells whoever kills it if it hangs whether it is waited for.
    watch: Option<Sender<bool>>,
}

impl Worker {
    pub(crate) fn start(role: &str, log: &Path, arguments: &[&str]) -> Self {
        Self::spawn(Command::new(program()), role, log, arguments)
    }

    /// A worker that begins in a directory.
    pub(crate) fn start_in(directory: &Path, role: &str, log: &Path) -> Self {
        let mut command = Command::new(program());
        command.current_dir(directory);
        Self::spawn(command, role, log, &[])
    }

    /// A worker whose files cannot grow beyond so many KiB: a write that would cross that is
    /// short, the next one fails, or ends the process if the signal is not ignored.
    pub(crate) fn limited(
        kib: usize,
        is_signal_ignored: bool,
        role: &str,
        log: &Path,
        arguments: &[&str],
    ) -> Self {
        let trap = if is_signal_ignored {
            "trap '' XFSZ; "
        } else {
            ""
        };
        let script = format!(r#"{trap}ulimit -c 0; ulimit -S -f {kib}; exec "$0" "$@""#);
        let mut command = Command::new("bash");
        command.arg("-c").arg(script).arg(program());
        Self::spawn(command, role, log, arguments)
    }

    /// A worker whose calls to the file system can be made to fail. One that says nothing for long
    /// hangs, and is killed.
    pub(crate) fn interposed(role: &str, log: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.env("LD_PRELOAD", library());
        let mut worker = Self::spawn(command, role, log, arguments);
        worker.guard();
        worker
    }

    fn spawn(mut command: Command, role: &str, log: &Path, arguments: &[&str]) -> Self {
        command.arg("worker").arg(role).arg(log).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the worker starts");
        let input = child.stdin.take();
        let output = child.stdout.take().expect("the worker's output");
        Self {
            child,
            input,
            lines: BufReader::new(output).lines(),
            watch: None,
        }
    }

    /// Kills the worker whenever it lets wait for so long that it must hang.
    pub(crate) fn guard(&mut self) {
        let (sender, waits) = mpsc::channel::<bool>();
        let process = self.id().to_string();
        thread::spawn(move || {
            while let Ok(is_waiting) = waits.recv() {
                let ended = is_waiting.then(|| waits.recv_timeout(LONGEST_SILENCE));
                if ended == Some(Err(RecvTimeoutError::Timeout)) {
                    let _ = Command::new("kill").args(["-9", &process]).status();
                }
            }
        });
        self.watch = Some(sender);
    }

    pub(crate) fn hear(&mut self) -> Option<String> {
        self.is_waiting(true);
        let line = self.lines.next().map(|line| line.expect("a line"));
        self.is_waiting(false);
        line
    }

    fn is_waiting(&self, is_waiting: bool) {
        if let Some(watch) = &self.watch {
            let _ = watch.send(is_waiting);
        }
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, line: &str) {
        assert_eq!(self.hear().as_deref(), Some(line));
    }

    pub(crate) fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the input is open");
        writeln!(input, "{line}").expect("the worker listens");
    }

    /// Has a call made by a worker that obeys, and hears what came of it.
    pub(crate) fn call(&mut self, id: &str, size: usize) -> String {
        self.say(&format!("{id} {size}"));
        self.hear().expect("an answer")
    }

    /// The id of the next call that the worker says returned.
    pub(crate) fn done(&mut self) -> Option<String> {
        let line = self.hear()?;
        let id = line.strip_prefix("done ");
        Some(id.unwrap_or_else(|| panic!("not done: {line}")).to_owned())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the worker can be killed");
    }

    /// Ends the worker's input, hears it out, and tells how it ended.
    pub(crate) fn end(mut self) -> (Vec<String>, ExitStatus) {
        self.input = None;
        let mut done = Vec::new();
        done.extend(std::iter::from_fn(|| self.done()));
        (done, self.child.wait().expect("the worker ends"))
    }

    /// The same, for one that has to end well.
    pub(crate) fn finish(self) -> Vec<String> {
        let (done, status) = self.end();
        assert!(status.success(), "{status}");
        done
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    env::current_exe().expect("the program's own path")
}

//! `aegize audit verify`: whether a log is as it was written.

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use aegize::{IntactLog, LogFlaw, LogVerdict, LogVerifier};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::key;
use crate::command::Format;
use crate::exit::{Exit, Failure};
use crate::output::{bad, faint, good, one_line, strong, write_json};

/// Tell whether a log is as it was written
///
/// Reads the whole log, computes everything anew, and names the first bad line and what is wrong
/// with it: edited, removed, inserted, reordered, no JSON, another `seq` than its place, without
/// `prev`, torn; or a missing segment. Nothing is executed, and nothing is changed. A log that is
/// being written can be verified: lines that are added meanwhile are not looked at.
///
/// The lines alone cannot tell that the end of the log is missing, that the last line was edited,
/// or that all of the log was written anew. Checkpoints can. With --key the one beside the log,
/// LOG.checkpoint, is checked; but whoever can write the log may be able to put an older one
/// there. Keep copies elsewhere, and give them with --since.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Verify {
    /// The log: a file, a directory of segments, or /dev/stdin
    log: PathBuf,

    /// The public key of the log, or a file with it; give it again for further keys to trust
    #[arg(long = "key", value_name = "PUBKEY")]
    keys: Vec<String>,

    /// An older checkpoint of the log; the log must still begin with all that it was signed for
    #[arg(long, value_name = "CHECKPOINT", requires = "keys")]
    since: Vec<PathBuf>,

    /// How the result is told
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

const EXAMPLE: &str = "\
Example:
  aegize audit verify audit.jsonl --key log.key.pub --since kept.checkpoint

  broken  audit.jsonl:42: edited
    record 41 was edited: record 42 has the hash of another line as its `prev`";

const EXIT_CODES: &str = "\
Exit codes:
  0  the log is intact, and every checkpoint agrees
  1  the log is broken
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

/// Smaller logs are verified before anybody wonders.
const LARGE: u64 = 64 * 1024 * 1024;

impl Verify {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let mut verifier = LogVerifier::new(&self.log);
        for key in &self.keys {
            verifier = verifier.trust(key::public(key)?);
        }
        for checkpoint in &self.since {
            verifier = verifier.since(checkpoint);
        }
        let verdict = watched(&verifier)?;
        match self.format {
            Format::Human => write_human(stdout, &verdict)?,
            Format::Json => write_json(stdout, &as_json(&verdict))?,
        }
        Ok(match verdict {
            LogVerdict::Intact(_) => Exit::Done,
            LogVerdict::Broken(_) => Exit::Mismatch,
        })
    }
}

/// Verifies a log, with a bar on a terminal if it takes a while.
pub(super) fn watched(verifier: &LogVerifier) -> Result<LogVerdict, Failure> {
    let mut bar = None;
    let is_watched = io::stderr().is_terminal();
    let verdict = verifier.verify_watched(|done, length| {
        if let Some(length) = length.filter(|length| is_watched && *length >= LARGE) {
            let bar = bar.get_or_insert_with(|| progress_bar(length));
            bar.set_position(done);
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(verdict?)
}

fn progress_bar(length: u64) -> ProgressBar {
    let template = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    let bar = ProgressBar::new(length);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn write_human(stdout: &mut impl Write, verdict: &LogVerdict) -> io::Result<()> {
    match verdict {
        LogVerdict::Intact(log) => write_intact(stdout, log),
        LogVerdict::Broken(flaw) => write_broken(stdout, flaw),
    }
}

fn write_intact(stdout: &mut impl Write, log: &IntactLog) -> io::Result<()> {
    let head = log.head();
    let records = strong(counted(head.size, "record"));
    writeln!(stdout, "{}  {records}, root {}", good("intact"), head.root)?;
    for checked in log.checkpoints() {
        let file = one_line(&checked.file().display().to_string());
        let checkpoint = checked.checkpoint();
        let origin = one_line(checkpoint.origin());
        let records = counted(checkpoint.head().size, "record");
        writeln!(
            stdout,
            "  {} {file}: {records} of {origin}",
            faint("agrees with")
        )?;
    }
    if log.unlinked() > 0 {
        let lines = counted(log.unlinked(), "line");
        let note = "written before lines had links: only checkpoints vouch for them";
        writeln!(stdout, "  {} {lines}, {note}", faint("begins with"))?;
    }
    if log.checkpoints().is_empty() {
        let note = "its end may be missing, or all of it replaced";
        writeln!(stdout, "  {} {note}", faint("no checkpoint was checked:"))?;
    }
    Ok(())
}

pub(super) fn write_broken(stdout: &mut impl Write, flaw: &LogFlaw) -> io::Result<()> {
    let file = one_line(&flaw.file().display().to_string());
    let line = flaw
        .line()
        .map(|line| format!(":{line}"))
        .unwrap_or_default();
    let place = strong(format!("{file}{line}"));
    writeln!(stdout, "{}  {place}: {}", bad("broken"), flaw.kind())?;
    writeln!(stdout, "  {flaw}")?;
    if let (Some(earliest), Some(position)) = (flaw.earliest(), flaw.position())
        && earliest < position
    {
        let note = "up to this one may have been changed, too: nothing vouches for them";
        writeln!(stdout, "  {} {earliest} {note}", faint("records from"))?;
    }
    Ok(())
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn as_json(verdict: &LogVerdict) -> Value {
    match verdict {
        LogVerdict::Intact(log) => {
            let checkpoints = log.checkpoints().iter().map(|checked| {
                let checkpoint = checked.checkpoint();
                json!({
                    "file": checked.file().display().to_string(),
                    "log": checkpoint.origin(),
                    "records": checkpoint.head().size,
                    "root": checkpoint.head().root,
                })
            });
            json!({
                "intact": true,
                "records": log.head().size,
                "root": log.head().root,
                "unlinked": log.unlinked(),
                "checkpoints": checkpoints.collect::<Vec<_>>(),
            })
        }
        LogVerdict::Broken(flaw) => json!({
            "intact": false,
            "kind": flaw.kind().as_str(),
            "file": flaw.file().display().to_string(),
            "line": flaw.line(),
            "position": flaw.position(),
            "earliest": flaw.earliest(),
            "message": flaw.to_string(),
        }),
    }
}

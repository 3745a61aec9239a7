//! `aegize policy fmt`: the canonical layout of policy files.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aegize::FormattedPolicy;
use anstyle::{AnsiColor, Style};
use clap::Args;
use similar::{ChangeTag, TextDiff};
use tempfile::NamedTempFile;

use crate::exit::{Exit, Failure};
use crate::output::one_line;

/// Lay policy files out as reviewers expect
///
/// Rewrites each FILE in the one layout that all policies share, so that a change of a policy
/// shows what it changes and nothing else. The policy stays the same, and so does every comment.
/// A file that is not a policy, or has a mistake, is not touched, and then no other is either.
///
/// Keys come in the order of the documentation, keys that begin with `x-` last; agents, rules and
/// the items of lists keep their order. Files of policy tests are not supported. Nothing is
/// executed.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Fmt {
    /// The policies, YAML files; `-` alone reads standard input and writes standard output
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Write no file, and show what would change
    #[arg(long)]
    check: bool,
}

const EXAMPLE: &str = r#"A policy, aegize.yaml:

  agents:
    research_bot:
      deny: [{operations: [rm], tool: 'shell'}]  # nothing is deleted
      allow:
      - tool: file_reader
        # every path of the call must be inside
        paths:
          - './safe_data/**'

After `aegize policy fmt aegize.yaml`:

  agents:
    research_bot:
      allow:
        - tool: file_reader
          # every path of the call must be inside
          paths: ["./safe_data/**"]
      deny:  # nothing is deleted
        - tool: shell
          operations: [rm]

In CI, `aegize policy fmt --check *.yaml` tells whether somebody forgot."#;

const EXIT_CODES: &str = "\
Exit codes:
  0  every file has the canonical layout, or has it now
  1  with --check: at least one file would change
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

impl Fmt {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let is_stdin = self.files.iter().any(|file| file == Path::new("-"));
        if is_stdin && self.files.len() > 1 {
            let message = "`-` cannot be formatted together with other files\n";
            let kind = clap::error::ErrorKind::ArgumentConflict;
            return Err(Failure::Arguments(clap::Error::raw(kind, message)));
        }
        let mut exit = Exit::Done;
        for (file, policy) in self.files.iter().zip(self.load()?) {
            let is_changed = policy.original() != policy.formatted();
            let name = one_line(&file.display().to_string());
            if self.check && is_changed {
                exit = Exit::Mismatch;
                show_difference(stdout, &name, &policy)?;
            } else if is_stdin && !self.check {
                stdout.write_all(policy.formatted().as_bytes())?;
            } else if is_changed {
                replace(file, policy.formatted())
                    .map_err(|error| Failure::File(file.clone(), error))?;
                writeln!(stdout, "formatted {name}")?;
            }
        }
        Ok(exit)
    }

    /// All files, or what is wrong with each.
    fn load(&self) -> Result<Vec<FormattedPolicy>, Failure> {
        let (mut policies, mut errors) = (Vec::new(), Vec::new());
        for file in &self.files {
            let policy = if file == Path::new("-") {
                FormattedPolicy::from_yaml_reader(io::stdin().lock())
            } else {
                FormattedPolicy::from_yaml_file(file)
            };
            match policy {
                Ok(policy) => policies.push(policy),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(policies)
        } else {
            Err(Failure::Load(errors))
        }
    }
}

/// Gives a file another content, at once: whoever reads it sees the old one or the new one. A
/// link stays a link.
fn replace(file: &Path, content: &str) -> io::Result<()> {
    let file = fs::canonicalize(file)?;
    let directory = file.parent().unwrap_or(Path::new("."));
    let permissions = fs::metadata(&file)?.permissions();
    let mut new = NamedTempFile::new_in(directory)?;
    new.write_all(content.as_bytes())?;
    new.as_file().set_permissions(permissions)?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}

/// The changes as a unified diff with three lines of context.
fn show_difference(
    stdout: &mut impl Write,
    name: &str,
    policy: &FormattedPolicy,
) -> io::Result<()> {
    let bold = Style::new().bold();
    let green = AnsiColor::Green.on_default();
    let red = AnsiColor::Red.on_default();
    writeln!(stdout, "{bold}--- {name}{bold:#}")?;
    writeln!(stdout, "{bold}+++ {name}, formatted{bold:#}")?;
    let difference = TextDiff::from_lines(policy.original(), policy.formatted());
    for hunk in difference.unified_diff().context_radius(3).iter_hunks() {
        writeln!(stdout, "{}", hunk.header())?;
        for change in hunk.iter_changes() {
            let style = match change.tag() {
                ChangeTag::Equal => Style::new(),
                ChangeTag::Delete => red,
                ChangeTag::Insert => green,
            };
            let line = change.value();
            let line = one_line(line.strip_suffix('\n').unwrap_or(line));
            writeln!(stdout, "{style}{}{line}{style:#}", change.tag())?;
        }
    }
    Ok(())
}

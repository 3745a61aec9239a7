//! What can be asked: one file for each subcommand.
//!
//! Doc comments on arguments and commands are their help texts.

mod approvals;
mod audit;
mod policy;
mod serve;
mod span;

use std::io::Write;

use clap::{Parser, Subcommand, ValueEnum};

use self::approvals::ApprovalsCommand;
use self::audit::AuditCommand;
use self::policy::PolicyCommand;
use self::serve::Serve;
use crate::exit::{Exit, Failure};

/// What the exit codes mean, for every command's help.
const EXIT_CODES: &str = "\
Exit codes:
  0  everything is as expected
  1  something is not as expected
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

/// Check what an AI agent's policy decides, read what agents did, and decide what waits for you
///
/// Aegize stands between AI agents and the tools they use: a policy, which is a file that people
/// review, says which agent may call which tool, and which calls wait for a person; an audit log
/// says what every agent attempted, and what became of it. This command works with both, and is
/// where people decide about the calls that wait.
///
/// Nothing is executed.
#[derive(Debug, Parser)]
#[command(
    name = "aegize",
    version,
    arg_required_else_help = true,
    after_help = EXIT_CODES,
    after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}")
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLE: &str = "\
Examples:
  aegize policy test aegize.yaml policy_tests.yaml
  aegize audit show audit.jsonl --since 1h
  aegize audit verify audit.jsonl
  aegize approvals watch --prompt

`aegize policy test --help` shows what a policy and its tests look like.";

/// How a result is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people, with colours on a terminal unless `NO_COLOR` is set
    Human,
    /// One JSON object for programs
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(subcommand)]
    Policy(PolicyCommand),
    #[command(subcommand)]
    Audit(AuditCommand),
    #[command(subcommand)]
    Approvals(ApprovalsCommand),
    Serve(Serve),
}

impl Arguments {
    /// Does what was asked. The result goes to `stdout`, which the caller flushes.
    ///
    /// # Errors
    ///
    /// If there is no result, or it cannot be written.
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        match &self.command {
            Command::Policy(command) => command.run(stdout),
            Command::Audit(command) => command.run(stdout),
            Command::Approvals(command) => command.run(stdout),
            Command::Serve(serve) => serve.run(stdout),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_make_sense_to_clap() {
        super::Arguments::command().debug_assert();
    }
}

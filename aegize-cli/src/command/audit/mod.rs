//! `aegize audit`: what can be asked about audit logs.

mod filter;
mod moment;
mod show;
mod stats;

use std::io::Write;

use clap::Subcommand;

use self::show::Show;
use self::stats::Stats;
use super::EXIT_CODES;
use crate::exit::{Exit, Failure};

const EXAMPLE: &str = "\
Examples:
  aegize audit show audit.jsonl --since 1h
  aegize audit show audit.jsonl --event denied --follow
  aegize audit stats audit.jsonl --agent research_bot";

/// Work with audit logs
///
/// A log says what every agent attempted, what was decided about it, and what became of it: a
/// file of JSON Lines, or a directory of such files. Logs are only read. Nothing is executed.
#[derive(Debug, Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = EXIT_CODES,
    after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}")
)]
pub(crate) enum AuditCommand {
    Show(Show),
    Stats(Stats),
}

impl AuditCommand {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        match self {
            Self::Show(show) => show.run(stdout),
            Self::Stats(stats) => stats.run(stdout),
        }
    }
}

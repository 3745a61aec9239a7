//! `aegize policy`: what can be asked about policy files.

mod test;

use std::io::Write;

use clap::Subcommand;

use self::test::Test;
use super::EXIT_CODES;
use crate::exit::{Exit, Failure};

const EXAMPLE: &str = "\
Example:
  aegize policy test aegize.yaml policy_tests.yaml";

/// Work with policy files
///
/// A policy says which agent may call which operation of which tool. Its rules are asked in the
/// order `deny`, `require_approval`, `allow`; what no rule allows is denied. Nothing is executed.
#[derive(Debug, Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = EXIT_CODES,
    after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}")
)]
pub(crate) enum PolicyCommand {
    Test(Test),
}

impl PolicyCommand {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        match self {
            Self::Test(test) => test.run(stdout),
        }
    }
}

//! `aegize policy schema`: the shape of policy files, for editors.

use std::io::Write;

use clap::Args;

use crate::exit::{Exit, Failure};

/// Print the JSON Schema of policy files
///
/// An editor that knows it completes keys, explains them, and marks mistakes while one types. The
/// schema (draft 2020-12) knows the shape of a policy. What needs more than that (globs, regular
/// expressions, ids given twice, roles that nobody defines) is told when a policy is loaded, by
/// every command here. Nothing is executed.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Schema;

const EXAMPLE: &str = "\
Example:
  aegize policy schema > aegize.schema.json

Then, for editors with the YAML language server, as first line of a policy:

  # yaml-language-server: $schema=aegize.schema.json";

const EXIT_CODES: &str = "\
Exit codes:
  0  printed
  1  never
  2  no result: an argument or the output is unusable;
     standard error says why";

/// Kept equal to the loader by a test that asks both.
const SCHEMA: &str = include_str!("schema.json");

impl Schema {
    pub(crate) fn run(stdout: &mut impl Write) -> Result<Exit, Failure> {
        stdout.write_all(SCHEMA.as_bytes())?;
        Ok(Exit::Done)
    }
}

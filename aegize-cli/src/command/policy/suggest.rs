//! `aegize policy suggest`: a policy from what is on record.

use std::io::Write;
use std::path::PathBuf;

use aegize::{FormattedPolicy, PolicySuggestion};
use clap::Args;

use crate::exit::{Exit, Failure};
use crate::logs;
use crate::output::warn;

/// Write the least policy that lets through what agents did
///
/// Nothing is executed. Reads audit logs and prints a policy, as YAML with comments that tell from how many calls each
/// rule was made. What ran at low or medium risk is allowed, at the highest risk seen and within
/// the paths seen. What had to be approved, and what ran at high or critical risk, asks a person.
/// What was only ever denied is in comments.
///
/// It is where to begin, not what to deploy: it allows what ran, right or wrong. Rehearse it with
/// `aegize policy replay`.
///
/// A directory is opened (`dir/**`) if several files were seen in it and none was denied; where the
/// log shows arguments cut or redacted, or texts that may be no paths, no `paths` are given, and a
/// comment says so. Equal logs give equal text.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Suggest {
    /// The audit logs: files of JSON Lines, directories of such files, or /dev/stdin
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,

    /// An agent to write rules for; give it again for several in one policy
    #[arg(long = "agent", required = true, value_name = "ID")]
    agents: Vec<String>,
}

const EXAMPLE: &str = "\
Example:
  aegize policy suggest audit.jsonl --agent research_bot > suggested.yaml
  aegize policy replay suggested.yaml audit.jsonl

A suggested rule:

      # 40 calls ran at low risk, 2026-06-27T18:00:00Z to 2026-06-28T09:30:00Z
      # 7 distinct paths in `paths`
      - tool: file_reader
        operations: [read]
        risk_level_max: low
        paths: [\"./safe_data/**\"]";

const EXIT_CODES: &str = "\
Exit codes:
  0  every agent was seen, and every line read
  1  the logs have no decision about an agent, or a line that is
     no record; standard error says which
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

impl Suggest {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let mut suggestion = PolicySuggestion::new(self.agents.iter().cloned());
        let bad_lines = logs::read(&self.logs, |_, record| suggestion.add(record))?;
        let policy = FormattedPolicy::from_yaml_str(&suggestion.to_string())
            .map_err(|error| Failure::Load(vec![error]))?;
        stdout.write_all(policy.formatted().as_bytes())?;
        let mut exit = if bad_lines == 0 {
            Exit::Done
        } else {
            Exit::Mismatch
        };
        for agent in suggestion.unseen() {
            warn(&format!("no decision about agent `{agent}` is on record"));
            exit = Exit::Mismatch;
        }
        Ok(exit)
    }
}

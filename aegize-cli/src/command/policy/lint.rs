//! `aegize policy lint`: mistakes in a policy that loads.

mod human;
mod sarif;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use aegize::{DeclaredTool, Finding, PermissionPolicy, Place};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::call_json;
use crate::exit::{Exit, Failure};
use crate::output::write_json;

/// Find mistakes in a policy: rules that never decide, patterns that match nothing or everything
///
/// Loads FILE and prints, beyond what does not load, what is probably not meant: each with a code
/// that never changes, the line, and what to do about it. A rule is only called shadowed if that
/// is certain, and a call is shown that the rule matches and another one takes. Several FILEs are
/// layers of one policy, the most general first.
///
/// Nothing is executed, and no decision changes. Paths are judged by their text; where only
/// symbolic links could make a difference, the message says so.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{CODES}\n\n{EXIT_CODES}"))]
pub(crate) struct Lint {
    /// The policy: one YAML file, or its layers
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// The tools that the policy is for: JSON, a list of objects with `tool_name`, `operation`
    /// and `risk_level`
    #[arg(long, value_name = "FILE")]
    tools: Option<PathBuf>,

    /// How findings are told
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// How findings are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people, with colours on a terminal unless `NO_COLOR` is set
    Human,
    /// One JSON object for programs
    Json,
    /// For code review: SARIF 2.1.0
    Sarif,
}

const EXAMPLE: &str = r#"A policy, aegize.yaml:

  agents:
    ops_bot:
      deny:
        - tool: shell
      allow:
        - tool: shell
          operations: [ls]

The result of `aegize policy lint aegize.yaml`:

  warning[shadowed-rule]: `ops_bot.allow[0]`: never decides: `ops_bot.deny[0]` is asked before it
  and takes every call that it matches; remove it, or narrow the other
   --> aegize.yaml:6
    |
  6 |       - tool: shell
    |         ^^^^^^^^^^^
    = `ops_bot.deny[0]` is at aegize.yaml:4
    = for example: {"agent":"ops_bot","tool":"shell","operation":"ls","risk_level":"low"}

  1 finding"#;

const CODES: &str = "\
Codes, each explained in the README of aegize-cli:
  shadowed-rule               earlier rules take every call of the rule
  duplicate-rule              an earlier rule says the same
  never-matches               no call matches the rule
  contradictory-matcher       no value satisfies all that is asked of an argument
  path-matches-nothing        no path matches a path glob
  path-matches-everything     every path matches a path glob that grants something
  pattern-matches-everything  every text matches a pattern that grants something
  risk-ceiling-too-low        a tool is riskier than its allow rule admits (--tools)
  tool-without-rule           no rule is about a tool (--tools)
  agent-without-allow         an agent can do nothing
  confusable-tool-names       two tool names look the same
  similar-tool-names          two tool names differ by a slip of the hand
  unused-role                 no agent has the role
  not-analysed                too many rules for the same tools to compare them all";

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing was found
  1  something was found
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

impl Lint {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let policy =
            PermissionPolicy::layered(&self.files).map_err(|error| Failure::Load(vec![error]))?;
        let tools = match &self.tools {
            Some(file) => read_tools(file)?,
            None => Vec::new(),
        };
        let findings = policy.lint(&tools);
        match self.format {
            Format::Human => human::write(stdout, &findings)?,
            Format::Json => {
                let findings: Vec<Value> = findings.iter().map(as_json).collect();
                write_json(stdout, &json!({ "findings": findings }))?;
            }
            Format::Sarif => {
                let first = self.files.first().map_or(Path::new(""), PathBuf::as_path);
                write_json(stdout, &sarif::log(&findings, first))?;
            }
        }
        Ok(if findings.is_empty() {
            Exit::Done
        } else {
            Exit::Mismatch
        })
    }
}

fn read_tools(file: &Path) -> Result<Vec<DeclaredTool>, Failure> {
    let problem = |problem: String| Failure::Input(file.to_owned(), problem);
    let text = fs::read(file).map_err(|error| problem(format!("cannot be read: {error}")))?;
    serde_json::from_slice(&text).map_err(|error| {
        problem(format!(
            "is not a list of tools: {error}; write \
             [{{\"tool_name\": \"mail\", \"operation\": \"send\", \"risk_level\": \"high\"}}]"
        ))
    })
}

fn as_json(finding: &Finding) -> Value {
    let place = |place: &Place| {
        json!({
            "file": place.file().map(Path::to_string_lossy),
            "line": place.line(),
        })
    };
    let related = finding
        .related()
        .iter()
        .map(|related| json!({ "rule": related.rule(), "place": place(related.place()) }));
    json!({
        "code": finding.code().as_str(),
        "severity": finding.severity().as_str(),
        "message": finding.message(),
        "place": place(finding.place()),
        "rule": finding.rule(),
        "related": related.collect::<Vec<_>>(),
        "witness": finding.witness().map(call_json),
    })
}

//! `aegize policy test`: a policy against the decisions its author expects.
//!
//! The lines on standard output are those of the Python package 0.3.0, letter by letter; rules
//! that a case expects are told besides.

mod junit;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use aegize::{CaseOutcome, Decision, PermissionPolicy, PolicyRule, PolicyTests};
use clap::Args;
use serde_json::{Value, json};

use crate::command::Format;
use crate::exit::{Exit, Failure};
use crate::output::{self, one_line, write_json};
use crate::source::Sources;

/// Compare a policy's decisions with expected ones
///
/// Judges every case of TESTS by POLICY, prints a line for each, and counts those that passed and
/// failed. Run it in CI, so that a change of the policy shows what it changes. Several POLICY files
/// are layers of one policy, the most general first.
///
/// Nothing is executed: no tool is called, and no other file is read. Paths are judged by
/// their text, and symbolic links are not looked at. The guard of a running program does look at
/// them, and may refuse a link that leads out of an allowed directory.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Test {
    /// The policy: one YAML file, or its layers
    #[arg(required = true)]
    policy: Vec<PathBuf>,

    /// The cases, a YAML file
    tests: PathBuf,

    /// Also list the rules that decide no case: nothing would notice if they changed
    #[arg(long)]
    coverage: bool,

    /// Also write the outcomes to FILE, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// How the result is told
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

const EXAMPLE: &str = r#"A policy, aegize.yaml:

  agents:
    research_bot:
      allow:
        - tool: file_reader
          operations: [read]
          paths: ["./safe_data/**"]   # every path of the call must be inside
      require_approval:
        - tool: email
          operations: [send]

Its tests, policy_tests.yaml:

  tests:
    - name: reports may be read       # `test #1` if left out
      agent: research_bot
      tool: file_reader
      operation: read
      args: { file: "./safe_data/report.md" }
      expect: allow                   # or deny, or require_approval
    - name: mail waits for a person
      agent: research_bot
      tool: email
      operation: send
      risk_level: high                # low if left out
      environment: prod               # dev, staging or prod; not known if left out
      metadata: { ticket: OPS-12 }    # `path`, `paths` and `candidate_paths` are paths
      expect: require_approval
      expect_rule: research_bot.require_approval[0]   # or the rule's `id`; any if left out

The result of `aegize policy test aegize.yaml policy_tests.yaml`:

  PASS  reports may be read  (expected allow)
  PASS  mail waits for a person  (expected require_approval)

  2 passed, 0 failed"#;

const EXIT_CODES: &str = "\
Exit codes:
  0  every case passed; with --coverage, every rule decides one
  1  at least one case failed, or a rule decides none
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

impl Test {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let (policy, tests) = self.load()?;
        let outcomes: Vec<CaseOutcome<'_>> = tests.run(&policy).collect();
        let uncovered = self.coverage.then(|| tests.uncovered(&policy));
        if let Some(file) = &self.junit {
            let document = junit::document(&self.tests.to_string_lossy(), &outcomes);
            fs::write(file, document).map_err(|error| Failure::File(file.clone(), error))?;
        }
        match self.format {
            Format::Human => {
                write_human(stdout, &outcomes)?;
                if let Some(uncovered) = &uncovered {
                    write_uncovered(stdout, uncovered, policy.rules().count())?;
                }
            }
            Format::Json => write_json(stdout, &as_json(&outcomes, uncovered.as_deref()))?,
        }
        let is_covered = uncovered.is_none_or(|rules| rules.is_empty());
        Ok(if is_covered && outcomes.iter().all(CaseOutcome::passed) {
            Exit::Done
        } else {
            Exit::Mismatch
        })
    }

    /// The policy and the cases, or what is wrong with each.
    fn load(&self) -> Result<(PermissionPolicy, PolicyTests), Failure> {
        let policy = PermissionPolicy::layered(&self.policy);
        let tests = PolicyTests::from_yaml_file(&self.tests);
        match (policy, tests) {
            (Ok(policy), Ok(tests)) => Ok((policy, tests)),
            (policy, tests) => Err(Failure::Load(
                policy.err().into_iter().chain(tests.err()).collect(),
            )),
        }
    }
}

fn write_human(stdout: &mut impl Write, outcomes: &[CaseOutcome<'_>]) -> io::Result<()> {
    for outcome in outcomes {
        let label = one_line(&outcome.case.label);
        let (word, told) = if outcome.passed() {
            (
                output::good("PASS"),
                format!("expected {}", outcome.case.expect),
            )
        } else {
            (output::bad("FAIL"), one_line(&describe(outcome)))
        };
        writeln!(stdout, "{word}  {label}  ({told})")?;
    }
    let passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
    let failed = outcomes.len() - passed;
    writeln!(stdout, "\n{passed} passed, {failed} failed")
}

/// What was expected of a case that failed, and what came of it.
fn describe(outcome: &CaseOutcome<'_>) -> String {
    let case = outcome.case;
    let (expected, got) = match &case.expect_rule {
        None => (case.expect.to_string(), outcome.decision.to_string()),
        Some(rule) => (
            format!("{} by {rule}", case.expect),
            format!(
                "{} by {}",
                outcome.decision,
                outcome.rule.unwrap_or("default")
            ),
        ),
    };
    format!("expected {expected}, got {got} — {}", outcome.reason)
}

fn write_uncovered(
    stdout: &mut impl Write,
    uncovered: &[PolicyRule<'_>],
    rules: usize,
) -> io::Result<()> {
    let covered = rules - uncovered.len();
    writeln!(stdout, "\n{covered} of {rules} rules decide a case")?;
    let mut sources = Sources::default();
    for rule in uncovered {
        let name = output::strong(one_line(rule.name()));
        writeln!(stdout, "\n  {name} decides none")?;
        sources.write(stdout, rule.place(), 2)?;
    }
    Ok(())
}

fn as_json(outcomes: &[CaseOutcome<'_>], uncovered: Option<&[PolicyRule<'_>]>) -> Value {
    let decided = |decision: Decision, rule: Option<&str>| json!({ "decision": decision.as_str(), "rule": rule });
    let cases: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            let case = outcome.case;
            json!({
                "name": case.label,
                "passed": outcome.passed(),
                "expected": decided(case.expect, case.expect_rule.as_deref()),
                "got": decided(outcome.decision, outcome.rule),
                "reason": outcome.reason,
            })
        })
        .collect();
    let passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
    let mut sources = Sources::default();
    let uncovered: Option<Vec<Value>> = uncovered.map(|rules| {
        let told = rules
            .iter()
            .map(|rule| sources.rule(rule.name(), Some(rule.place())));
        told.collect()
    });
    json!({
        "passed": passed,
        "failed": outcomes.len() - passed,
        "cases": cases,
        "uncovered": uncovered,
    })
}

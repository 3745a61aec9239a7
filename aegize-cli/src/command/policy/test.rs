//! `aegize policy test`: a policy against the decisions its author expects.
//!
//! The lines on standard output are those of the Python package 0.3.0, letter by letter.

use std::io::Write;
use std::path::PathBuf;

use aegize::{PermissionPolicy, PolicyTests};
use clap::Args;

use crate::exit::{Exit, Failure};
use crate::output::one_line;

/// Compare a policy's decisions with expected ones
///
/// Judges every case of TESTS by POLICY, prints a line for each, and counts those that passed and
/// failed. Run it in CI, so that a change of the policy shows what it changes.
///
/// Nothing is executed: no tool is called, and no file is read but these two. Paths are judged by
/// their text, and symbolic links are not looked at. The guard of a running program does look at
/// them, and may refuse a link that leads out of an allowed directory.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Test {
    /// The policy, a YAML file
    policy: PathBuf,

    /// The cases, a YAML file
    tests: PathBuf,
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
      metadata: { ticket: OPS-12 }    # `path` and `candidate_paths` are paths
      expect: require_approval

The result of `aegize policy test aegize.yaml policy_tests.yaml`:

  PASS  reports may be read  (expected allow)
  PASS  mail waits for a person  (expected require_approval)

  2 passed, 0 failed"#;

const EXIT_CODES: &str = "\
Exit codes:
  0  every case passed
  1  at least one case failed
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

impl Test {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let (policy, tests) = self.load()?;
        let (mut passed, mut failed) = (0_usize, 0_usize);
        for outcome in tests.run(&policy) {
            let label = one_line(&outcome.case.label);
            let expected = outcome.case.expect;
            if outcome.passed() {
                passed += 1;
                writeln!(stdout, "PASS  {label}  (expected {expected})")?;
            } else {
                failed += 1;
                let (actual, reason) = (outcome.decision, one_line(&outcome.reason));
                writeln!(
                    stdout,
                    "FAIL  {label}  (expected {expected}, got {actual} — {reason})"
                )?;
            }
        }
        writeln!(stdout, "\n{passed} passed, {failed} failed")?;
        Ok(if failed == 0 {
            Exit::Done
        } else {
            Exit::Mismatch
        })
    }

    /// Both files, or what is wrong with each.
    fn load(&self) -> Result<(PermissionPolicy, PolicyTests), Failure> {
        let policy = PermissionPolicy::from_yaml_file(&self.policy);
        let tests = PolicyTests::from_yaml_file(&self.tests);
        match (policy, tests) {
            (Ok(policy), Ok(tests)) => Ok((policy, tests)),
            (policy, tests) => Err(Failure::Load(
                policy.err().into_iter().chain(tests.err()).collect(),
            )),
        }
    }
}

//! Running the binary on files in a directory of their own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A policy with one rule of each section.
pub(crate) const POLICY: &str = r#"
agents:
  bot:
    allow:
      - tool: clock
        operations: [read]
        risk_level_max: medium
      - tool: files
        operations: [read]
        paths: ["./safe/**"]
    require_approval:
      - {tool: email, operations: [send], reason: mail leaves the company}
    deny:
      - {tool: shell}
"#;

/// Tests that [`POLICY`] passes.
pub(crate) const TESTS: &str = "
tests:
  - {name: the time, agent: bot, tool: clock, operation: read, expect: allow}
  - {agent: bot, tool: email, operation: send, expect: require_approval}
";

/// What a run left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The binary in a directory, where `policy.yaml` and `tests.yaml` may be.
pub(crate) fn aegize(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aegize"));
    // Help is wrapped at this width.
    command.current_dir(directory).env("COLUMNS", "100");
    // Only those that a test sets.
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

/// Runs the binary with arguments, where there are no files.
pub(crate) fn run<A: AsRef<OsStr>>(arguments: &[A]) -> Ran {
    let directory = TempDir::new().unwrap();
    aegize(directory.path())
        .args(arguments)
        .output()
        .unwrap()
        .into()
}

/// A directory with `policy.yaml` and `tests.yaml`.
pub(crate) fn directory(policy: impl AsRef<[u8]>, tests: impl AsRef<[u8]>) -> TempDir {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("policy.yaml"), policy).unwrap();
    std::fs::write(directory.path().join("tests.yaml"), tests).unwrap();
    directory
}

/// `aegize policy test policy.yaml tests.yaml` in a directory.
pub(crate) fn policy_test_in(directory: &Path) -> Command {
    let mut command = aegize(directory);
    command.args(["policy", "test", "policy.yaml", "tests.yaml"]);
    command
}

/// Tests a policy.
pub(crate) fn policy_test(policy: impl AsRef<[u8]>, tests: impl AsRef<[u8]>) -> Ran {
    let directory = directory(policy, tests);
    policy_test_in(directory.path()).output().unwrap().into()
}

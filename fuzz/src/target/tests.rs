//! A file of policy tests: it loads or tells why not, and what loaded runs.

use std::sync::LazyLock;

use aegize::{PermissionPolicy, PolicyTests};

use super::{Outcome, Target, judged, refusal};

pub(super) const TARGET: Target = Target {
    name: "tests",
    seeds: &[
        "tests/corpus/vectors/agt.tests.yaml",
        "examples/policy_tests.yaml",
    ],
    from_line: |line| line.into(),
    words: &[
        "tests:",
        "name:",
        "agent: bot",
        "tool: files",
        "operation: read",
        "risk_level: high",
        "args: {",
        "path_args: [",
        "metadata: {",
        "environment: prod",
        "expect: deny",
        "expect: allow",
        "expect_rule:",
        "path: ",
        "paths: [",
        "\n  - ",
        "\n    ",
        "{",
        "}",
        "]",
    ],
    run,
};

static POLICY: LazyLock<PermissionPolicy> = LazyLock::new(|| {
    PermissionPolicy::from_yaml_str(include_str!("../../../examples/aegize.yaml"))
        .expect("the policy of the examples")
});

fn run(input: &[u8]) -> Outcome {
    let tests = match PolicyTests::from_yaml_str(&String::from_utf8_lossy(input)) {
        Ok(tests) => tests,
        Err(error) => return Outcome::Refused(refusal(&error)),
    };
    let mut passed = 0;
    for (case, outcome) in tests.cases().iter().zip(tests.run(&POLICY)) {
        assert_eq!(judged(&POLICY, &case.action), outcome.decision);
        let is_expected = outcome.decision == case.expect;
        assert!(is_expected || !outcome.passed());
        passed += usize::from(outcome.passed());
    }
    let uncovered = tests.uncovered(&POLICY).len();
    Outcome::Read(format!(
        "{passed} of {} passed, {uncovered} uncovered",
        tests.cases().len().min(10)
    ))
}

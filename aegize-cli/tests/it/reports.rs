//! What `aegize policy test` tells besides: expected rules, coverage, JSON and JUnit XML.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{POLICY, Ran, TESTS, directory, policy_test, policy_test_in};

fn with(directory: &TempDir, arguments: &[&str]) -> Ran {
    let mut command = policy_test_in(directory.path());
    command.args(arguments).output().unwrap().into()
}

#[test]
fn the_wrong_rule_is_told_beside_the_right_decision() {
    let tests = "
tests:
  - {agent: bot, tool: clock, operation: read, expect: allow, expect_rule: 'bot.allow[0]'}
  - {agent: bot, tool: clock, operation: read, expect: allow, expect_rule: 'bot.allow[1]'}
  - {agent: bot, tool: files, operation: read, expect: allow, expect_rule: 'bot.allow[1]'}
";
    let expected = "\
PASS  test #1  (expected allow)
FAIL  test #2  (expected allow by bot.allow[1], got allow by bot.allow[0] — allowed by rule for tool 'clock')
FAIL  test #3  (expected allow by bot.allow[1], got deny by default — no matching allow rule for tool 'files' operation 'read' (default deny))

1 passed, 2 failed
";
    let ran = policy_test(POLICY, tests);
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(1)));
}

#[test]
fn coverage_lists_the_rules_that_decide_no_case() {
    let directory = directory(POLICY, TESTS);
    let ran = with(&directory, &["--coverage"]);
    let expected = "\
PASS  the time  (expected allow)
PASS  test #2  (expected require_approval)

2 passed, 0 failed

2 of 4 rules decide a case

  bot.deny[0] decides none
  --> policy.yaml:14
  14 | - {tool: shell}

  bot.allow[1] decides none
  --> policy.yaml:8
  8 | - tool: files
";
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(1)));

    let more = "
  - {agent: bot, tool: shell, operation: run, expect: deny}
  - {agent: bot, tool: files, operation: read, metadata: {path: ./safe/a}, expect: allow}
";
    std::fs::write(
        directory.path().join("tests.yaml"),
        format!("{TESTS}{more}"),
    )
    .unwrap();
    let ran = with(&directory, &["--coverage"]);
    assert!(
        ran.stdout
            .ends_with("\n4 passed, 0 failed\n\n4 of 4 rules decide a case\n")
    );
    assert_eq!(ran.code, Some(0));
}

#[test]
fn json_tells_every_case() {
    let tests = "
tests:
  - {name: the time, agent: bot, tool: clock, operation: read, expect: allow}
  - {agent: bot, tool: shell, operation: run, environment: prod, expect: allow, expect_rule: x}
";
    let directory = directory(POLICY, tests);
    let ran = with(&directory, &["--format", "json", "--coverage"]);
    let expected = serde_json::json!({
        "passed": 1,
        "failed": 1,
        "cases": [
            {
                "name": "the time",
                "passed": true,
                "expected": {"decision": "allow", "rule": null},
                "got": {"decision": "allow", "rule": "bot.allow[0]"},
                "reason": "allowed by rule for tool 'clock'",
            },
            {
                "name": "test #2",
                "passed": false,
                "expected": {"decision": "allow", "rule": "x"},
                "got": {"decision": "deny", "rule": "bot.deny[0]"},
                "reason": "denied by rule for tool 'shell'",
            },
        ],
        "uncovered": [
            {
                "name": "bot.require_approval[0]",
                "file": "policy.yaml",
                "line": 12,
                "source": "- {tool: email, operations: [send], reason: mail leaves the company}",
            },
            {"name": "bot.allow[1]", "file": "policy.yaml", "line": 8, "source": "- tool: files"},
        ],
    });
    assert_eq!(
        serde_json::from_str::<Value>(&ran.stdout).unwrap(),
        expected
    );
    assert_eq!(ran.code, Some(1));
    let ran = with(&directory, &["--format", "json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&ran.stdout).unwrap()["uncovered"],
        Value::Null
    );
}

#[test]
fn junit_is_written_beside_the_result() {
    let tests = r#"
tests:
  - {name: "<the> \"time\" & \e[0m", agent: bot, tool: clock, operation: read, expect: allow}
  - {agent: bot, tool: shell, operation: run, expect: allow}
"#;
    let directory = directory(POLICY, tests);
    let ran = with(&directory, &["--junit", "report.xml"]);
    assert!(ran.stdout.ends_with("\n1 passed, 1 failed\n"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="1">
  <testsuite name="tests.yaml" tests="2" failures="1" errors="0">
    <testcase name="&lt;the&gt; &quot;time&quot; &amp; \u{1b}[0m" classname="tests.yaml"/>
    <testcase name="test #2" classname="tests.yaml">
      <failure message="expected allow, got deny — denied by rule for tool 'shell'"/>
    </testcase>
  </testsuite>
</testsuites>
"#;
    let report = std::fs::read_to_string(directory.path().join("report.xml")).unwrap();
    assert_eq!(report, expected);

    let ran = with(&directory, &["--junit", "no/such/report.xml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr
            .starts_with("error: no/such/report.xml: cannot be written: ")
    );
}

#[test]
fn layers_are_tested_as_one_policy() {
    let tests =
        "tests: [{agent: bot, tool: clock, operation: read, expect: deny, expect_rule: no-clock}]";
    let directory = directory(POLICY, tests);
    let team = "agents: {bot: {deny: [{tool: clock, id: no-clock}]}}";
    std::fs::write(directory.path().join("team.yaml"), team).unwrap();
    let mut command = crate::support::aegize(directory.path());
    command.args(["policy", "test", "policy.yaml", "team.yaml", "tests.yaml"]);
    let ran: Ran = command.output().unwrap().into();
    assert_eq!(
        ran.stdout,
        "PASS  test #1  (expected deny)\n\n1 passed, 0 failed\n"
    );
}

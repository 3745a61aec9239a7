//! `aegize policy lint`: its three faces, its exit codes, and what its help says.

use std::path::Path;

use serde_json::Value;

use crate::support::{POLICY, Ran, TESTS, aegize, directory, run};

const SHADOWED: &str = "\
agents:
  ops_bot:
    deny:
      - tool: shell
    allow:
      - tool: shell
        operations: [ls]
";

fn lint(directory: &Path, further: &[&str]) -> Ran {
    let mut command = aegize(directory);
    command
        .args(["policy", "lint", "policy.yaml"])
        .args(further);
    command
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap()
        .into()
}

#[test]
fn findings_are_told_with_their_lines() {
    let directory = directory(SHADOWED, TESTS);
    let expected = "\
warning[shadowed-rule]: `ops_bot.allow[0]`: never decides: `ops_bot.deny[0]` is asked before it and takes every call that it matches; remove it, or narrow the other
 --> policy.yaml:6
  |
6 |       - tool: shell
  |         ^^^^^^^^^^^
  = `ops_bot.deny[0]` is at policy.yaml:4
  = for example: {\"agent\":\"ops_bot\",\"tool\":\"shell\",\"operation\":\"ls\",\"risk_level\":\"low\"}

1 finding
";
    let ran = lint(directory.path(), &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    assert_eq!(ran.stdout, expected);
}

#[test]
fn what_is_fine_is_said_to_be() {
    let directory = directory(POLICY, TESTS);
    let ran = lint(directory.path(), &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "0 findings\n"));
}

#[test]
fn programs_read_json() {
    let directory = directory(SHADOWED, TESTS);
    let ran = lint(directory.path(), &["--format", "json"]);
    assert_eq!(ran.code, Some(1));
    let findings: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(findings["findings"][0]["code"], "shadowed-rule");
    assert_eq!(findings["findings"][0]["place"]["line"], 6);
    assert_eq!(
        findings["findings"][0]["related"][0]["rule"],
        "ops_bot.deny[0]"
    );
    assert_eq!(findings["findings"][0]["witness"]["operation"], "ls");
}

#[test]
fn reviewers_read_sarif() {
    let directory = directory(SHADOWED, TESTS);
    std::fs::write(
        directory.path().join("tools.json"),
        r#"[{"tool_name": "mail", "operation": "send", "risk_level": "high", "line": 3}]"#,
    )
    .unwrap();
    let ran = lint(
        directory.path(),
        &["--format", "sarif", "--tools", "tools.json"],
    );
    let log: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        assert!(
            rule["help"]["text"].as_str().unwrap().ends_with('.'),
            "{rule}"
        );
        assert!(rule["shortDescription"]["text"].is_string(), "{rule}");
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "policy.yaml");
        assert!(place["region"]["startLine"].as_u64() >= Some(1));
    }
}

#[test]
fn what_cannot_be_read_has_no_result() {
    let broken = directory("agents: {bot: {denny: []}}", TESTS);
    let ran = lint(broken.path(), &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("`denny`"), "{}", ran.stderr);
    let fine = directory(POLICY, "[{tool: mail}]");
    for tools in ["nowhere.json", "tests.yaml"] {
        let ran = lint(fine.path(), &["--tools", tools]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
        assert!(
            ran.stderr.starts_with(&format!("error: {tools}: ")),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn every_code_is_explained_in_the_help_and_in_the_readme() {
    let help = run(&["policy", "lint", "--help"]).stdout;
    let readme = include_str!("../../README.md");
    for code in aegize::FindingCode::ALL {
        let code = code.as_str();
        assert!(help.contains(&format!("\n  {code} ")), "{code}");
        assert!(readme.contains(&format!("\n| `{code}` | ")), "{code}");
    }
}

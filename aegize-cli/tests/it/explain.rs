//! `aegize policy explain`: the decision, the rule, and what came close.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{POLICY, Ran, aegize, directory, run};

const CALL: [&str; 6] = ["--agent", "bot", "--tool", "clock", "--operation", "read"];

fn explain(directory: &TempDir, arguments: &[&str]) -> Ran {
    let mut command = aegize(directory.path());
    command.args(["policy", "explain"]).args(arguments);
    command.output().unwrap().into()
}

#[test]
fn the_deciding_rule_is_told_with_its_line() {
    let directory = directory(POLICY, "");
    let arguments = [
        "policy.yaml",
        "--agent",
        "bot",
        "--tool",
        "email",
        "--operation",
        "send",
    ];
    let expected = "\
require_approval  approval required for tool 'email': mail leaves the company

  bot.require_approval[0]
  --> policy.yaml:12
  12 | - {tool: email, operations: [send], reason: mail leaves the company}
";
    let ran = explain(&directory, &arguments);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (expected, ""));
    assert_eq!(ran.code, Some(0));
}

#[test]
fn a_tool_without_a_rule_is_told_from_one_whose_other_rules_were_not_asked() {
    let rules = "allow: [{tool: shell}], deny: [{tool: shell}]";
    let directory = directory(format!("agents: {{bot: {{{rules}}}}}"), "");
    let told = |tool| {
        let call = ["--agent", "bot", "--tool", tool, "--operation", "ls"];
        explain(&directory, &[&["policy.yaml"], &call[..]].concat()).stdout
    };
    let unnamed = "No rule of this agent names the tool.";
    assert!(told("clock").ends_with(&format!("\n\n{unnamed}\n")));
    let shell = told("shell");
    assert!(
        shell.starts_with("deny") && !shell.contains("No "),
        "{shell}"
    );
}

#[test]
fn near_misses_are_told_with_the_condition_that_failed() {
    let policy = "
agents:
  bot:
    require_approval:
      - {tool: pay, args: {amount: {above: 100}}, unless: {args: {to: {email: '@acme.com'}}}}
    allow:
      - tool: pay
        args: {amount: {max: 50}, to: {email: '@acme.com'}}
      - {tool: pay, paths: [./safe/**]}
      - {tool: pay, operations: [refund]}
      - {tool: pay, risk_level_max: low}
      - {tool: other}
    environments:
      prod:
        deny: [{tool: pay}]
";
    let directory = directory(policy, "");
    let arguments = [
        "policy.yaml",
        "--agent",
        "bot",
        "--tool",
        "pay",
        "--operation",
        "charge",
        "--risk",
        "high",
        "--env",
        "dev",
        "--arg",
        "amount=120",
        "--arg",
        "to=a@acme.com",
        "--arg",
        "file=./safe/a",
        "--path-arg",
        "file",
        "--path",
        "./b",
        "--metadata",
        "ticket=7",
    ];
    let expected = "\
deny  no matching allow rule for tool 'pay' operation 'charge' (default deny)

Rules for this tool that did not apply:

  bot.environments.prod.deny[0]: the rule is for environment 'prod'
  --> policy.yaml:15
  15 | deny: [{tool: pay}]

  bot.require_approval[0]: exempt by its unless
  --> policy.yaml:5
  5 | - {tool: pay, args: {amount: {above: 100}}, unless: {args: {to: {email: '@acme.com'}}}}

  bot.allow[0]: argument `amount` does not satisfy max: 50
  --> policy.yaml:7
  7 | - tool: pay

  bot.allow[1]: path './b' is outside ./safe/**
  --> policy.yaml:9
  9 | - {tool: pay, paths: [./safe/**]}

  bot.allow[2]: operation 'charge' is not in operations
  --> policy.yaml:10
  10 | - {tool: pay, operations: [refund]}

  bot.allow[3]: risk 'high' is above risk_level_max 'low'
  --> policy.yaml:11
  11 | - {tool: pay, risk_level_max: low}
";
    let ran = explain(&directory, &arguments);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (expected, ""));

    let ran = explain(
        &directory,
        &[&arguments[..], &["--format", "json"]].concat(),
    );
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["decision"], "deny");
    assert_eq!(told["rule"], Value::Null);
    let miss = &told["near_misses"][2];
    assert_eq!(
        miss["condition"],
        "argument `amount` does not satisfy max: 50"
    );
    assert_eq!(miss["rule"]["line"], 7);
    assert_eq!(miss["rule"]["source"], "- tool: pay");
    assert_eq!(told["action"]["args"]["amount"], 120);
    assert_eq!(told["action"]["path_args"][0], "file");
    assert_eq!(told["action"]["metadata"]["environment"], "dev");
}

#[test]
fn layers_are_told_apart() {
    let directory = directory(POLICY, "");
    let team = "agents: {bot: {deny: [{tool: clock, id: no-clock}]}}";
    std::fs::write(directory.path().join("team.yaml"), team).unwrap();
    let ran = explain(
        &directory,
        &[&["policy.yaml", "team.yaml"], &CALL[..]].concat(),
    );
    assert!(
        ran.stdout.starts_with(
            "deny  denied by rule for tool 'clock'\n\n  no-clock\n  --> team.yaml:1\n"
        ),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.code, Some(0));
}

#[test]
fn values_are_json_or_else_strings() {
    let directory = directory("agents: {bot: {}}", "");
    let values = [
        ("12.50", serde_json::json!(12.5)),
        ("[\"a\"]", serde_json::json!(["a"])),
        ("Hello", "Hello".into()),
        ("\"12\"", "12".into()),
        ("a=b", "a=b".into()),
        ("", "".into()),
        ("null", Value::Null),
    ];
    for (text, expected) in values {
        let argument = format!("x={text}");
        let further = ["policy.yaml", "--format", "json", "--arg", &argument];
        let ran = explain(&directory, &[&CALL[..], &further].concat());
        let told: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(told["action"]["args"]["x"], expected, "{text}");
    }
}

#[test]
fn calls_that_make_no_sense_are_refused() {
    let rows: [(&[&str], &str); 9] = [
        (&[], "--agent <ID>"),
        (&["--agent", "a", "--tool", "b"], "--operation <NAME>"),
        (
            &[&CALL[..], &["--risk", "hgh"]].concat(),
            "[possible values: low, medium, high, critical]",
        ),
        (
            &[&CALL[..], &["--env", "test"]].concat(),
            "[possible values: dev, staging, prod]",
        ),
        (
            &[&CALL[..], &["--arg", "x"]].concat(),
            "write a name, `=` and a value",
        ),
        (
            &[&CALL[..], &["--arg", "x=1", "--arg", "x=2"]].concat(),
            "--arg gives `x` twice; remove one",
        ),
        (
            &[&CALL[..], &["--path-arg", "x"]].concat(),
            "there is no argument `x`",
        ),
        (
            &[&CALL[..], &["--path", "a", "--metadata", "paths=b"]].concat(),
            "--path and --metadata both give `paths`",
        ),
        (&CALL, "policy.yaml: cannot be read"),
    ];
    for (arguments, contains) in rows {
        let ran = run(&[&["policy", "explain", "policy.yaml"], arguments].concat());
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(
            ran.stderr.contains(contains) && !ran.stderr.contains("Usage: aegize <COMMAND>"),
            "{arguments:?}\n{}",
            ran.stderr
        );
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let directory = directory(POLICY, "");
    let coloured = |variables: &[(&str, &str)]| {
        let mut command = aegize(directory.path());
        command
            .args(["policy", "explain", "policy.yaml"])
            .args(CALL);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().contains('\u{1b}')
    };
    assert!(!coloured(&[]));
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[("NO_COLOR", "1")]));
}

#[test]
fn the_example_in_the_help_gives_the_result_in_the_help() {
    let help = run(&["policy", "explain", "--help"]).stdout;
    let policy = "agents:\n  research_bot:\n    allow:\n      - tool: file_reader\n        paths: [./safe_data/**]\n";
    let directory = directory("", "");
    std::fs::write(directory.path().join("aegize.yaml"), policy).unwrap();
    let call = "aegize.yaml --agent research_bot --tool file_reader --operation read --path ./notes/plan.md";
    let ran = explain(&directory, &call.split(' ').collect::<Vec<_>>());
    let shown = help.replace(" \\\n     ", "");
    assert!(shown.contains(call), "{shown}");
    for line in ran.stdout.lines() {
        assert!(help.contains(line), "{line}\n{help}");
    }
    assert_eq!(ran.code, Some(0));
}

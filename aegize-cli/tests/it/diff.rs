//! `aegize policy diff`: what changes in meaning.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, aegize, run};

const OLD: &str = "\
agents:
  bot:
    allow:
      - tool: pay
        args: { amount: { max: 100 } }
      - tool: files
        paths: [./a/**]
";

const NEW: &str = "\
agents:
  bot:
    deny:
      - { tool: files, paths: ['**/.env'], risk_level_min: high }
    allow:
      - tool: files
        paths: [./a/**]
      - tool: pay
        args: { amount: { max: 150 } }
";

fn diff(old: &str, new: &str, arguments: &[&str]) -> Ran {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("old.yaml"), old).unwrap();
    std::fs::write(directory.path().join("new.yaml"), new).unwrap();
    let mut command = aegize(directory.path());
    command.args(["policy", "diff", "old.yaml", "new.yaml"]);
    command.args(arguments).output().unwrap().into()
}

#[test]
fn each_difference_is_told_with_a_call_that_shows_it() {
    let expected = "\
widens  deny -> allow

  agent bot
  calls pay/other with amount=150

  before: by default
  after: by bot.allow[1]
  --> new.yaml:8
  8 | - tool: pay

tightens  allow -> deny

  agent bot
  calls files/other with the path path=\"./a/.env\", at risk high

  before: by bot.allow[1]
  --> old.yaml:6
  6 | - tool: files
  after: by bot.deny[0]
  --> new.yaml:4
  4 | - { tool: files, paths: ['**/.env'], risk_level_min: high }

2 differences: 1 widens, 1 tightens
";
    let ran = diff(OLD, NEW, &[]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (expected, ""));
    assert_eq!(ran.code, Some(1));

    let ran = diff(OLD, NEW, &["--format", "json"]);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["exhaustive"], true);
    let change = &told["changes"][0];
    assert_eq!(change["direction"], "widens");
    assert_eq!(change["agents"], serde_json::json!(["bot"]));
    assert_eq!(change["action"]["args"]["amount"], 150);
    assert_eq!(change["before"]["decision"], "deny");
    assert_eq!(change["before"]["rule"], Value::Null);
    assert_eq!(change["after"]["rule"]["name"], "bot.allow[1]");
    assert_eq!(change["after"]["rule"]["line"], 8);
}

#[test]
fn the_exit_code_tells_what_was_asked_for() {
    let wider = "agents: {bot: {allow: [{tool: a}, {tool: b}]}}";
    let narrower = "agents: {bot: {allow: [{tool: a}]}}";
    let same = "agents:\n  bot:\n    allow: # the same\n      - {tool: a, id: x}\n";
    let unknown = |end: &str| {
        format!(r"agents: {{bot: {{allow: [{{tool: a, args: {{q: {{matches: 'a\b.{end}'}}}}}}]}}}}")
    };
    let (one, other) = (unknown("*"), unknown("+"));
    for (old, new, arguments, code, end) in [
        (
            narrower,
            wider,
            &[] as &[&str],
            1,
            "1 difference: 1 widens, 0 tighten\n",
        ),
        (
            narrower,
            wider,
            &["--fail-on", "widen"],
            1,
            "1 difference: 1 widens, 0 tighten\n",
        ),
        (
            wider,
            narrower,
            &["--fail-on", "any"],
            1,
            "1 difference: 0 widen, 1 tightens\n",
        ),
        (
            wider,
            narrower,
            &["--fail-on", "widen"],
            0,
            "1 difference: 0 widen, 1 tightens\n",
        ),
        (narrower, same, &[], 0, "no difference in meaning\n"),
        (
            &one,
            &other,
            &["--fail-on", "widen"],
            1,
            "Not every kind of call was tried; there may be more differences:\n\n  \
             agent `bot`, tool `a`, operation `other`: combinations of conditions\n\n\
             no difference found\n",
        ),
    ] {
        let ran = diff(old, new, arguments);
        assert!(ran.stdout.ends_with(end), "{}", ran.stdout);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(code), ""),
            "{arguments:?}"
        );
    }
    let ran = diff("agents: {", "agnts: {}", &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("old.yaml") && ran.stderr.contains("new.yaml"));
}

#[test]
fn layers_below_are_part_of_both() {
    let directory = TempDir::new().unwrap();
    let write = |file: &str, text: &str| std::fs::write(directory.path().join(file), text).unwrap();
    write(
        "base.yaml",
        "roles: {r: {allow: [{tool: a}]}}\nagents: {bot: {deny: [{tool: b}]}}",
    );
    write("old.yaml", "agents: {bot: }");
    write(
        "new.yaml",
        "agents: {bot: {roles: [r], allow: [{tool: b}]}}",
    );
    let mut command = aegize(directory.path());
    command.args([
        "policy",
        "diff",
        "old.yaml",
        "new.yaml",
        "--base",
        "base.yaml",
    ]);
    let ran: Ran = command.output().unwrap().into();
    assert!(
        ran.stdout.contains("calls a/other\n"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    assert!(ran.stdout.ends_with("1 difference: 1 widens, 0 tighten\n"));
}

#[test]
fn the_result_in_the_help_is_that_of_the_command() {
    let policy = |max: u32| {
        format!(
            "agents:\n  research_bot:\n    allow:\n      - tool: payments\n        operations: [refund]\n        args: {{ amount: {{ max: {max} }} }}\n"
        )
    };
    let help = run(&["policy", "diff", "--help"]).stdout;
    let ran = diff(&policy(100), &policy(150), &[]);
    for line in ran.stdout.replace("new.yaml", "aegize.yaml").lines() {
        assert!(help.contains(line), "{line}\n{help}");
    }
}

//! What a policy file may say, and what a person reads when it says something else.

use std::fs;

use aegize::{Decision, LoadErrorKind, PermissionPolicy, PolicyTests, ToolAction};
use serde_json::json;

fn error(text: &str) -> String {
    PermissionPolicy::from_yaml_str(text)
        .unwrap_err()
        .to_string()
}

/// The same error without the lines that show the place.
fn messages(text: &str) -> Vec<String> {
    let error = PermissionPolicy::from_yaml_str(text).unwrap_err();
    error
        .problems()
        .iter()
        .map(|problem| problem.message().to_owned())
        .collect()
}

#[test]
fn all_problems_are_told_at_once_with_place_and_remedy() {
    let text = "\
version: 2
agents:
  bot:
    denny:
      - tool: shell
    allow:
      - tool: [a]
        operations: rm
        risk_level_max: hgh
      - operations: [x]
    deny:
      - {tool: t, risk_level_max: low, id: one}
      - {tool: yes, id: one}
    deny: []
";
    assert_eq!(
        error(text),
        "\
line 1, column 10: unsupported version; 1 is the only one, written `version: 1`
  1 | version: 2
    |          ^
line 4, column 5: unknown key `denny`; did you mean `deny`?
  4 |     denny:
    |     ^^^^^
line 7, column 15: expected a tool name, found a list
  7 |       - tool: [a]
    |               ^
line 8, column 21: expected a list of operation names, found a string; write `[rm]`
  8 |         operations: rm
    |                     ^^
line 9, column 25: unknown risk_level_max `hgh`; did you mean `high`?
  9 |         risk_level_max: hgh
    |                         ^^^
line 10, column 9: missing key `tool`; name the tool the rule is about
  10 |       - operations: [x]
     |         ^
line 12, column 19: `risk_level_max` is for allow rules and `unless`; here, write `risk_level_min`: the lowest risk the rule is about
  12 |       - {tool: t, risk_level_max: low, id: one}
     |                   ^^^^^^^^^^^^^^
line 13, column 16: `yes` is a boolean or a number to other YAML readers; put it in quotes: \"yes\"
  13 |       - {tool: yes, id: one}
     |                ^^^
line 13, column 25: id `one` is already given in line 12; give each rule its own
  13 |       - {tool: yes, id: one}
     |                         ^^^
line 14, column 5: duplicate key `deny`; merge it with the one above
  14 |     deny: []
     |     ^^^^"
    );
}

#[test]
fn each_mistake_has_its_words() {
    let rule = |rest: &str| format!("agents: {{bot: {{allow: [{{tool: t, {rest}}}]}}}}");
    let path = |path: &str| rule(&format!("paths: [{path}]"));
    for (text, expected) in [
        (
            String::new(),
            "the policy is empty; write `agents:` and the rules of each agent",
        ),
        (
            "# nothing".into(),
            "the policy is empty; write `agents:` and the rules of each agent",
        ),
        (
            "[]".into(),
            "expected a mapping with the key `agents`, found a list",
        ),
        (
            "{}".into(),
            "missing key `agents`; write `agents:` and the rules of each agent",
        ),
        (
            "agents: []".into(),
            "expected a mapping from agent ids to rules, found a list",
        ),
        (
            "agents: {1: {}}".into(),
            "expected a key, found a number; put it in quotes",
        ),
        (
            "agents: {bot: []}".into(),
            "expected a mapping of sections, found a list",
        ),
        (
            "agents: {bot: {allow: x}}".into(),
            "expected a list of rules, found a string; write `[x]`",
        ),
        (
            "agents: {bot: {allow: [x]}}".into(),
            "expected a rule: a mapping with the key `tool`, found a string",
        ),
        (
            "agents: {\"\": {}}".into(),
            "expected a key, found a blank one; write it out",
        ),
        (
            "agents: {bot: {}, bot: {}}".into(),
            "duplicate key `bot`; merge it with the one above",
        ),
        (
            "agents: {}\nversion: '1'".into(),
            "unsupported version; 1 is the only one, written `version: 1`",
        ),
        (
            rule("operations: [012]"),
            "`012` is a boolean or a number to other YAML readers; put it in quotes: \"012\"",
        ),
        (
            rule("operations: [1_000]"),
            "`1_000` is a boolean or a number to other YAML readers; put it in quotes: \"1_000\"",
        ),
        (
            rule("operations: [true]"),
            "expected a string, found a boolean; put it in quotes",
        ),
        (
            rule("operations: [null]"),
            "expected a string, found nothing; write one, or remove the key",
        ),
        (
            rule("operations:"),
            "expected a list of operation names, found nothing",
        ),
        (
            rule("operations: ['a**']"),
            "`a**` has `**`, which is for paths; in a name, `*` already stands for any text",
        ),
        (
            rule("operations: [' a']"),
            "` a` begins or ends with white space; remove it",
        ),
        (
            rule("operations: ['[a']"),
            "`[a` has a `[` without its `]`; write `[[]`",
        ),
        (
            rule("risk_level_min: low"),
            "`risk_level_min` is for deny and require_approval rules; an allow rule has `risk_level_max`",
        ),
        (
            rule("risk_level_max: severe"),
            "unknown risk_level_max `severe`; use low, medium, high, critical",
        ),
        (
            rule("symlinks: follow"),
            "unknown symlinks `follow`; use resolve, ignore",
        ),
        (
            rule("reason: 5"),
            "expected a string, found a number; put it in quotes",
        ),
        (
            rule("tool: t"),
            "duplicate key `tool`; merge it with the one above",
        ),
        (
            rule("paths: []"),
            "an empty list matches no path; name at least one, or remove the key",
        ),
        (
            path("a**"),
            "`a**` has `**` within `a**`; it stands for whole directories: write `**/` before or `/**` after a name",
        ),
        (
            path("../x"),
            "`../x` climbs above its start and could match nothing; write a path such as `./data/**` or `/srv/data/**`",
        ),
        (
            path("~/x"),
            "`~/x` begins with `~` and could match nothing; write a path such as `./data/**` or `/srv/data/**`",
        ),
        (
            path("'C:\\x'"),
            "`C:\\\\x` is a Windows drive, UNC or device path and could match nothing; write a path such as `./data/**` or `/srv/data/**`",
        ),
        (
            path("'{a/b,c}'"),
            "`{a/b,c}` has a `/` within braces; write one pattern for each path",
        ),
        (
            path("\"a\\u0007\""),
            "`a\\u{7}` holds '\\u{7}', which nobody sees; remove it",
        ),
    ] {
        assert_eq!(messages(&text), [expected], "{text}");
    }
}

#[test]
fn parts_of_yaml_that_surprise_are_not_read() {
    for (text, expected) in [
        (
            "agents: &a {}\nx-b: *a",
            "anchors and aliases are not read; write the value out in each place",
        ),
        (
            "agents: {bot: {<<: {allow: []}}}",
            "merge keys (`<<`) are not read; write the keys out",
        ),
        (
            "agents: !!map {}",
            "tags are not read; remove the `!` and its name",
        ),
        (
            "agents: {bot: {allow: [{tool: !secret x}]}}",
            "tags are not read; remove the `!` and its name",
        ),
        (
            "agents: {}\n---\nagents: {}",
            "a second document; put one document in a file",
        ),
        (
            "agents: {} # fine\rversion: 2",
            "a carriage return within a line; write a line break",
        ),
        ("a: [", "not valid YAML: unclosed bracket '['"),
        (
            "agents:\n\tbot: {}",
            "not valid YAML: tabs disallowed within this context (block indentation)",
        ),
    ] {
        let error = PermissionPolicy::from_yaml_str(text).unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Syntax, "{text}");
        assert_eq!(error.problems()[0].message(), expected, "{text}");
        assert!(error.problems()[0].line().is_some(), "{text}");
    }
    let deep = format!(
        "x-deep: {}1{}\nagents: {{}}",
        "[".repeat(40),
        "]".repeat(40)
    );
    assert_eq!(
        messages(&deep),
        ["nested deeper than 32 levels; flatten it"]
    );
    let wide = format!("agents: [{}]", "a,".repeat(3_000_000));
    assert_eq!(
        messages(&wide),
        ["more than 2500000 values; split the file"]
    );
    let long = " ".repeat(32 * 1024 * 1024 + 1);
    let error = PermissionPolicy::from_yaml_str(&long).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::TooLarge);
}

#[test]
fn a_file_names_itself_in_its_errors() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    for (path, kind, expected) in [
        (
            directory.path().join("none.yaml"),
            LoadErrorKind::Unreadable,
            "none.yaml: cannot be read: No such file",
        ),
        (
            directory.path().to_owned(),
            LoadErrorKind::Unreadable,
            ": cannot be read: Is a directory",
        ),
        (
            file("latin.yaml", b"agents:\n  caf\xe9: {}"),
            LoadErrorKind::NotUtf8,
            "latin.yaml:2:6: is not UTF-8; save the file as UTF-8",
        ),
        (
            file("bad.yaml", b"agents: {bot: {alow: []}}"),
            LoadErrorKind::Invalid,
            "bad.yaml:1:16: unknown key `alow`; did you mean `allow`?",
        ),
    ] {
        let error = PermissionPolicy::from_yaml_file(&path).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.file(), Some(path.as_path()));
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_value_loads_as_the_text_does_and_its_problems_tell_their_path() {
    let value = json!({"agents": {"bot": {"allow": [{"tool": "t", "operatons": []}]}}});
    let error = PermissionPolicy::from_value(&value).unwrap_err();
    assert_eq!(
        error.to_string(),
        "agents.bot.allow[0].operatons: unknown key `operatons`; did you mean `operations`?"
    );
    assert_eq!(error.problems()[0].path(), "agents.bot.allow[0].operatons");
    assert_eq!(error.problems()[0].line(), None);
}

#[test]
fn authors_may_keep_notes_and_leave_sections_empty() {
    let policy = PermissionPolicy::from_yaml_str(
        "\
version: 1
x-owner: the platform team
agents:
  bot:
    x-since: 2026
    allow:
      - {tool: clock, x-why: harmless, operations: [read]}
    deny:
    require_approval: []
  idle:
",
    )
    .unwrap();
    let allowed = ToolAction::new("bot", "clock", "read");
    assert_eq!(policy.evaluate(&allowed).decision(), Decision::Allow);
    let reason = policy
        .evaluate(&ToolAction::new("idle", "clock", "read"))
        .reason();
    assert_eq!(
        reason,
        "no matching allow rule for tool 'clock' operation 'read' (default deny)"
    );
}

#[test]
fn policy_tests_tell_all_their_problems() {
    let text = "\
tests:
  - {name: first, agent: bot, tool: t, operation: o, expect: alow}
  - {agent: bot, tool: t, expect: deny, risk_level: hih, metadta: {}}
  - {agent: 5, tool: t, operation: o, expect: deny, args: [1]}
  - {agent: a, tool: t, operation: o, expect: deny, args: {p: x}, path_args: [q]}
  - later
";
    let error = PolicyTests::from_yaml_str(text).unwrap_err();
    let messages: Vec<_> = error
        .problems()
        .iter()
        .map(aegize::Problem::message)
        .collect();
    assert_eq!(
        messages,
        [
            "unknown expect `alow`; did you mean `allow`?",
            "test #2: missing required field 'operation'",
            "unknown risk_level `hih`; did you mean `high`?",
            "unknown key `metadta`; did you mean `metadata`?",
            "expected a string, found a number; put it in quotes",
            "expected a mapping, found a list",
            "no argument `q` in args; write one of its names",
            "expected a case: a mapping, found a string",
        ]
    );
    for (text, expected) in [
        ("", "the file is empty; write `tests:` and a list of cases"),
        ("{}", "missing key `tests`; write a list of cases"),
        (
            "tests: []",
            "an empty list tests nothing; write at least one case",
        ),
        ("tests: {}", "expected a list of cases, found a mapping"),
    ] {
        let error = PolicyTests::from_yaml_str(text).unwrap_err();
        assert_eq!(error.problems()[0].message(), expected);
    }
}

#[test]
fn words_of_a_hostile_file_stay_words() {
    let text = "agents: {}\n\"a\\nerror: forged\": 1\n\"b\\e[2J\u{202e}\": 2\n";
    let shown = error(text);
    assert!(shown.contains(r"`a\nerror: forged`"), "{shown}");
    assert!(shown.contains(r"`b\u{1b}[2J\u{202e}`"), "{shown}");
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    let many = "agents: {}\n".to_owned() + &"a: 1\n".repeat(1_000);
    assert!(error(&many).ends_with("only the first 100 problems are shown"));
}

#[test]
fn names_are_what_they_look_like() {
    for (text, expected) in [
        (
            "agents: {\"bot\u{200b}\": {}}",
            "the agent id holds '\\u{200b}', which nobody sees; remove it",
        ),
        (
            "agents: {\"bot \": {}}",
            "the agent id begins or ends with white space; remove it",
        ),
        (
            "agents: {bot: {deny: [{tool: \"shell\u{200b}\"}]}}",
            "`shell\\u{200b}` holds '\\u{200b}', which nobody sees; remove it",
        ),
        (
            "agents: {bot: {deny: [{tool: t, paths: ['**/.env ']}]}}",
            "`**/.env ` begins or ends with white space; remove it",
        ),
    ] {
        assert_eq!(messages(text), [expected], "{text}");
    }
    let crlf = "agents:\r\n  bot:\r\n    allow:\r\n      - {tool: clock}\r\n";
    assert!(PermissionPolicy::from_yaml_str(crlf).is_ok());
}

#[test]
fn a_word_as_long_as_the_file_is_not_repeated() {
    let long = "x".repeat(1_000_000);
    let rules = "      - {tool: t, denny: 1}\n".repeat(2_000);
    let text = format!("agents:\n  ? {long}\n  :\n    allow:\n{rules}");
    let shown = error(&text);
    assert!(
        shown.contains("the agent id is longer than 256 bytes; shorten it"),
        "{shown:.300}"
    );
    assert!(shown.len() < 200_000, "{}", shown.len());
}

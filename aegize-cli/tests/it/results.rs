//! Standard output, letter by letter.

use crate::support::{POLICY, Ran, TESTS, policy_test};

#[test]
fn all_cases_pass() {
    let expected = Ran {
        code: Some(0),
        stdout: "\
PASS  the time  (expected allow)
PASS  test #2  (expected require_approval)

2 passed, 0 failed
"
        .to_owned(),
        stderr: String::new(),
    };
    assert_eq!(policy_test(POLICY, TESTS), expected);
}

#[test]
fn failed_cases_tell_the_decision_and_the_reason() {
    let tests = "
tests:
  - {name: a time too risky, agent: bot, tool: clock, operation: read, risk_level: high, expect: allow}
  - {name: \"the time – now\", agent: bot, tool: clock, operation: read, expect: allow}
  - {agent: bot, tool: clock, operation: read, risk_level: medium, expect: deny}
  - {agent: bot, tool: email, operation: send, expect: allow}
  - {agent: bot, tool: shell, operation: run, expect: require_approval}
  - {name: stranger, agent: ghost, tool: clock, operation: read, expect: allow}
";
    let expected = Ran {
        code: Some(1),
        stdout: "\
FAIL  a time too risky  (expected allow, got deny — no matching allow rule for tool 'clock' operation 'read' (default deny))
PASS  the time – now  (expected allow)
FAIL  test #3  (expected deny, got allow — allowed by rule for tool 'clock')
FAIL  test #4  (expected allow, got require_approval — approval required for tool 'email': mail leaves the company)
FAIL  test #5  (expected require_approval, got deny — denied by rule for tool 'shell')
FAIL  stranger  (expected allow, got deny — unknown agent 'ghost' (default deny))

1 passed, 5 failed
"
        .to_owned(),
        stderr: String::new(),
    };
    assert_eq!(policy_test(POLICY, tests), expected);
}

#[test]
fn control_characters_of_the_files_are_escaped() {
    let policy = r#"agents: {bot: {deny: [{tool: shell, reason: "a\e[2J\nPASS  b\u202e"}]}}"#;
    let tests = r#"
tests:
  - {name: "red \e[31m\r\nPASS  \u009b1m — Größe 日本語", agent: bot, tool: shell, operation: run, expect: deny}
  - {name: "\x00\a\t\u2066", agent: bot, tool: shell, operation: run, expect: allow}
  - {name: c, agent: "gh\eost", tool: shell, operation: run, expect: allow}
"#;
    let expected = Ran {
        code: Some(1),
        stdout: r"PASS  red \u{1b}[31m\r\nPASS  \u{9b}1m — Größe 日本語  (expected deny)
FAIL  \u{0}\u{7}\t\u{2066}  (expected allow, got deny — denied by rule for tool 'shell': a\u{1b}[2J\nPASS  b\u{202e})
FAIL  c  (expected allow, got deny — unknown agent 'gh\u{1b}ost' (default deny))

1 passed, 2 failed
"
        .to_owned(),
        stderr: String::new(),
    };
    assert_eq!(policy_test(policy, tests), expected);
}

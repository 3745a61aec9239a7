//! Files without a result: exit code 2, nothing on standard output, and an error that helps.

mod rows;

use self::rows::{BAD_POLICIES, BAD_TESTS, T};
use crate::support::{POLICY, Ran, TESTS, aegize, directory, policy_test};

#[track_caller]
fn assert_unusable(name: &str, ran: &Ran, contains: &[&str]) {
    let Ran {
        code,
        stdout,
        stderr,
    } = ran;
    assert_eq!((*code, stdout.as_str()), (Some(2), ""), "{name}\n{stderr}");
    assert!(stderr.starts_with("error: "), "{name}\n{stderr}");
    assert!(stderr.ends_with('\n'), "{name}\n{stderr}");
    for part in contains {
        assert!(stderr.contains(part), "{name}: no {part:?} in\n{stderr}");
    }
    for noise in ["panicked", "RUST_BACKTRACE", "src/"] {
        assert!(!stderr.contains(noise), "{name}: {noise:?} in\n{stderr}");
    }
}

#[test]
fn every_problem_is_told() {
    for (name, policy, tests, contains) in BAD_POLICIES.iter().chain(BAD_TESTS) {
        assert_unusable(name, &policy_test(policy, tests), contains);
    }
}

#[test]
fn only_the_bad_file_is_blamed() {
    for (name, policy, tests, _) in BAD_POLICIES.iter().filter(|row| row.2 == T) {
        let ran = policy_test(policy, tests);
        assert!(!ran.stderr.contains("tests.yaml"), "{name}\n{}", ran.stderr);
    }
    for (name, policy, tests, _) in BAD_TESTS {
        let ran = policy_test(policy, tests);
        assert!(
            !ran.stderr.contains("policy.yaml"),
            "{name}\n{}",
            ran.stderr
        );
    }
}

#[test]
fn both_files_are_told_in_order() {
    let ran = policy_test("agents: {bot: {denny: []}}", "tests: []");
    assert_unusable("both", &ran, &["`denny`", "empty list"]);
    let errors: Vec<_> = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 2, "{}", ran.stderr);
    assert!(
        errors[0].starts_with("error: policy.yaml:1:16: "),
        "{}",
        ran.stderr
    );
    assert!(
        errors[1].starts_with("error: tests.yaml:1:8: "),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_place_is_shown() {
    let ran = policy_test(POLICY, "tests:\n  - agent: bot\n    expekt: deny\n");
    let place = "  3 |     expekt: deny\n    |     ^^^^^^\n";
    assert_unusable(
        "place",
        &ran,
        &["error: tests.yaml:2:5: ", "tests.yaml:3:5: ", place],
    );
}

#[test]
fn files_that_cannot_be_read() {
    let directory = directory(POLICY, TESTS);
    std::fs::create_dir(directory.path().join("folder")).unwrap();
    let rows: [(&str, &str, &[&str]); 6] = [
        (
            "missing.yaml",
            "tests.yaml",
            &["error: missing.yaml: cannot be read: "],
        ),
        (
            "policy.yaml",
            "missing.yaml",
            &["error: missing.yaml: cannot be read: "],
        ),
        ("folder", "tests.yaml", &["error: folder: cannot be read: "]),
        (
            "policy.yaml",
            "folder",
            &["error: folder: cannot be read: "],
        ),
        (
            "no.yaml",
            "folder",
            &[
                "error: no.yaml: cannot be read: ",
                "\nerror: folder: cannot be read: ",
            ],
        ),
        (
            "",
            "tests.yaml",
            &["error: a value is required for '<POLICY>...'"],
        ),
    ];
    for (policy, tests, contains) in rows {
        let arguments = ["policy", "test", policy, tests];
        let ran = aegize(directory.path())
            .args(arguments)
            .output()
            .unwrap()
            .into();
        assert_unusable(&format!("{policy:?} {tests:?}"), &ran, contains);
    }
}

#[cfg(unix)]
#[test]
fn a_file_without_an_end_is_cut_off() {
    let directory = directory(POLICY, TESTS);
    let arguments = ["policy", "test", "/dev/zero", "tests.yaml"];
    let ran = aegize(directory.path())
        .args(arguments)
        .output()
        .unwrap()
        .into();
    assert_unusable("/dev/zero", &ran, &["/dev/zero: is longer than"]);
}

#[test]
fn errors_escape_what_the_files_say() {
    let ran = policy_test(
        "agents: {bot: {\"\\e[31mdenny\\nerror: forged\": []}}",
        "tests:\n  - {name: \"\\e]0;title\\a\", agent: bot, tool: a, operation: b, expect: \"\\u202e\\r\"}\n  - {name: \"\\e[2J\"}",
    );
    let escaped = [
        r"`\u{1b}[31mdenny\nerror: forged`",
        r"unknown expect `\u{202e}\r`",
        r"\u{1b}[2J: missing required field 'agent'",
    ];
    assert_unusable("escapes", &ran, &escaped);
    let is_plain = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
    assert!(ran.stderr.chars().all(is_plain), "{:?}", ran.stderr);
    assert!(!ran.stderr.contains("\nerror: forged"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn errors_escape_the_names_of_files() {
    let directory = directory(POLICY, TESTS);
    let name = "a\nerror: b\u{1b}[2J.yaml";
    std::fs::write(directory.path().join(name), "agents: {}\nagents: {}\n").unwrap();
    let arguments = ["policy", "test", name, "tests.yaml"];
    let ran = aegize(directory.path())
        .args(arguments)
        .output()
        .unwrap()
        .into();
    assert_unusable(
        "name",
        &ran,
        &[r"error: a\nerror: b\u{1b}[2J.yaml:2:1: duplicate key `agents`"],
    );
}

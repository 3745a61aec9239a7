//! What counts as a path of a case: its arguments and its metadata.

use std::fmt::Write as _;

use crate::support::{POLICY, policy_test};

/// What `files`/`read` with `args` and `metadata` gives, and what it should.
const CASES: [(&str, &str); 17] = [
    // No path: an allow rule with `paths` has nothing to prove.
    ("deny", ""),
    ("deny", "args: {}, metadata: {}"),
    ("deny", "metadata: {ticket: ./safe/a}"),
    // Metadata.
    ("allow", "metadata: {path: ./safe/a}"),
    ("deny", "metadata: {path: /etc/passwd}"),
    ("deny", "metadata: {path: ./safe/../../etc/passwd}"),
    (
        "allow",
        "metadata: {candidate_paths: [./safe/a, ./safe/b/c]}",
    ),
    (
        "deny",
        "metadata: {candidate_paths: [./safe/a, /etc/passwd]}",
    ),
    ("deny", "metadata: {candidate_paths: []}"),
    (
        "deny",
        "metadata: {path: ./safe/a, candidate_paths: [/etc/passwd]}",
    ),
    ("deny", "metadata: {path: 7}"),
    // Arguments.
    ("allow", "args: {file: ./safe/a}"),
    ("deny", "args: {file: /etc/passwd}"),
    ("deny", "args: {from: ./safe/a, to: /etc/passwd}"),
    ("allow", "args: {file: ./safe/a, mode: fast, lines: 20}"),
    // Both.
    (
        "deny",
        "args: {file: /etc/passwd}, metadata: {path: ./safe/a}",
    ),
    (
        "allow",
        "args: {file: ./safe/b}, metadata: {path: ./safe/a}",
    ),
];

#[test]
fn every_path_of_a_case_has_to_be_inside() {
    let mut tests = "tests:\n".to_owned();
    let mut expected = String::new();
    for (index, (decision, values)) in CASES.iter().enumerate() {
        let case = format!("agent: bot, tool: files, operation: read, expect: {decision}");
        writeln!(tests, "  - {{{case}, {values}}}").unwrap();
        writeln!(expected, "PASS  test #{}  (expected {decision})", index + 1).unwrap();
    }
    writeln!(expected, "\n{} passed, 0 failed", CASES.len()).unwrap();
    let ran = policy_test(POLICY, tests);
    assert_eq!(
        (ran.stdout, ran.code),
        (expected, Some(0)),
        "{}",
        ran.stderr
    );
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_not_looked_at() {
    let tests = "tests: [{agent: bot, tool: files, operation: read, metadata: {path: ./safe/link}, expect: allow}]";
    let directory = crate::support::directory(POLICY, tests);
    std::fs::create_dir(directory.path().join("safe")).unwrap();
    std::os::unix::fs::symlink("/etc", directory.path().join("safe/link")).unwrap();
    let output = crate::support::policy_test_in(directory.path())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "PASS  test #1  (expected allow)\n\n1 passed, 0 failed\n"
    );
}

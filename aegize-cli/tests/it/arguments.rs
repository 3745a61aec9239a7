//! The command line itself.

use crate::support::run;

#[test]
fn bad_arguments_are_told_with_the_usage() {
    let rows: [(&[&str], &str); 7] = [
        (&["polcy"], "unrecognized subcommand 'polcy'"),
        (&["policy", "tset"], "unrecognized subcommand 'tset'"),
        (&["policy", "test"], "<POLICY>..."),
        (&["policy", "test", "a.yaml"], "<TESTS>"),
        (
            &["policy", "test", "--strict", "a.yaml", "b.yaml"],
            "unexpected argument '--strict'",
        ),
        (&["--verbose"], "unexpected argument '--verbose'"),
        (&["p\r\u{202e}"], r"unrecognized subcommand 'p\r\u{202e}'"),
    ];
    for (arguments, contains) in rows {
        let ran = run(arguments);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(
            ran.stderr.starts_with("error: "),
            "{arguments:?}\n{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains("Usage: aegize"),
            "{arguments:?}\n{}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains(contains),
            "{arguments:?}\n{}",
            ran.stderr
        );
    }
}

#[test]
fn no_arguments_show_the_help() {
    for (arguments, usage) in [
        (&[] as &[&str], "Usage: aegize <COMMAND>"),
        (&["policy"], "Usage: aegize policy <COMMAND>"),
        (&["audit"], "Usage: aegize audit <COMMAND>"),
    ] {
        let ran = run(arguments);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(ran.stderr.contains(usage), "{arguments:?}\n{}", ran.stderr);
        assert!(
            ran.stderr.contains("Exit codes:"),
            "{arguments:?}\n{}",
            ran.stderr
        );
    }
}

#[cfg(unix)]
#[test]
fn arguments_need_not_be_unicode() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let bad = OsStr::from_bytes(b"\xff.yaml");
    let command = run(&[bad]);
    assert_eq!(command.code, Some(2), "{}", command.stderr);
    assert!(command.stderr.starts_with("error: "), "{}", command.stderr);

    let file = run(&[OsStr::new("policy"), OsStr::new("test"), bad, bad]);
    assert_eq!(file.code, Some(2), "{}", file.stderr);
    assert_eq!(
        file.stderr
            .matches("error: \u{fffd}.yaml: cannot be read: ")
            .count(),
        2,
        "{}",
        file.stderr
    );
}

#[test]
fn the_version_is_the_package_s() {
    let ran = run(&["--version"]);
    assert_eq!(
        ran.stdout,
        concat!("aegize ", env!("CARGO_PKG_VERSION"), "\n")
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

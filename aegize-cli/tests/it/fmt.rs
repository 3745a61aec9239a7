//! `aegize policy fmt`: what it does to files.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::{Ran, aegize};

const UGLY: &str = "agents: {bot: {deny: [{operations: [rm], tool: 'shell'}]}} # no rm\n";
const FINE: &str = "\
agents:  # no rm
  bot:
    deny:
      - tool: shell
        operations: [rm]
";

fn files(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn fmt(directory: &Path, arguments: &[&str]) -> Ran {
    let mut command = aegize(directory);
    command.args(["policy", "fmt"]).args(arguments);
    command.output().unwrap().into()
}

fn read(directory: &TempDir, name: &str) -> String {
    fs::read_to_string(directory.path().join(name)).unwrap()
}

#[track_caller]
fn assert_ran(ran: &Ran, code: i32, stdout: &str) {
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (stdout, ""));
    assert_eq!(ran.code, Some(code));
}

#[test]
fn files_are_formatted_once() {
    let directory = files(&[("a.yaml", UGLY), ("b.yaml", FINE), ("c.yaml", UGLY)]);
    let all = ["a.yaml", "b.yaml", "c.yaml"];
    let ran = fmt(directory.path(), &all);
    assert_ran(&ran, 0, "formatted a.yaml\nformatted c.yaml\n");
    for name in all {
        assert_eq!(read(&directory, name), FINE, "{name}");
    }
    assert_ran(&fmt(directory.path(), &all), 0, "");
    let left = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, 3, "nothing else is left behind");
}

#[test]
fn check_shows_what_would_change_and_changes_nothing() {
    let directory = files(&[("a.yaml", UGLY), ("b.yaml", FINE)]);
    let ran = fmt(directory.path(), &["--check", "a.yaml", "b.yaml"]);
    let expected = "\
--- a.yaml
+++ a.yaml, formatted
@@ -1 +1,5 @@
-agents: {bot: {deny: [{operations: [rm], tool: 'shell'}]}} # no rm
+agents:  # no rm
+  bot:
+    deny:
+      - tool: shell
+        operations: [rm]
";
    assert_ran(&ran, 1, expected);
    assert_eq!(read(&directory, "a.yaml"), UGLY);
    assert_ran(&fmt(directory.path(), &["--check", "b.yaml"]), 0, "");
}

#[test]
fn differences_are_safe_to_show() {
    let text = "agents: {}\r\n# \u{202e}\nx-a:   1\n";
    let directory = files(&[("a.yaml", text)]);
    let ran = fmt(directory.path(), &["--check", "a.yaml"]);
    let expected = "\
--- a.yaml
+++ a.yaml, formatted
@@ -1,3 +1,3 @@
-agents: {}\\r
+agents: {}
 # \\u{202e}
-x-a:   1
+x-a: 1
";
    assert_ran(&ran, 1, expected);
}

#[test]
fn colour_is_for_those_who_want_it() {
    let directory = files(&[("a.yaml", UGLY)]);
    let styled = |name: &str, value: &str| {
        let mut command = aegize(directory.path());
        command.args(["policy", "fmt", "--check", "a.yaml"]);
        let ran: Ran = command.env(name, value).output().unwrap().into();
        ran.stdout.contains('\u{1b}')
    };
    assert!(styled("CLICOLOR_FORCE", "1"));
    assert!(!styled("NO_COLOR", "1"));
    assert!(!styled("TERM", "dumb"));
}

#[test]
fn nothing_is_touched_if_a_file_does_not_load() {
    let bad = "agents: {bot: {denny: []}}\n";
    let rows: [(&str, &str); 4] = [
        (bad, "error: bad.yaml:1:16: unknown key `denny`"),
        ("tests: []\n", "error: bad.yaml:1:1: unknown key `tests`"),
        ("agents: {bot: [", "error: bad.yaml:1:"),
        (
            "agents: {}\nx-a: {[b]: c}\n",
            "error: bad.yaml:2:7: a list or mapping as a key",
        ),
    ];
    for (text, message) in rows {
        let directory = files(&[("good.yaml", UGLY), ("bad.yaml", text)]);
        for arguments in [
            &["good.yaml", "bad.yaml"] as &[&str],
            &["--check", "good.yaml", "bad.yaml"],
        ] {
            let ran = fmt(directory.path(), arguments);
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{text}");
            assert!(ran.stderr.starts_with(message), "{text}\n{}", ran.stderr);
            assert_eq!(read(&directory, "good.yaml"), UGLY);
            assert_eq!(read(&directory, "bad.yaml"), text);
        }
    }
}

#[test]
fn a_dash_is_a_stream() {
    let directory = files(&[]);
    let with_input = |arguments: &[&str], input: &[u8]| -> Ran {
        let mut command: Command = aegize(directory.path());
        command.args(["policy", "fmt"]).args(arguments);
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, input).unwrap();
        drop(writer);
        command.stdin(Stdio::from(reader)).output().unwrap().into()
    };
    assert_ran(&with_input(&["-"], UGLY.as_bytes()), 0, FINE);
    assert_ran(&with_input(&["-"], FINE.as_bytes()), 0, FINE);
    assert_ran(&with_input(&["--check", "-"], FINE.as_bytes()), 0, "");
    let ran = with_input(&["--check", "-"], UGLY.as_bytes());
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stdout.starts_with("--- -\n+++ -, formatted\n@@"),
        "{}",
        ran.stdout
    );
    let rows: [(&[&str], &[u8], &str); 4] = [
        (
            &["-"],
            b"agents: []",
            "error: line 1, column 9: expected a mapping",
        ),
        (
            &["-"],
            b"agents: {a\xff: }",
            "error: line 1, column 11: is not UTF-8",
        ),
        (
            &["-", "a.yaml"],
            b"",
            "error: `-` cannot be formatted together",
        ),
        (&[], b"", "error: the following required arguments"),
    ];
    for (arguments, input, message) in rows {
        let ran = with_input(arguments, input);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(
            ran.stderr.starts_with(message),
            "{arguments:?}\n{}",
            ran.stderr
        );
    }
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let directory = files(&[("real.yaml", UGLY)]);
    let path = |name: &str| directory.path().join(name);
    fs::create_dir(path("links")).unwrap();
    symlink("../real.yaml", path("links/a.yaml")).unwrap();
    fs::set_permissions(path("real.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    assert_ran(
        &fmt(directory.path(), &["links/a.yaml"]),
        0,
        "formatted links/a.yaml\n",
    );
    assert!(path("links/a.yaml").is_symlink());
    assert_eq!(read(&directory, "real.yaml"), FINE);
    let mode = fs::metadata(path("real.yaml"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o640);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    // A directory in which nobody can make a file, whoever runs this.
    let ran = aegize(Path::new("/"))
        .args(["policy", "fmt", "/proc/self/fd/0"])
        .stdin(Stdio::from({
            let (reader, mut writer) = std::io::pipe().unwrap();
            std::io::Write::write_all(&mut writer, UGLY.as_bytes()).unwrap();
            reader
        }))
        .output()
        .unwrap();
    let ran: Ran = ran.into();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let message = "error: /proc/self/fd/0: cannot be written: ";
    assert!(ran.stderr.starts_with(message), "{}", ran.stderr);
}

/// The policies that the repository shows have the layout that it asks for.
#[test]
fn the_policies_of_the_repository_are_formatted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = [
        "examples/aegize.yaml",
        "examples/demo_policy.yaml",
        "examples/quickstart/aegize.yaml",
        "tests/beside/examples/mcp_policy.yaml",
    ];
    let ran = fmt(&root, &[&["--check"], &files as &[&str]].concat());
    assert_ran(&ran, 0, "");
}

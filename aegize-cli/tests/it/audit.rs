//! `aegize audit` on logs that a guard wrote.

use std::fs;
use std::path::Path;
use std::process::Command;

use aegize::tlog::{Checkpoint, SigningKey, TlogProof, Tree, leaf};
use serde_json::Value;
use tempfile::TempDir;

use crate::ledger;
use crate::support::{Ran, aegize};

/// A directory with a log `audit.jsonl` of ten records, and the keys `log.key` and `log.key.pub`.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    ledger::write(&directory.path().join("audit.jsonl"), 5);
    let ran = audit(directory.path(), &["keygen", "example.com/agents"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    directory
}

fn audit(directory: &Path, arguments: &[&str]) -> Ran {
    let mut command: Command = aegize(directory);
    command
        .arg("audit")
        .args(arguments)
        .output()
        .unwrap()
        .into()
}

fn root(lines: &str) -> String {
    let mut tree = Tree::default();
    for line in lines.lines() {
        tree.push(leaf(line.as_bytes()));
    }
    tree.root().to_string()
}

fn done(ran: &Ran) -> &str {
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (Some(0), ""),
        "{}",
        ran.stdout
    );
    &ran.stdout
}

#[test]
fn an_intact_log_is_told_with_what_vouches_for_it() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let text = fs::read_to_string(at("audit.jsonl")).unwrap();
    let root = root(&text);

    let ran = audit(directory.path(), &["verify", "audit.jsonl"]);
    let expected = format!(
        "intact  10 records, root {root}\n  no checkpoint was checked: its end may be missing, or all \
         of it replaced\n"
    );
    assert_eq!(done(&ran), expected);

    let signed = audit(
        directory.path(),
        &["checkpoint", "audit.jsonl", "--key", "log.key"],
    );
    assert_eq!(
        done(&signed),
        fs::read_to_string(at("audit.jsonl.checkpoint")).unwrap()
    );
    fs::write(at("kept"), &signed.stdout).unwrap();
    ledger::write(&at("audit.jsonl"), 1);

    // The key as a file, and as it is.
    let key = fs::read_to_string(at("log.key.pub")).unwrap();
    for key in ["log.key.pub", key.trim_end()] {
        let ran = audit(
            directory.path(),
            &["verify", "audit.jsonl", "--key", key, "--since", "kept"],
        );
        let mut lines = done(&ran).lines();
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with("intact  12 records, root ")
        );
        let agrees = "10 records of example.com/agents";
        let expected = [
            format!("  agrees with audit.jsonl.checkpoint: {agrees}"),
            format!("  agrees with kept: {agrees}"),
        ];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }

    let arguments = [
        "verify",
        "audit.jsonl",
        "--key",
        "log.key.pub",
        "--format",
        "json",
    ];
    let told: Value = done(&audit(directory.path(), &arguments)).parse().unwrap();
    let checkpoint = serde_json::json!({
        "file": "audit.jsonl.checkpoint", "log": "example.com/agents", "records": 10, "root": root,
    });
    assert_eq!(told["intact"], true);
    assert_eq!(
        (&told["records"], &told["unlinked"]),
        (&12.into(), &0.into())
    );
    assert_eq!(told["checkpoints"], Value::from(vec![checkpoint]));
}

#[test]
fn segments_and_standard_input_are_logs_too() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    ledger::split(&at("audit.jsonl"), &at("segments"), &[4, 6]);
    let file = audit(directory.path(), &["verify", "audit.jsonl"]);
    let segments = audit(directory.path(), &["verify", "segments"]);
    assert_eq!(done(&segments), done(&file));

    let output = aegize(directory.path())
        .args(["audit", "verify", "/dev/stdin"])
        .stdin(fs::File::open(at("audit.jsonl")).unwrap())
        .output();
    assert_eq!(done(&output.unwrap().into()), done(&file));
    let cat = Command::new("cat")
        .arg(at("audit.jsonl"))
        .stdout(std::process::Stdio::piped())
        .spawn();
    let output = aegize(directory.path())
        .args(["audit", "verify", "/dev/stdin"])
        .stdin(cat.unwrap().stdout.unwrap())
        .output();
    assert_eq!(done(&output.unwrap().into()), done(&file));

    done(&audit(
        directory.path(),
        &["checkpoint", "segments", "--key", "log.key"],
    ));
    fs::remove_file(at("segments/00000000000000000004.jsonl")).unwrap();
    let ran = audit(
        directory.path(),
        &["verify", "segments", "--key", "log.key.pub"],
    );
    let expected = "\
broken  segments/00000000000000000006.jsonl:1: missing_segment
  records 4 to 5 are missing before this segment: a file was removed, or one was cut
";
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(1)));
}

#[test]
fn a_broken_log_is_told_with_its_first_bad_line() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    done(&audit(
        directory.path(),
        &["checkpoint", "audit.jsonl", "--key", "log.key"],
    ));
    let text = fs::read_to_string(at("audit.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();

    let edited = text.replacen("number 1", "number 7", 1);
    fs::write(at("audit.jsonl"), &edited).unwrap();
    let ran = audit(directory.path(), &["verify", "audit.jsonl"]);
    let expected = "\
broken  audit.jsonl:3: edited
  record 2 was edited: record 3 has the hash of another line as its `prev`
";
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(1)));
    let ran = audit(
        directory.path(),
        &["verify", "audit.jsonl", "--format", "json"],
    );
    let expected = serde_json::json!({
        "intact": false, "kind": "edited", "file": "audit.jsonl", "line": 3, "position": 2, "earliest": 2,
        "message": "record 2 was edited: record 3 has the hash of another line as its `prev`",
    });
    assert_eq!(ran.stdout.parse::<Value>().unwrap(), expected);
    assert_eq!(ran.code, Some(1));
    // What is broken is not signed.
    let before = fs::read(at("audit.jsonl.checkpoint")).unwrap();
    let ran = audit(
        directory.path(),
        &["checkpoint", "audit.jsonl", "--key", "log.key"],
    );
    assert!(
        ran.stdout.starts_with("broken  audit.jsonl:3: edited\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.code, Some(1));
    assert_eq!(fs::read(at("audit.jsonl.checkpoint")).unwrap(), before);

    fs::write(at("audit.jsonl"), format!("{}\n", lines[..8].join("\n"))).unwrap();
    let ran = audit(
        directory.path(),
        &["verify", "audit.jsonl", "--key", "log.key.pub"],
    );
    let expected = "\
broken  audit.jsonl:9: truncated
  the log has 8 records, and `audit.jsonl.checkpoint` was signed for 10
";
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(1)));
    let ran = audit(
        directory.path(),
        &["checkpoint", "audit.jsonl", "--key", "log.key"],
    );
    assert_eq!(ran.code, Some(1));

    // Written anew, with all its links.
    fs::remove_file(at("audit.jsonl")).unwrap();
    ledger::write(&at("audit.jsonl"), 6);
    let ran = audit(
        directory.path(),
        &["verify", "audit.jsonl", "--key", "log.key.pub"],
    );
    let expected = "\
broken  audit.jsonl:10: forked
  the links hold, but the first 10 records are not those that `audit.jsonl.checkpoint` was signed for: \
the last of them was edited, or all from one on were rewritten
  records from 0 up to this one may have been changed, too: nothing vouches for them
";
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(1)));

    let other = SigningKey::generate("example.com/agents").unwrap();
    let forged = Checkpoint::sign(Tree::default().head(), &other);
    fs::write(at("audit.jsonl.checkpoint"), forged).unwrap();
    let ran = audit(
        directory.path(),
        &["verify", "audit.jsonl", "--key", "log.key.pub"],
    );
    let expected = "\
broken  audit.jsonl.checkpoint: bad_signature
  `example.com/agents` signed the note, and no key that you trust; give the public key of the log
";
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(1)));
}

#[test]
fn a_record_is_proved_to_who_has_only_the_key() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let text = fs::read_to_string(at("audit.jsonl")).unwrap();
    let line = text.lines().nth(3).unwrap();

    let ran = audit(directory.path(), &["prove", "audit.jsonl", "--seq", "3"]);
    let expected = "error: audit.jsonl.checkpoint: does not cover record 3, or is not there; give --key to \
                    sign the present head\n";
    assert_eq!((ran.stderr.as_str(), ran.code), (expected, Some(2)));
    let with_key = ["prove", "audit.jsonl", "--seq", "3", "--key", "log.key"];
    let signed_now = audit(directory.path(), &with_key);
    done(&audit(
        directory.path(),
        &["checkpoint", "audit.jsonl", "--key", "log.key"],
    ));
    let arguments = [
        "prove",
        "audit.jsonl",
        "--seq",
        "3",
        "--output",
        "3.tlog-proof",
    ];
    assert_eq!(done(&audit(directory.path(), &arguments)), "");
    let proof = fs::read_to_string(at("3.tlog-proof")).unwrap();
    assert_eq!(done(&signed_now), proof);
    assert_eq!(
        audit(directory.path(), &arguments).code,
        Some(2),
        "a file is not overwritten"
    );

    // Nothing but the proof and the key.
    fs::rename(at("audit.jsonl"), at("elsewhere")).unwrap();
    let ran = audit(
        directory.path(),
        &["verify-proof", "3.tlog-proof", "--key", "log.key.pub"],
    );
    let expected =
        format!("proved  record 3 of example.com/agents, which had 10 records\n{line}\n");
    assert_eq!(done(&ran), expected);
    let arguments = [
        "verify-proof",
        "3.tlog-proof",
        "--key",
        "log.key.pub",
        "--format",
        "json",
    ];
    let told: Value = done(&audit(directory.path(), &arguments)).parse().unwrap();
    assert_eq!(told["record"], line.parse::<Value>().unwrap());
    assert_eq!((&told["seq"], &told["records"]), (&3.into(), &10.into()));

    fs::write(at("line"), format!("{line}\n")).unwrap();
    fs::write(at("changed"), line.replace("bot", "bat")).unwrap();
    let with = |file| {
        let arguments = [
            "verify-proof",
            "3.tlog-proof",
            "--key",
            "log.key.pub",
            "--record",
            file,
        ];
        audit(directory.path(), &arguments)
    };
    assert_eq!(done(&with("line")), expected);
    let changed = with("changed");
    assert!(
        changed
            .stdout
            .starts_with("not proved  the proof does not lead from the record")
    );
    assert_eq!(changed.code, Some(1));

    // Another record in the place of the one that is proved.
    let parsed: TlogProof = proof.parse().unwrap();
    let forged = parsed.with_extra(line.replace("bot", "bat"));
    fs::write(at("3.tlog-proof"), forged.to_string()).unwrap();
    let arguments = [
        "verify-proof",
        "3.tlog-proof",
        "--key",
        "log.key.pub",
        "--format",
        "json",
    ];
    let ran = audit(directory.path(), &arguments);
    assert_eq!(ran.stdout.parse::<Value>().unwrap()["proved"], false);
    assert_eq!(ran.code, Some(1));
}

#[test]
#[cfg(unix)]
fn a_secret_key_is_its_owners_and_nothing_is_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    let ran = audit(
        directory.path(),
        &["keygen", "example.com/a", "--output", "a"],
    );
    assert_eq!(done(&ran), fs::read_to_string(at("a.pub")).unwrap());
    assert!(ran.stdout.starts_with("example.com/a+"), "{}", ran.stdout);
    assert_eq!(
        fs::metadata(at("a")).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let secret: SigningKey = fs::read_to_string(at("a")).unwrap().parse().unwrap();
    assert_eq!(format!("{}\n", secret.verifier()), ran.stdout);

    for taken in ["a", "a.pub"] {
        let before = fs::read(at(taken)).unwrap();
        let ran = audit(
            directory.path(),
            &["keygen", "example.com/a", "--output", "a"],
        );
        assert!(ran.stderr.contains("exists"), "{}", ran.stderr);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
        assert_eq!(fs::read(at(taken)).unwrap(), before);
        if taken == "a" {
            fs::remove_file(at("a")).unwrap();
        } else {
            assert!(!at("a").exists(), "a secret key without a public one");
        }
    }
    let ran = audit(directory.path(), &["keygen", "no name"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("`no name` is no name for a key"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_is_unusable_is_told_and_no_secret_with_it() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("empty")).unwrap();
    fs::write(at("nonsense"), "nonsense\n").unwrap();
    let secret = fs::read_to_string(at("log.key")).unwrap();
    let rows: [(&[&str], &str); 13] = [
        (
            &["verify", "missing.jsonl"],
            "audit log `missing.jsonl` cannot be opened",
        ),
        (
            &["verify", "empty"],
            "audit log `empty` has no segments; name a log",
        ),
        (
            &["verify", "audit.jsonl", "--since", "kept"],
            "--key <PUBKEY>",
        ),
        (
            &[
                "verify",
                "audit.jsonl",
                "--key",
                "log.key.pub",
                "--since",
                "missing",
            ],
            "cannot be checked against `missing`",
        ),
        (
            &[
                "verify",
                "audit.jsonl",
                "--key",
                "log.key.pub",
                "--since",
                "nonsense",
            ],
            "cannot be checked against `nonsense`: this is no signed note",
        ),
        (
            &["verify", "audit.jsonl", "--key", "missing"],
            "missing: cannot be read as a key",
        ),
        (
            &["verify", "audit.jsonl", "--key", "nonsense"],
            "nonsense: `nonsense` is no public key",
        ),
        (
            &["verify", "audit.jsonl", "--key", "log.key"],
            "log.key: this is a signing key",
        ),
        (
            &["verify", "audit.jsonl", "--key", &secret],
            "--key: is a secret key",
        ),
        (
            &["checkpoint", "audit.jsonl", "--key", &secret],
            "--key: is a secret key",
        ),
        (
            &["checkpoint", "audit.jsonl", "--key", "log.key.pub"],
            "log.key.pub: this is no signing key",
        ),
        (
            &["prove", "audit.jsonl", "--seq", "10", "--key", "log.key"],
            "proves no record 10: the checkpoint was signed for 10",
        ),
        (
            &["verify-proof", "nonsense", "--key", "log.key.pub"],
            "nonsense: cannot be used: this is no proof of a record",
        ),
    ];
    for (arguments, contains) in rows {
        let ran = audit(directory.path(), arguments);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
        assert!(
            ran.stderr.contains(contains),
            "{arguments:?}\n{}",
            ran.stderr
        );
        // `PRIVATE+KEY+NAME+ID+` and base64, in which there are more of them.
        let key = secret.trim_end().splitn(5, '+').nth(4).unwrap();
        assert!(!ran.stderr.contains(key), "{arguments:?}");
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    let directory = TempDir::new().unwrap();
    let rows: [(&[&str], &[&str]); 6] = [
        (
            &["--help"],
            &[
                "verify-proof  Check a record's proof",
                "keygen        Make the keys of a log",
            ],
        ),
        (
            &["verify", "--help"],
            &[
                "Usage: aegize audit verify [OPTIONS] <LOG>",
                "--since <CHECKPOINT>",
                "the log is broken",
            ],
        ),
        (
            &["checkpoint", "--help"],
            &[
                "Usage: aegize audit checkpoint --key <SECRETKEY> <LOG>",
                "C2SP tlog-checkpoint",
            ],
        ),
        (
            &["prove", "--help"],
            &[
                "Usage: aegize audit prove [OPTIONS] --seq <N> <LOG>",
                "C2SP tlog-proof",
            ],
        ),
        (
            &["verify-proof", "--help"],
            &[
                "Usage: aegize audit verify-proof [OPTIONS] --key <PUBKEY> <PROOF>",
                "byte by byte",
            ],
        ),
        (
            &["keygen", "--help"],
            &[
                "Usage: aegize audit keygen [OPTIONS] <NAME>",
                "mode 0600",
                "log.key",
            ],
        ),
    ];
    for (arguments, contains) in rows {
        let ran = audit(directory.path(), arguments);
        let common = ["Example", "Exit codes:", "  0  ", "  2  "];
        for part in common.iter().chain(contains) {
            assert!(
                done(&ran).contains(part),
                "{arguments:?}: no {part:?} in\n{}",
                ran.stdout
            );
        }
        let is_told = ran.stdout.to_lowercase().contains("nothing is executed");
        assert!(is_told, "{arguments:?}");
        let widest = ran.stdout.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{arguments:?}: {widest:?}");
    }
}

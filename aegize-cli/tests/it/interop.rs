//! A log, its checkpoint and its proofs as others read and write them: Go's
//! `golang.org/x/mod/sumdb`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::ledger;
use crate::support::{Ran, aegize};

fn go(directory: &Path, log: &Path) -> Output {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop");
    Command::new("go")
        .arg("run")
        .args(["main.go", "ledger.go"].map(|file| programs.join(file)))
        .arg(directory)
        .arg(log)
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/go"))
        .output()
        .expect("Go is needed; install `golang-go` and `golang-golang-x-mod-dev`")
}

fn audit(directory: &Path, arguments: &[&str], expected: i32) -> String {
    let output = aegize(directory).arg("audit").args(arguments).output();
    let ran: Ran = output.unwrap().into();
    assert_eq!(ran.code, Some(expected), "{arguments:?}\n{ran:?}");
    ran.stdout
}

#[test]
#[expect(clippy::too_many_lines, reason = "one log is taken through all of it")]
#[ignore = "needs Go; `.ci/run` installs it and runs this"]
fn go_reads_our_logs_and_we_accept_what_it_signs_and_proves() {
    const RECORDS: usize = 14;
    for starts in [None, Some([0, 5, 8])] {
        let directory = TempDir::new().unwrap();
        let directory = directory.path();
        let at = |path: &str| directory.join(path);
        let read = |path: &str| fs::read_to_string(at(path)).unwrap();
        ledger::write(&at("audit.jsonl"), RECORDS / 2);
        let text = read("audit.jsonl");
        let (log, beside) = match starts {
            None => ("audit.jsonl", "audit.jsonl.checkpoint"),
            Some(starts) => {
                ledger::split(&at("audit.jsonl"), &at("segments"), &starts[1..]);
                ("segments", "segments/log.checkpoint")
            }
        };
        audit(
            directory,
            &["keygen", "example.com/agents", "--output", "signing-key"],
            0,
        );
        fs::rename(at("signing-key.pub"), at("public-key")).unwrap();
        audit(directory, &["checkpoint", log, "--key", "signing-key"], 0);
        fs::create_dir(at("ours")).unwrap();
        fs::create_dir(at("theirs")).unwrap();
        for seq in 0..RECORDS {
            let file = format!("ours/{seq}.tlog-proof");
            let seq = seq.to_string();
            audit(
                directory,
                &["prove", log, "--seq", &seq, "--output", &file],
                0,
            );
        }

        let output = go(directory, &at(log));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        let files = starts.map_or(1, |starts| starts.len());
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!("{files} files, {RECORDS} records, {RECORDS} proofs checked\n")
        );

        let mut verify = vec![
            "verify".to_owned(),
            log.to_owned(),
            "--key=public-key".to_owned(),
        ];
        verify.extend((1..=RECORDS).map(|size| format!("--since=theirs/{size}.checkpoint")));
        let verify: Vec<&str> = verify.iter().map(String::as_str).collect();
        fs::copy(
            at("theirs").join(format!("{RECORDS}.checkpoint")),
            at(beside),
        )
        .unwrap();
        let told = audit(directory, &verify, 0);
        assert_eq!(
            told.matches("  agrees with ").count(),
            RECORDS + 1,
            "{told}"
        );
        for (seq, line) in text.lines().enumerate() {
            assert_eq!(
                read(&format!("theirs/{seq}.tlog-proof")),
                read(&format!("ours/{seq}.tlog-proof"))
            );
            let proof = format!("theirs/{seq}.tlog-proof");
            let told = audit(
                directory,
                &["verify-proof", &proof, "--key", "public-key"],
                0,
            );
            assert!(told.ends_with(&format!("\n{line}\n")), "{told}");
            let bare = format!("theirs/{seq}.bare.tlog-proof");
            fs::write(at("line"), line).unwrap();
            let with_line = [
                "verify-proof",
                &bare,
                "--key",
                "public-key",
                "--record",
                "line",
            ];
            audit(directory, &with_line, 0);
            fs::write(at("line"), line.replace("bot", "bat")).unwrap();
            audit(directory, &with_line, 1);
        }

        // What Go says "yes" to above, it says "no" to when the last line is another, and we do by
        // its word.
        let last = match starts {
            None => at(log),
            Some(starts) => at(log).join(format!("{:020}.jsonl", starts[2])),
        };
        let lines = fs::read_to_string(&last).unwrap();
        let (before, line) = lines.trim_end().rsplit_once('\n').unwrap();
        fs::write(&last, format!("{before}\n{}\n", line.replace("bot", "bat"))).unwrap();
        let output = go(directory, &at(log));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && told.contains("the root at 14 is"),
            "{told}"
        );
        let told = audit(directory, &verify, 1);
        assert!(told.contains(": edited\n"), "{told}");
    }
}

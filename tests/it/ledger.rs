//! Logs as they are opened: rotated, signed, damaged, and from before.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use aegize::tlog::{Checkpoint, SigningKey};
use aegize::{
    AuditLog, AuditLogOptions, AuditRecords, Durability, GuardError, LogVerdict, LogVerifier,
    Rotation, guarded_tool, with_context,
};

use crate::support::context;

const POLICY: &str =
    "agents: {bot: {allow: [{tool: notes}], deny: [{tool: notes, operations: [burn]}]}}";

#[guarded_tool(tool_name = "notes", operation = "add")]
fn add(note: &str) -> Result<usize, GuardError> {
    Ok(note.len())
}

/// One record, for it is denied.
#[guarded_tool(tool_name = "notes", operation = "burn")]
fn burn() -> Result<(), GuardError> {
    Ok(())
}

/// Opens a log, makes so many calls of two records each, and closes it.
fn calls(options: AuditLogOptions, path: &Path, calls: usize) {
    let context = context("bot", POLICY, options.open(path).unwrap());
    for _ in 0..calls {
        with_context(&context, || add("a note")).unwrap();
    }
}

fn names(log: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(log)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn intact(verifier: &LogVerifier) -> u64 {
    match verifier.verify().unwrap() {
        LogVerdict::Intact(log) => log.head().size,
        LogVerdict::Broken(flaw) => panic!("{flaw}"),
    }
}

#[test]
fn files_of_a_directory_are_one_chain_whoever_opens_it() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit");
    calls(AuditLog::options().rotation(Rotation::Size(2_000)), &log, 6);
    let rotated = names(&log);
    assert!(rotated.len() > 2, "{rotated:?}");
    assert_eq!(rotated[0], "00000000000000000000.jsonl");
    assert_eq!(intact(&LogVerifier::new(&log)), 12);

    // Without a rotation, the last file goes on.
    calls(AuditLog::options(), &log, 2);
    assert_eq!(names(&log), rotated);
    calls(AuditLog::options().rotation(Rotation::Size(1)), &log, 1);
    assert_eq!(names(&log).len(), rotated.len() + 2);
    assert_eq!(intact(&LogVerifier::new(&log)), 18);
    let positions = AuditRecords::open(&log)
        .unwrap()
        .map(|record| record.unwrap().seq);
    assert!(positions.eq(0..18));
}

#[test]
fn a_day_begins_with_its_first_record() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit");
    let options = || AuditLog::options().rotation(Rotation::Daily);
    let denied = |log: AuditLog| {
        with_context(&context("bot", POLICY, log), burn).unwrap_err();
    };
    denied(options().open(&log).unwrap());
    let first = log.join("00000000000000000000.jsonl");
    let line = fs::read_to_string(&first).unwrap();
    let (_, rest) = line.split_once('T').unwrap();
    fs::write(&first, format!("{{\"timestamp\":\"2020-02-29T{rest}")).unwrap();

    denied(options().open(&log).unwrap());
    let second = "00000000000000000001.jsonl";
    assert_eq!(names(&log), ["00000000000000000000.jsonl", second]);
    // The clock of another host may be behind.
    let line = fs::read_to_string(log.join(second)).unwrap();
    let (_, rest) = line.split_once('T').unwrap();
    fs::write(
        log.join(second),
        format!("{{\"timestamp\":\"9999-02-28T{rest}"),
    )
    .unwrap();
    denied(options().open(&log).unwrap());
    assert_eq!(names(&log).len(), 2);
    assert_eq!(intact(&LogVerifier::new(&log)), 3);
}

/// A signed log of six records in a file, with its key.
fn signed(directory: &Path) -> (PathBuf, SigningKey) {
    let log = directory.join("audit.jsonl");
    let key = SigningKey::generate("example.com/agents").unwrap();
    calls(AuditLog::options().signing_key(key.clone()), &log, 3);
    (log, key)
}

#[test]
fn a_log_is_signed_when_it_is_closed_and_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let (path, key) = signed(directory.path());
    let trusted = [key.verifier().clone()];
    let published = || fs::read_to_string(directory.path().join("audit.jsonl.checkpoint")).unwrap();
    let checkpoint = Checkpoint::open(&published(), &trusted).unwrap();
    assert_eq!(checkpoint.head().size, 6);

    let log = AuditLog::options()
        .signing_key(key.clone())
        .open(&path)
        .unwrap();
    with_context(&context("bot", POLICY, log.clone()), || add("more")).unwrap();
    let note = log.checkpoint().unwrap().unwrap();
    assert_eq!(note, published());
    assert_eq!(Checkpoint::open(&note, &trusted).unwrap().head().size, 8);
    drop(log);
    let verifier = LogVerifier::new(&path).trust(key.verifier().clone());
    assert_eq!(intact(&verifier), 8);
    assert_eq!(AuditLog::open(&path).unwrap().checkpoint().unwrap(), None);
}

#[test]
fn a_frontier_that_is_damaged_or_gone_is_not_believed() {
    for damage in ["", "{}", "gone"] {
        let directory = tempfile::tempdir().unwrap();
        let (log, key) = signed(directory.path());
        let frontier = directory.path().join("audit.jsonl.tree");
        match damage {
            "gone" => fs::remove_file(frontier).unwrap(),
            _ => fs::write(frontier, damage).unwrap(),
        }
        calls(AuditLog::options().signing_key(key.clone()), &log, 1);
        let verifier = LogVerifier::new(&log).trust(key.verifier().clone());
        assert_eq!(intact(&verifier), 8, "{damage}");
    }
}

#[test]
fn a_log_that_does_not_continue_its_checkpoint_is_not_opened() {
    type Damage = fn(&Path);
    let cut: Damage = |log| {
        let text = fs::read_to_string(log).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        fs::write(log, lines[..4].concat()).unwrap();
    };
    let rewritten: Damage = |log| {
        let text = fs::read_to_string(log).unwrap();
        fs::write(log, text.replacen("a note", "a ruse", 1)).unwrap();
    };
    let forget: Damage = |log| fs::remove_file(log.with_extension("jsonl.tree")).unwrap();
    let end: Damage = |log| {
        let text = fs::read_to_string(log).unwrap();
        let at = text.rfind("a note").unwrap();
        fs::write(log, format!("{}a ruse{}", &text[..at], &text[at + 6..])).unwrap();
    };
    let rows: [(&[Damage], &str); 4] = [
        (
            &[cut, forget],
            "has 4 records, and 6 of them are signed for",
        ),
        (&[rewritten, forget], "is not the log whose first 6 records"),
        (&[end], "is not the log whose first 6 records"),
        (&[end, forget], "is not the log whose first 6 records"),
    ];
    for (damages, problem) in rows {
        let directory = tempfile::tempdir().unwrap();
        let (log, key) = signed(directory.path());
        for damage in damages {
            damage(&log);
        }
        let error = AuditLog::options().signing_key(key).open(&log).unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
    }

    let directory = tempfile::tempdir().unwrap();
    let (log, _) = signed(directory.path());
    let other = SigningKey::generate("example.com/agents").unwrap();
    let error = AuditLog::options()
        .signing_key(other)
        .open(&log)
        .unwrap_err();
    assert!(
        error.to_string().contains("cannot be checked against"),
        "{error}"
    );
}

#[test]
fn what_is_no_such_log_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    calls(AuditLog::options(), &at("file"), 1);
    fs::create_dir(at("empty")).unwrap();
    let rotated = || AuditLog::options().rotation(Rotation::Size(1));
    calls(rotated(), &at("gap"), 3);
    fs::remove_file(at("gap").join("00000000000000000003.jsonl")).unwrap();
    fs::remove_file(at("gap").join("00000000000000000004.jsonl")).unwrap();
    let synced = || AuditLog::options().durability(Durability::Synced);
    let rows = [
        (
            rotated(),
            "file",
            "is a file, and only a directory of files is rotated",
        ),
        (AuditLog::options(), "empty", "is a directory without a log"),
        (
            AuditLog::options(),
            "gap",
            "has files that do not follow each other",
        ),
        (rotated(), "gap", "has files that do not follow each other"),
        (synced(), "/dev/null", "is no file that could be synced"),
    ];
    for (options, name, problem) in rows {
        let error = options.open(at(name)).unwrap_err();
        assert!(error.to_string().contains(problem), "{name}: {error}");
    }
}

#[test]
fn a_log_of_the_python_package_is_continued() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("audit.jsonl");
    let line = |event: &str| {
        format!(
            r#"{{"timestamp": "2026-06-27T18:00:00+00:00", "event": "{event}", "agent_id": "bot", "tool_name": "web", "operation": "search", "risk_level": "low", "input_summary": "'x'"}}"#
        )
    };
    let old = format!("{}\n{}\n", line("allowed"), line("execution_succeeded"));
    for options in [
        AuditLog::options(),
        AuditLog::options().signing_key(SigningKey::generate("example.com/agents").unwrap()),
    ] {
        fs::write(&log, &old).unwrap();
        calls(options, &log, 1);
        assert!(fs::read_to_string(&log).unwrap().starts_with(&old));
        let positions = AuditRecords::open(&log)
            .unwrap()
            .map(|record| record.unwrap().seq);
        assert!(positions.eq(0..4));
        assert_eq!(intact(&LogVerifier::new(&log)), 4);
    }
}

#[test]
fn threads_that_sync_do_not_lose_each_other() {
    const CALLS: usize = 20;
    let directory = tempfile::tempdir().unwrap();
    let log = AuditLog::options()
        .durability(Durability::Synced)
        .open(directory.path().join("audit.jsonl"))
        .unwrap();
    let context = context("bot", POLICY, log);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..CALLS {
                    with_context(&context, || add("a note")).unwrap();
                    context.audit_log().sync().unwrap();
                }
            });
        }
    });
    assert_eq!(context.audit_log().read_all().unwrap().len(), 8 * 2 * CALLS);
}

#[test]
fn checkpoints_are_signed_after_so_many_records() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    let key = SigningKey::generate("example.com/agents").unwrap();
    let options = AuditLog::options().signing_key(key.clone());
    let log = options
        .checkpoint_every(4, Duration::MAX)
        .open(&path)
        .unwrap();
    let context = context("bot", POLICY, log);
    let published = directory.path().join("audit.jsonl.checkpoint");
    // Made beside the calls, so it is there some calls later.
    while !published.exists() {
        with_context(&context, || add("a note")).unwrap();
    }
    let note = fs::read_to_string(published).unwrap();
    let size = Checkpoint::open(&note, &[key.verifier().clone()])
        .unwrap()
        .head()
        .size;
    assert!(size >= 4, "{size}");
}

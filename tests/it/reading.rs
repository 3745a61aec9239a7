//! Reading a log that is a file, a directory of segments or a pipe, of any age, and following it
//! while others write.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use aegize::{
    AuditError, AuditEvent, AuditLog, AuditRecord, AuditRecords, Decision, GuardError,
    PermissionPolicy, PolicySuggestion, guarded_tool, with_context,
};

use crate::support::World;

#[guarded_tool(tool_name = "clock", operation = "read")]
fn read_clock() -> Result<u8, GuardError> {
    Ok(12)
}

/// The lines of a log of that many calls, each with its line break.
fn lines(calls: usize) -> Vec<String> {
    let world = World::permissive();
    for _ in 0..calls {
        with_context(&world.context, read_clock).unwrap();
    }
    let text = world.text();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// Lines of the Python package 0.3.0, and of the page that describes it.
const OF_PYTHON: [&str; 4] = [
    r#"{"timestamp": "2026-06-25T21:44:17.813898+00:00", "event": "allowed", "action_id": "2819963c-5e80-47fa-b79a-7a149d2047cd", "agent_id": "bot", "tool_name": "files", "operation": "read", "risk_level": "low", "input_summary": "path=\"./it's\", count=2", "reason": "allowed by rule for tool 'files'", "metadata": {"environment": "dev"}}"#,
    r#"{"timestamp": "2026-06-25T21:44:17+00:00", "event": "execution_failed", "action_id": "2819963c-5e80-47fa-b79a-7a149d2047cd", "agent_id": "bot", "tool_name": "files", "operation": "read", "risk_level": "low", "input_summary": "path=\"./it's\", count=2", "error": "ValueError('boom')", "metadata": {"environment": "dev"}}"#,
    r#"{"timestamp": "2026-06-27T18:00:00+00:00", "event": "denied", "agent_id": "bot", "tool_name": "files", "operation": "read", "risk_level": "low", "input_summary": "'./safe', count=3", "reason": "no"}"#,
    r#"{"timestamp": "2026-06-27T18:00:00+00:00", "event": "execution_succeeded", "agent_id": "bot", "tool_name": "files", "operation": "read", "risk_level": "low", "result_summary": "'x'"}"#,
];

/// A directory of segments, of which each begins at one of the positions.
fn segments(lines: &[String], starts: &[usize]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    for (start, end) in starts.iter().copied().zip(ends) {
        fs::write(segment(directory.path(), start), lines[start..end].concat()).unwrap();
    }
    directory
}

fn segment(directory: &Path, start: usize) -> PathBuf {
    directory.join(format!("{start:020}.jsonl"))
}

fn append(path: &Path, text: &str) {
    let mut options = OpenOptions::new();
    let mut file = options.append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// What a reader gives: the records' lines, and the errors.
fn all(records: &mut AuditRecords) -> Vec<Result<String, AuditError>> {
    let mut read = Vec::new();
    while let Some(record) = records.next() {
        read.push(record.map(|_| String::from_utf8(records.line().to_owned()).unwrap() + "\n"));
    }
    read
}

fn whole(records: &mut AuditRecords) -> Vec<String> {
    all(records).into_iter().map(Result::unwrap).collect()
}

fn read(path: &Path) -> Vec<AuditRecord<'static>> {
    AuditRecords::open(path)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn however_a_log_is_split_its_records_are_the_same() {
    let mut lines = lines(2);
    for (index, old) in OF_PYTHON.iter().enumerate() {
        lines.insert(index, format!("{old}\n"));
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("audit.jsonl");
    fs::write(&file, lines.concat()).unwrap();
    let expected = read(&file);
    assert_eq!(expected.len(), lines.len());
    // Each of the lines but the first may begin a segment.
    for cuts in 0..1_u32 << (lines.len() - 1) {
        let begins = |index: &usize| *index == 0 || cuts >> (index - 1) & 1 == 1;
        let starts: Vec<usize> = (0..lines.len()).filter(begins).collect();
        let split = segments(&lines, &starts);
        fs::write(split.path().join("log.turn"), "").unwrap();
        assert_eq!(read(split.path()), expected, "{starts:?}");
        let mut records = AuditRecords::open(split.path()).unwrap();
        assert_eq!(whole(&mut records), lines, "{starts:?}");
    }
}

#[test]
fn an_error_names_the_segment_and_the_line_in_it() {
    let lines = lines(3);
    let directory = segments(&lines, &[0, 2, 4]);
    let middle = segment(directory.path(), 2);
    fs::write(&middle, format!("{}nonsense\n{{\"torn", lines[2])).unwrap();
    let read = all(&mut AuditRecords::open(directory.path()).unwrap());
    assert_eq!(read.len(), 7);
    for (index, line, what) in [(3, 2, "expected ident"), (4, 3, "it does not end")] {
        let error = read[index].as_ref().unwrap_err();
        assert_eq!((error.line(), error.path()), (Some(line), &*middle));
        let name = middle.display().to_string();
        let text = format!("audit log `{name}` has no record in line {line}: {what}");
        assert!(error.to_string().starts_with(&text), "{error}");
    }
    assert_eq!(read[6].as_ref().unwrap(), &lines[5]);
}

#[test]
fn a_directory_that_holds_no_log_is_none() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("audit.jsonl"), "").unwrap();
    let error = AuditRecords::open(directory.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("cannot be opened: it is a directory"),
        "{error}"
    );
    fs::write(directory.path().join("log.lock"), "").unwrap();
    let mut records = AuditRecords::open(directory.path()).unwrap();
    assert!(records.next().is_none());
    assert!(!records.resume().unwrap());
    let lines = lines(1);
    append(&segment(directory.path(), 0), &lines[0]);
    assert!(records.resume().unwrap());
    assert_eq!(whole(&mut records), lines[..1]);
}

#[test]
fn lines_of_the_python_package_have_their_position() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("audit.jsonl");
    let mut text = OF_PYTHON.map(|line| format!("{line}\n")).concat();
    text.insert_str(0, "no record\n");
    text.push_str("{\"seq\":5,\"event\":\"allowed\"}\n{\"event\":\"allowed\"}\n[\"2026\",0]\n");
    fs::write(&file, text).unwrap();
    let read: Vec<_> = AuditRecords::open(&file).unwrap().collect();
    let records: Vec<_> = read[1..5]
        .iter()
        .map(|record| record.as_ref().unwrap())
        .collect();
    let seqs: Vec<u64> = records.iter().map(|record| record.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
    assert_eq!(records[0].action_id.get_version_num(), 4);
    assert_eq!(records[0].action_id, records[1].action_id);
    assert_eq!(records[0].metadata["environment"], "dev");
    assert_eq!(records[1].error.as_deref(), Some("ValueError('boom')"));
    assert!(records[2].action_id.is_nil() && records[2].metadata.is_empty());
    assert_eq!(records[3].input_summary, "");
    for (index, what) in [
        (0, "expected ident"),
        (5, "missing field `timestamp`"),
        (6, "missing field `timestamp`"),
        (7, "it is a list"),
    ] {
        let error = read[index].as_ref().unwrap_err().to_string();
        assert!(error.contains(what), "{index}: {error}");
    }
}

#[test]
fn positions_are_those_of_the_whole_log_if_old_segments_are_elsewhere() {
    let lines = OF_PYTHON.map(|line| format!("{line}\n"));
    let directory = segments(&lines, &[0, 1, 3]);
    fs::remove_file(segment(directory.path(), 0)).unwrap();
    let seqs: Vec<u64> = read(directory.path())
        .iter()
        .map(|record| record.seq)
        .collect();
    assert_eq!(seqs, [1, 2, 3]);
}

#[test]
fn what_the_python_package_decided_can_be_replayed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("audit.jsonl");
    fs::write(&file, OF_PYTHON.map(|line| format!("{line}\n")).concat()).unwrap();
    let records = read(&file);
    let yaml =
        "agents: {bot: {deny: [{tool: files, args: {count: {min: 2}}}], allow: [{tool: '*'}]}}";
    let policy = PermissionPolicy::from_yaml_str(yaml).unwrap();
    let allowed = policy.replay(&records[0]).unwrap();
    assert_eq!(allowed.recorded(), Decision::Allow);
    assert_eq!(allowed.decision(), Some(Decision::Deny));
    // Nobody can tell which parameter an argument without a name was for.
    let denied = policy.replay(&records[2]).unwrap();
    assert_eq!(denied.recorded(), Decision::Deny);
    assert_eq!(denied.decision(), None);
    assert!(policy.replay(&records[1]).is_none());
    assert!(policy.replay(&records[3]).is_none());

    let mut suggestion = PolicySuggestion::new(["bot"]);
    for record in &records {
        suggestion.add(record);
    }
    let suggested = suggestion.to_string();
    assert!(suggested.contains("1 call ran at low risk"), "{suggested}");
}

#[test]
fn a_log_is_followed_record_by_record() {
    let lines = lines(4);
    let directory = segments(&lines[..2], &[0]);
    let path = |start| segment(directory.path(), start);
    let mut records = AuditRecords::open(directory.path()).unwrap();
    append(&path(0), &lines[2]);
    assert_eq!(
        whole(&mut records),
        lines[..2],
        "what came later is not in it"
    );
    assert!(records.resume().unwrap());
    assert_eq!(whole(&mut records), lines[2..3]);
    assert!(!records.resume().unwrap());
    assert!(records.next().is_none());
    // A line that is being written, then the rest of it, then two new files.
    let (begin, rest) = lines[3].split_at(50);
    append(&path(0), begin);
    assert!(records.resume().unwrap());
    let torn = all(&mut records);
    assert_eq!(torn[0].as_ref().unwrap_err().line(), Some(4));
    assert_eq!(torn.len(), 1);
    records.resume().unwrap();
    assert_eq!(all(&mut records).len(), 0, "it is told once");
    append(&path(0), rest);
    append(&path(4), &lines[4]);
    append(&path(5), &lines[5..].concat());
    assert!(records.resume().unwrap());
    assert_eq!(whole(&mut records), lines[3..]);
    assert!(!records.resume().unwrap());
}

#[test]
fn a_torn_line_that_is_set_aside_hides_no_record() {
    let world = World::permissive();
    with_context(&world.context, read_clock).unwrap();
    let path = world.context.audit_log().path().to_owned();
    for torn in ["{\"torn".to_owned(), format!("{{{}", "long".repeat(40_000))] {
        append(&path, &torn);
        let mut records = AuditRecords::open(&path).unwrap();
        let mut late = AuditRecords::open(&path).unwrap();
        let before = all(&mut records);
        let (error, before) = before.split_last().unwrap();
        let line = before.len() as u64 + 1;
        assert_eq!(error.as_ref().unwrap_err().line(), Some(line));
        AuditLog::open(&path).unwrap();
        assert!(records.resume().unwrap());
        let recovered = records.next().unwrap().unwrap();
        assert_eq!(recovered.event, AuditEvent::LogRecovered);
        assert!(records.next().is_none());
        // Whoever had measured the log before has nothing to complain of.
        let late: Vec<_> = all(&mut late);
        let whole = late.iter().filter(|record| record.is_ok()).count();
        assert!(
            (before.len()..=before.len() + 1).contains(&whole),
            "{late:?}"
        );
        // At most of the part of the new record that stands where it saw the torn line end.
        let complaints = late.iter().filter_map(|record| record.as_ref().err());
        for error in complaints {
            assert!(error.line() >= Some(line), "{error}");
        }
    }
}

#[test]
fn a_log_that_was_cut_or_removed_is_not_followed() {
    type Harm = fn(&Path, &str);
    let rows: [(&str, Harm); 4] = [
        ("bytes shorter than it was", |path, text| {
            fs::write(path, &text[..text.len() - 10]).unwrap();
        }),
        ("was removed or moved", |path, _| {
            fs::remove_file(path).unwrap();
        }),
        ("was removed or moved", |path, text| {
            fs::rename(path, path.with_extension("old")).unwrap();
            fs::write(path, text.repeat(2)).unwrap();
        }),
        ("was removed or moved", |path, _| {
            fs::remove_dir_all(path.parent().unwrap()).unwrap();
        }),
    ];
    for (said, harm) in rows {
        let lines = lines(2);
        let directory = segments(&lines, &[0, 2]);
        let file = directory.path().join("audit.jsonl");
        fs::write(&file, lines.concat()).unwrap();
        for (log, last) in [
            (file.clone(), file),
            (directory.path().to_owned(), segment(directory.path(), 2)),
        ] {
            if !log.exists() {
                continue;
            }
            let mut records = AuditRecords::open(&log).unwrap();
            assert_eq!(whole(&mut records), lines);
            let text = fs::read_to_string(&last).unwrap();
            harm(&last, &text);
            let error = records.resume().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}

#[test]
fn a_log_that_is_cut_while_it_is_read_is_an_error_and_the_end() {
    let lines = lines(2);
    let directory = segments(&lines, &[0, 2]);
    for (cut, log) in [
        (0, segment(directory.path(), 0)),
        (2, directory.path().to_owned()),
    ] {
        let mut records = AuditRecords::open(&log).unwrap();
        let text = fs::read_to_string(segment(directory.path(), cut)).unwrap();
        fs::write(segment(directory.path(), cut), &text[..text.len() - 10]).unwrap();
        let read = all(&mut records);
        let error = read.last().unwrap().as_ref().unwrap_err();
        assert!(error.to_string().contains("10 bytes shorter"), "{error}");
        assert_eq!(error.line(), None);
        fs::write(segment(directory.path(), cut), text).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_opened_once_and_read_to_its_end() {
    let lines = lines(40);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let text = lines.concat();
    for text in [text.repeat(20), lines[0].clone()]
        .iter()
        .chain([&lines[1]; 50])
    {
        let writer = std::thread::spawn({
            let (path, text) = (path.clone(), text.clone());
            move || {
                let written = fs::write(&path, text);
                if written.is_err() {
                    // The reader that was there has gone, and may have come back to wait.
                    fs::write(&path, "").unwrap();
                }
                written
            }
        });
        let mut records = AuditRecords::open(&path).unwrap();
        let read = all(&mut records);
        writer.join().unwrap().unwrap();
        let read: String = read.into_iter().map(Result::unwrap).collect();
        assert_eq!(read, *text);
        assert!(!records.resume().unwrap());
    }
}

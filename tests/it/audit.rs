//! Reading a log, and what a writer makes of a file it finds. Faults that need processes are in
//! `tests/processes.rs`.

use std::fs;

use aegize::{
    AuditEvent, AuditLog, AuditRecords, GuardError, guarded_tool, with_context, with_metadata,
};

use crate::support::World;

#[guarded_tool(tool_name = "clock", operation = "read")]
fn read_clock() -> Result<u8, GuardError> {
    Ok(12)
}

#[test]
fn a_log_goes_on_where_it_ended() {
    let world = World::permissive();
    let path = world.context.audit_log().path().to_owned();
    with_context(&world.context, read_clock).unwrap();
    let again = AuditLog::open(&path).unwrap();
    let policy = "agents: {bot: {allow: [{tool: clock}]}}";
    let context = crate::support::context("bot", policy, again);
    with_context(&context, read_clock).unwrap();
    with_context(&world.context, read_clock).unwrap();
    let seqs: Vec<_> = world.records().iter().map(|record| record.seq).collect();
    assert_eq!(seqs, [0, 1, 2, 3, 4, 5]);
    assert!(world.records().is_sorted_by_key(|record| record.timestamp));
}

#[test]
#[cfg(unix)]
fn a_new_log_is_its_owners_alone_and_its_directories_are_made() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b/audit.jsonl");
    let log = AuditLog::open(&path).unwrap();
    assert_eq!(log.read_all().unwrap(), []);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_reader_names_the_line_that_is_no_record_and_reads_on() {
    let world = World::permissive();
    with_context(&world.context, read_clock).unwrap();
    let text = world.text();
    let (first, second) = text.split_once('\n').unwrap();
    let path = world.directory.path().join("other.jsonl");
    fs::write(&path, format!("{first}\nnonsense\n{second}{{\"torn")).unwrap();
    let read: Vec<_> = AuditRecords::open(&path).unwrap().collect();
    assert_eq!(read[0].as_ref().unwrap().event, AuditEvent::Allowed);
    assert_eq!(read[1].as_ref().unwrap_err().line(), Some(2));
    assert_eq!(
        read[2].as_ref().unwrap().event,
        AuditEvent::ExecutionSucceeded
    );
    let torn = read[3].as_ref().unwrap_err();
    assert_eq!(torn.line(), Some(4));
    assert!(
        torn.to_string()
            .contains("has no record in line 4: it does not end"),
        "{torn}"
    );
    assert_eq!(read.len(), 4);
}

#[test]
fn what_later_versions_add_is_read() {
    let world = World::permissive();
    with_context(&world.context, read_clock).unwrap();
    let line = world.text().lines().next().unwrap().to_owned();
    let later = line
        .replace(
            "\"event\":\"allowed\"",
            "\"event\":\"approval_delegated\",\"request\":7",
        )
        .replace("\"seq\":0", "\"seq\":0,\"later\":[\"a field\"]");
    assert!(later.contains("later"));
    let path = world.directory.path().join("later.jsonl");
    fs::write(&path, later + "\n").unwrap();
    let records: Vec<_> = AuditRecords::open(&path)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(records[0].event, AuditEvent::Other);
    assert!(AuditLog::open(&path).is_ok());
}

#[test]
fn a_log_without_a_chain_is_continued_with_one() {
    let world = World::permissive();
    with_context(&world.context, read_clock).unwrap();
    let text = world.text();
    let bare = text
        .lines()
        .map(|line| line.split(",\"prev\":").next().unwrap());
    let old = bare.collect::<Vec<_>>().join("}\n") + "}\n";
    let path = world.directory.path().join("old.jsonl");
    fs::write(&path, &old).unwrap();
    let policy = "agents: {bot: {allow: [{tool: clock}]}}";
    let context = crate::support::context("bot", policy, AuditLog::open(&path).unwrap());
    with_context(&context, read_clock).unwrap();

    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&old), "what was there has changed");
    let records = context.audit_log().read_all().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(records.len(), 4);
    assert!(records[..2].iter().all(|record| record.prev.is_none()));
    for index in 2..4 {
        let before = aegize::tlog::leaf(lines[index - 1].as_bytes());
        assert_eq!(records[index].prev, Some(before), "record {index}");
        assert_eq!(records[index].seq, index as u64);
    }
}

#[test]
fn a_line_that_is_too_long_hides_no_other() {
    let world = World::permissive();
    with_context(&world.context, read_clock).unwrap();
    let text = world.text();
    let (first, second) = text.split_once('\n').unwrap();
    let path = world.directory.path().join("long.jsonl");
    let long = "x".repeat(17 * 1024 * 1024);
    fs::write(&path, format!("{first}\n{long}\n{second}")).unwrap();
    let read: Vec<_> = AuditRecords::open(&path).unwrap().collect();
    assert_eq!(read.len(), 3);
    let error = read[1].as_ref().unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("line 2: it is longer than any record"),
        "{error}"
    );
    assert_eq!(
        read[2].as_ref().unwrap().event,
        AuditEvent::ExecutionSucceeded
    );
}

#[test]
fn metadata_that_a_reader_could_not_read_is_a_refusal() {
    let world = World::permissive();
    let deep = (0..100).fold(serde_json::Value::Null, |inner, _| vec![inner].into());
    let call = || with_metadata(serde_json::json!({ "request": deep }), read_clock);
    let refused = with_context(&world.context, call).unwrap_err().to_string();
    assert!(
        refused.ends_with("its metadata nests deeper than 32 levels; flatten it"),
        "{refused}"
    );
    assert_eq!(world.events(), [AuditEvent::Denied]);
}

#[test]
fn a_time_that_cannot_be_written_is_not_read() {
    let world = World::permissive();
    let path = world.directory.path().join("ends.jsonl");
    let rest = r#""seq":0,"event":"denied","action_id":"01890a5d-ac96-774b-bcce-b302099a8057","agent_id":"a","tool_name":"t","operation":"o","risk_level":"low","input_summary":"","metadata":{}"#;
    for (time, is_read) in [
        ("9999-12-31T23:59:59.999999+00:00", true),
        ("9999-12-31T23:59:59+23:59", true),
        ("9999-12-31T23:59:59-00:01", false),
        ("0000-01-01T00:00:00Z", true),
        ("0000-01-01T00:00:00+00:01", false),
    ] {
        fs::write(&path, format!("{{\"timestamp\":\"{time}\",{rest}}}\n")).unwrap();
        let read = AuditRecords::open(&path).unwrap().next().unwrap();
        assert_eq!(read.is_ok(), is_read, "{time}");
        if let Ok(record) = read {
            assert!(serde_json::to_string(&record).is_ok(), "{time}");
        }
    }
}

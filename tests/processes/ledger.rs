//! Calls that can be told apart, and what a log has to say about them.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use aegize::{
    AgentIdentity, AuditEvent, AuditLog, AuditRecord, AuditRecords, GuardContext, GuardError,
    PermissionPolicy, ToolCall,
};
use serde_json::json;

/// About the size of a record's line, in bytes.
pub(crate) const TEN_KB: usize = 9_000;
/// Several steps of the search for the last line, and several pages for the kernel to copy.
pub(crate) const LARGE: usize = 50_000;

/// A context whose agent may make every call that is made here.
pub(crate) fn context(log: AuditLog) -> GuardContext {
    let agent = AgentIdentity::new("tester", "Tester", "Tests").expect("valid identity");
    let policy = PermissionPolicy::from_value(&json!({
        "agents": {"tester": {"allow": [{"tool": "web", "operations": ["fetch"]}]}}
    }));
    GuardContext::new(agent, policy.expect("valid policy"), log)
}

pub(crate) fn open(path: &Path) -> GuardContext {
    context(AuditLog::open(path).expect("the log opens"))
}

/// What came of a call.
pub(crate) struct Attempt {
    pub(crate) has_run: bool,
    pub(crate) result: Result<String, GuardError>,
}

/// Makes a call that is named `id` and returns it, with records of about `size` bytes.
pub(crate) fn attempt(context: &GuardContext, id: &str, size: usize) -> Attempt {
    attempt_with(context, id, size, || {})
}

/// The same, with something to do in the body.
pub(crate) fn attempt_with(
    context: &GuardContext,
    id: &str,
    size: usize,
    body: impl FnOnce(),
) -> Attempt {
    let mut has_run = false;
    let result = context.guard(tool_call(id, size)).run_blocking(|| {
        has_run = true;
        body();
        Ok(id.to_owned())
    });
    Attempt { has_run, result }
}

/// A call that is named `id`, with records of about `size` bytes.
pub(crate) fn tool_call(id: &str, size: usize) -> ToolCall {
    let text = text(id, size);
    ToolCall::new("web", "fetch")
        .arguments(json!({"id": id, "text": text}))
        .metadata(json!({"call": id, "size": size, "text": text}))
}

/// Text of a size that belongs to one call only, with all that JSON escapes.
fn text(id: &str, size: usize) -> String {
    let pattern = format!("{id} \"\\\n\u{1}é\u{2028} and then some more words about it; ");
    pattern.chars().cycle().take(size * 4 / 5).collect()
}

impl Attempt {
    pub(crate) fn assert_done(&self, id: &str) {
        assert!(self.has_run, "{id} did not run: {:?}", self.result);
        assert_eq!(self.result.as_deref().ok(), Some(id), "{:?}", self.result);
    }

    /// That the call was refused before its body, since the log at `path` has this problem.
    pub(crate) fn assert_refused(&self, path: &Path, problem: &str) {
        assert!(!self.has_run, "the body ran");
        let error = self.result.as_ref().expect_err("the call is refused");
        assert!(
            matches!(error, GuardError::AuditUnavailable(_)),
            "{error:?}"
        );
        assert_eq!(error.to_string(), refusal(path, problem));
    }
}

pub(crate) fn refusal(path: &Path, problem: &str) -> String {
    let path = path.display();
    format!(
        "the decision about tool 'web' operation 'fetch' cannot be recorded: audit log `{path}` {problem}"
    )
}

/// That a log cannot be opened, since it has this problem.
pub(crate) fn assert_unopened(path: &Path, problem: &str) {
    let error = AuditLog::open(path).expect_err("the log cannot be opened");
    let path = path.display();
    assert_eq!(error.to_string(), format!("audit log `{path}` {problem}"));
}

pub(crate) fn length(path: &Path) -> usize {
    fs::read(path).expect("the log can be read").len()
}

/// Waits until whoever wrote a log has given its lock back: what happens to the file after that is
/// noticed by the next to write.
pub(crate) fn rest(path: &Path) {
    let file = File::open(path).expect("the log is there");
    file.lock().expect("the log can be locked");
}

/// Cuts a file to a length.
pub(crate) fn cut(path: &Path, length: usize) {
    rest(path);
    let file = OpenOptions::new()
        .write(true)
        .open(path)
        .expect("the log is there");
    file.set_len(length as u64).expect("the log can be cut");
}

/// Adds bytes to a file, past every lock.
pub(crate) fn add(path: &Path, bytes: &[u8]) {
    rest(path);
    let mut file = OpenOptions::new()
        .append(true)
        .open(path)
        .expect("the log is there");
    file.write_all(bytes).expect("the log can be written");
}

/// Makes a named pipe.
pub(crate) fn pipe(directory: &Path) -> PathBuf {
    let path = directory.join("pipe");
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo runs").success());
    path
}

/// What follows a file's last line break.
pub(crate) fn torn_end(bytes: &[u8]) -> &[u8] {
    let lines = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |index| index + 1);
    &bytes[lines..]
}

pub(crate) fn aside(log: &Path, number: usize) -> PathBuf {
    let mut path = log.as_os_str().to_owned();
    path.push(format!(".torn-{number}"));
    path.into()
}

/// How many files there are beside a log, other than those that writers share.
pub(crate) fn count_beside(log: &Path) -> usize {
    let directory = log.parent().expect("a directory");
    fs::read_dir(directory)
        .expect("the directory is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path != log)
        .filter(|path| {
            path.extension()
                .is_none_or(|name| name != "open" && name != "turn")
        })
        .count()
}

/// A log that was read and found to be in order: every line is a record, `seq` counts them, and
/// every attempt has a decision, at most one outcome after it, and its own text in both.
pub(crate) struct Ledger(Vec<AuditRecord<'static>>);

impl Ledger {
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = fs::read(path).expect("the log can be read");
        assert!(
            torn_end(&bytes).is_empty(),
            "the log does not end with a line"
        );
        let records = AuditRecords::open(path).expect("the log can be opened");
        let records: Vec<_> = records.map(|record| record.expect("a record")).collect();
        let lines = bytes.split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(records.len(), lines, "records and lines");
        let mut head = String::from_utf8(vec![b'0'; 64]).expect("digits");
        for (record, line) in records.iter().zip(bytes.split(|byte| *byte == b'\n')) {
            let prev = record.prev.expect("a link").to_string();
            assert_eq!(prev, head, "the link of record {}", record.seq);
            let leaf: [u8; 32] = Sha256::new()
                .chain_update([0])
                .chain_update(line)
                .finalize()
                .into();
            head = format!("{leaf:02x?}").replace(['[', ']', ',', ' '], "");
        }
        let ledger = Self(records);
        ledger.check();
        ledger
    }

    /// That every attempt has an outcome, and how many were called abandoned.
    pub(crate) fn assert_closed(&self) -> usize {
        let count = |wanted: &[AuditEvent]| {
            let events = self.0.iter().map(|record| record.event);
            events.filter(|event| wanted.contains(event)).count()
        };
        let abandoned = count(&[AuditEvent::ExecutionAbandoned]);
        let ended = [AuditEvent::ExecutionSucceeded, AuditEvent::ExecutionFailed];
        assert_eq!(
            count(&[AuditEvent::Allowed]),
            count(&ended) + abandoned,
            "attempts and outcomes"
        );
        abandoned
    }

    fn check(&self) {
        let mut attempts: BTreeMap<_, Vec<&AuditRecord<'_>>> = BTreeMap::new();
        let mut calls = HashSet::new();
        for (position, record) in self.0.iter().enumerate() {
            assert_eq!(record.seq, position as u64, "seq at line {}", position + 1);
            if record.event != AuditEvent::LogRecovered {
                attempts.entry(record.action_id).or_default().push(record);
            }
        }
        for records in attempts.values() {
            let [decision, outcome @ ..] = &records[..] else {
                unreachable!("an attempt has a record");
            };
            let call = call(decision);
            assert!(calls.insert(call), "{call} was attempted twice");
            assert_eq!(
                decision.event,
                AuditEvent::Allowed,
                "the first record of {call}"
            );
            assert!(outcome.len() <= 1, "{call} has {} outcomes", outcome.len());
            for record in records {
                let size = record.metadata["size"].as_u64().expect("a size");
                let size = usize::try_from(size).expect("a size");
                assert_eq!(
                    record.metadata["text"],
                    text(call, size),
                    "the text of {call}"
                );
                assert_eq!(record.input_summary, decision.input_summary);
            }
            if let [outcome] = outcome {
                let is_found_dead =
                    outcome.error.as_deref() == Some("the process ended before the call did");
                assert!(
                    outcome.duration_us.is_some() != is_found_dead,
                    "{call}: {}",
                    outcome.event
                );
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// That each of these calls has a decision and, after it, a success that tells its value.
    pub(crate) fn assert_complete<'c>(&self, calls: impl IntoIterator<Item = &'c String>) {
        let succeeded: HashSet<&str> = self
            .0
            .iter()
            .filter(|record| record.event == AuditEvent::ExecutionSucceeded)
            .inspect(|record| {
                let call = format!("{:?}", call(record));
                assert_eq!(record.result_summary.as_deref(), Some(&*call));
            })
            .map(call)
            .collect();
        for call in calls {
            assert!(succeeded.contains(&**call), "the outcome of {call} is lost");
        }
    }

    /// Call and event of each record, such as `1 allowed`; of a recovery only the event.
    pub(crate) fn story(&self) -> Vec<String> {
        let tell = |record: &AuditRecord<'_>| match record.event {
            AuditEvent::LogRecovered => record.event.to_string(),
            event => format!("{} {event}", call(record)),
        };
        self.0.iter().map(tell).collect()
    }

    /// That the log tells of exactly these torn lines: their bytes are in the files beside it,
    /// `first` and the ones after.
    pub(crate) fn assert_recovered<B: AsRef<[u8]>>(&self, log: &Path, first: usize, torn: &[B]) {
        let recoveries: Vec<_> = self
            .0
            .iter()
            .filter(|record| record.event == AuditEvent::LogRecovered)
            .collect();
        assert_eq!(recoveries.len(), torn.len(), "recoveries");
        for (index, (record, torn)) in recoveries.iter().zip(torn).enumerate() {
            let aside = aside(log, first + index);
            let kept = fs::read(&aside).expect("what was set aside is there");
            assert!(
                kept == torn.as_ref(),
                "{} holds something else",
                aside.display()
            );
            assert_private(&aside);
            assert_eq!(record.metadata["torn_bytes"], kept.len());
            assert_eq!(record.metadata["set_aside"], aside.display().to_string());
            assert_eq!(record.agent_id, "aegize");
            assert_eq!(record.tool_name, "audit_log");
            assert_eq!(record.operation, "recover");
        }
    }
}

fn call<'r>(record: &'r AuditRecord<'_>) -> &'r str {
    record.metadata["call"].as_str().expect("the call's name")
}

/// That only the owner may read a file.
pub(crate) fn assert_private(path: &Path) {
    #[cfg(unix)]
    {
        let metadata = fs::metadata(path).expect("the file is there");
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        assert_eq!(mode & 0o777, 0o600, "the mode of {}", path.display());
    }
    #[cfg(not(unix))]
    let _ = path;
}

//! How a log is written in a run with faults, and what there is when it begins.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aegize::tlog::SigningKey;
use aegize::{AuditLog, AuditLogOptions, Durability, Rotation};
use serde_json::Value;

use crate::ledger::{attempt, context, torn_end};
use crate::whole::{Whole, beside, files};

pub(crate) const TORN: &[u8] = b"{\"timestamp\":\"2026-06-27T18:00:00.000000Z\",\"seq\":4,\"ev";

/// Two lines of a log that the Python package wrote.
pub(crate) const PYTHON: &str = concat!(
    r#"{"timestamp": "2026-06-27T18:00:00+00:00", "event": "allowed", "agent_id": "research_bot", "#,
    r#""tool_name": "web_search", "operation": "search", "risk_level": "low", "#,
    r#""input_summary": "'a query'", "reason": "allowed by rule for tool 'web_search'"}"#,
    "\n",
    r#"{"timestamp": "2026-06-27T18:00:00+00:00", "event": "execution_succeeded", "#,
    r#""agent_id": "research_bot", "tool_name": "web_search", "operation": "search", "#,
    r#""risk_level": "low", "result_summary": "'a result'"}"#,
    "\n",
);

/// The words of its name tell: a durability; `tasks` or `threads`; `new`, `left` with an open
/// attempt and a torn line, or `python`; and `rotated` or `signed`, or both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan(pub(crate) &'static str);

impl Plan {
    pub(crate) const ALL: [Self; 20] = [
        Self("written threads new"),
        Self("written threads left"),
        Self("written threads python"),
        Self("written threads new rotated"),
        Self("written threads left rotated"),
        Self("written threads new signed"),
        Self("written threads left rotated signed"),
        Self("written threads python signed"),
        Self("synced threads new"),
        Self("synced threads left"),
        Self("synced threads new rotated"),
        Self("synced threads left rotated signed"),
        Self("synced threads python signed"),
        Self("synced tasks new"),
        Self("synced tasks left"),
        Self("synced tasks new rotated"),
        Self("synced tasks new rotated signed"),
        Self("synced tasks left rotated signed"),
        Self("buffered threads new"),
        Self("buffered threads left rotated signed"),
    ];

    /// Of a storm of calls in many tasks and processes.
    const STORMS: [Self; 4] = [
        Self("written storm"),
        Self("written storm rotated signed"),
        Self("synced storm"),
        Self("synced storm rotated signed"),
    ];

    pub(crate) fn named(name: &str) -> Self {
        let mut all = Self::ALL.into_iter().chain(Self::STORMS);
        let known = all.find(|plan| plan.0 == name);
        known.unwrap_or_else(|| panic!("no such plan: {name}"))
    }

    pub(crate) fn is(self, word: &str) -> bool {
        self.0.split(' ').any(|own| own == word)
    }

    pub(crate) fn options(self, key: &SigningKey) -> AuditLogOptions {
        let mut options = AuditLog::options().durability(if self.is("synced") {
            Durability::Synced
        } else if self.is("written") {
            Durability::Written
        } else {
            Durability::Buffered
        });
        let is_large = self.is("storm");
        if self.is("rotated") {
            options = options.rotation(Rotation::Size(if is_large { 20_000 } else { 1500 }));
        }
        if self.is("signed") {
            let (records, hour) = (if is_large { 50 } else { 3 }, Duration::from_secs(3600));
            options = options
                .signing_key(key.clone())
                .checkpoint_every(records, hour);
        }
        options
    }

    pub(crate) fn log(self, directory: &Path) -> PathBuf {
        directory.join(if self.is("rotated") {
            "audit"
        } else {
            "audit.jsonl"
        })
    }

    /// Makes what there is when a run begins.
    pub(crate) fn prepare(self, directory: &Path, key: &SigningKey) {
        let log = self.log(directory);
        if self.is("python") {
            fs::write(&log, PYTHON).expect("the log can be written");
        }
        if !self.is("left") {
            return;
        }
        let context = context(self.options(key).open(&log).expect("the log opens"));
        attempt(&context, "before", 10).assert_done("before");
        attempt(&context, "between", 600).assert_done("between");
        drop(context);
        let whole = Whole::read(&log).expect("a log");
        let [.., allowed, last] = &whole.0[..] else {
            panic!("the log has no records");
        };
        let mut open = allowed.record.clone();
        open["seq"] = (last.record["seq"].as_u64().expect("a position") + 1).into();
        open["prev"] = last.leaf.to_string().into();
        open["action_id"] = "01900000-0000-7000-8000-000000000000".into();
        open["metadata"]["call"] = Value::from("left");
        let file = files(&log).expect("files").pop().expect("a file");
        let mut bytes = fs::read(&file).expect("the log can be read");
        assert!(torn_end(&bytes).is_empty());
        bytes.extend(format!("{open}\n").bytes());
        bytes.extend(TORN);
        fs::write(&file, bytes).expect("the log can be written");
        // As a process leaves it that is killed beside others.
        fs::write(beside(&log, "open"), "0 0 shared\n").expect("a file beside the log");
    }
}

/// Copies a directory and what is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a new directory");
    for entry in fs::read_dir(from).expect("the directory is there") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("a file can be copied");
        }
    }
}

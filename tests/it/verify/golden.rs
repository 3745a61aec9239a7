//! Logs that are as they were written, to change.

use std::fs;
use std::path::{Path, PathBuf};

use aegize::tlog::{Checkpoint, SigningKey, Tree, TreeHead, leaf};
use aegize::{
    AuditRecord, GuardError, LogVerdict, LogVerifier, guarded_tool, with_context, with_metadata,
};

use crate::support::World;

/// The files of a log: the position of the first line of each, and its lines with their breaks.
pub(super) type Files = Vec<(u64, Vec<Vec<u8>>)>;

/// A log, and the checkpoint of its end.
pub(super) struct Golden {
    pub(super) name: &'static str,
    pub(super) files: Files,
    is_directory: bool,
    /// How many lines at its beginning have no link.
    pub(super) unlinked: usize,
    pub(super) key: SigningKey,
}

#[guarded_tool(tool_name = "mail", operation = "send")]
fn send(to: &str, #[guard(redact)] _key: &str) -> Result<usize, GuardError> {
    Ok(to.len())
}

#[guarded_tool(tool_name = "shell", operation = "run", risk_level = "critical")]
fn run(_command: &str) -> Result<(), GuardError> {
    Ok(())
}

/// Lines that the Python package wrote, and then an early version of this one.
const OLD: [&str; 5] = [
    r#"{"timestamp": "2026-06-27T18:00:00+00:00", "event": "allowed", "agent_id": "research_bot", "tool_name": "web_search", "operation": "search", "risk_level": "low", "input_summary": "'Aegize runtime'", "reason": "allowed by rule for tool 'web_search'"}"#,
    r#"{"timestamp": "2026-06-27T18:00:00+00:00", "event": "execution_succeeded", "agent_id": "research_bot", "tool_name": "web_search", "operation": "search", "risk_level": "low", "result_summary": "'searched: Aegize runtime'"}"#,
    r#"{"timestamp": "2026-06-27T18:00:01+00:00", "event": "denied", "agent_id": "research_bot", "tool_name": "shell", "operation": "run", "risk_level": "critical", "input_summary": "'ls'", "reason": "denied by rule for tool 'shell'"}"#,
    r#"{"timestamp":"2026-07-27T18:00:00.000001Z","seq":3,"event":"allowed","action_id":"01970000-0000-7000-8000-000000000001","agent_id":"bot","tool_name":"clock","operation":"read","risk_level":"low","input_summary":"","reason":"allowed by rule for tool 'clock'","rule":"bot.allow[0]","policy":"sha256:00","metadata":{"environment":"dev"}}"#,
    r#"{"timestamp":"2026-07-27T18:00:00.000002Z","seq":4,"event":"execution_succeeded","action_id":"01970000-0000-7000-8000-000000000001","agent_id":"bot","tool_name":"clock","operation":"read","risk_level":"low","input_summary":"","duration_us":1,"metadata":{"environment":"dev"}}"#,
];

/// What a guard writes of six calls: eleven records.
fn records() -> Vec<AuditRecord<'static>> {
    let world = World::new("agents: {bot: {allow: [{tool: mail}]}}");
    with_context(&world.context, || {
        for n in 0..4 {
            send(&"ann@example.com ".repeat(n), "secret").unwrap();
        }
        assert!(run("rm -rf /").is_err());
        let ticket = serde_json::json!({"ticket": "é \"\\ \u{1f600}", "seq": 3, "prev": null});
        with_metadata(ticket, || send("eve", "secret")).unwrap();
    });
    world.records()
}

impl Golden {
    fn new(name: &'static str, lines: Vec<String>, unlinked: usize) -> Self {
        let lines = lines
            .into_iter()
            .map(|line| format!("{line}\n").into_bytes());
        Self {
            name,
            files: vec![(0, lines.collect())],
            is_directory: false,
            unlinked,
            key: SigningKey::generate("example.com/agents").unwrap(),
        }
    }

    /// As the writer left it.
    pub(super) fn of_today() -> Self {
        let lines = records();
        let lines = lines
            .iter()
            .map(|record| serde_json::to_string(record).unwrap());
        Self::new("of today", lines.collect(), 0)
    }

    /// With lines that were written before there were links.
    pub(super) fn with_an_old_part() -> Self {
        let mut lines: Vec<String> = OLD.map(str::to_owned).into();
        for mut record in records() {
            record.seq = lines.len() as u64;
            record.prev = lines.last().map(|line| leaf(line.as_bytes()));
            lines.push(serde_json::to_string(&record).unwrap());
        }
        Self::new("with an old part", lines, OLD.len())
    }

    /// In segments that begin at these positions, and at 0.
    pub(super) fn split_at(mut self, starts: &[usize]) -> Self {
        for start in starts.iter().rev() {
            let lines = self.files[0].1.split_off(*start);
            self.files.insert(1, (*start as u64, lines));
        }
        self.is_directory = true;
        self
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.files.iter().flat_map(|(_, lines)| lines)
    }

    /// The head of the tree over the first lines.
    pub(super) fn head(&self, size: usize) -> TreeHead {
        let mut tree = Tree::default();
        for line in self.lines().take(size) {
            tree.push(leaf(line.strip_suffix(b"\n").unwrap()));
        }
        tree.head()
    }

    /// The checkpoint after the first lines.
    pub(super) fn checkpoint(&self, size: usize) -> String {
        Checkpoint::sign(self.head(size), &self.key)
    }

    /// Writes other files in the place of its own, those that are there: nothing else is left of
    /// what was.
    pub(super) fn write(&self, directory: &Path, files: &Files) -> PathBuf {
        let log = directory.join("log");
        if self.is_directory {
            if log.exists() {
                fs::remove_dir_all(&log).unwrap();
            }
            fs::create_dir(&log).unwrap();
        }
        for (first_seq, lines) in files {
            let path = if self.is_directory {
                log.join(format!("{first_seq:020}.jsonl"))
            } else {
                log.clone()
            };
            // Some file systems wait for the disk when a file is written anew, and not if it is new.
            let _ = fs::remove_file(&path);
            fs::write(path, lines.concat()).unwrap();
        }
        log
    }

    /// What is said of files in its place, against checkpoints.
    pub(super) fn verify(
        &self,
        directory: &Path,
        files: &Files,
        checkpoints: &[String],
    ) -> LogVerdict {
        let mut verifier = LogVerifier::new(self.write(directory, files))
            .trust(self.key.verifier().clone())
            .threads(std::num::NonZero::<usize>::MIN);
        for (number, checkpoint) in checkpoints.iter().enumerate() {
            let path = directory.join(format!("{number}.checkpoint"));
            if fs::read_to_string(&path).ok().as_ref() != Some(checkpoint) {
                fs::write(&path, checkpoint).unwrap();
            }
            verifier = verifier.since(path);
        }
        verifier.verify().unwrap()
    }
}

//! A whole log as an outsider verifies it: a file or a directory, of whatever age.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use aegize::tlog::{Checkpoint, Hash, Tree, VerifierKey, leaf};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::ledger::torn_end;

/// A line, and where it is.
pub(crate) struct Line {
    pub(crate) file: PathBuf,
    pub(crate) bytes: Range<u64>,
    pub(crate) leaf: Hash,
    pub(crate) record: Value,
}

impl Line {
    pub(crate) fn event(&self) -> &str {
        self.record["event"].as_str().unwrap_or_default()
    }

    /// The call that it is about.
    pub(crate) fn call(&self) -> &str {
        self.record["metadata"]["call"].as_str().unwrap_or_default()
    }
}

/// The files of a log, in their order.
pub(crate) fn files(log: &Path) -> Result<Vec<PathBuf>> {
    if !log.is_dir() {
        return Ok(vec![log.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(log)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A file beside a log.
pub(crate) fn beside(log: &Path, what: &str) -> PathBuf {
    if log.is_dir() {
        return log.join(format!("log.{what}"));
    }
    let mut path = log.as_os_str().to_owned();
    path.push(format!(".{what}"));
    path.into()
}

/// What was set aside of a log.
pub(crate) fn aside(log: &Path) -> Result<Vec<Vec<u8>>> {
    let directory = if log.is_dir() {
        Some(log)
    } else {
        log.parent()
    };
    let mut aside = Vec::new();
    for entry in fs::read_dir(directory.context("a directory")?)? {
        let path = entry?.path();
        if path.to_string_lossy().contains(".jsonl.torn-") {
            aside.push(fs::read(path)?);
        }
    }
    Ok(aside)
}

pub(crate) struct Whole(pub(crate) Vec<Line>);

impl Whole {
    /// The lines of a log that ends with one.
    pub(crate) fn read(log: &Path) -> Result<Self> {
        let (whole, torn) = Self::as_it_is(log)?;
        ensure!(torn.is_empty(), "the log does not end with a line");
        Ok(whole)
    }

    /// The lines of a log, and what follows the last one.
    pub(crate) fn as_it_is(log: &Path) -> Result<(Self, Vec<u8>)> {
        let mut lines = Vec::new();
        let mut torn = Vec::new();
        for file in files(log)? {
            let bytes = fs::read(&file).with_context(|| format!("{}", file.display()))?;
            ensure!(
                torn.is_empty(),
                "a file before the last one does not end with a line"
            );
            if log.is_dir() {
                let name = format!("{:020}.jsonl", lines.len());
                ensure!(file.ends_with(&name), "{} should be {name}", file.display());
            }
            torn_end(&bytes).clone_into(&mut torn);
            let mut start = 0;
            for line in bytes[..bytes.len() - torn.len()].split_inclusive(|byte| *byte == b'\n') {
                let text = &line[..line.len() - 1];
                let record = serde_json::from_slice(text)
                    .with_context(|| format!("{:?}", String::from_utf8_lossy(text)))?;
                let end = start + line.len() as u64;
                lines.push(Line {
                    file: file.clone(),
                    bytes: start..end,
                    leaf: leaf(text),
                    record,
                });
                start = end;
            }
        }
        Ok((Self(lines), torn))
    }

    /// That positions and links are right, from the first line on that has them.
    pub(crate) fn check_chain(&self) -> Result<()> {
        let (mut has_seq, mut has_prev) = (false, false);
        let mut head = Hash::from([0; 32]);
        for (position, line) in self.0.iter().enumerate() {
            let (seq, prev) = (line.record["seq"].as_u64(), line.record["prev"].as_str());
            has_seq |= seq.is_some();
            has_prev |= prev.is_some();
            if has_seq {
                ensure!(
                    seq == Some(position as u64),
                    "`seq` is {seq:?} at {position}"
                );
            }
            if has_prev {
                ensure!(
                    prev == Some(&*head.to_string()),
                    "the link at {position} is broken"
                );
            }
            head = line.leaf;
        }
        Ok(())
    }

    /// That every attempt has one decision and at most one outcome, and what that was.
    pub(crate) fn outcomes(&self) -> Result<HashMap<&str, &str>> {
        let mut outcomes = HashMap::new();
        let mut decided = HashMap::new();
        for line in self.0.iter().filter(|line| !line.call().is_empty()) {
            let (call, event, id) = (line.call(), line.event(), &line.record["action_id"]);
            if event == "allowed" {
                ensure!(
                    decided.insert(call, id).is_none(),
                    "{call} was decided twice"
                );
            } else {
                ensure!(
                    decided.get(call) == Some(&id),
                    "{call}: {event} without a decision"
                );
                ensure!(outcomes.insert(call, event).is_none(), "{call} ended twice");
            }
        }
        for call in decided.keys() {
            outcomes.entry(call).or_insert("open");
        }
        Ok(outcomes)
    }

    /// The head of the first lines.
    pub(crate) fn root(&self, size: u64) -> Result<Hash> {
        let count = usize::try_from(size)?;
        let Some(lines) = self.0.get(..count) else {
            bail!(
                "a checkpoint is of {size} lines, and there are {}",
                self.0.len()
            );
        };
        let mut tree = Tree::default();
        for line in lines {
            tree.push(line.leaf);
        }
        Ok(tree.root())
    }

    /// That a checkpoint is of the first lines of this log; tells of how many.
    pub(crate) fn check(&self, note: &str, key: &VerifierKey) -> Result<u64> {
        let head = Checkpoint::open(note, std::slice::from_ref(key))?.head();
        ensure!(
            self.root(head.size)? == head.root,
            "a checkpoint is not of this log"
        );
        Ok(head.size)
    }
}

//! What a receiver would not take, kept in a file beside the log: JSON Lines.
//!
//! The invariant: each record that is passed over is in the file once, whenever a process ends.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memrchr;
use serde::{Deserialize, Serialize};

use super::cursor::{private, sync_directory};
use super::trouble::Trouble;
use crate::audit::files::beside;

/// One line of the file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rejected {
    #[serde(flatten)]
    pub(super) what: What,
    /// What the receiver said.
    pub(super) error: String,
    #[serde(flatten)]
    pub(super) content: Content,
}

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// The record at this position.
    Seq(u64),
    /// The checkpoint of so many records.
    Size(u64),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    /// The line of the log, or the signed note.
    Text(String),
    /// The same in base64, if it is no UTF-8.
    Base64(String),
}

impl Content {
    pub(super) fn of(bytes: &[u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }
}

/// The file of a sink.
pub(super) fn path(log: &Path, name: &str) -> PathBuf {
    beside(log, &format!("rejected-{name}"))
}

/// Adds a line, unless it is the last one already: then the process ended before that was noted.
/// When this returns, it is on disk.
pub(super) fn keep(path: &Path, rejected: &Rejected) -> Result<(), Trouble> {
    add(path, rejected).map_err(Trouble::with_file(path, "written"))
}

fn add(path: &Path, rejected: &Rejected) -> io::Result<()> {
    let is_new = !path.exists();
    let mut file = private().truncate(false).read(true).open(path)?;
    let (end, last) = last_line(&mut file)?;
    let last = serde_json::from_slice::<Rejected>(&last);
    if last.is_ok_and(|last| last.what == rejected.what && last.content == rejected.content) {
        return file.sync_all();
    }
    // Only a process that ended while it wrote leaves a line without an end.
    file.set_len(end)?;
    let mut line = serde_json::to_vec(rejected)?;
    line.push(b'\n');
    file.seek(SeekFrom::Start(end))?;
    let written = file.write_all(&line).and_then(|()| file.sync_all());
    if written.is_err() {
        // What is left is cut off before the next attempt, too.
        let _ = file.set_len(end);
    }
    written?;
    if is_new { sync_directory(path) } else { Ok(()) }
}

/// Where the last whole line ends, and the line.
fn last_line(file: &mut File) -> io::Result<(u64, Vec<u8>)> {
    const STEP: u64 = 64 * 1024;
    let mut start = file.seek(SeekFrom::End(0))?;
    let mut tail = Vec::new();
    loop {
        let end = memrchr(b'\n', &tail);
        let begin = end.and_then(|end| memrchr(b'\n', tail.split_at(end).0));
        if let Some(end) = end.filter(|_| begin.is_some() || start == 0) {
            let whole = start + u64::try_from(end + 1).unwrap_or(u64::MAX);
            let begin = begin.map_or(0, |before| before + 1);
            return Ok((whole, tail.get(begin..end).unwrap_or_default().to_vec()));
        }
        if start == 0 {
            return Ok((0, Vec::new()));
        }
        let step = start.min(STEP);
        start -= step;
        file.seek(SeekFrom::Start(start))?;
        let mut chunk = Vec::new();
        file.take(step).read_to_end(&mut chunk)?;
        chunk.append(&mut tail);
        tail = chunk;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn rejected(seq: u64, bytes: &[u8]) -> Rejected {
        Rejected {
            what: What::Seq(seq),
            error: "too long".to_owned(),
            content: Content::of(bytes),
        }
    }

    #[test]
    fn each_is_kept_once_and_what_was_torn_is_written_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rejected");
        let long = "x".repeat(200_000);
        let records = [
            rejected(3, br#"{"seq":3}"#),
            rejected(4, long.as_bytes()),
            rejected(7, b"\xff"),
        ];
        let mut whole = String::new();
        for record in &records {
            let before = whole.clone();
            whole.push_str(&serde_json::to_string(record).unwrap());
            whole.push('\n');
            for cut in [before.len(), before.len() + 1, whole.len() - 1, whole.len()] {
                fs::write(&path, &whole[..cut]).unwrap();
                keep(&path, record).unwrap();
                assert!(fs::read_to_string(&path).unwrap() == whole, "cut at {cut}");
            }
        }
        let lines: Vec<&str> = whole.lines().collect();
        let first = r#"{"seq":3,"error":"too long","text":"{\"seq\":3}"}"#;
        assert_eq!(lines[0], first);
        let last = r#"{"seq":7,"error":"too long","base64":"/w=="}"#;
        assert_eq!(lines[2], last);
    }

    #[test]
    fn a_file_that_was_taken_away_begins_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rejected");
        keep(&path, &rejected(1, b"a")).unwrap();
        fs::remove_file(&path).unwrap();
        keep(&path, &rejected(2, b"b")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"seq\":2,\"error\":\"too long\",\"text\":\"b\"}\n");
    }
}

//! Some lines of a log, on their way to a sink.

use std::time::Duration;

use crate::audit::chain::{Hash, leaf};

/// Consecutive records of a log, as the bytes that stand in it.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    first_seq: u64,
    bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    /// Whole lines, each with its line break, of which the first has the position `first_seq`.
    pub fn new(first_seq: u64, bytes: &'a [u8]) -> Self {
        Self { first_seq, bytes }
    }

    /// The position of the first record.
    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// The lines, each with its line break: JSON Lines, as they stand in the log.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The lines without their line breaks, in order.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        let lines = self.bytes.split_inclusive(|byte| *byte == b'\n');
        lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line))
    }

    /// A name that the same batch has whenever it is delivered: the position of its first record
    /// and the beginning of the leaf hash of its last.
    pub fn id(&self) -> String {
        let last = self.lines().last().map_or_else(Hash::default, leaf);
        let hash: String = last.to_string().chars().take(32).collect();
        format!("{}-{hash}", self.first_seq)
    }
}

/// How much is delivered at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// At most so many records.
    pub records: usize,
    /// At most so many bytes, unless a single record is longer.
    pub bytes: usize,
    /// A batch that is not full waits so long for more.
    pub linger: Duration,
}

impl Default for BatchLimits {
    /// 500 records, 1 MiB, no waiting.
    fn default() -> Self {
        Self {
            records: 500,
            bytes: 1024 * 1024,
            linger: Duration::ZERO,
        }
    }
}

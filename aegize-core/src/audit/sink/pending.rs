//! Lines that were read from a log and are on their way to a sink.

use memchr::{memchr_iter, memrchr};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::batch::Batch;
use super::cursor::Mark;
use crate::audit::chain::leaf;

/// Some lines, of which those in front are delivered next: all of them, unless the receiver
/// refused them.
#[derive(Debug)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    /// The segment they are from.
    segment: u64,
    /// Where in the segment `bytes` begin.
    base: u64,
    /// The position of the first record in front.
    next_seq: u64,
    /// Where in `bytes` the front begins.
    start: usize,
    /// Where in `bytes` the parts end, the one in front last. Empty when all has been passed.
    ends: Vec<usize>,
}

impl Pending {
    /// Whole lines, of which the first is at an offset in a segment and has a position.
    pub(super) fn new(bytes: Vec<u8>, segment: u64, base: u64, first_seq: u64) -> Self {
        Self {
            segment,
            base,
            next_seq: first_seq,
            start: 0,
            ends: if bytes.is_empty() {
                Vec::new()
            } else {
                vec![bytes.len()]
            },
            bytes,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn front_bytes(&self) -> &[u8] {
        let end = self.ends.last().copied().unwrap_or(self.start);
        self.bytes.get(self.start..end).unwrap_or_default()
    }

    /// What is delivered next.
    pub(super) fn front(&self) -> Batch<'_> {
        Batch::new(self.next_seq, self.front_bytes())
    }

    /// How many records are in front.
    pub(super) fn records(&self) -> u64 {
        memchr_iter(b'\n', self.front_bytes()).map(|_| 1).sum()
    }

    /// The end of what is in front.
    pub(super) fn end(&self) -> Mark {
        let front = self.front_bytes();
        let line = front.strip_suffix(b"\n").unwrap_or(front);
        let line = memrchr(b'\n', line).map_or(line, |before| line.split_at(before + 1).1);
        Mark {
            next_seq: self.next_seq + self.records(),
            segment: self.segment,
            offset: self.base + as_u64(self.start + front.len()),
            length: as_u64(line.len() + 1),
            leaf: leaf(line),
        }
    }

    /// Halves what is in front. `false` if that is a single record.
    pub(super) fn halve(&mut self) -> bool {
        let half = usize::try_from(self.records() / 2).unwrap_or(usize::MAX);
        let last = half.checked_sub(1);
        let middle = last.and_then(|last| memchr_iter(b'\n', self.front_bytes()).nth(last));
        self.ends
            .extend(middle.map(|middle| self.start + middle + 1));
        middle.is_some()
    }

    /// Goes past what is in front.
    pub(super) fn pass(&mut self) {
        self.next_seq += self.records();
        self.start = self.ends.pop().unwrap_or(self.start);
    }

    /// When the first record was written, if it says so.
    pub(super) fn written(&self) -> Option<OffsetDateTime> {
        #[derive(Deserialize)]
        struct Written {
            timestamp: String,
        }

        let written: Written = serde_json::from_slice(self.front().lines().next()?).ok()?;
        OffsetDateTime::parse(&written.timestamp, &Rfc3339).ok()
    }
}

pub(super) fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn front(pending: &Pending) -> (u64, &str) {
        let front = pending.front();
        (front.first_seq(), str::from_utf8(front.bytes()).unwrap())
    }

    #[test]
    fn halves_are_passed_in_order_and_end_where_their_last_line_does() {
        let mut pending = Pending::new(b"a\nbb\n\nccc\nd\n".to_vec(), 3, 100, 7);
        assert_eq!(front(&pending), (7, "a\nbb\n\nccc\nd\n"));
        assert!(pending.halve());
        assert_eq!(front(&pending), (7, "a\nbb\n"));
        let end = Mark {
            next_seq: 9,
            segment: 3,
            offset: 105,
            length: 3,
            leaf: leaf(b"bb"),
        };
        assert_eq!(pending.end(), end);
        assert!(pending.halve());
        assert_eq!(front(&pending), (7, "a\n"));
        assert!(!pending.halve());
        let mut seen = Vec::new();
        while !pending.is_empty() {
            let (seq, text) = front(&pending);
            seen.push(format!("{seq} {text}"));
            pending.pass();
        }
        assert_eq!(seen, ["7 a\n", "8 bb\n", "9 \nccc\nd\n"]);
        assert!(!pending.halve());
    }

    #[test]
    fn an_empty_line_is_a_line() {
        let pending = Pending::new(b"\n".to_vec(), 0, 0, 0);
        assert_eq!(pending.records(), 1);
        assert_eq!((pending.end().offset, pending.end().length), (1, 1));
        assert_eq!(pending.end().leaf, leaf(b""));
    }
}

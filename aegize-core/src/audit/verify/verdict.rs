//! What the verifier says of a log.

use std::fmt;
use std::path::{Path, PathBuf};

use super::super::chain::TreeHead;
use super::super::checkpoint::Checkpoint;
use crate::text::one_line;

/// What a [`LogVerifier`](super::LogVerifier) says of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "callers must handle both, and there is no third"
)]
pub enum LogVerdict {
    /// Every line is in its place, and every checkpoint agrees.
    Intact(IntactLog),
    /// Something was changed.
    Broken(LogFlaw),
}

/// A log of which nothing was found to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntactLog {
    pub(super) head: TreeHead,
    pub(super) unlinked: u64,
    pub(super) checkpoints: Vec<CheckedCheckpoint>,
}

impl IntactLog {
    /// How many records it has, and the root of the tree over them.
    pub fn head(&self) -> TreeHead {
        self.head
    }

    /// How many lines it begins with that were written before lines had links. Only a checkpoint
    /// vouches for them.
    pub fn unlinked(&self) -> u64 {
        self.unlinked
    }

    /// The checkpoints that it agrees with, the smallest first. Without any, the log is one that
    /// holds together, but may be another than was written.
    pub fn checkpoints(&self) -> &[CheckedCheckpoint] {
        &self.checkpoints
    }
}

/// A checkpoint that was verified with a trusted key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedCheckpoint {
    pub(super) file: PathBuf,
    pub(super) checkpoint: Checkpoint,
}

impl CheckedCheckpoint {
    /// The file that it was read from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What was signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

/// The first thing that is wrong with a log, and where.
///
/// Displays as a sentence, without the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFlaw {
    pub(super) kind: LogFlawKind,
    pub(super) file: PathBuf,
    pub(super) place: Option<Place>,
    pub(super) message: String,
}

/// A line, by all its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// In its file, from 1.
    pub(super) line: u64,
    /// In the log, from 0.
    pub(super) position: u64,
    /// From where on nothing vouches for the lines up to this one.
    pub(super) earliest: u64,
}

/// What is wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogFlawKind {
    /// A line is not the one that was written.
    Edited,
    /// Lines that were before this one are gone.
    Removed,
    /// A line was added, or stands there twice.
    Inserted,
    /// Lines stand in another order.
    Reordered,
    /// The log is shorter than a checkpoint says.
    Truncated,
    /// The links hold, but lead to another root than a checkpoint says: the log was rewritten.
    Forked,
    /// The checkpoint beside the log is not signed by a trusted key, or no checkpoint any more.
    BadSignature,
    /// A line is no JSON object, is too long to be one, or has `seq` or `prev` twice.
    NotJson,
    /// A line says that it stands elsewhere, or nothing of it, though its links hold.
    WrongSeq,
    /// The last line of a file does not end.
    Torn,
    /// Lines are missing between two segments, or before the first.
    MissingSegment,
    /// A line has no link to the line before, though lines before it have.
    MissingPrev,
}

impl LogFlawKind {
    /// The kind as programs read it, such as `missing_segment`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Removed => "removed",
            Self::Inserted => "inserted",
            Self::Reordered => "reordered",
            Self::Truncated => "truncated",
            Self::Forked => "forked",
            Self::BadSignature => "bad_signature",
            Self::NotJson => "not_json",
            Self::WrongSeq => "wrong_seq",
            Self::Torn => "torn",
            Self::MissingSegment => "missing_segment",
            Self::MissingPrev => "missing_prev",
        }
    }
}

impl fmt::Display for LogFlawKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl LogFlaw {
    /// What is wrong.
    pub fn kind(&self) -> LogFlawKind {
        self.kind
    }

    /// The file at fault: the log, one of its segments, or a checkpoint.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The first bad line's number in its file, counted from 1; the number that the first missing
    /// line would have. None if the flaw is that of a checkpoint.
    pub fn line(&self) -> Option<u64> {
        self.place.map(|place| place.line)
    }

    /// The first bad line's position in the log, counted from 0. Of lines that were rewritten
    /// together with their links, the last one shows.
    pub fn position(&self) -> Option<u64> {
        self.place.map(|place| place.position)
    }

    /// The position from which on lines may have been changed. It is that of the bad line, unless
    /// nothing vouches for lines before it: they have no links, or all have been rewritten.
    pub fn earliest(&self) -> Option<u64> {
        self.place.map(|place| place.earliest)
    }
}

impl fmt::Display for LogFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.message))
    }
}

impl std::error::Error for LogFlaw {}

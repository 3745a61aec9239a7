//! What was done to a log, told from the first line that is out of its place and those after it.
//! Pure.
//!
//! An edited line is known by the link of the next, and a moved one by what it says of itself. The
//! invariant: the flaw of one change is that change, at the line where it was made.

use super::super::chain::Hash;
use super::outline::{Field, Outline};
use super::verdict::LogFlawKind as Kind;

/// How a line is linked to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Holds,
    Broken,
    /// The line was written before there were links.
    None,
}

/// The first line that is out of its place, and what is known of those around it.
#[derive(Debug)]
pub(super) struct Suspect {
    pub(super) line: Outline,
    /// Where it stands.
    pub(super) at: u64,
    /// The line before it.
    pub(super) before: Option<Outline>,
    pub(super) link: Link,
    /// Whether it is the first of a segment.
    pub(super) begins_segment: bool,
    /// Whether a line before it says its position.
    pub(super) is_numbered: bool,
    pub(super) behind: Behind,
}

/// What was seen behind the suspect.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// How many lines.
    seen: u64,
    /// The first of them.
    next: Option<Outline>,
    /// How far behind the line stands that should be in its place.
    rightful: Option<u64>,
    /// Whether the same line stands there, too.
    is_copy: bool,
    /// Whether its own predecessor does.
    is_moved: bool,
}

/// What is wrong, and with which line: the suspect or the one before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    pub(super) is_before: bool,
    pub(super) message: String,
}

impl Suspect {
    /// Looks at the next line behind it.
    pub(super) fn witness(&mut self, outline: Outline) {
        let is_rightful = self.is_rightful(&outline);
        let behind = &mut self.behind;
        behind.seen += 1;
        if behind.rightful.is_none() && is_rightful {
            behind.rightful = Some(behind.seen);
        }
        behind.is_copy |= outline.leaf == self.line.leaf;
        behind.is_moved |= self.line.prev == Field::Is(outline.leaf);
        if behind.seen == 1 {
            behind.next = Some(outline);
        }
    }

    /// Whether a line says that its place is where the suspect stands.
    fn is_rightful(&self, line: &Outline) -> bool {
        match (line.seq, line.prev) {
            (Field::Is(seq), Field::Is(prev)) => seq == self.at && prev == self.leaf_before(),
            (Field::Is(seq), Field::Absent) => seq == self.at && self.link == Link::None,
            // Lines without a number are older than those with one.
            (Field::Absent, Field::Absent) => !self.is_numbered && line.flaw.is_none(),
            _ => false,
        }
    }

    /// Whether no line was seen behind it.
    pub(super) fn is_last(&self) -> bool {
        self.behind.seen == 0
    }

    fn leaf_before(&self) -> Hash {
        self.before
            .as_ref()
            .map_or(Hash::default(), |line| line.leaf)
    }

    /// Whether what comes further behind can change the finding.
    pub(super) fn is_open(&self) -> bool {
        let is_misplaced = self.line.seq != Field::Is(self.at) && self.link != Link::Holds;
        self.line.flaw.is_none()
            && (self.behind.seen == 0 || is_misplaced || self.behind.rightful == Some(1))
    }

    /// What is wrong, given what checkpoints know of the line before: whether it is another than
    /// was written.
    pub(super) fn finding(&self, is_before_edited: Option<bool>) -> Finding {
        let (line, at) = (&self.line, self.at);
        let follows = self.behind.next.as_ref();
        let follows = follows.map(|next| next.prev == Field::Is(line.leaf));
        if let Some(flaw) = &line.flaw {
            return here(Kind::NotJson, format!("the line is no record: {flaw}"));
        }
        if let Some(before) = &self.before {
            if before.leaf == line.leaf {
                return here(Kind::Inserted, "the line before stands here a second time");
            }
            let are_rivals = matches!((line.seq, before.seq), (Field::Is(a), Field::Is(b)) if a == b)
                && line.prev == before.prev;
            if are_rivals && self.link != Link::Holds {
                let message = format!(
                    "this line and the one {} it both say that they are record {}: one of them was \
                     inserted",
                    if follows == Some(true) {
                        "after"
                    } else {
                        "before"
                    },
                    at.saturating_sub(1)
                );
                let is_before = follows == Some(true);
                return Finding {
                    is_before,
                    ..here(Kind::Inserted, message)
                };
            }
        }
        let is_later = matches!(line.seq, Field::Is(seq) if seq > at);
        if self.behind.rightful == Some(1) && self.is_numbered {
            let is_moved = self.link == Link::None || self.behind.is_moved;
            return if is_later && is_moved && !self.behind.is_copy {
                here(
                    Kind::Reordered,
                    format!("record {at} stands behind this line"),
                )
            } else {
                let message = format!("the line was inserted: record {at} stands behind it");
                here(Kind::Inserted, message)
            };
        }
        if line.seq == Field::Is(at) {
            return self.unlinked(follows, is_before_edited);
        }
        if self.link == Link::Holds {
            return self.misnumbered(follows);
        }
        self.misplaced()
    }

    /// A line that says it is in its place, and whose link is broken.
    fn unlinked(&self, follows: Option<bool>, is_before_edited: Option<bool>) -> Finding {
        let at = self.at;
        let edited =
            format!("record {at} was edited: its `prev` is not the hash of the line before");
        match self.line.prev {
            Field::Absent => {
                let message =
                    format!("record {at} has no `prev`, though records before it have one");
                here(Kind::MissingPrev, message)
            }
            Field::Bad => here(
                Kind::Edited,
                format!("record {at} was edited: its `prev` is no hash"),
            ),
            Field::Is(_) if self.before.is_none() => here(
                Kind::Edited,
                "the record was edited: the `prev` of the first is 64 zeros",
            ),
            Field::Is(_) => {
                // Who is followed is as it was written; so it is the line before that is not.
                if is_before_edited.or(follows).unwrap_or(true) {
                    let message = format!(
                        "record {} was edited: record {at} has the hash of another line as its `prev`",
                        at.saturating_sub(1)
                    );
                    Finding {
                        is_before: true,
                        ..here(Kind::Edited, message)
                    }
                } else {
                    here(Kind::Edited, edited)
                }
            }
        }
    }

    /// A line that is linked to the one before, and says that it stands elsewhere.
    fn misnumbered(&self, follows: Option<bool>) -> Finding {
        let at = self.at;
        let said = match self.line.seq {
            Field::Is(seq) => format!("its `seq` is {seq}"),
            Field::Absent => "it has no `seq`".to_owned(),
            Field::Bad => "its `seq` is no position".to_owned(),
        };
        match self.line.seq {
            _ if follows == Some(false) => {
                here(Kind::Edited, format!("record {at} was edited: {said}"))
            }
            Field::Is(seq) if !self.is_numbered => self.shifted(seq),
            _ => here(
                Kind::WrongSeq,
                format!("the line is record {at}, and {said}"),
            ),
        }
    }

    /// A line that says it stands elsewhere, and is not linked to the one before.
    fn misplaced(&self) -> Finding {
        let at = self.at;
        let Field::Is(seq) = self.line.seq else {
            let kind = if self.link == Link::None {
                Kind::WrongSeq
            } else {
                Kind::Edited
            };
            return here(
                kind,
                format!("the line does not say that it is record {at}"),
            );
        };
        if self.behind.rightful.is_some() {
            let message = format!("record {seq} stands here, and record {at} further behind");
            return here(Kind::Reordered, message);
        }
        let is_next_right = self.behind.next.as_ref().is_some_and(|next| {
            at.checked_add(1)
                .is_some_and(|at| next.seq == Field::Is(at))
        });
        if is_next_right {
            let (kind, what) = match self.link {
                Link::None => (Kind::WrongSeq, "its `seq` is"),
                _ => (
                    Kind::Edited,
                    "in its place stands a line that says it is record",
                ),
            };
            return here(kind, format!("record {at} was edited: {what} {seq}"));
        }
        self.shifted(seq)
    }

    /// Lines are missing before this one, or there are too many.
    fn shifted(&self, seq: u64) -> Finding {
        let at = self.at;
        let missing = seq.saturating_sub(at);
        let records = match missing {
            0 => {
                let message =
                    format!("a line was inserted: record {seq} stands where record {at} should");
                return here(Kind::Inserted, message);
            }
            1 => format!("record {at} is missing"),
            _ => format!("records {at} to {} are missing", seq - 1),
        };
        if self.begins_segment {
            let message =
                format!("{records} before this segment: a file was removed, or one was cut");
            here(Kind::MissingSegment, message)
        } else {
            here(Kind::Removed, format!("{records} before this line"))
        }
    }
}

fn here(kind: Kind, message: impl Into<String>) -> Finding {
    Finding {
        kind,
        is_before: false,
        message: message.into(),
    }
}

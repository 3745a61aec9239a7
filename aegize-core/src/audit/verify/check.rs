//! Whether the lines of a log are those that were written, told in their order. Pure.
//!
//! The invariant: a log is intact if every line says its place and the hash of the line before it,
//! and the tree over the lines has the root that each checkpoint says. What was written before
//! lines said so is left to the checkpoints.

use std::path::{Path, PathBuf};

use super::super::chain::{Hash, Tree};
use super::super::files::Segment;
use super::chunks::{Outlines, Rest};
use super::outline::{Field, Outline};
use super::suspect::{Behind, Link, Suspect};
use super::verdict::{
    CheckedCheckpoint, IntactLog, LogFlaw, LogFlawKind as Kind, LogVerdict, Place,
};

/// The state of the check after some lines.
#[derive(Debug)]
pub(super) struct Check {
    log: PathBuf,
    files: Vec<Segment>,
    /// The smallest first.
    checkpoints: Vec<CheckedCheckpoint>,
    /// How many of them agree.
    agreed: usize,
    /// The tree over all lines but the last, of which the next line tells whether it is right.
    tree: Tree,
    last: Option<(Outline, Spot)>,
    /// The present file, and how many lines of it were seen.
    file: Option<usize>,
    line: u64,
    /// How many lines of the log were seen.
    position: u64,
    /// How many of them have no link, before the first that has.
    unlinked: u64,
    is_linked: bool,
    is_numbered: bool,
    /// What the name of the present segment says of its first line, if that stands elsewhere and
    /// was not seen yet.
    misnamed: Option<u64>,
    suspect: Option<(Suspect, Spot)>,
}

/// A line's file, its number there, and its position.
#[derive(Debug, Clone, Copy)]
struct Spot {
    file: Option<usize>,
    line: u64,
    position: u64,
}

impl Check {
    pub(super) fn new(
        log: &Path,
        files: Vec<Segment>,
        mut checkpoints: Vec<CheckedCheckpoint>,
    ) -> Self {
        checkpoints.sort_by_key(|checked| checked.checkpoint.head().size);
        Self {
            log: log.to_owned(),
            files,
            checkpoints,
            agreed: 0,
            tree: Tree::default(),
            last: None,
            file: None,
            line: 0,
            position: 0,
            unlinked: 0,
            is_linked: false,
            is_numbered: false,
            misnamed: None,
            suspect: None,
        }
    }

    /// Takes the next lines; an error is the flaw with which the check ends.
    pub(super) fn take(&mut self, outlines: Outlines) -> Result<(), LogFlaw> {
        if self.file != Some(outlines.file) {
            self.begin(outlines.file)?;
        }
        for line in outlines.lines {
            self.line(line)?;
        }
        match outlines.rest {
            Some(rest) if self.suspect.is_none() => self.rest(rest),
            _ => Ok(()),
        }
    }

    /// What is to be said when there are no more lines.
    pub(super) fn finish(mut self) -> LogVerdict {
        match self.end() {
            Err(flaw) => LogVerdict::Broken(flaw),
            Ok(()) => LogVerdict::Intact(IntactLog {
                head: self.tree.head(),
                unlinked: self.unlinked,
                checkpoints: self.checkpoints,
            }),
        }
    }

    fn end(&mut self) -> Result<(), LogFlaw> {
        if let Some((suspect, spot)) = self.suspect.take() {
            return Err(self.conclude(&suspect, spot));
        }
        self.settle(true)?;
        self.empty_segment()?;
        self.truncated("")
    }

    fn begin(&mut self, file: usize) -> Result<(), LogFlaw> {
        if self.suspect.is_none() {
            self.empty_segment()?;
            let first_seq = self.files.get(file).map(|segment| segment.first_seq);
            self.misnamed = first_seq.filter(|first_seq| *first_seq != self.position);
        }
        (self.file, self.line) = (Some(file), 0);
        Ok(())
    }

    /// What a segment without any line tells by its name.
    fn empty_segment(&mut self) -> Result<(), LogFlaw> {
        match self.misnamed {
            Some(first_seq) => {
                self.settle(true)?;
                Err(self.misnamed(first_seq, self.next_spot(), true))
            }
            None => Ok(()),
        }
    }

    fn line(&mut self, outline: Outline) -> Result<(), LogFlaw> {
        let spot = self.next_spot();
        self.line += 1;
        self.position += 1;
        if let Some((suspect, _)) = &mut self.suspect {
            suspect.witness(outline);
        } else {
            let link = self.link(&outline);
            if self.is_in_place(&outline, spot.position, link) {
                return self.accept(outline, spot);
            }
            let suspect = Suspect {
                line: outline,
                at: spot.position,
                before: self.last.as_ref().map(|(before, _)| before.clone()),
                link,
                begins_segment: self.misnamed.is_some() || spot.line == 1 && spot.position > 0,
                is_numbered: self.is_numbered,
                behind: Behind::default(),
            };
            self.suspect = Some((suspect, spot));
        }
        match self.suspect.take_if(|(suspect, _)| !suspect.is_open()) {
            Some((suspect, spot)) => Err(self.conclude(&suspect, spot)),
            None => Ok(()),
        }
    }

    fn link(&self, outline: &Outline) -> Link {
        let before = self.last.as_ref();
        match outline.prev {
            Field::Absent if !self.is_linked => Link::None,
            Field::Is(prev) if prev == before.map_or(Hash::default(), |(line, _)| line.leaf) => {
                Link::Holds
            }
            _ => Link::Broken,
        }
    }

    fn is_in_place(&self, outline: &Outline, position: u64, link: Link) -> bool {
        let says_its_place = match outline.seq {
            Field::Is(seq) => seq == position,
            Field::Absent => !self.is_numbered && link == Link::None,
            Field::Bad => false,
        };
        outline.flaw.is_none() && says_its_place && link != Link::Broken
    }

    fn accept(&mut self, outline: Outline, spot: Spot) -> Result<(), LogFlaw> {
        self.settle(false)?;
        if let Some(first_seq) = self.misnamed.take() {
            return Err(self.misnamed(first_seq, spot, outline.seq == Field::Absent));
        }
        self.is_numbered |= outline.seq != Field::Absent;
        self.is_linked |= outline.prev != Field::Absent;
        self.unlinked += u64::from(!self.is_linked);
        self.last = Some((outline, spot));
        Ok(())
    }

    /// Takes the last line into the tree, which the next one or the end has left as it is.
    fn settle(&mut self, is_end: bool) -> Result<(), LogFlaw> {
        if let Some((line, spot)) = &self.last
            && self.tree.size() == spot.position
        {
            self.tree.push(line.leaf);
        }
        let size = self.tree.size();
        while let Some(CheckedCheckpoint { file, checkpoint }) = self.checkpoints.get(self.agreed)
            && checkpoint.head().size == size
        {
            if checkpoint.head().root != self.tree.root() {
                return Err(self.forked(&file.display().to_string(), size, is_end));
            }
            self.agreed += 1;
        }
        Ok(())
    }

    /// The links hold up to a checkpoint, and lead to another root.
    fn forked(&self, checkpoint: &str, size: u64, is_end: bool) -> LogFlaw {
        let earliest = self.vouched_for();
        let last = size.saturating_sub(1);
        let what = if earliest == last {
            format!("record {last} is not the one that `{checkpoint}` was signed for")
        } else {
            format!(
                "the links hold, but the first {size} records are not those that `{checkpoint}` was \
                 signed for: the last of them was edited, or all from one on were rewritten"
            )
        };
        let is_last_line = is_end && earliest == last;
        let kind = if is_last_line {
            Kind::Edited
        } else {
            Kind::Forked
        };
        let spot = self.last.as_ref().map(|(_, spot)| *spot);
        self.flaw(kind, what, spot, Some(earliest))
    }

    /// How many lines a checkpoint agrees with.
    fn vouched_for(&self) -> u64 {
        let agreed = self.checkpoints.iter().take(self.agreed).next_back();
        agreed.map_or(0, |checked| checked.checkpoint.head().size)
    }

    fn rest(&mut self, rest: Rest) -> Result<(), LogFlaw> {
        self.settle(true)?;
        let spot = self.next_spot();
        if rest == Rest::TooLong {
            let message = "the line is longer than any record".to_owned();
            return Err(self.flaw(Kind::NotJson, message, Some(spot), None));
        }
        if self.file.map(|file| file + 1) == Some(self.files.len()) {
            self.truncated(" and a part of one")?;
        }
        let message = "the line does not end: a crash tore it, or somebody cut it".to_owned();
        Err(self.flaw(Kind::Torn, message, Some(spot), None))
    }

    /// Whether a checkpoint says that there was more.
    fn truncated(&self, part: &str) -> Result<(), LogFlaw> {
        let Some(CheckedCheckpoint { file, checkpoint }) = self.checkpoints.get(self.agreed) else {
            return Ok(());
        };
        let (has, had) = (self.position, checkpoint.head().size);
        let file = file.display();
        let message = format!("the log has {has} records{part}, and `{file}` was signed for {had}");
        Err(self.flaw(Kind::Truncated, message, Some(self.next_spot()), None))
    }

    /// A segment whose name says that it begins elsewhere than it stands.
    fn misnamed(&self, first_seq: u64, spot: Spot, may_be_cut: bool) -> LogFlaw {
        let at = spot.position;
        if first_seq > at && may_be_cut {
            let message = format!(
                "this segment begins with record {first_seq} by its name, and {at} stand before it: \
                 a file was removed, or one was cut"
            );
            return self.flaw(Kind::MissingSegment, message, Some(spot), None);
        }
        let message = format!(
            "this segment begins with record {at}, and with record {first_seq} by its name"
        );
        self.flaw(Kind::WrongSeq, message, Some(spot), None)
    }

    fn conclude(&mut self, suspect: &Suspect, spot: Spot) -> LogFlaw {
        let finding = suspect.finding(self.is_last_edited(suspect));
        let before = self.last.as_ref().map(|(_, spot)| *spot);
        if finding.is_before {
            return self.flaw(finding.kind, finding.message, before.or(Some(spot)), None);
        }
        match self.settle(false) {
            Err(earlier) => earlier,
            Ok(()) => self.flaw(finding.kind, finding.message, Some(spot), None),
        }
    }

    /// Whether the line before a suspect is another than was written, if a checkpoint tells.
    fn is_last_edited(&self, suspect: &Suspect) -> Option<bool> {
        let (last, spot) = self.last.as_ref()?;
        if self.tree.size() != spot.position {
            return None;
        }
        let with = |leaves: &[Hash]| {
            let mut tree = self.tree.clone();
            for leaf in leaves {
                tree.push(*leaf);
            }
            tree.head()
        };
        let of_size = |size| {
            let heads = self
                .checkpoints
                .iter()
                .map(|checked| checked.checkpoint.head());
            heads.into_iter().find(|head| head.size == size)
        };
        if let Some(head) = of_size(suspect.at) {
            return Some(with(&[last.leaf]) != head);
        }
        // If the suspect is right, so is what it says of the line before.
        let head = of_size(suspect.at + 1)?;
        match suspect.line.prev {
            Field::Is(prev) if with(&[prev, suspect.line.leaf]) == head => Some(true),
            _ => suspect.is_last().then_some(false),
        }
    }

    /// Where the next line stands.
    fn next_spot(&self) -> Spot {
        Spot {
            file: self.file,
            line: self.line + 1,
            position: self.position,
        }
    }

    fn flaw(
        &self,
        kind: Kind,
        message: String,
        spot: Option<Spot>,
        earliest: Option<u64>,
    ) -> LogFlaw {
        let file = spot.and_then(|spot| self.files.get(spot.file?));
        let file = file.map_or_else(|| self.log.clone(), |file| file.path.clone());
        let place = spot.map(|Spot { line, position, .. }| {
            // Nothing but checkpoints vouches for lines without links.
            let is_linked = position > self.unlinked || self.unlinked == 0;
            let vouched_for = if is_linked {
                position
            } else {
                self.vouched_for()
            };
            Place {
                line,
                position,
                earliest: earliest.unwrap_or(vouched_for.min(position)),
            }
        });
        LogFlaw {
            kind,
            file,
            place,
            message,
        }
    }
}

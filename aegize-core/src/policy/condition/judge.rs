//! Finding the value that a condition is about, and judging it.
//!
//! A value is a stream of events, and nothing is copied: the pointer is followed while the events
//! go by, and the matcher is asked as soon as its value begins.

use super::{ArgumentCondition, Expectation, List, Match, Matcher};
use crate::arguments::{Argument, Arguments, Scalar, Shape, Sink, Stop};
use crate::pattern::Resolver;

/// The most keys and indices of a pointer.
pub(crate) const LONGEST_POINTER: usize = 16;

/// Who asks, and what a list therefore has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standard {
    /// All elements must match: an allow rule, an exemption.
    Proved,
    /// One element is enough: a deny or approval rule.
    Possible,
}

/// What a condition says of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The argument is not there.
    Absent,
    There(Match),
}

impl ArgumentCondition {
    /// Whether the condition holds, by the standard.
    pub(crate) fn holds(&self, answer: Answer, standard: Standard) -> bool {
        match (&self.expectation, answer) {
            (Expectation::Present(wanted), Answer::Absent) => !wanted,
            (Expectation::Matching { is_optional, .. }, Answer::Absent) => {
                *is_optional && standard == Standard::Proved
            }
            (_, Answer::There(Match::Yes)) => true,
            (_, Answer::There(Match::No)) => false,
            (_, Answer::There(Match::Unreadable)) => standard == Standard::Possible,
        }
    }

    /// Looks at the value in the arguments of a call.
    pub(crate) fn ask(
        &self,
        arguments: Arguments<'_>,
        standard: Standard,
        resolver: Option<&dyn Resolver>,
    ) -> Answer {
        let found = arguments
            .iter()
            .find(|argument| *argument.name == *self.pointer.argument);
        found.map_or(Answer::Absent, |argument| {
            self.judge(argument, standard, resolver)
        })
    }

    fn judge(
        &self,
        argument: Argument<'_>,
        standard: Standard,
        resolver: Option<&dyn Resolver>,
    ) -> Answer {
        let mut search = Search {
            judge: Judge::new(&self.expectation, standard, resolver),
            rest: &self.pointer.rest,
            level: 0,
            depth: 0,
            is_next: true,
            indices: [None; LONGEST_POINTER],
            has_key: [false; LONGEST_POINTER],
            is_ambiguous: false,
            target: None,
            answer: None,
        };
        match argument.value.walk(&mut search) {
            Some(Ok(())) if search.is_ambiguous => Answer::There(Match::Unreadable),
            Some(Ok(()) | Err(Stop::Enough)) => search.answer.unwrap_or(Answer::Absent),
            // Nothing can be read, but what is named is there.
            None if self.pointer.rest.is_empty() => Answer::There(search.judge.unreadable()),
            Some(Err(Stop::Failed)) | None => Answer::There(Match::Unreadable),
        }
    }
}

/// Follows a pointer through the events of a value.
struct Search<'s> {
    judge: Judge<'s>,
    rest: &'s [Box<str>],
    /// How much of the pointer was followed to where the walk is.
    level: usize,
    /// How many lists and maps are open.
    depth: usize,
    /// Whether the value that begins next is where the pointer leads.
    is_next: bool,
    /// Of each list on the way: the position of its next element.
    indices: [Option<usize>; LONGEST_POINTER],
    /// Of each map on the way: whether the key that leads on was seen.
    has_key: [bool; LONGEST_POINTER],
    /// Whether such a key was there twice: who reads the map may take either.
    is_ambiguous: bool,
    /// The depth of the list or map that is judged, while it is open.
    target: Option<usize>,
    answer: Option<Answer>,
}

impl Search<'_> {
    /// A value begins: whether it is on the way, and not beside it.
    fn begin(&mut self) -> bool {
        if self.depth == self.level + 1
            && let Some(index) = self.indices.get_mut(self.level).and_then(Option::as_mut)
        {
            let is_wanted = self
                .rest
                .get(self.level)
                .is_some_and(|segment| is_index(segment, *index));
            *index += 1;
            if is_wanted {
                self.level += 1;
                self.is_next = true;
            }
        }
        std::mem::take(&mut self.is_next) && self.depth == self.level
    }

    fn is_target(&self) -> bool {
        self.level == self.rest.len()
    }

    /// A value on the way has ended.
    fn end(&mut self, answer: Option<Answer>) -> Result<(), Stop> {
        self.level = self.level.saturating_sub(1);
        if let Some(answer) = answer {
            self.answer = Some(answer);
            if self.rest.is_empty() {
                return Err(Stop::Enough);
            }
        }
        Ok(())
    }
}

/// Whether a segment of a pointer is that index: no sign and no leading zeros (RFC 6901).
fn is_index(segment: &str, index: usize) -> bool {
    (segment == "0" || !segment.starts_with('0')) && segment.parse() == Ok(index)
}

impl Sink for Search<'_> {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Stop> {
        if let Some(target) = self.target {
            if self.depth == target + 1 {
                self.judge.element(scalar);
            }
            return Ok(());
        }
        if !self.begin() {
            return Ok(());
        }
        let answer = match scalar {
            Scalar::Null => Answer::Absent,
            _ if self.is_target() => Answer::There(self.judge.scalar(scalar)),
            // The pointer leads on into what holds nothing.
            _ => Answer::There(Match::Unreadable),
        };
        self.end(Some(answer))
    }

    fn open(&mut self, shape: Shape) -> Result<(), Stop> {
        if let Some(target) = self.target {
            if self.depth == target + 1 {
                self.judge.nested();
            }
        } else if self.begin() {
            if self.is_target() {
                self.target = Some(self.depth);
                self.judge.open(shape);
            } else if let (Some(index), Some(has_key)) = (
                self.indices.get_mut(self.level),
                self.has_key.get_mut(self.level),
            ) {
                *index = (shape == Shape::List).then_some(0);
                *has_key = false;
            }
        }
        self.depth += 1;
        Ok(())
    }

    fn key(&mut self, key: &str, _: bool) -> Result<(), Stop> {
        if self.target.is_none()
            && self.depth == self.level + 1
            && self.indices.get(self.level).is_some_and(Option::is_none)
            && self
                .rest
                .get(self.level)
                .is_some_and(|segment| **segment == *key)
        {
            if let Some(has_key) = self.has_key.get_mut(self.level) {
                self.is_ambiguous |= std::mem::replace(has_key, true);
            }
            self.level += 1;
            self.is_next = true;
        }
        Ok(())
    }

    fn close(&mut self, _: Shape) -> Result<(), Stop> {
        self.depth -= 1;
        if let Some(target) = self.target {
            if self.depth == target {
                self.target = None;
                let answer = Answer::There(self.judge.close());
                return self.end(Some(answer));
            }
        } else if self.depth == self.level && !self.is_next {
            return self.end(None);
        }
        Ok(())
    }
}

/// Judges the value that was found.
struct Judge<'s> {
    expectation: &'s Expectation,
    standard: Standard,
    resolver: Option<&'s dyn Resolver>,
    shape: Shape,
    length: usize,
    /// What is known of the elements so far.
    elements: Match,
    /// The elements of a list as words, if they are asked for and all are texts.
    words: Option<Vec<String>>,
}

impl<'s> Judge<'s> {
    fn new(
        expectation: &'s Expectation,
        standard: Standard,
        resolver: Option<&'s dyn Resolver>,
    ) -> Self {
        Self {
            expectation,
            standard,
            resolver,
            shape: Shape::Map,
            length: 0,
            elements: Match::Yes,
            words: None,
        }
    }

    fn unreadable(&self) -> Match {
        match self.expectation {
            Expectation::Present(wanted) => Match::from(*wanted),
            Expectation::Matching { .. } => Match::Unreadable,
        }
    }

    fn matcher(&self) -> Option<&'s Matcher> {
        match self.expectation {
            Expectation::Present(_) => None,
            Expectation::Matching { matcher, .. } => Some(matcher),
        }
    }

    fn scalar(&self, scalar: Scalar<'_>) -> Match {
        match self.expectation {
            Expectation::Present(wanted) => Match::from(*wanted),
            Expectation::Matching { matcher, .. } => matcher.judge_scalar(scalar, self.resolver),
        }
    }

    fn open(&mut self, shape: Shape) {
        self.shape = shape;
        self.length = 0;
        // Of no element all match, and none does.
        self.elements = match self.standard {
            Standard::Proved => Match::Yes,
            Standard::Possible => Match::No,
        };
        let needs_words = self.matcher().is_some_and(Matcher::needs_words);
        self.words = (shape == Shape::List && needs_words).then(Vec::new);
    }

    fn element(&mut self, scalar: Scalar<'_>) {
        self.length += 1;
        if self.shape == Shape::Map {
            return;
        }
        match (&mut self.words, super::text(scalar)) {
            (Some(words), Some(text)) => words.push(text.to_owned()),
            (words, _) => *words = None,
        }
        if let Some(matcher) = self.matcher() {
            self.fold(matcher.judge_element(scalar, self.resolver));
        }
    }

    /// A list or map within the list: no matcher reads it.
    fn nested(&mut self) {
        self.length += 1;
        self.words = None;
        self.fold(Match::Unreadable);
    }

    fn fold(&mut self, answer: Match) {
        let decisive = match self.standard {
            Standard::Proved => Match::No,
            Standard::Possible => Match::Yes,
        };
        self.elements = match (self.elements, answer) {
            (known, _) if known == decisive => known,
            (_, answer) if answer == decisive => answer,
            (Match::Unreadable, _) | (_, Match::Unreadable) => Match::Unreadable,
            (known, _) => known,
        };
    }

    fn close(&mut self) -> Match {
        let Some(matcher) = self.matcher() else {
            return self.unreadable();
        };
        if self.shape == Shape::Map {
            return Match::Unreadable;
        }
        let list = List {
            length: self.length,
            words: self.words.as_deref(),
        };
        let whole = matcher.judge_list(&list);
        if matcher.has_element_tests() {
            Match::all([whole, self.elements])
        } else {
            whole
        }
    }
}

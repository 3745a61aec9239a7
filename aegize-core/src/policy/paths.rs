//! Whether a path lies inside patterns: what can be proved of it, and what is possible.

use std::borrow::Cow;
use std::rc::Rc;

use super::document::PathPattern;
use crate::arguments::{Call, CandidatePath};
use crate::pattern::{Abnormal, Followed, Match, NormalPath, PathGlob, Readings, Resolver};

/// One path of a call.
pub(super) struct PathFact<'a> {
    /// The argument or metadata key it came from.
    source: &'a str,
    text: Option<Cow<'a, str>>,
    /// The ways to read it.
    readings: Result<Readings<'a>, Abnormal>,
    /// Whether it only might be a path.
    pub(super) is_guess: bool,
}

/// Why it is not proved that a path lies inside.
pub(super) enum Unproved {
    Abnormal(Abnormal),
    Outside,
    /// It lies inside, but leads out through a link.
    LeadsOutside,
    Unresolved,
}

impl<'a> PathFact<'a> {
    pub(super) fn new(candidate: CandidatePath<'a>) -> Self {
        let CandidatePath {
            source,
            text,
            guess,
        } = candidate;
        let readings = match &text {
            None => Err(Abnormal::Unreadable),
            Some(Cow::Borrowed(text)) => NormalPath::readings(text),
            Some(Cow::Owned(text)) => NormalPath::readings(text).map(Readings::into_owned),
        };
        Self {
            source,
            text,
            readings,
            is_guess: guess.is_some(),
        }
    }

    fn follow(&self, resolver: &dyn Resolver) -> Option<Rc<Followed>> {
        resolver.follow(self.text.as_deref()?)
    }

    /// Why it is not proved that the path lies inside the patterns; `None` if it is.
    pub(super) fn unproved(
        &self,
        patterns: &[PathPattern],
        resolver: Option<&dyn Resolver>,
    ) -> Option<Unproved> {
        let readings = match &self.readings {
            Ok(readings) => readings,
            Err(problem) => return Some(Unproved::Abnormal(*problem)),
        };
        let is_inside = |reading| {
            patterns
                .iter()
                .any(|pattern| pattern.glob.is_match(reading))
        };
        if !readings.iter().all(is_inside) {
            return Some(Unproved::Outside);
        }
        let resolver = resolver?;
        let Some(followed) = self.follow(resolver) else {
            return Some(Unproved::Unresolved);
        };
        let leads_inside = |reading| {
            let mut globs = patterns.iter().map(|pattern| &pattern.glob);
            globs.any(|glob| glob.leads_inside(reading, &followed, resolver))
        };
        (!readings.iter().all(leads_inside)).then_some(Unproved::LeadsOutside)
    }

    /// Whether the path might be one that lies inside the patterns.
    pub(super) fn is_possible(
        &self,
        patterns: &[PathPattern],
        resolver: Option<&dyn Resolver>,
    ) -> bool {
        let Ok(readings) = &self.readings else {
            // A string that may be none, and cannot be one, is none.
            return !self.is_guess;
        };
        let mut globs = patterns.iter().map(|pattern| &pattern.glob);
        let is_possible =
            |glob: &PathGlob| readings.iter().any(|path| glob.is_possible_match(path));
        if globs.clone().any(is_possible) {
            return true;
        }
        let Some(resolver) = resolver else {
            return false;
        };
        let Some(followed) = self.follow(resolver) else {
            return true;
        };
        globs.any(|glob| glob.may_lead_inside(&followed, resolver))
    }
}

impl PathFact<'_> {
    /// The path as it may be shown.
    pub(super) fn shown(&self, call: &Call<'_>) -> String {
        let source = call.redactor.redact(self.source);
        let Some(text) = &self.text else {
            return format!("of `{source}`");
        };
        match call.shown(self.source, text) {
            Some(text) => format!("'{}'", shorten(&text)),
            None => format!("of `{source}` (redacted)"),
        }
    }
}

/// What can be said of a text that is meant as a path.
pub(super) fn inside(
    patterns: &[PathPattern],
    text: &str,
    resolver: Option<&dyn Resolver>,
) -> Match {
    let path = PathFact::new(CandidatePath {
        source: "",
        text: Some(Cow::Borrowed(text)),
        guess: None,
    });
    if path.unproved(patterns, resolver).is_none() {
        Match::Yes
    } else if path.is_possible(patterns, resolver) {
        Match::Unreadable
    } else {
        Match::No
    }
}

fn shorten(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(100)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(100).is_some() {
        shown.push('…');
    }
    shown
}

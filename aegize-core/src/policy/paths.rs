//! Whether a path lies inside patterns: what can be proved of it, and what is possible.

use std::rc::Rc;

use super::document::PathPattern;
use crate::arguments::CandidatePath;
use crate::pattern::{Abnormal, Followed, Match, NormalPath, PathGlob, Resolver};

/// One path of a call.
pub(super) struct PathFact {
    /// How it may be shown.
    pub(super) shown: String,
    text: Option<String>,
    /// The ways to read it.
    readings: Result<Vec<NormalPath>, Abnormal>,
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

impl PathFact {
    pub(super) fn new(candidate: CandidatePath<'_>) -> Self {
        let CandidatePath {
            source,
            text,
            is_redacted,
            guess,
        } = candidate;
        let shown = match &text {
            _ if is_redacted => format!("of `{source}` (redacted)"),
            Some(text) => format!("'{}'", shorten(text)),
            None => format!("of `{source}`"),
        };
        Self {
            shown,
            readings: text
                .as_deref()
                .map_or(Err(Abnormal::Unreadable), NormalPath::readings),
            text,
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

/// What can be said of a text that is meant as a path.
pub(super) fn inside(
    patterns: &[PathPattern],
    text: &str,
    resolver: Option<&dyn Resolver>,
) -> Match {
    let path = PathFact::new(CandidatePath {
        source: "",
        text: Some(text.to_owned()),
        is_redacted: false,
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

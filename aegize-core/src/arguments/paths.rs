//! Which values of a call count as its paths.
//!
//! Declared ones always do: parameters of a path type or marked `#[guard(path)]`, and
//! `metadata.path`, `paths` and `candidate_paths`. If no parameter is declared, so does every
//! string that looks like a path, at any depth, and an argument that cannot be read, since it
//! might hold one; and if all that leaves none, every string. Other strings are in the list as
//! guesses: nothing has to be proved of them, but a deny rule may be about them. The invariant:
//! what might be a path is in the list, readable or not.

use serde_json::Value;

use super::capture::Captured;
use super::walk::{Scalar, Shape, Sink, Stop};
use super::{Argument, Call};

/// A longer text is not looked through: it counts as a path that cannot be read. It is Linux's
/// `PATH_MAX`.
const LONGEST: usize = 4096;

/// The most paths that are looked at for one call. If there are more, one more counts that cannot
/// be read.
const MOST: usize = 1000;

/// Keys of a call's metadata that hold paths.
const METADATA: [&str; 3] = ["path", "paths", "candidate_paths"];

/// One value that counts as a path of a call.
pub(crate) struct CandidatePath<'a> {
    /// The argument or metadata key it came from.
    pub(crate) source: &'a str,
    /// The path, or `None` if it cannot be read as one.
    pub(crate) text: Option<String>,
    /// Whether it must not be shown.
    pub(crate) is_redacted: bool,
    /// What it is if it only might be a path.
    pub(crate) guess: Option<Guess>,
}

/// A string that does not look like a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    /// A value.
    Value,
    /// The key of a map.
    Key,
}

impl Call<'_> {
    /// The paths of the call, in the order of its arguments.
    pub(crate) fn candidate_paths(&self) -> Vec<CandidatePath<'_>> {
        let mut found = Vec::new();
        let is_declared = self.arguments.iter().any(|argument| argument.is_path);
        for argument in self.arguments.iter().filter(|argument| argument.is_path) {
            collect(argument, Wanted::Everything, &mut found);
        }
        for key in METADATA {
            if let Some(value) = self.metadata.get_key_value(key) {
                collect(metadata_argument(value), Wanted::Everything, &mut found);
            }
        }
        if !is_declared {
            for argument in self.arguments.iter() {
                // The names of JSON arguments are data, too.
                if is_path_like(argument.name) {
                    let name = Argument::new(argument.name, Captured::Text(argument.name));
                    collect(name, Wanted::Strings, &mut found);
                }
                collect(argument, Wanted::Strings, &mut found);
            }
        }
        if found.iter().all(|candidate| candidate.guess.is_some()) {
            for candidate in &mut found {
                if candidate.guess == Some(Guess::Value) {
                    candidate.guess = None;
                }
            }
        }
        found
    }
}

fn metadata_argument<'a>((key, value): (&'a String, &'a Value)) -> Argument<'a> {
    Argument::new(key, Captured::Structured(value))
}

/// Which values of an argument count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// It is declared: strings are paths, anything else but null is an unreadable one.
    Everything,
    /// Strings: those that look like a path, and the others as guesses.
    Strings,
}

fn collect<'a>(argument: Argument<'a>, wanted: Wanted, found: &mut Vec<CandidatePath<'a>>) {
    let mut collector = Collector {
        argument,
        wanted,
        found,
    };
    match argument.value.walk(&mut collector) {
        Some(Ok(())) => {}
        // What does not serialize to its end, or at all, might hold a path.
        Some(Err(_)) | None => collector.unreadable(),
    }
}

struct Collector<'f, 'a> {
    argument: Argument<'a>,
    wanted: Wanted,
    found: &'f mut Vec<CandidatePath<'a>>,
}

impl Collector<'_, '_> {
    fn add(&mut self, text: Option<String>, guess: Option<Guess>) {
        self.found.push(CandidatePath {
            source: self.argument.name,
            text,
            is_redacted: self.argument.is_redacted,
            guess,
        });
    }

    fn unreadable(&mut self) {
        self.add(None, None);
    }

    /// Adds a string; fails if there are more than are looked at.
    fn text(&mut self, text: &str, guess: Guess) -> Result<(), Stop> {
        if self.found.len() >= MOST {
            return Err(Stop::Enough);
        }
        if text.len() > LONGEST {
            self.unreadable();
        } else {
            let is_certain = self.wanted == Wanted::Everything || is_path_like(text);
            self.add(Some(text.to_owned()), (!is_certain).then_some(guess));
        }
        Ok(())
    }
}

impl Sink for Collector<'_, '_> {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Stop> {
        match scalar {
            Scalar::Null => {}
            Scalar::Text(text) => self.text(text, Guess::Value)?,
            Scalar::Bytes(bytes) => match str::from_utf8(bytes) {
                Ok(text) => self.text(text, Guess::Value)?,
                Err(_) => self.unreadable(),
            },
            _ if self.wanted == Wanted::Everything => self.unreadable(),
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, _: Shape) -> Result<(), Stop> {
        Ok(())
    }

    fn key(&mut self, key: &str, field: bool) -> Result<(), Stop> {
        // The keys of a map are data, and may be paths; a type's field names are not.
        if field {
            return Ok(());
        }
        self.text(key, Guess::Key)
    }

    fn close(&mut self, _: Shape) -> Result<(), Stop> {
        Ok(())
    }
}

/// Whether a string looks like a path: a separator, a leading `.` or `~`, a drive letter, or a
/// control character.
fn is_path_like(text: &str) -> bool {
    let mut start = text.chars();
    let first = start.next();
    let is_drive = first.is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':');
    is_drive
        || matches!(first, Some('.' | '~'))
        || text
            .chars()
            .any(|c| matches!(c, '/' | '\\') || c.is_control())
}

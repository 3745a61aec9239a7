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

/// A longer text is not looked through: it counts as a path that cannot be read. No operating
/// system takes a path of more than 32 767 characters.
const LONGEST: usize = 32 * 1024;

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
    /// Whether it is any string, which only might be a path.
    pub(crate) is_guess: bool,
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
                collect(argument, Wanted::Strings, &mut found);
            }
        }
        if found.iter().all(|candidate| candidate.is_guess) {
            for candidate in &mut found {
                candidate.is_guess = false;
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
    fn add(&mut self, text: Option<String>, is_guess: bool) {
        self.found.push(CandidatePath {
            source: self.argument.name,
            text,
            is_redacted: self.argument.is_redacted,
            is_guess,
        });
    }

    fn unreadable(&mut self) {
        self.add(None, false);
    }

    fn text(&mut self, text: &str) {
        if text.len() > LONGEST {
            self.unreadable();
        } else {
            let is_certain = self.wanted == Wanted::Everything || is_path_like(text);
            self.add(Some(text.to_owned()), !is_certain);
        }
    }
}

impl Sink for Collector<'_, '_> {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Stop> {
        match scalar {
            Scalar::Null => {}
            Scalar::Text(text) => self.text(text),
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
        if !field && (self.wanted == Wanted::Everything || is_path_like(key)) {
            self.text(key);
        }
        Ok(())
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

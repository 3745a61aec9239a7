//! Which values of a call count as its paths.
//!
//! Declared ones always do: parameters of a path type or marked `#[guard(path)]`, and
//! `metadata.path`, `paths` and `candidate_paths`. If no parameter is declared, so does every
//! string that looks like a path, at any depth, and an argument that cannot be read, since it
//! might hold one; and if all that leaves none, every string. Other strings are in the list as
//! guesses: nothing has to be proved of them, but a deny rule may be about them. The invariant:
//! what might be a path is in the list, readable or not.

use std::borrow::Cow;

use serde_json::Value;
use smallvec::SmallVec;

use super::capture::Captured;
use super::walk::{DEEPEST, Scalar, Shape, Sink, Stop};
use super::{Argument, Call};

/// A longer text is not looked through: it counts as a path that cannot be read. It is Linux's
/// `PATH_MAX`.
const LONGEST: usize = 4096;

/// The most paths that are looked at for one call. If there are more, one more counts that cannot
/// be read.
const MOST: usize = 1000;

/// Keys of a call's metadata that hold paths.
pub(crate) const PATH_METADATA: [&str; 3] = ["path", "paths", "candidate_paths"];

/// A list of paths, or of what is known of them; few calls have more than fit without the heap.
pub(crate) type FewPaths<T> = SmallVec<[T; 4]>;

/// One value that counts as a path of a call.
pub(crate) struct CandidatePath<'a> {
    /// The argument or metadata key it came from.
    pub(crate) source: &'a str,
    /// The path, or `None` if it cannot be read as one.
    pub(crate) text: Option<Cow<'a, str>>,
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

impl<'a> Call<'a> {
    /// The paths of the call, in the order of its arguments.
    pub(crate) fn candidate_paths(&self) -> FewPaths<CandidatePath<'a>> {
        let mut found = FewPaths::new();
        let is_declared = self.arguments.iter().any(|argument| argument.is_path);
        for argument in self.arguments.iter().filter(|argument| argument.is_path) {
            collect(argument, Wanted::Everything, &mut found);
        }
        for key in PATH_METADATA {
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
    Argument::new(key, Captured::Json(value))
}

/// Which values of an argument count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// It is declared: strings are paths, anything else but null is an unreadable one.
    Everything,
    /// Strings: those that look like a path, and the others as guesses.
    Strings,
}

fn collect<'a>(argument: Argument<'a>, wanted: Wanted, found: &mut FewPaths<CandidatePath<'a>>) {
    let mut collector = Collector {
        argument,
        wanted,
        found,
    };
    let walked = match argument.value {
        Captured::Text(text) => Some(collector.lent(text, Guess::Value)),
        Captured::Json(value) => Some(collector.json(value, 0)),
        value => value.walk(&mut collector),
    };
    match walked {
        Some(Ok(())) => {}
        // What does not serialize to its end, or at all, might hold a path.
        Some(Err(_)) | None => collector.unreadable(),
    }
}

struct Collector<'f, 'a> {
    argument: Argument<'a>,
    wanted: Wanted,
    found: &'f mut FewPaths<CandidatePath<'a>>,
}

impl<'a> Collector<'_, 'a> {
    /// As a walk would, but with the strings borrowed.
    fn json(&mut self, value: &'a Value, depth: usize) -> Result<(), Stop> {
        match value {
            Value::String(text) => self.lent(text, Guess::Value),
            Value::Array(_) | Value::Object(_) if depth >= DEEPEST => Err(Stop::Failed),
            Value::Array(values) => values
                .iter()
                .try_for_each(|value| self.json(value, depth + 1)),
            Value::Object(entries) => entries.iter().try_for_each(|(key, value)| {
                self.lent(key, Guess::Key)?;
                self.json(value, depth + 1)
            }),
            Value::Null => Ok(()),
            Value::Bool(_) | Value::Number(_) => {
                self.no_text();
                Ok(())
            }
        }
    }

    fn add(&mut self, text: Option<Cow<'a, str>>, guess: Option<Guess>) {
        self.found.push(CandidatePath {
            source: self.argument.name,
            text,
            guess,
        });
    }

    fn unreadable(&mut self) {
        self.add(None, None);
    }

    /// Adds a value that is no string.
    fn no_text(&mut self) {
        if self.wanted == Wanted::Everything {
            self.unreadable();
        }
    }

    fn lent(&mut self, text: &'a str, guess: Guess) -> Result<(), Stop> {
        self.text(text, guess, || Cow::Borrowed(text))
    }

    fn copied(&mut self, text: &str, guess: Guess) -> Result<(), Stop> {
        self.text(text, guess, || Cow::Owned(text.to_owned()))
    }

    /// Adds a string; fails if there are more than are looked at.
    fn text(
        &mut self,
        text: &str,
        guess: Guess,
        kept: impl FnOnce() -> Cow<'a, str>,
    ) -> Result<(), Stop> {
        if self.found.len() >= MOST {
            return Err(Stop::Enough);
        }
        if text.len() > LONGEST {
            self.unreadable();
        } else {
            let is_certain = self.wanted == Wanted::Everything || is_path_like(text);
            self.add(Some(kept()), (!is_certain).then_some(guess));
        }
        Ok(())
    }
}

impl Sink for Collector<'_, '_> {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Stop> {
        match scalar {
            Scalar::Null => {}
            Scalar::Text(text) => self.copied(text, Guess::Value)?,
            Scalar::Bytes(bytes) => match str::from_utf8(bytes) {
                Ok(text) => self.copied(text, Guess::Value)?,
                Err(_) => self.unreadable(),
            },
            _ => self.no_text(),
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
        self.copied(key, Guess::Key)
    }

    fn close(&mut self, _: Shape) -> Result<(), Stop> {
        Ok(())
    }
}

/// Whether a string looks like a path: a separator, a leading `.` or `~`, a drive letter, or a
/// control character.
pub(crate) fn is_path_like(text: &str) -> bool {
    let mut start = text.chars();
    let first = start.next();
    let is_drive = first.is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':');
    is_drive
        || matches!(first, Some('.' | '~'))
        || text
            .chars()
            .any(|c| matches!(c, '/' | '\\') || c.is_control())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(value: Captured<'_>, wanted: Wanted) -> Vec<(Option<String>, bool)> {
        let mut found = FewPaths::new();
        collect(Argument::new("argument", value), wanted, &mut found);
        found
            .into_iter()
            .map(|path| (path.text.map(Cow::into_owned), path.guess.is_some()))
            .collect()
    }

    #[test]
    fn json_is_searched_as_any_other_value_but_lent() {
        let mut deep = json!("./deep");
        for level in 0..DEEPEST + 2 {
            for value in [
                &deep,
                &json!({ "./key": [null, true, 1, "plain", "./path", {"other": deep}] }),
                &json!([["x".repeat(LONGEST)], "y".repeat(LONGEST + 1), "./last"]),
                &json!(vec!["./many"; MOST + 2]),
            ] {
                for wanted in [Wanted::Everything, Wanted::Strings] {
                    let lent = found(Captured::Json(value), wanted);
                    let copied = found(Captured::Structured(value), wanted);
                    assert_eq!(lent, copied, "level {level}: {wanted:?}");
                    assert!(!lent.is_empty());
                }
            }
            deep = json!([deep]);
        }
    }
}

//! Globs, as programs of a few tokens.
//!
//! `?` is one character, `*` any number of them, `[abc]`, `[a-z]` and `[!abc]` one of or none of
//! some, `{a,b}` one of several texts. There is no escape: `[*]` is a star. What a wildcard
//! reaches across is a matter of [`Syntax`].
//!
//! Matching follows all ways to read the pattern at once, so that it takes at most one step for
//! each pair of a character and a token, and it allocates nothing.

mod parse;
mod run;
#[cfg(test)]
mod tests;
pub(super) mod translate;

use crate::text::find_invisible;

/// The longest pattern, in bytes.
const LONGEST: usize = 1024;

/// Why a pattern is refused, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

impl PatternError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

/// What a glob is matched against.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// A name, where no character is special.
    Name,
    /// Any text: `*`, `?` and classes do not reach across a `/`, `**` does, and stands anywhere.
    Text,
    /// A path in normal form: as in a text, but `**` stands for whole directories.
    Path,
}

/// Whether a text uses any glob syntax.
pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', ']', '{', '}'])
}

/// Checks what every pattern has to satisfy.
pub(super) fn check(pattern: &str) -> Result<(), PatternError> {
    if pattern.is_empty() {
        return Err(PatternError::new("is empty; write a name or a glob"));
    }
    if pattern.len() > LONGEST {
        return Err(PatternError::new(format!(
            "is {} bytes long; a pattern has at most {LONGEST}",
            pattern.len()
        )));
    }
    if let Some(found) = find_invisible(pattern) {
        return Err(PatternError::new(format!(
            "holds {found:?}, which nobody sees; remove it"
        )));
    }
    if pattern.trim() != pattern {
        return Err(PatternError::new(
            "begins or ends with white space; remove it",
        ));
    }
    Ok(())
}

/// A glob, ready to match.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    tokens: Box<[Token]>,
    classes: Box<[Class]>,
}

/// One step of a glob. The distances of alternatives are counted in tokens, and all lead forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// This character.
    Literal(char),
    /// One of these characters.
    One(Set),
    /// Any number of these characters.
    Many(Set),
    /// `**/`: any number of whole directories. It stands where a segment begins.
    Directories,
    /// `/**` at the end, before a `Many(Set::Any)`: nothing more, or a `/` and anything.
    Below,
    /// An alternative begins; the next one does so far from here, if there is one.
    Branch(Option<u16>),
    /// An alternative ends; the text after all of them is matched so far from here.
    Join(u16),
}

/// A set of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Any,
    /// All but `/`.
    WithinSegment,
    /// A position in [`Glob::classes`].
    Class(u16),
}

/// What `[…]` holds.
#[derive(Debug, Clone)]
struct Class {
    is_negated: bool,
    ranges: Box<[(char, char)]>,
}

impl Class {
    fn holds(&self, c: char) -> bool {
        let is_listed = self
            .ranges
            .iter()
            .any(|(from, to)| (from..=to).contains(&&c));
        is_listed != self.is_negated
    }
}

impl Glob {
    fn set_holds(&self, set: Set, c: char) -> bool {
        match set {
            Set::Any => true,
            Set::WithinSegment => c != '/',
            Set::Class(position) => {
                let class = self.classes.get(usize::from(position));
                class.is_some_and(|class| class.holds(c))
            }
        }
    }
}

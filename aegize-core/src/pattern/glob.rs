//! The one door to `globset`: bounded, without its surprises.
//!
//! `globset` overflows the stack on deeply nested braces and lets a character class cross a
//! separator even when told that separators are literal. Patterns are therefore checked before
//! they are compiled: short, braces not nested, no class or brace that could hold a separator.

use globset::{GlobBuilder, GlobMatcher};

/// The longest pattern, in bytes.
const LONGEST: usize = 1024;

/// Why a pattern is refused, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct PatternError(String);

impl PatternError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

/// Whether a text uses any glob syntax.
pub(crate) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', ']', '{', '}'])
}

/// Checks what both names and paths ask of a pattern.
pub(crate) fn check(pattern: &str) -> Result<(), PatternError> {
    if pattern.is_empty() {
        return Err(PatternError::new("is empty; write a name or a glob"));
    }
    if pattern.len() > LONGEST {
        return Err(PatternError::new(format!(
            "is {} bytes long; a pattern has at most {LONGEST}",
            pattern.len()
        )));
    }
    if let Some(found) = pattern.chars().find(|c| c.is_control()) {
        return Err(PatternError::new(format!(
            "holds the control character {found:?}; remove it"
        )));
    }
    Ok(())
}

/// Compiles a pattern whose `*` and `?` stay within what `/` separates, if `separated`.
pub(crate) fn compile(pattern: &str, separated: bool) -> Result<GlobMatcher, PatternError> {
    let pattern = if separated {
        within_segments(pattern)?
    } else {
        check_braces(pattern)?;
        pattern.to_owned()
    };
    GlobBuilder::new(&pattern)
        .literal_separator(separated)
        .backslash_escape(false)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| PatternError::new(format!("is not a glob: {}", error.kind())))
}

fn check_braces(pattern: &str) -> Result<(), PatternError> {
    let mut is_open = false;
    for c in pattern.chars() {
        match c {
            '{' if is_open => {
                return Err(PatternError::new(
                    "nests braces; write one pattern for each alternative",
                ));
            }
            '{' => is_open = true,
            '}' => is_open = false,
            '/' if is_open => {
                return Err(PatternError::new(
                    "has a `/` within braces; write one pattern for each path",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The same pattern, with `/` kept out of every character class.
fn within_segments(pattern: &str) -> Result<String, PatternError> {
    check_braces(pattern)?;
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some((before, class)) = rest.split_once('[') {
        out.push_str(before);
        out.push('[');
        let negation = if class.starts_with(['!', '^']) { 1 } else { 0 };
        // A `]` that comes first is a member of the class.
        let first = negation + class.chars().nth(negation).map_or(0, char::len_utf8);
        let Some(end) = class.get(first..).and_then(|c| c.find(']')) else {
            return Err(PatternError::new("has a `[` without its `]`"));
        };
        let (members, after) = class.split_at(first + end);
        let (negation, members) = members.split_at(negation);
        if crosses_separator(members) {
            return Err(PatternError::new(
                "has a character class that holds `/`; write the `/` outside of it",
            ));
        }
        out.push_str(negation);
        if !negation.is_empty() {
            // A `]` first in the class has to stay first.
            let (first, others) = members.split_at(usize::from(members.starts_with(']')));
            out.push_str(first);
            out.push('/');
            out.push_str(others);
        } else {
            out.push_str(members);
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Whether a class holds `/`, itself or within a range.
fn crosses_separator(members: &str) -> bool {
    let members: Vec<char> = members.chars().collect();
    members.contains(&'/')
        || members
            .windows(3)
            .any(|range| matches!(range, [from, '-', to] if ('/' >= *from) && ('/' <= *to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern, true).unwrap().is_match(text)
    }

    #[test]
    fn a_class_never_crosses_a_separator() {
        assert!(matches("a[!b]c", "axc"));
        assert!(!matches("a[!b]c", "a/c"));
        assert!(!matches("a[^b]c", "a/c"));
        assert!(!matches("a[!]b]c", "a/c"));
        assert!(matches("a[!]b]c", "axc"));
        assert!(!matches("a[!]b]c", "a]c"));
        assert!(matches("a[]b]c", "a]c"));
        for pattern in ["a[.-0]c", "a[/]c", "a[!--z]c", "a[!a/]c"] {
            assert!(compile(pattern, true).is_err(), "{pattern}");
        }
    }

    #[test]
    fn hostile_patterns_are_refused_at_once() {
        let nested = "{".repeat(20_000) + &"}".repeat(20_000);
        assert!(check(&nested).is_err());
        assert!(compile(&nested, true).is_err());
        assert!(compile("{a,{b,c}}", false).is_err());
        assert!(compile("{a/b,c}", true).is_err());
        assert!(compile("[a", true).is_err());
        assert!(compile("{a", true).is_err());
    }
}

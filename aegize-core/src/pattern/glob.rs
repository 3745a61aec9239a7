//! Globs, as regular expressions that match in linear time.
//!
//! `?` is one character, `*` any number of them, `[abc]`, `[a-z]` and `[!abc]` one of or none of
//! some, `{a,b}` one of several texts. In a path, none of them reaches across a `/`; only `**`
//! does, as whole directories. There is no escape: `[*]` is a star.

use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};

use crate::text::find_invisible;

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

/// What a glob is matched against.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// A name, where no character is special.
    Name,
    /// A path in normal form, whose segments `/` separates.
    Path,
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

/// Compiles a checked pattern. In a path, `**` stands alone between separators, and not twice
/// in a row.
pub(crate) fn compile(pattern: &str, syntax: Syntax) -> Result<Regex, PatternError> {
    let mut translation = Translation {
        syntax,
        rest: pattern,
        regex: String::from(r"\A(?s:"),
    };
    translation.run()?;
    translation.regex.push_str(r")\z");
    RegexBuilder::new(&translation.regex)
        .size_limit(128 * 1024)
        .build()
        .map_err(|_| PatternError::new("is too complex; write several simpler ones"))
}

/// A glob on its way to a regular expression.
struct Translation<'p> {
    syntax: Syntax,
    rest: &'p str,
    regex: String,
}

impl Translation<'_> {
    fn run(&mut self) -> Result<(), PatternError> {
        let is_path = self.syntax == Syntax::Path;
        let mut is_in_braces = false;
        loop {
            if is_path && self.rest == "/**" {
                // The directory itself is covered, too.
                self.regex.push_str("(?:/.*)?");
                return Ok(());
            }
            if is_path && self.eat("**/") {
                self.regex.push_str("(?:[^/]+/)*");
                continue;
            }
            let Some(c) = self.next() else { break };
            match c {
                '*' if is_path => self.regex.push_str("[^/]*"),
                '*' => self.regex.push_str(".*"),
                '?' if is_path => self.regex.push_str("[^/]"),
                '?' => self.regex.push('.'),
                '[' => self.class()?,
                ']' => return Err(PatternError::new("has a `]` without its `[`; write `[]]`")),
                '{' if is_in_braces => {
                    let problem = "nests braces; write one pattern for each alternative";
                    return Err(PatternError::new(problem));
                }
                '{' => {
                    is_in_braces = true;
                    self.regex.push_str("(?:");
                }
                ',' if is_in_braces => self.regex.push('|'),
                '}' if is_in_braces => {
                    is_in_braces = false;
                    self.regex.push(')');
                }
                '}' => return Err(PatternError::new("has a `}` without its `{`; write `[}]`")),
                '/' if is_path && is_in_braces => {
                    let problem = "has a `/` within braces; write one pattern for each path";
                    return Err(PatternError::new(problem));
                }
                c => self.literal(c),
            }
        }
        if is_in_braces {
            return Err(PatternError::new("has a `{` without its `}`; write `[{]`"));
        }
        Ok(())
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// One character as itself, in or out of a class.
    fn literal(&mut self, c: char) {
        // Writing to a string does not fail.
        let _ = write!(self.regex, r"\x{{{:x}}}", u32::from(c));
    }

    /// What follows a `[`, up to its `]`.
    fn class(&mut self) -> Result<(), PatternError> {
        let unclosed = || PatternError::new("has a `[` without its `]`; write `[[]`");
        let is_negated = self.eat("!") || self.eat("^");
        let is_path = self.syntax == Syntax::Path;
        self.regex.push_str(match (is_negated, is_path) {
            (true, true) => "[^/",
            (true, false) => "[^",
            (false, _) => "[",
        });
        let mut is_first = true;
        loop {
            let from = self.next().ok_or_else(unclosed)?;
            // A `]` that comes first is a member.
            if from == ']' && !is_first {
                break;
            }
            is_first = false;
            let to = if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.eat("-");
                self.next().ok_or_else(unclosed)?
            } else {
                from
            };
            if from > to {
                return Err(PatternError::new(format!(
                    "has the range `{from}-{to}`, which holds nothing; write `{to}-{from}`"
                )));
            }
            if is_path && (from..=to).contains(&'/') {
                let problem = "has a character class that holds `/`; write the `/` outside of it";
                return Err(PatternError::new(problem));
            }
            self.literal(from);
            self.regex.push('-');
            self.literal(to);
        }
        self.regex.push(']');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern, Syntax::Path).unwrap().is_match(text)
    }

    #[test]
    fn wildcards_stay_within_a_segment_and_count_characters() {
        for (pattern, text, expected) in [
            ("a*c", "abbc", true),
            ("a*c", "ab/c", false),
            ("a?c", "aéc", true),
            ("a?c", "a/c", false),
            ("a?c", "aééc", false),
            ("a[!b]c", "axc", true),
            ("a[!b]c", "aéc", true),
            ("a[!b]c", "a/c", false),
            ("a[^b]c", "a/c", false),
            ("a[!]b]c", "a/c", false),
            ("a[!]b]c", "axc", true),
            ("a[!]b]c", "a]c", false),
            ("a[]b]c", "a]c", true),
            ("a[é-ü]c", "aöc", true),
            ("a[a-]c", "a-c", true),
            ("[*]", "*", true),
            ("[*]", "x", false),
            ("*.{md,txt}", "a.txt", true),
            ("*.{md,txt}", "a.txt.exe", false),
            ("**/x", "x", true),
            ("**/x", "a/b/x", true),
            ("**/x", "ax", false),
            ("a/**/x", "a/x", true),
            ("a/**/x", "a/b/c/x", true),
            ("*/b/**", "a/b", true),
            ("*/b/**", "a/b/c/d", true),
            ("*/b/**", "a/bc", false),
            ("a.c", "abc", false),
            ("a", "a\n", false),
            ("(a|b)$^", "(a|b)$^", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text:?}");
        }
    }

    #[test]
    fn mistakes_and_hostile_patterns_are_refused_at_once() {
        let nested = "{".repeat(20_000) + &"}".repeat(20_000);
        assert!(check(&nested).is_err());
        for pattern in [
            nested.as_str(),
            "{a,{b,c}}",
            "{a/b,c}",
            "[a",
            "[]",
            "[!]",
            "{a",
            "a}",
            "a]",
            "[z-a]",
            "a[.-0]c",
            "a[/]c",
            "a[!--z]c",
            "a[!a/]c",
        ] {
            assert!(compile(pattern, Syntax::Path).is_err(), "{pattern:.40}");
        }
    }
}

//! Globs over tool and operation names, which are most often no globs at all.

use std::str::FromStr;

use super::glob::translate::{literal, whole};
use super::glob::{Glob, PatternError, Syntax, check, is_glob};

/// A pattern for names, as policies write it for tools and operations: a name, or a glob in which
/// `*` stands for any text.
///
/// ```
/// # extern crate aegize_core as aegize;
/// let pattern: aegize::NamePattern = "github.*".parse()?;
/// assert!(pattern.is_match("github.read"));
/// assert!("github.**".parse::<aegize::NamePattern>().is_err());
/// # Ok::<(), aegize::PatternError>(())
/// ```
#[derive(Debug, Clone)]
pub struct NamePattern(NameGlob);

impl NamePattern {
    /// Whether a name is one of those that are meant. In time linear in the name.
    pub fn is_match(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

impl FromStr for NamePattern {
    type Err = PatternError;

    fn from_str(pattern: &str) -> Result<Self, PatternError> {
        NameGlob::new(pattern).map(Self)
    }
}

/// A pattern for a name. Names have no separators: `*` stands for any text.
#[derive(Debug, Clone)]
pub(crate) enum NameGlob {
    /// Exactly this name, compared byte by byte.
    Exact(Box<str>),
    /// Any name.
    Any,
    /// A true glob.
    Glob(Glob),
}

impl NameGlob {
    pub(crate) fn new(pattern: &str) -> Result<Self, PatternError> {
        check(pattern)?;
        if !is_glob(pattern) {
            return Ok(Self::Exact(pattern.into()));
        }
        if pattern == "*" {
            return Ok(Self::Any);
        }
        if pattern.contains("**") {
            return Err(PatternError::new(
                "has `**`, which is for paths; in a name, `*` already stands for any text",
            ));
        }
        Glob::new(pattern, Syntax::Name).map(Self::Glob)
    }

    pub(crate) fn is_match(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *name,
            Self::Any => true,
            Self::Glob(glob) => glob.is_match(name),
        }
    }

    /// A regular expression that matches the same names.
    pub(crate) fn to_regex(&self) -> String {
        whole(&match self {
            Self::Exact(exact) => literal(exact),
            Self::Any => ".*".into(),
            Self::Glob(glob) => glob.to_regex(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("github.read", "github.read", true),
            ("github.read", "githubXread", false),
            ("github.*", "github.read", true),
            ("github.*", "github.", true),
            ("github.*", "github", false),
            ("*_read", "files/_read", true),
            ("*", "", true),
            ("*", "a/b", true),
            ("a?c", "a/c", true),
            ("a[!b]c", "a/c", true),
            ("a[.-0]c", "a/c", true),
            ("{a/b,c}", "a/b", true),
        ] {
            let glob = NameGlob::new(pattern).unwrap();
            assert_eq!(glob.is_match(name), expected, "{pattern} {name:?}");
            let regex = regex::Regex::new(&glob.to_regex()).unwrap();
            assert_eq!(regex.is_match(name), expected, "{pattern} {name:?}");
        }
        for pattern in ["", "a**", "[**]", "a]", "{a"] {
            assert!(NameGlob::new(pattern).is_err(), "{pattern}");
        }
    }
}

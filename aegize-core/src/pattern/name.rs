//! Globs over tool and operation names, which are most often no globs at all.

use regex::Regex;

use super::glob::{PatternError, Syntax, check, compile, is_glob};

/// A pattern for a name. Names have no separators: `*` stands for any text.
#[derive(Debug, Clone)]
pub(crate) enum NameGlob {
    /// Exactly this name, compared byte by byte.
    Exact(Box<str>),
    /// Any name.
    Any,
    /// A true glob.
    Glob(Regex),
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
        compile(pattern, Syntax::Name).map(Self::Glob)
    }

    pub(crate) fn is_match(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *name,
            Self::Any => true,
            Self::Glob(glob) => glob.is_match(name),
        }
    }
}

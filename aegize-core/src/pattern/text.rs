//! Globs over texts that are neither names nor paths.

use super::glob::translate::{literal, whole};
use super::glob::{Glob, PatternError, Syntax, check};

/// A pattern for a text as it stands: nothing is normalised, and no character but `/` is special.
/// `*` and `?` do not match a `/`, `**` matches anything, also within a word.
#[derive(Debug, Clone)]
pub(crate) struct TextGlob(Glob);

impl TextGlob {
    pub(crate) fn new(pattern: &str) -> Result<Self, PatternError> {
        check(pattern)?;
        Glob::new(pattern, Syntax::Text).map(Self)
    }

    /// Whether the whole text matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// A regular expression that matches the same texts.
    pub(crate) fn to_regex(&self) -> String {
        whole(&self.0.to_regex())
    }
}

/// A regular expression that matches this text alone.
pub(crate) fn literal_regex(text: &str) -> String {
    whole(&literal(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_slash_is_special_and_two_stars_cross_it() {
        for (pattern, text, expected) in [
            ("a*c", "abc", true),
            ("a*c", "a/c", false),
            ("a**c", "a/b/c", true),
            ("a**c", "ac", true),
            ("a?c", "a/c", false),
            ("a[!b]c", "a/c", false),
            ("a/**", "a", false),
            ("a/**", "a/", true),
            ("**/a", "a", false),
            ("*.md", ".md", true),
            ("./a", "a", false),
            ("a/../b", "b", false),
            ("a//b", "a/b", false),
            (r"a\b", "a/b", false),
            (r"a\b", r"a\b", true),
            ("a***c", "a/c", true),
            ("{http,https}://**", "https://a/b", true),
            ("{a/b,c**}d", "a/bd", true),
            ("{a/b,c**}d", "c/d/d", true),
            ("*", "a\nb", true),
            ("~/*", "~/a", true),
        ] {
            let glob = TextGlob::new(pattern).unwrap();
            assert_eq!(glob.is_match(text), expected, "{pattern} {text:?}");
            let regex = regex::Regex::new(&glob.to_regex()).unwrap();
            assert_eq!(regex.is_match(text), expected, "{pattern} {text:?}");
        }
        for pattern in ["", " a", "a]", "{a", "[.-0]", "[/]"] {
            assert!(TextGlob::new(pattern).is_err(), "{pattern}");
        }
    }
}

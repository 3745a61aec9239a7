//! Globs as regular expressions, for questions about languages: whether all that one pattern
//! matches is matched by another.

use std::fmt::Write as _;

use super::{Class, Glob, Set, Token};

/// Any name of a path.
pub(in crate::pattern) const NAME: &str = "[^/]+";

/// Any names below a directory, or none.
pub(in crate::pattern) const BELOW: &str = "(?:/[^/]+)*";

/// A regular expression that matches whole texts.
pub(in crate::pattern) fn whole(regex: &str) -> String {
    format!(r"\A(?s:{regex})\z")
}

/// A regular expression of a text as it stands.
pub(in crate::pattern) fn literal(text: &str) -> String {
    text.chars().map(escaped).collect()
}

fn escaped(c: char) -> String {
    format!(r"\x{{{:x}}}", u32::from(c))
}

impl Glob {
    /// The glob of a name or text as a regular expression, without anchors.
    pub(in crate::pattern) fn to_regex(&self) -> String {
        self.parts(&parts(&self.tokens))
    }

    /// The glob of a path as a regular expression, without anchors. Between separators, it
    /// matches names only, as there are no empty ones in a path's normal form.
    pub(in crate::pattern) fn to_path_regex(&self) -> String {
        let mut regex = String::new();
        let is_end = |token: &Token| {
            matches!(
                token,
                Token::Literal('/') | Token::Directories | Token::Below
            )
        };
        for segment in self.tokens.split_inclusive(is_end) {
            let (name, end) = match segment {
                [name @ .., end] if is_end(end) => (name, Some(*end)),
                name => (name, None),
            };
            // What follows `Below` is a part of it.
            if name == [Token::Many(Set::Any)] {
                break;
            }
            regex += &self.name(&parts(name));
            regex += match end {
                Some(Token::Directories) => "(?:[^/]+/)*",
                Some(Token::Below) => BELOW,
                Some(_) => "/",
                None => "",
            };
        }
        regex
    }

    fn parts(&self, parts: &[Part<'_>]) -> String {
        let part = |part: &Part<'_>| match part {
            Part::Token(token) => self.token(*token),
            Part::Group(branches) => {
                let branches = branches
                    .iter()
                    .map(|branch| self.parts(&self::parts(branch)));
                any_of(branches)
            }
        };
        parts.iter().map(part).collect()
    }

    /// A segment, without the empty text.
    fn name(&self, parts: &[Part<'_>]) -> String {
        if parts.is_empty() || !parts.iter().all(Part::may_be_empty) {
            return self.parts(parts);
        }
        if parts.iter().any(|part| matches!(part, Part::Token(_))) {
            return NAME.into();
        }
        // The first of the groups that is not empty, and any text of those after it.
        let mut rest = parts;
        any_of(std::iter::from_fn(|| {
            let (Part::Group(branches), after) = rest.split_first()? else {
                return None;
            };
            rest = after;
            let names = branches.iter().filter(|branch| !branch.is_empty());
            let names = names.map(|branch| self.name(&self::parts(branch)));
            Some(any_of(names) + &self.parts(after))
        }))
    }

    fn token(&self, token: Token) -> String {
        match token {
            Token::Literal(c) => escaped(c),
            Token::One(set) => self.set(set),
            Token::Many(set) => self.set(set) + "*",
            Token::Directories | Token::Below | Token::Branch(_) | Token::Join(_) => String::new(),
        }
    }

    fn set(&self, set: Set) -> String {
        match set {
            Set::Any => ".".into(),
            Set::WithinSegment => "[^/]".into(),
            Set::Class(position) => {
                let class = self.classes.get(usize::from(position));
                class.map_or_else(String::new, Class::to_regex)
            }
        }
    }
}

impl Class {
    fn to_regex(&self) -> String {
        let mut regex = String::from(if self.is_negated { "[^" } else { "[" });
        for (from, to) in &self.ranges {
            // Writing to a string does not fail.
            let _ = write!(regex, "{}-{}", escaped(*from), escaped(*to));
        }
        regex + "]"
    }
}

/// Some tokens, with alternatives as one.
enum Part<'t> {
    Token(Token),
    Group(Vec<&'t [Token]>),
}

impl Part<'_> {
    fn may_be_empty(&self) -> bool {
        let is_many = |token: &Token| matches!(token, Token::Many(_));
        match self {
            Self::Token(token) => is_many(token),
            Self::Group(branches) => branches.iter().any(|branch| branch.iter().all(is_many)),
        }
    }
}

fn parts(tokens: &[Token]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut branches = Vec::new();
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if !matches!(first, Token::Branch(_)) {
            parts.push(Part::Token(*first));
            continue;
        }
        let is_join = |token: &Token| matches!(token, Token::Join(_));
        let length = after.iter().position(is_join).unwrap_or(after.len());
        let (branch, after) = after.split_at(length);
        branches.push(branch);
        let (join, after) = after.split_first().unzip();
        rest = after.unwrap_or_default();
        if join == Some(&Token::Join(1)) {
            parts.push(Part::Group(std::mem::take(&mut branches)));
        }
    }
    parts
}

fn any_of(alternatives: impl Iterator<Item = String>) -> String {
    let mut alternatives: Vec<String> = alternatives.collect();
    if alternatives.is_empty() {
        // No alternative matches nothing, not even the empty text.
        alternatives.push(r"[^\x{0}-\x{10ffff}]".into());
    }
    format!("(?:{})", alternatives.join("|"))
}

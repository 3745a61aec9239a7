//! Conditions on arguments: what each matcher says of a value.
//!
//! A matcher answers with yes, no or unreadable, and whoever asks decides what the last one is
//! worth: an allow rule and every exemption need a yes, a deny or approval rule is stopped only
//! by a no. [`judge`] finds the value within an argument and asks for each element of a list.
//! The invariant: a value that cannot be read is never a no.

mod judge;

use std::fmt;

use regex::Regex;

pub(crate) use self::judge::{Answer, LONGEST_POINTER, Standard};
use super::document::PathPattern;
use super::paths;
use crate::arguments::Scalar;
use crate::pattern::{
    Decimal, EmailPattern, HostPattern, Match, ProgramPattern, Resolver, TextGlob, UrlPattern,
    argv, command_line, email, host,
};

/// What is asked of the value that a [`Pointer`] leads to.
#[derive(Debug)]
pub(crate) enum Expectation {
    /// That it is there, or is not.
    Present(bool),
    /// That it matches. `is_optional`: the lack of it is as good.
    Matching { matcher: Matcher, is_optional: bool },
}

impl Expectation {
    /// Whether regular expressions are asked for.
    pub(crate) fn has_regexes(&self) -> bool {
        matches!(self, Self::Matching { matcher, .. } if matcher.has_regexes())
    }
}

/// A condition on one argument, or on a value within it.
#[derive(Debug)]
pub(crate) struct ArgumentCondition {
    pub(crate) pointer: Pointer,
    pub(crate) expectation: Expectation,
}

/// Where a value is: the argument's name, and the keys and indices that lead on from there.
#[derive(Debug)]
pub(crate) struct Pointer {
    pub(crate) argument: Box<str>,
    pub(crate) rest: Box<[Box<str>]>,
    /// As it is written.
    pub(crate) text: Box<str>,
}

/// Two are equal if they lead to the same value, however they are written: `to` and `/to`.
impl PartialEq for Pointer {
    fn eq(&self, other: &Self) -> bool {
        self.argument == other.argument && self.rest == other.rest
    }
}

/// Tests of which all must hold.
#[derive(Debug)]
pub(crate) struct Matcher(pub(crate) Vec<Test>);

/// One key of a matcher.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) key: &'static str,
    /// Its value as it is written, shortened.
    pub(crate) text: Box<str>,
    pub(crate) kind: TestKind,
}

#[derive(Debug)]
pub(crate) enum TestKind {
    OneOf(Vec<Literal>),
    NotOneOf(Vec<Literal>),
    Bound(Bound, Decimal),
    MaxLength(usize),
    Glob(Vec<TextGlob>),
    Matches(Vec<Regex>),
    Path {
        patterns: Vec<PathPattern>,
        follows_links: bool,
    },
    Email(Vec<EmailPattern>),
    Host(Vec<HostPattern>),
    Url(UrlPattern),
    Command(Vec<ProgramPattern>),
    Not(Matcher),
}

/// A scalar of a policy file; types matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Bool(bool),
    Number(Decimal),
    Text(Box<str>),
}

/// An end of a range of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Min,
    Max,
    Above,
    Below,
}

impl Bound {
    fn holds(self, value: Decimal, end: Decimal) -> bool {
        match self {
            Self::Min => value >= end,
            Self::Max => value <= end,
            Self::Above => value > end,
            Self::Below => value < end,
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.text)
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, test) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{test}")?;
        }
        Ok(())
    }
}

fn negate(answer: Match) -> Match {
    match answer {
        Match::Yes => Match::No,
        Match::No => Match::Yes,
        Match::Unreadable => Match::Unreadable,
    }
}

/// What a list is to the tests that look at it as a whole.
struct List<'l> {
    length: usize,
    /// Its elements if all are texts and some test asks for them.
    words: Option<&'l [String]>,
}

impl Matcher {
    /// What the matcher says of a value that holds no others.
    fn judge_scalar(&self, scalar: Scalar<'_>, resolver: Option<&dyn Resolver>) -> Match {
        Match::all(
            self.0
                .iter()
                .map(|test| test.kind.judge_scalar(scalar, resolver)),
        )
    }

    /// What the tests that look at elements say of one.
    fn judge_element(&self, scalar: Scalar<'_>, resolver: Option<&dyn Resolver>) -> Match {
        Match::all(
            self.0
                .iter()
                .filter(|test| !test.kind.is_about_lists())
                .map(|test| test.kind.judge_scalar(scalar, resolver)),
        )
    }

    /// What the tests that look at a list as a whole say.
    fn judge_list(&self, list: &List<'_>) -> Match {
        Match::all(
            self.0
                .iter()
                .filter(|test| test.kind.is_about_lists())
                .map(|test| test.kind.judge_list(list)),
        )
    }

    pub(crate) fn has_element_tests(&self) -> bool {
        self.0.iter().any(|test| !test.kind.is_about_lists())
    }

    fn has_regexes(&self) -> bool {
        self.0.iter().any(|test| match &test.kind {
            TestKind::Matches(_) => true,
            TestKind::Not(inner) => inner.has_regexes(),
            _ => false,
        })
    }

    fn needs_words(&self) -> bool {
        self.0.iter().any(|test| match &test.kind {
            TestKind::Command(_) => true,
            TestKind::Not(inner) => inner.needs_words(),
            _ => false,
        })
    }
}

impl TestKind {
    /// Whether a list is judged as a whole, not element by element.
    pub(crate) fn is_about_lists(&self) -> bool {
        match self {
            Self::MaxLength(_) | Self::Command(_) => true,
            // Both kinds are not mixed within a `not`.
            Self::Not(inner) => inner.0.iter().all(|test| test.kind.is_about_lists()),
            _ => false,
        }
    }

    /// Whether links between paths may change the answer.
    pub(crate) fn is_about_paths(&self) -> bool {
        match self {
            Self::Path { .. } => true,
            Self::Not(inner) => inner.0.iter().any(|test| test.kind.is_about_paths()),
            _ => false,
        }
    }

    /// A regular expression for the texts that the test says yes to, if it is a glob or one
    /// itself. It says no to all other texts.
    pub(crate) fn to_regex(&self) -> Option<String> {
        let regexes: Vec<String> = match self {
            Self::Glob(globs) => globs.iter().map(TextGlob::to_regex).collect(),
            Self::Matches(patterns) => patterns.iter().map(ToString::to_string).collect(),
            _ => return None,
        };
        Some(format!("(?:{})", regexes.join("|")))
    }

    /// What the test says of a scalar of a policy file.
    pub(crate) fn judge_literal(&self, literal: &Literal) -> Match {
        match (self, literal) {
            (Self::OneOf(literals), _) => Match::from(literals.contains(literal)),
            (Self::NotOneOf(literals), _) => Match::from(!literals.contains(literal)),
            (Self::Bound(bound, end), Literal::Number(value)) => {
                Match::from(bound.holds(*value, *end))
            }
            (Self::Not(inner), _) => {
                let answers = inner.0.iter().map(|test| test.kind.judge_literal(literal));
                negate(Match::all(answers))
            }
            (_, Literal::Text(text)) => self.judge_text(text, None),
            _ => Match::Unreadable,
        }
    }

    fn judge_list(&self, list: &List<'_>) -> Match {
        match self {
            Self::MaxLength(most) => Match::from(list.length <= *most),
            Self::Command(programs) => list.words.map_or(Match::Unreadable, |words| {
                argv(words.iter().map(String::as_str), programs)
            }),
            Self::Not(inner) => negate(inner.judge_list(list)),
            _ => Match::Unreadable,
        }
    }

    fn judge_scalar(&self, scalar: Scalar<'_>, resolver: Option<&dyn Resolver>) -> Match {
        match self {
            Self::OneOf(literals) => one_of(scalar, literals),
            Self::NotOneOf(literals) => negate(one_of(scalar, literals)),
            Self::Bound(bound, end) => match decimal(scalar) {
                Some(value) => Match::from(bound.holds(value, *end)),
                None => Match::Unreadable,
            },
            Self::Not(inner) => negate(inner.judge_scalar(scalar, resolver)),
            _ => match text(scalar) {
                Some(text) => self.judge_text(text, resolver),
                None => Match::Unreadable,
            },
        }
    }

    fn judge_text(&self, text: &str, resolver: Option<&dyn Resolver>) -> Match {
        match self {
            Self::MaxLength(most) => Match::from(text.chars().nth(*most).is_none()),
            Self::Glob(globs) => Match::from(globs.iter().any(|glob| glob.is_match(text))),
            Self::Matches(patterns) => {
                Match::from(patterns.iter().any(|pattern| pattern.is_match(text)))
            }
            Self::Path {
                patterns,
                follows_links,
            } => paths::inside(patterns, text, resolver.filter(|_| *follows_links)),
            Self::Email(patterns) => email(text, patterns),
            Self::Host(patterns) => host(text, patterns),
            Self::Url(pattern) => pattern.judge(text),
            Self::Command(programs) => command_line(text, programs),
            Self::OneOf(_) | Self::NotOneOf(_) | Self::Bound(..) | Self::Not(_) => {
                Match::Unreadable
            }
        }
    }
}

fn one_of(scalar: Scalar<'_>, literals: &[Literal]) -> Match {
    let equals = |literal: &Literal| match literal {
        Literal::Bool(wanted) => matches!(scalar, Scalar::Bool(value) if value == *wanted),
        Literal::Number(wanted) => decimal(scalar).is_some_and(|value| value == *wanted),
        Literal::Text(wanted) => text(scalar).is_some_and(|value| *value == **wanted),
    };
    let is_readable = match scalar {
        Scalar::Null => false,
        Scalar::Bytes(_) => text(scalar).is_some(),
        Scalar::Float(value) => value.is_finite(),
        _ => true,
    };
    if is_readable {
        Match::from(literals.iter().any(equals))
    } else {
        Match::Unreadable
    }
}

fn decimal(scalar: Scalar<'_>) -> Option<Decimal> {
    match scalar {
        Scalar::Signed(value) => Some(value.into()),
        Scalar::Unsigned(value) => Some(value.into()),
        Scalar::Float(value) => Decimal::from_f64(value),
        _ => None,
    }
}

fn text(scalar: Scalar<'_>) -> Option<&str> {
    match scalar {
        Scalar::Text(text) => Some(text),
        Scalar::Bytes(bytes) => str::from_utf8(bytes).ok(),
        _ => None,
    }
}

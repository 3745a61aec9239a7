//! Matching primitives that know nothing of policy: names, paths and other texts against globs,
//! and values against lists of addresses, hosts, URLs, programs and numbers.
//!
//! A pattern is checked when it is made and matches in time linear in the text. What a matcher
//! cannot read, it does not match.

mod automata;
mod command;
mod domain;
mod email;
mod glob;
mod host;
mod matching;
mod name;
mod normal;
mod number;
mod path;
mod text;
mod url;

#[cfg(test)]
mod tests;

pub(crate) use self::automata::{Cell, Languages, is_covered, witness};
pub(crate) use self::command::{ProgramPattern, argv, command_line};
pub(crate) use self::email::{EmailPattern, email};
pub use self::glob::PatternError;
pub(crate) use self::host::{HostPattern, host};
pub(crate) use self::matching::Match;
pub(crate) use self::name::NameGlob;
pub use self::name::NamePattern;
pub(crate) use self::normal::{Abnormal, NormalPath, Readings};
pub(crate) use self::number::Decimal;
pub(crate) use self::path::{Followed, PathGlob, Resolver};
pub(crate) use self::text::{TextGlob, literal_regex};
pub(crate) use self::url::{Scheme, UrlPath, UrlPattern, url_examples};

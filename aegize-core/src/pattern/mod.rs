//! Matching primitives that know nothing of policy: names and paths against globs.
//!
//! A pattern is checked when it is made and matches in time linear in the text. What a matcher
//! cannot read, it does not match.

mod glob;
mod name;
mod path;

pub(crate) use self::glob::PatternError;
pub(crate) use self::name::NameGlob;
pub(crate) use self::path::{Abnormal, Followed, NormalPath, PathGlob, Resolver};

//! Matching primitives that know nothing of policy: names, paths and other texts against globs.
//!
//! A pattern is checked when it is made and matches in time linear in the text. What a matcher
//! cannot read, it does not match.

mod glob;
mod name;
mod path;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "for conditions on arguments, which come next")
)]
mod text;

pub(crate) use self::glob::PatternError;
pub(crate) use self::name::NameGlob;
pub(crate) use self::path::{Abnormal, Followed, NormalPath, PathGlob, Resolver};
#[expect(unused_imports, reason = "as above")]
pub(crate) use self::text::TextGlob;

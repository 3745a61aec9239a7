//! Guarded tools in a library that depends on aegize as `warden`, and on nothing else.
#![forbid(dead_code, unsafe_code, unused_qualifications)]

use std::future::Future;
use std::pin::Pin;

use warden::{guarded_tool, GuardError};

/// Counts characters.
///
/// # Errors
///
/// If the guard refuses.
#[guarded_tool(tool_name = "renamed", operation = "count", crate = ::warden)]
pub fn count(text: &str) -> Result<usize, GuardError> {
    Ok(text.chars().count())
}

/// Repeats a text.
///
/// # Errors
///
/// If the guard refuses.
#[guarded_tool(tool_name = "renamed", operation = "repeat", refuse_with = Err, crate = ::warden)]
pub async fn repeat(#[guard(redact)] text: &str, n: usize) -> Result<String, GuardError> {
    Ok(text.repeat(n))
}

/// Nobody calls it, and nobody says what `T` is.
///
/// # Errors
///
/// If the guard refuses.
#[guarded_tool(tool_name = "renamed", operation = "generic", risk_level = "high", crate = ::warden)]
pub fn r#try<T: Default, const N: usize>(_: [u8; N]) -> Result<T, GuardError> {
    Ok(T::default())
}

/// Where nothing has a name that was not given to it.
#[allow(
    non_upper_case_globals,
    reason = "names that generated code might mean"
)]
pub mod bare {
    #![no_implicit_prelude]

    use ::warden::{guarded_tool, GuardError};

    const Ok: u8 = 1;
    const Some: u8 = 2;
    mod core {}
    mod aegize {}

    /// Adds.
    ///
    /// # Errors
    ///
    /// If the guard refuses.
    #[guarded_tool(tool_name = "renamed", operation = "add", crate = ::warden)]
    pub async fn add(one: &u8, other: &u8) -> ::std::result::Result<u8, GuardError> {
        ::std::result::Result::Ok(*one + *other + Ok + Some)
    }
}

/// Something with a type of its own.
pub struct Shelf<T>(pub T);

impl<T: AsRef<str> + Sync> Shelf<T> {
    /// Nobody calls it.
    #[guarded_tool(tool_name = "renamed", operation = "boxed", crate = ::warden)]
    pub fn boxed<'s>(&'s self) -> Pin<Box<dyn Future<Output = Result<&'s str, GuardError>> + 's>> {
        Box::pin(async { Ok(self.0.as_ref()) })
    }
}

//! Guarded tools in a library that depends on aegize as `warden`, and on nothing else.
#![forbid(unsafe_code, nonstandard_style, unused_qualifications)]

use std::future::Future;
use std::pin::Pin;

use warden::{GuardError, guarded_tool};

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

/// Something with a type of its own.
pub struct Shelf<T>(pub T);

impl<T: AsRef<str> + Sync> Shelf<T> {
    /// Nobody calls it.
    #[guarded_tool(tool_name = "renamed", operation = "boxed", crate = ::warden)]
    pub fn boxed<'s>(&'s self) -> Pin<Box<dyn Future<Output = Result<&'s str, GuardError>> + 's>> {
        Box::pin(async { Ok(self.0.as_ref()) })
    }
}

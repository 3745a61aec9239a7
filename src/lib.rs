#![doc = include_str!("../README.md")]

pub use aegize_macros::guarded_tool;

#[doc(inline)]
pub use aegize_core::*;

#[doc(hidden)]
pub use aegize_core::__private;

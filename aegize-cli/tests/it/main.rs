//! The binary, as a person or a CI job runs it.

mod arguments;
mod examples;
mod help;
mod paths;
mod results;
mod streams;
mod support;
mod unusable;

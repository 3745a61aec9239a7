//! The binary, as a person or a CI job runs it.

#[cfg(unix)]
mod approvals;
mod arguments;
mod audit;
mod diff;
mod examples;
mod explain;
mod fmt;
mod help;
mod interop;
mod ledger;
mod lint;
mod paths;
mod replay;
mod reports;
mod results;
mod schema;
mod show;
mod streams;
mod support;
mod unusable;

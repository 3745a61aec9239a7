//! Behaviour through the public face, a module per concern.
#![expect(
    clippy::items_after_statements,
    clippy::many_single_char_names,
    clippy::too_many_lines,
    reason = "a test reads best with its tools beside it, and a table is as long as it is"
)]

mod approvals;
mod architecture;
mod audit;
mod captures;
mod condition_tables;
mod conditions;
mod contexts;
mod corpus;
mod endings;
mod explicit;
mod forbidden;
mod guard;
mod interop;
mod ledger;
mod lints;
mod narrowing;
mod observed;
mod ocsf;
mod odd_shapes;
mod options;
mod oracle;
mod policy_decisions;
mod policy_file;
mod policy_lint;
mod policy_lint_properties;
mod properties;
mod reading;
mod readme;
mod recorded;
mod reload;
mod replay;
mod secrets;
mod shapes;
mod shared_rules;
mod shipping;
mod suggest;
mod support;
mod tlog;
mod verify;

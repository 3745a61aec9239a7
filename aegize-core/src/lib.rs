//! The core of Aegize.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::todo
    )
)]

mod action;
mod arguments;
mod audit;
mod identity;
mod pattern;
mod policy;
mod yaml;

pub use self::action::{RiskLevel, ToolAction, UnknownRiskLevel};
pub use self::audit::{AuditError, AuditEvent, AuditLog, AuditRecord, AuditRecords};
pub use self::identity::{AgentIdentity, Environment, IdentityError, UnknownEnvironment};
pub use self::policy::{
    CaseOutcome, Decision, Explanation, NearMiss, PermissionPolicy, PolicyTests, TestCase, Verdict,
};
pub use self::yaml::{LoadError, LoadErrorKind, Problem};

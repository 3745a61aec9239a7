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

#[doc(hidden)]
pub mod __private;
mod action;
mod arguments;
mod audit;
mod context;
mod error;
mod guard;
mod identity;
mod pattern;
mod policy;
mod tool;
mod yaml;

pub use self::action::{RiskLevel, ToolAction, UnknownRiskLevel};
pub use self::audit::{AuditError, AuditEvent, AuditLog, AuditRecord, AuditRecords};
pub use self::context::{
    GuardContext, GuardFutureExt, WithContext, WithMetadata, with_context, with_metadata,
};
pub use self::error::{
    ApprovalRequired, AuditUnavailable, GuardError, InvalidCall, NoContext, PolicyDenied,
};
pub use self::guard::ToolResult;
pub use self::identity::{AgentIdentity, Environment, IdentityError, UnknownEnvironment};
pub use self::policy::{
    CaseOutcome, Decision, Explanation, NearMiss, PermissionPolicy, PolicyTests, TestCase, Verdict,
};
pub use self::tool::{BoundTool, GuardedCall, GuardedTool, ToolCall};
pub use self::yaml::{LoadError, LoadErrorKind, Problem};

//! The core of [Aegize](https://docs.rs/aegize): everything but the attribute.
//!
//! Use it through the `aegize` crate. This page is a map of the rooms, in reading order.
//!
//! * `identity`: who acts. An [`AgentIdentity`] is what policies are written against.
//! * `secrets`: what must not be recorded or shown. A [`Redactor`] finds it by name and by shape.
//! * `action`: what is attempted. A [`ToolAction`] names a tool, an operation, and how risky it is.
//! * `arguments`: the named values of a call. Captured by one erased reference each, read only as
//!   far as a rule or a summary needs.
//! * `pattern`: globs over names and paths, and nothing about policy.
//! * `yaml`: text as a tree of nodes that know where they stand, and the errors that tell it.
//! * `policy`: a [`PermissionPolicy`] is read once, completely, indexed, and then judges actions: a
//!   pure function.
//! * `source`: a [`PolicySource`] is a policy that stays, or a file that is watched.
//! * `observe`: what is counted and measured, for an [`Observer`].
//! * `audit`: an [`AuditLog`] that threads and processes share, one JSON object a line. In
//!   [`tlog`], what proves it to others; a [`LogVerifier`] tells whether it is as it was
//!   written, and a [`Shipper`] delivers it to an [`AuditSink`].
//! * `approval`: a person in the loop. [`Approvals`] keeps requests and grants in an
//!   [`ApprovalStore`], and people decide at an [`ApprovalDesk`].
//! * `replay`: what a policy would have decided about an attempt on record, as far as that can be
//!   told: a [`Replay`].
//! * `suggest`: a least-privilege policy from what is on record, a [`PolicySuggestion`].
//! * `error`: what a caller gets instead of a call, [`GuardError`].
//! * `foreign`: refusals as the errors of other crates, each behind a feature.
//! * `guard`: the pipeline, the one place where the order of stages is written, and the permit
//!   that records an outcome however a body ends.
//! * `context`: a [`GuardContext`] is an agent, its policy and its log; scopes carry it.
//! * `tool`: the explicit style, [`GuardedTool`] and [`ToolCall`].
//! * `tools`: which guarded functions there are, for tests; behind a feature.
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
mod approval;
mod arguments;
mod audit;
mod context;
mod error;
#[cfg(any(feature = "rig", feature = "rmcp"))]
mod foreign;
mod guard;
mod identity;
mod observe;
mod pattern;
mod policy;
mod replay;
mod secrets;
mod source;
mod suggest;
mod text;
mod tool;
#[cfg(feature = "tools")]
mod tools;
mod yaml;

pub use self::action::{RiskLevel, ToolAction, UnknownRiskLevel};
pub use self::approval::{
    ApprovalDesk, ApprovalError, ApprovalErrorKind, ApprovalList, ApprovalQuery, ApprovalRequest,
    ApprovalState, ApprovalStore, ApprovalVote, Approvals, Approver, Binding, BindingKey,
    MemoryApprovals, Question, Remember, Seen, StoreFuture,
};
pub use self::audit::{
    AuditError, AuditEvent, AuditLog, AuditLogOptions, AuditRecord, AuditRecords, AuditSink, Batch,
    BatchLimits, CheckedCheckpoint, Durability, IntactLog, LogFlaw, LogFlawKind, LogVerdict,
    LogVerifier, Rotation, ShipError, ShipErrorKind, Shipper, SinkError, SinkErrorKind, SinkState,
    SinkStatus, tlog,
};
pub use self::context::{
    GuardContext, GuardFutureExt, WithContext, WithMetadata, with_context, with_metadata,
};
pub use self::error::{
    ApprovalRefused, ApprovalRequired, ApprovalUnavailable, AuditUnavailable, GuardError,
    InvalidCall, NoContext, PolicyDenied,
};
pub use self::guard::ToolResult;
pub use self::identity::{AgentIdentity, Environment, IdentityError, UnknownEnvironment};
pub use self::observe::{Counter, Histogram, Label, Observer};
pub use self::pattern::{NamePattern, PatternError};
pub use self::policy::{
    ApprovalTerms, CaseOutcome, Change, Decision, DeclaredTool, Direction, EntitledApprover,
    Explanation, Finding, FindingCode, FormattedPolicy, NearMiss, PermissionPolicy, Place,
    PolicyDiff, PolicyRule, PolicyTests, RelatedRule, Ruling, Severity, TestCase, Verdict,
};
pub use self::replay::{Replay, ReplayDoubt, ReplayOutcome};
pub use self::secrets::{InvalidPattern, Redactor};
pub use self::source::PolicySource;
pub use self::suggest::PolicySuggestion;
pub use self::tool::{BoundTool, GuardedCall, GuardedTool, ToolCall};
#[cfg(feature = "tools")]
pub use self::tools::{ToolSite, assert_covered, tools};
pub use self::yaml::{LoadError, LoadErrorKind, Problem};

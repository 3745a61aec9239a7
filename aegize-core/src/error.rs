//! What a caller gets instead of a call: [`GuardError`] and what it holds.
//!
//! The texts are safe to show to a model: they name the tool, the operation and the reason,
//! never a secret that is known for one.

use std::borrow::Cow;
use std::io;

use crate::action::ToolAction;
use crate::audit::AuditError;
use crate::policy::Explanation;

/// Why a guarded call did not run. Whatever it is, the body was not entered.
///
/// A function's error type takes it in through `From<GuardError>`; `std::io::Error`,
/// `anyhow::Error`, `Box<dyn Error + Send + Sync>` and `String` do as they are, and all but the
/// last can be downcast to it again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The policy denies the call.
    #[error(transparent)]
    PolicyDenied(#[from] Box<PolicyDenied>),
    /// The policy asks for a person's approval, and there is none.
    #[error(transparent)]
    ApprovalRequired(#[from] Box<ApprovalRequired>),
    /// No scope and no process default says on whose behalf the call is made.
    #[error(transparent)]
    NoContext(#[from] Box<NoContext>),
    /// The decision could not be recorded.
    #[error(transparent)]
    AuditUnavailable(#[from] Box<AuditUnavailable>),
    /// The call's JSON arguments or its metadata are not what they have to be.
    #[error(transparent)]
    InvalidCall(#[from] Box<InvalidCall>),
}

/// The policy denies the call. It displays the reason.
#[derive(Debug, thiserror::Error)]
#[error("{}", explanation.reason())]
pub struct PolicyDenied {
    pub(crate) action: ToolAction,
    pub(crate) explanation: Explanation,
}

impl PolicyDenied {
    /// Why, in one line.
    pub fn reason(&self) -> &str {
        self.explanation.reason()
    }

    /// What was attempted.
    pub fn action(&self) -> &ToolAction {
        &self.action
    }

    /// The rule that denied it: its `id`, or its place such as `bot.deny[0]`. `None` if no rule
    /// allowed it.
    pub fn rule(&self) -> Option<&str> {
        self.explanation.rule()
    }

    /// The rules that came close, and the condition each failed.
    pub fn explain(&self) -> &Explanation {
        &self.explanation
    }
}

/// The policy asks for a person's approval. It displays the reason.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct ApprovalRequired {
    pub(crate) action: ToolAction,
    pub(crate) reason: String,
    pub(crate) rule: String,
}

impl ApprovalRequired {
    /// Why, in one line.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What was attempted.
    pub fn action(&self) -> &ToolAction {
        &self.action
    }

    /// The rule that asks for it: its `id`, or its place such as `bot.require_approval[0]`.
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

/// A call outside of every context.
#[derive(Debug, thiserror::Error)]
#[error(
    "no guard context for tool '{tool_name}' operation '{operation}': call it within `with_context`, or activate a default"
)]
pub struct NoContext {
    pub(crate) tool_name: Cow<'static, str>,
    pub(crate) operation: Cow<'static, str>,
}

impl NoContext {
    /// The tool that was called.
    pub fn tool_name(&self) -> &str {
        &self.tool_name
    }

    /// The operation that was called.
    pub fn operation(&self) -> &str {
        &self.operation
    }
}

/// A decision that could not be recorded.
#[derive(Debug, thiserror::Error)]
#[error("the decision about tool '{}' operation '{}' cannot be recorded: {source}", action.tool_name, action.operation)]
pub struct AuditUnavailable {
    pub(crate) action: ToolAction,
    pub(crate) source: AuditError,
}

impl AuditUnavailable {
    /// What was attempted.
    pub fn action(&self) -> &ToolAction {
        &self.action
    }
}

/// A call whose JSON arguments or metadata are not what they have to be.
#[derive(Debug, thiserror::Error)]
#[error("tool '{tool_name}' operation '{operation}' cannot be called like this: {problem}")]
pub struct InvalidCall {
    pub(crate) tool_name: Cow<'static, str>,
    pub(crate) operation: Cow<'static, str>,
    pub(crate) problem: String,
}

impl InvalidCall {
    /// What is wrong, and what to pass instead.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl From<GuardError> for io::Error {
    fn from(error: GuardError) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, error)
    }
}

impl From<GuardError> for String {
    fn from(error: GuardError) -> Self {
        error.to_string()
    }
}

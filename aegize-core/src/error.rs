//! What a caller gets instead of a call: [`GuardError`] and what it holds.
//!
//! The texts are safe to show to a model: they name the tool, the operation and the reason,
//! never a secret that is known for one.

use std::borrow::Cow;
use std::io;

use uuid::Uuid;

use crate::action::ToolAction;
use crate::approval::{ApprovalError, ApprovalErrorKind, ApprovalRequest, ApprovalState};
use crate::audit::AuditError;
use crate::policy::Explanation;
use crate::text::one_line;

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
    /// The call was not approved: somebody rejected it, or nobody approved it in time.
    #[error(transparent)]
    ApprovalRefused(#[from] Box<ApprovalRefused>),
    /// Nobody can be asked for approval: the store fails, or the call cannot be shown as it is.
    #[error(transparent)]
    ApprovalUnavailable(#[from] Box<ApprovalUnavailable>),
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
    pub(crate) request_id: Option<Uuid>,
}

impl ApprovalRequired {
    /// The request that people are asked about. Without
    /// [`approvals`](crate::GuardContext::approvals) nobody is asked, and it is the attempt's own id.
    pub fn request_id(&self) -> Uuid {
        self.request_id.unwrap_or(self.action.action_id)
    }

    /// Whether people are asked, so that the call may be made again when they have approved.
    pub fn is_asked(&self) -> bool {
        self.request_id.is_some()
    }

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

/// A call that was not approved.
#[derive(Debug, thiserror::Error)]
#[error("approval for tool '{}' operation '{}' {}", action.tool_name, action.operation, told(request))]
pub struct ApprovalRefused {
    pub(crate) action: ToolAction,
    pub(crate) request: ApprovalRequest,
}

impl ApprovalRefused {
    /// What was attempted.
    pub fn action(&self) -> &ToolAction {
        &self.action
    }

    /// The request, with what became of it.
    pub fn request(&self) -> &ApprovalRequest {
        &self.request
    }
}

fn told(request: &ApprovalRequest) -> String {
    let mut told = format!("was {}", request.state());
    match (request.state(), request.refusal()) {
        (ApprovalState::Expired, _) => "has expired".clone_into(&mut told),
        (_, Some(vote)) => {
            told.push_str(" by ");
            told.push_str(vote.approver.name());
            if let Some(reason) = &vote.reason {
                told.push_str(": ");
                told.push_str(&one_line(reason));
            }
        }
        _ => {}
    }
    told
}

/// A call about which nobody can be asked.
#[derive(Debug, thiserror::Error)]
#[error("approval for tool '{}' operation '{}' is not to be had: {source}", action.tool_name, action.operation)]
pub struct ApprovalUnavailable {
    pub(crate) action: ToolAction,
    pub(crate) source: ApprovalError,
}

impl ApprovalUnavailable {
    /// What was attempted.
    pub fn action(&self) -> &ToolAction {
        &self.action
    }

    /// What kind of reason there is.
    pub fn kind(&self) -> ApprovalErrorKind {
        self.source.kind()
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

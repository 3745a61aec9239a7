//! Refusals as other crates' errors, which only the crate that defines [`GuardError`] may write
//! (the orphan rule).
//!
//! Invariant: the text a model gets is the error's own, unchanged.

use crate::error::GuardError;

fn kind(error: &GuardError) -> &'static str {
    match error {
        GuardError::PolicyDenied(_) => "denied",
        GuardError::ApprovalRequired(_) => "approval_required",
        GuardError::ApprovalRefused(_) => "approval_refused",
        GuardError::ApprovalUnavailable(_) => "approval_unavailable",
        GuardError::NoContext(_) => "no_context",
        GuardError::AuditUnavailable(_) => "audit_unavailable",
        GuardError::InvalidCall(_) => "invalid_call",
    }
}

/// A protocol error: the reason as its message, the kind of refusal in `data.refusal`.
#[cfg(feature = "rmcp")]
impl From<GuardError> for rmcp::ErrorData {
    fn from(error: GuardError) -> Self {
        use rmcp::model::ErrorCode;

        let code = match error {
            GuardError::PolicyDenied(_)
            | GuardError::ApprovalRequired(_)
            | GuardError::ApprovalRefused(_) => ErrorCode::INVALID_REQUEST,
            GuardError::InvalidCall(_) => ErrorCode::INVALID_PARAMS,
            GuardError::NoContext(_)
            | GuardError::AuditUnavailable(_)
            | GuardError::ApprovalUnavailable(_) => ErrorCode::INTERNAL_ERROR,
        };
        let data = serde_json::json!({ "refusal": kind(&error) });
        Self::new(code, error.to_string(), Some(data))
    }
}

/// The reason as the model's feedback, the kind of refusal as the code, the [`GuardError`] itself
/// as the source. A decision of the policy is a refusal in rig's sense, the rest are failures.
#[cfg(feature = "rig")]
impl From<GuardError> for rig_core::tool::ToolExecutionError {
    fn from(error: GuardError) -> Self {
        let reason = error.to_string();
        match error {
            GuardError::PolicyDenied(_)
            | GuardError::ApprovalRequired(_)
            | GuardError::ApprovalRefused(_) => Self::refused(reason),
            GuardError::InvalidCall(_) => Self::invalid_args(reason),
            GuardError::NoContext(_)
            | GuardError::AuditUnavailable(_)
            | GuardError::ApprovalUnavailable(_) => Self::other(reason).with_retryable(false),
        }
        .with_code(kind(&error))
        .with_source(error)
    }
}

//! Refusals as the errors of rmcp and rig.

use aegize::{GuardError, guarded_tool, with_context};
use rig_core::tool::{ToolErrorKind, ToolExecutionError};
use rmcp::ErrorData;
use rmcp::model::ErrorCode;
use serde_json::json;

use crate::support::{DENIED, HELD, World};

#[guarded_tool(tool_name = "denied", operation = "run")]
fn denied() -> Result<(), GuardError> {
    Ok(())
}

#[guarded_tool(tool_name = "held", operation = "run")]
fn held() -> Result<(), GuardError> {
    Ok(())
}

fn refusal(tool: fn() -> Result<(), GuardError>) -> GuardError {
    with_context(&World::new().context, tool).unwrap_err()
}

#[test]
fn a_refusal_is_a_protocol_error_whose_message_is_the_reason() {
    let table = [
        (
            refusal(denied),
            ErrorCode::INVALID_REQUEST,
            DENIED,
            "denied",
        ),
        (
            refusal(held),
            ErrorCode::INVALID_REQUEST,
            HELD,
            "approval_required",
        ),
        (
            denied().unwrap_err(),
            ErrorCode::INTERNAL_ERROR,
            "no guard context for tool 'denied' operation 'run': call it within `with_context`, or activate a default",
            "no_context",
        ),
    ];
    for (error, code, message, kind) in table {
        let expected = ErrorData::new(code, message, Some(json!({ "refusal": kind })));
        assert_eq!(ErrorData::from(error), expected);
    }
}

#[test]
fn a_decision_is_a_refusal_that_a_model_reads() {
    for (tool, reason, code) in [
        (denied as fn() -> _, DENIED, "denied"),
        (held, HELD, "approval_required"),
    ] {
        let error = ToolExecutionError::from(refusal(tool));
        assert!(error.is_refusal());
        assert_eq!(error.kind(), ToolErrorKind::PermissionDenied);
        assert_eq!(error.model_feedback(), Some(reason));
        assert_eq!(error.message(), reason);
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.retryable(), Some(false));
        assert!(error.downcast_ref::<GuardError>().is_some());
    }
}

#[test]
fn a_call_without_a_context_is_a_failure_and_not_a_refusal() {
    let error = ToolExecutionError::from(denied().unwrap_err());
    assert!(!error.is_refusal());
    assert_eq!(error.kind(), ToolErrorKind::Other);
    assert_eq!(error.code(), Some("no_context"));
    assert_eq!(error.retryable(), Some(false));
}

//! How much attention a record deserves, in the words of the receivers that ask for it.

use aegize_core::AuditEvent;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Information,
    Notice,
    Warning,
    Error,
}

impl From<AuditEvent> for Severity {
    fn from(event: AuditEvent) -> Self {
        match event {
            AuditEvent::Allowed
            | AuditEvent::ApprovalGranted
            | AuditEvent::ApprovalConsumed
            | AuditEvent::ExecutionSucceeded => Self::Information,
            AuditEvent::Denied | AuditEvent::ExecutionFailed | AuditEvent::ExecutionAbandoned => {
                Self::Warning
            }
            AuditEvent::LogRecovered => Self::Error,
            // People are asked, or a call is not approved; a token is made or revoked; and what later
            // versions record.
            _ => Self::Notice,
        }
    }
}

//! What the caller of a call gets that needed a person, and what is recorded of it.

use std::sync::Arc;

use uuid::Uuid;

use super::Entry;
use super::approving::{End, Held};
use super::permit::{Input, Permit};
use crate::approval::ApprovalRequest;
use crate::audit::AuditEvent;
use crate::error::{
    ApprovalRefused, ApprovalRequired, ApprovalUnavailable, GuardError, PolicyDenied,
};
use crate::policy::Decision;

impl Held {
    /// Records the end, and makes of it what the caller gets.
    pub(super) fn conclude(&self, end: End, recorded: Option<Uuid>) -> Entry {
        let (request, judged) = match end {
            End::Permit(request, judged) => (request, judged),
            refusal => return Err(self.refuse(refusal, recorded).into()),
        };
        let recorded = self.with_attempt(|attempt| {
            let id = request.as_ref().map(ApprovalRequest::id);
            let written = attempt.record(judged.as_decided(AuditEvent::Allowed, id))?;
            attempt.tell(Decision::Allow, None);
            Ok(written)
        });
        let written = match recorded {
            Ok(written) => written,
            Err(source) => {
                return Err(self
                    .with_attempt(|attempt| attempt.unrecorded(source))
                    .into());
            }
        };
        let mut permit = Permit::new(
            &self.authority,
            self.action_id,
            self.coordinates.clone(),
            Input {
                summary: self.input_summary.clone(),
                metadata: Arc::clone(&self.metadata),
                redactions: self.redactions.clone(),
            },
            written,
            self.span.clone(),
        );
        // Whoever waits for it begins to run it.
        permit.set_running(false);
        Ok(permit)
    }

    fn refuse(&self, end: End, recorded: Option<Uuid>) -> GuardError {
        self.with_attempt(|attempt| {
            let action = attempt.action();
            let (id, judged, error) = match end {
                End::Unrecorded(source) => return attempt.unrecorded(source),
                End::Denied(judged) => (None, judged, None),
                End::Permit(request, judged) => (request.map(|used| used.id()), judged, None),
                End::Pending(id, judged) => (Some(id), judged, None),
                End::Refused(request, judged) => {
                    let id = request.id();
                    let action = action.clone();
                    let error = Box::new(ApprovalRefused { action, request });
                    (Some(id), judged, Some(GuardError::from(error)))
                }
                End::Unavailable(source, judged) => {
                    let action = action.clone();
                    let error = Box::new(ApprovalUnavailable { action, source });
                    (None, judged, Some(GuardError::from(error)))
                }
            };
            let is_denied = judged.decision == Decision::Deny;
            let event = if is_denied {
                AuditEvent::Denied
            } else {
                AuditEvent::ApprovalRequired
            };
            let mut decided = judged.as_decided(event, id);
            if let Some(error) = &error {
                decided.reason = error.to_string().into();
            }
            // That people were asked, and what they answered, may be on record already.
            let is_told = id.is_some() && recorded == id && !is_denied;
            if !is_told && let Err(source) = attempt.record(decided) {
                return attempt.unrecorded(source);
            }
            attempt.tell(
                if is_denied {
                    Decision::Deny
                } else {
                    Decision::RequireApproval
                },
                None,
            );
            match (error, judged.explanation) {
                (Some(error), _) => error,
                (None, Some(explanation)) => GuardError::from(Box::new(PolicyDenied {
                    action,
                    explanation,
                })),
                (None, None) => GuardError::from(Box::new(ApprovalRequired {
                    action,
                    reason: judged.reason,
                    rule: judged.rule.unwrap_or_default(),
                    request_id: id,
                })),
            }
        })
    }
}

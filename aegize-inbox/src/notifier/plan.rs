//! What has to be told of a request. Pure: the time is an input.

use aegize_core::{ApprovalRequest, ApprovalState, ApprovalTerms};
use aegize_store::DeliveryKind;
use time::OffsetDateTime;

use super::FIRST_REST;
use crate::channel::Failure;

/// What has to have been told by now of a request that is not at its end.
pub(super) fn kinds(request: &ApprovalRequest, now: OffsetDateTime) -> Vec<DeliveryKind> {
    if request.state() == ApprovalState::Granted {
        return vec![DeliveryKind::Granted];
    }
    let mut kinds = vec![DeliveryKind::Asked];
    if reminder(request).is_some_and(|reminder| reminder <= now) {
        kinds.push(DeliveryKind::Reminded);
        let terms = &request.question().terms;
        if terms.iter().any(|terms| !terms.escalate_to().is_empty()) {
            kinds.push(DeliveryKind::Escalated);
        }
    }
    kinds
}

/// When people are reminded of a request, if the rules say so: the first that does counts.
pub(super) fn reminder(request: &ApprovalRequest) -> Option<OffsetDateTime> {
    if request.state() != ApprovalState::Requested {
        return None;
    }
    let terms = request.question().terms.iter();
    let after = terms.filter_map(ApprovalTerms::remind_after).min()?;
    let after = time::Duration::try_from(after).ok()?;
    request.created_at().checked_add(after)
}

/// Where the message stands that asked, for what comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Earlier {
    NotNeeded,
    Told,
    Coming,
    Lost,
}

/// Why something is no longer, or not yet, to be told.
pub(super) fn check(
    kind: DeliveryKind,
    request: &ApprovalRequest,
    earlier: Earlier,
) -> Result<(), Failure> {
    let over = |message: String| {
        Err(Failure {
            is_final: true,
            ..Failure::new(message)
        })
    };
    let state = request.state();
    let is_of_now = match kind {
        DeliveryKind::Asked | DeliveryKind::Reminded | DeliveryKind::Escalated => {
            state == ApprovalState::Requested
        }
        DeliveryKind::Granted => state == ApprovalState::Granted,
        _ => state.is_end(),
    };
    if !is_of_now {
        return over(format!("not told: the request is {state} by now"));
    }
    let is_about_first = matches!(kind, DeliveryKind::Granted | DeliveryKind::Ended);
    match earlier {
        Earlier::Coming => Err(Failure {
            retry_after: Some(FIRST_REST),
            ..Failure::new("waits for the message that asks")
        }),
        Earlier::Lost if is_about_first => {
            over("not told: the message that asks was not delivered".to_owned())
        }
        _ => Ok(()),
    }
}

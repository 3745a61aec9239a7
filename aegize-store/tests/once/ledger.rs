//! What is on record of grants and of the attempts that used them.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use aegize_core::{AuditEvent, AuditRecords};
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct Ledger {
    /// Attempts, and what they needed.
    asked: HashSet<(Uuid, Uuid)>,
    /// Grants, and the attempts that used them.
    consumed: HashMap<Uuid, Uuid>,
    allowed: HashSet<Uuid>,
    succeeded: HashSet<Uuid>,
    abandoned: HashSet<Uuid>,
}

impl Ledger {
    /// Reads a log, of which only this is kept: it may be a long one.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut ledger = Self::default();
        for record in AuditRecords::open(folder.join("audit.jsonl")).expect("the log opens") {
            let record = record.expect("a record");
            let attempt = record.action_id;
            match (record.event, record.request_id) {
                (AuditEvent::ApprovalRequired, Some(id)) => {
                    ledger.asked.insert((attempt, id));
                }
                (AuditEvent::ApprovalConsumed, Some(id)) => {
                    let before = ledger.consumed.insert(id, attempt);
                    assert_eq!(before, None, "{id} was used twice");
                }
                (AuditEvent::Allowed, _) => {
                    ledger.allowed.insert(attempt);
                }
                (AuditEvent::ExecutionSucceeded, _) => {
                    ledger.succeeded.insert(attempt);
                }
                (AuditEvent::ExecutionAbandoned, _) => {
                    ledger.abandoned.insert(attempt);
                }
                _ => {}
            }
        }
        ledger
    }

    /// The attempt that used a grant; there is no other.
    pub(crate) fn consumed(&self, id: Uuid) -> Option<Uuid> {
        self.consumed.get(&id).copied()
    }

    /// Whether it is on record that an attempt needed that approval.
    pub(crate) fn has_asked(&self, attempt: Uuid, id: Uuid) -> bool {
        self.asked.contains(&(attempt, id))
    }

    /// Whether its body may have begun.
    pub(crate) fn is_allowed(&self, attempt: Uuid) -> bool {
        self.allowed.contains(&attempt)
    }

    pub(crate) fn has_succeeded(&self, attempt: Uuid) -> bool {
        self.succeeded.contains(&attempt)
    }

    pub(crate) fn has_ended(&self, attempt: Uuid) -> bool {
        self.succeeded.contains(&attempt) || self.abandoned.contains(&attempt)
    }
}

//! What is on record of grants and of the attempts that used them.

use std::path::Path;

use aegize_core::{AuditEvent, AuditRecord, AuditRecords};
use uuid::Uuid;

pub(crate) struct Ledger(Vec<AuditRecord<'static>>);

impl Ledger {
    pub(crate) fn read(folder: &Path) -> Self {
        let records = AuditRecords::open(folder.join("audit.jsonl")).expect("the log opens");
        Self(records.map(|record| record.expect("a record")).collect())
    }

    /// The attempt that used a grant; there is no other.
    pub(crate) fn consumed(&self, id: Uuid) -> Option<Uuid> {
        let mut consumed = self.0.iter().filter(|record| {
            record.event == AuditEvent::ApprovalConsumed && record.request_id == Some(id)
        });
        let attempt = consumed.next()?;
        assert!(consumed.next().is_none(), "{id} was used twice");
        Some(attempt.action_id)
    }

    /// Whether it is on record that an attempt needed that approval.
    pub(crate) fn has_asked(&self, attempt: Uuid, id: Uuid) -> bool {
        let mut records = self.0.iter();
        records.any(|record| {
            record.event == AuditEvent::ApprovalRequired
                && record.action_id == attempt
                && record.request_id == Some(id)
        })
    }

    pub(crate) fn has_succeeded(&self, attempt: Uuid) -> bool {
        self.has(attempt, &[AuditEvent::ExecutionSucceeded])
    }

    pub(crate) fn has_ended(&self, attempt: Uuid) -> bool {
        let ends = [
            AuditEvent::ExecutionSucceeded,
            AuditEvent::ExecutionAbandoned,
        ];
        self.has(attempt, &ends)
    }

    fn has(&self, attempt: Uuid, events: &[AuditEvent]) -> bool {
        let mut records = self.0.iter();
        records.any(|record| record.action_id == attempt && events.contains(&record.event))
    }
}

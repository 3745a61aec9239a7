//! The right to run one body, and the duty to record what came of it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Authority, Coordinates};
use crate::arguments::{Argument, summarize_value};
use crate::audit::{AuditEvent, AuditRecord};

/// An allowed call whose decision is in the log.
///
/// Whatever becomes of the body, there is an outcome: dropping a permit that was not finished
/// records a panic while the body was running, and an abandoned call while it was not.
pub struct Permit(Box<Open>);

struct Open {
    authority: Arc<Authority>,
    action_id: Uuid,
    coordinates: Coordinates,
    input_summary: String,
    metadata: Map<String, Value>,
    started: Instant,
    is_running: bool,
    is_finished: bool,
}

/// How a body ended, borrowed from its result.
pub enum Outcome<'r> {
    /// With a value; `None` if it is not to be recorded.
    Succeeded(Option<Argument<'r>>),
    /// With an error.
    Failed(Argument<'r>),
}

impl Permit {
    pub(super) fn new(
        authority: &Arc<Authority>,
        action_id: Uuid,
        coordinates: Coordinates,
        input_summary: String,
        metadata: Map<String, Value>,
    ) -> Self {
        Self(Box::new(Open {
            authority: Arc::clone(authority),
            action_id,
            coordinates,
            input_summary,
            metadata,
            started: Instant::now(),
            is_running: true,
            is_finished: false,
        }))
    }

    /// Tells whether the body is on the stack or waits to be polled again.
    pub(super) fn set_running(&mut self, is_running: bool) {
        self.0.is_running = is_running;
    }

    /// Records how the body ended.
    pub(super) fn finish(&mut self, outcome: &Outcome<'_>) {
        match outcome {
            Outcome::Succeeded(value) => {
                let summary = value.map(|argument| summarize_value(argument.value));
                self.record(AuditEvent::ExecutionSucceeded, |record| {
                    record.result_summary = summary.map(Into::into);
                });
            }
            Outcome::Failed(error) => {
                let error = summarize_value(error.value);
                self.fail(AuditEvent::ExecutionFailed, &error);
            }
        }
    }

    fn fail(&mut self, event: AuditEvent, error: &str) {
        self.record(event, |record| record.error = Some(error.to_owned().into()));
    }

    fn record(&mut self, event: AuditEvent, complete: impl FnOnce(&mut AuditRecord<'_>)) {
        self.0.is_finished = true;
        let open = &*self.0;
        let mut record = AuditRecord::new(event, open.action_id, &open.metadata);
        record.agent_id = open.authority.agent.agent_id.as_str().into();
        record.acting_for = open.authority.acting_for();
        record.tool_name = (&*open.coordinates.tool_name).into();
        record.operation = (&*open.coordinates.operation).into();
        record.risk_level = open.coordinates.risk_level;
        record.input_summary = open.input_summary.as_str().into();
        let elapsed = open.started.elapsed().as_micros();
        record.duration_us = Some(u64::try_from(elapsed).unwrap_or(u64::MAX));
        complete(&mut record);
        open.authority.audit_log.append_outcome(record);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.0.is_finished {
            return;
        }
        if self.0.is_running {
            self.fail(AuditEvent::ExecutionFailed, "panicked");
        } else {
            let error = "dropped before it finished";
            self.fail(AuditEvent::ExecutionAbandoned, error);
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("action_id", &self.0.action_id)
            .finish_non_exhaustive()
    }
}

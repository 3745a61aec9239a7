//! The right to run one body, and the duty to record what came of it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::ending::Outcome;
use super::span::CallSpan;
use super::{Authority, Coordinates, Merged};
use crate::action::ToolAction;
use crate::arguments::{Captured, summarize_value};
use crate::audit::{AuditError, AuditEvent, AuditRecord, Written};
use crate::error::{AuditUnavailable, GuardError, NoContext};
use crate::observe::{Counter, Histogram};
use crate::secrets::Redactions;

/// An allowed call whose decision is in the log.
///
/// Whatever becomes of the body, there is an outcome: dropping a permit that was not finished
/// records a panic while the body was running, and an abandoned call while it was not.
pub struct Permit(Box<Open>);

struct Open {
    authority: Arc<Authority>,
    action_id: Uuid,
    coordinates: Coordinates,
    input: Input,
    written: Written,
    span: CallSpan,
    started: Instant,
    is_running: bool,
    is_finished: bool,
}

/// What each record of a call repeats, as it may be shown.
pub(super) struct Input {
    pub(super) summary: String,
    pub(super) metadata: Arc<Merged>,
    /// What was redacted in these.
    pub(super) redactions: Redactions,
}

impl Permit {
    pub(super) fn new(
        authority: &Arc<Authority>,
        action_id: Uuid,
        coordinates: Coordinates,
        input: Input,
        written: Written,
        span: CallSpan,
    ) -> Self {
        span.enter();
        Self(Box::new(Open {
            authority: Arc::clone(authority),
            action_id,
            coordinates,
            input,
            written,
            span,
            started: Instant::now(),
            is_running: true,
            is_finished: false,
        }))
    }

    /// Tells whether the body is on the stack or waits to be polled again.
    pub(super) fn set_running(&mut self, is_running: bool) {
        let open = &mut self.0;
        match (open.is_running, is_running) {
            (false, true) => open.span.enter(),
            (true, false) => open.span.exit(),
            _ => {}
        }
        open.is_running = is_running;
    }

    /// Waits until the decision is durable.
    pub(super) fn wait(&self) -> Result<(), AuditError> {
        self.0.authority.audit_log.wait_for(self.0.written)
    }

    /// Tells whether the decision is durable, and else wakes the task when it is.
    pub(super) fn poll(&self, waker: &Waker) -> Poll<Result<(), AuditError>> {
        self.0.authority.audit_log.poll_for(self.0.written, waker)
    }

    /// Refuses a call whose decision was written and may not last. Its arguments are gone.
    #[expect(clippy::unnecessary_box_returns, reason = "as it is in an `Entry`")]
    pub(super) fn unconfirmed(mut self, source: AuditError) -> Box<GuardError> {
        let open = &mut self.0;
        let error = "its decision could not be made durable: it did not run";
        open.fail(AuditEvent::ExecutionAbandoned, error);
        let Coordinates {
            tool_name,
            operation,
            risk_level,
        } = open.coordinates.clone();
        let agent_id = open.authority.agent.agent_id.clone();
        let mut action = ToolAction::new(agent_id, tool_name, operation).risk_level(risk_level);
        action.action_id = open.action_id;
        action.metadata.clone_from(open.input.metadata.shown());
        Box::new(GuardError::from(Box::new(AuditUnavailable {
            action,
            source,
        })))
    }

    /// Records how the body ended.
    pub(super) fn finish(mut self, outcome: &Outcome<'_>) {
        match outcome {
            Outcome::Succeeded(value) => {
                let summary = (!value.is_redacted).then(|| self.0.summarize(value.value));
                self.0.record(AuditEvent::ExecutionSucceeded, |record| {
                    record.result_summary = summary.map(Into::into);
                });
            }
            Outcome::Failed(error) => {
                let error = self.0.summarize(error.value);
                self.0.fail(AuditEvent::ExecutionFailed, &error);
            }
        }
    }

    /// Takes the permission back before the body ran.
    #[expect(clippy::unnecessary_box_returns, reason = "as it is in an `Entry`")]
    pub(super) fn take_back(mut self) -> Box<GuardError> {
        self.set_running(false);
        let Coordinates {
            tool_name,
            operation,
            ..
        } = self.0.coordinates.clone();
        Box::new(GuardError::from(Box::new(NoContext {
            tool_name,
            operation,
        })))
    }
}

impl Open {
    /// The text of a value as it may be shown; what was redacted in it is told by the next record.
    fn summarize(&mut self, value: Captured<'_>) -> String {
        let redactor = &self.authority.redactor;
        summarize_value(value, redactor, &mut self.input.redactions)
    }

    fn fail(&mut self, event: AuditEvent, error: &str) {
        self.record(event, |record| record.error = Some(error.to_owned().into()));
    }

    fn record(&mut self, event: AuditEvent, complete: impl FnOnce(&mut AuditRecord<'_>)) {
        self.is_finished = true;
        let mut record = AuditRecord::new(event, self.action_id, self.input.metadata.shown());
        record.agent_id = self.authority.agent.agent_id.as_str().into();
        record.acting_for = self.authority.acting_for();
        record.tool_name = (&*self.coordinates.tool_name).into();
        record.operation = (&*self.coordinates.operation).into();
        record.risk_level = self.coordinates.risk_level;
        record.input_summary = self.input.summary.as_str().into();
        record.redacted = self.input.redactions.iter().map(Cow::Borrowed).collect();
        let elapsed = self.started.elapsed();
        let duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        record.duration_us = Some(duration_us);
        complete(&mut record);
        self.authority.audit_log.append_outcome(&record);
        drop(record);
        self.tell(outcome_name(event), elapsed, duration_us);
    }

    /// Tells those who watch how the call ended.
    fn tell(&self, outcome: &'static str, elapsed: Duration, duration_us: u64) {
        self.span.ended(outcome, duration_us);
        if self.is_running {
            self.span.exit();
        }
        self.authority.audit_log.observing().tell(|observer| {
            let labels = [
                ("tool_name", &*self.coordinates.tool_name),
                ("operation", &*self.coordinates.operation),
                ("outcome", outcome),
            ];
            let [tool_name, operation, outcome] = labels;
            let agent_id = ("agent_id", self.authority.agent.agent_id.as_str());
            let all = [agent_id, tool_name, operation, outcome];
            observer.add(Counter::Executions, 1, &all);
            let seconds = elapsed.as_secs_f64();
            observer.record(Histogram::ExecutionDuration, seconds, &labels);
        });
    }
}

/// How an execution ended, in the words that metrics and spans use.
fn outcome_name(event: AuditEvent) -> &'static str {
    match event {
        AuditEvent::ExecutionSucceeded => "succeeded",
        AuditEvent::ExecutionFailed => "failed",
        _ => "abandoned",
    }
}

// Of what a permit holds, and not of the permit: so dropping one is one call, in each tool.
impl Drop for Open {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        if self.is_running {
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

//! The pipeline: the one place where the order of stages is written.
//!
//! arguments → action → policy → audit → body → audit. Every style of calling, and every
//! adapter, goes through [`admit`]. Nothing here is generic over a tool, so that three hundred
//! tools cost one pipeline. The invariant: a [`Permit`] exists only after the decision to allow
//! has been written.

mod future;
mod links;
mod metadata;
mod permit;

use std::borrow::Cow;
use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

pub use self::future::{Guarded, ToolResult, run, run_async};
pub(crate) use self::metadata::Metadata;
pub use self::permit::{Outcome, Permit};
use crate::action::{RiskLevel, ToolAction};
use crate::arguments::{Arguments, Call, own_arguments, summarize_arguments};
use crate::audit::{AuditError, AuditEvent, AuditLog, AuditRecord};
use crate::error::{ApprovalRequired, AuditUnavailable, GuardError, InvalidCall, PolicyDenied};
use crate::identity::AgentIdentity;
use crate::policy::{Decision, Facts, PermissionPolicy, Verdict};

/// The most bytes of a tool's or an operation's name. A model may make them up, and each record
/// has them whole.
const LONGEST_NAME: usize = 1024;

/// On whose behalf, by which rules, into which log.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) agent: AgentIdentity,
    pub(crate) policy: PermissionPolicy,
    pub(crate) audit_log: AuditLog,
}

/// What is called: the coordinates that policies know.
#[derive(Debug, Clone)]
pub(crate) struct Coordinates {
    pub(crate) tool_name: Cow<'static, str>,
    pub(crate) operation: Cow<'static, str>,
    pub(crate) risk_level: RiskLevel,
}

impl Coordinates {
    pub(crate) fn invalid(&self, problem: String) -> GuardError {
        GuardError::from(Box::new(InvalidCall {
            tool_name: shorten(self.tool_name.clone()),
            operation: shorten(self.operation.clone()),
            problem,
        }))
    }

    /// Refuses names that no record could hold well.
    fn check(&self) -> Result<(), GuardError> {
        let length = self.tool_name.len().max(self.operation.len());
        if length > LONGEST_NAME {
            return Err(self.invalid(format!(
                "a name of {length} bytes is too long; at most {LONGEST_NAME} are recorded"
            )));
        }
        Ok(())
    }
}

/// A name as an error may quote it.
fn shorten(name: Cow<'static, str>) -> Cow<'static, str> {
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let mut shown: String = name.chars().take(100).collect();
    shown.push('…');
    shown.into()
}

/// Takes a call from its arguments to a permit, or refuses it. Either way there is a record,
/// or the error that says why there could be none.
pub(crate) fn admit(
    authority: &Arc<Authority>,
    coordinates: Coordinates,
    arguments: Arguments<'_>,
    metadata: Metadata<'_>,
) -> Result<Permit, GuardError> {
    coordinates.check()?;
    let metadata = metadata
        .merge(&authority.agent)
        .map_err(|problem| coordinates.invalid(problem))?;
    let attempt = Attempt {
        authority,
        action_id: Uuid::now_v7(),
        timestamp: OffsetDateTime::now_utc(),
        input_summary: summarize_arguments(arguments.iter()),
        call: Call {
            agent_id: &authority.agent.agent_id,
            tool_name: &coordinates.tool_name,
            operation: &coordinates.operation,
            risk_level: coordinates.risk_level,
            arguments,
            metadata: &metadata,
        },
    };

    let facts = Facts::new(attempt.call, Some(&links::Host));
    let verdict = authority.policy.judge(&facts);
    attempt
        .record(&verdict)
        .map_err(|source| attempt.unrecorded(&coordinates, source))?;

    match verdict.decision() {
        Decision::Allow => {
            let Attempt {
                action_id,
                input_summary,
                ..
            } = attempt;
            Ok(Permit::new(
                authority,
                action_id,
                coordinates,
                input_summary,
                metadata,
            ))
        }
        Decision::RequireApproval => Err(GuardError::from(Box::new(ApprovalRequired {
            action: attempt.action(&coordinates),
            reason: verdict.reason(),
            rule: verdict.rule().unwrap_or_default().to_owned(),
        }))),
        Decision::Deny => Err(GuardError::from(Box::new(PolicyDenied {
            action: attempt.action(&coordinates),
            explanation: authority.policy.explain_facts(&facts),
        }))),
    }
}

/// A call on its way through the pipeline.
struct Attempt<'a> {
    authority: &'a Authority,
    action_id: Uuid,
    timestamp: OffsetDateTime,
    input_summary: String,
    call: Call<'a>,
}

impl Attempt<'_> {
    fn record(&self, verdict: &Verdict<'_>) -> Result<(), AuditError> {
        let event = match verdict.decision() {
            Decision::Allow => AuditEvent::Allowed,
            Decision::Deny => AuditEvent::Denied,
            Decision::RequireApproval => AuditEvent::ApprovalRequired,
        };
        let mut record = AuditRecord::new(event, self.action_id, self.call.metadata);
        record.agent_id = self.call.agent_id.into();
        record.tool_name = self.call.tool_name.into();
        record.operation = self.call.operation.into();
        record.risk_level = self.call.risk_level;
        record.input_summary = self.input_summary.as_str().into();
        record.reason = Some(verdict.reason().into());
        record.rule = verdict.rule().map(Cow::Borrowed);
        record.policy = Some(self.authority.policy.digest().into());
        self.authority.audit_log.append(record)
    }

    fn unrecorded(&self, coordinates: &Coordinates, source: AuditError) -> GuardError {
        GuardError::from(Box::new(AuditUnavailable {
            action: self.action(coordinates),
            source,
        }))
    }

    /// The action as people and models may see it.
    fn action(&self, coordinates: &Coordinates) -> ToolAction {
        let (arguments, path_arguments) = own_arguments(self.call.arguments);
        let mut action = ToolAction::new(
            self.call.agent_id.to_owned(),
            coordinates.tool_name.clone(),
            coordinates.operation.clone(),
        )
        .risk_level(self.call.risk_level);
        action.action_id = self.action_id;
        action.timestamp = self.timestamp;
        action.arguments = arguments;
        action.path_arguments = path_arguments;
        action.metadata.clone_from(self.call.metadata);
        action
    }
}

//! What a policy would have decided about an attempt that is on record.
//!
//! A record tells who attempted what, the metadata, and a short redacted summary of the
//! arguments; not which parameters are declared to be paths, and not where symbolic links led.
//! The invariant: a decision is told as certain only if nothing that the record leaves open could
//! change it. What is assumed is written at [`PermissionPolicy::replay`].

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::arguments::{Arguments, Call, PATH_METADATA, RecordedArguments, Unknown};
use crate::audit::{AuditEvent, AuditRecord};
use crate::policy::{Decision, Doubt, Knowledge, PermissionPolicy, Place, Possible, readings};
use crate::secrets::{BUILT_IN, REDACTED};

/// What a policy would have decided about a recorded attempt.
#[derive(Debug, Clone)]
pub struct Replay<'p> {
    recorded: Decision,
    outcomes: Vec<ReplayOutcome<'p>>,
    doubts: Vec<ReplayDoubt>,
}

/// One decision that is possible.
#[derive(Debug, Clone, Copy)]
pub struct ReplayOutcome<'p>(Possible<'p>);

/// Something that the record does not tell and that the decision hangs on. It displays as a
/// clause, such as ``argument `to` was redacted``.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplayDoubt(String);

impl fmt::Display for ReplayDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<Doubt> for ReplayDoubt {
    fn from(doubt: Doubt) -> Self {
        Self(match doubt {
            Doubt::Argument(name, Unknown::Redacted) => format!("argument `{name}` was redacted"),
            Doubt::Argument(name, Unknown::Cut) => format!("argument `{name}` was cut"),
            Doubt::Argument(name, Unknown::Unreadable) => {
                format!("argument `{name}` cannot be read back")
            }
            Doubt::More => "there may be arguments that are not shown".to_owned(),
            Doubt::Declared(names) => format!(
                "whether the tool declares `{}` to be a path is not recorded",
                names.join("` or `")
            ),
        })
    }
}

impl<'p> ReplayOutcome<'p> {
    /// The decision.
    pub fn decision(&self) -> Decision {
        self.0.decision
    }

    /// The rule that makes it: its `id`, or its place such as `bot.allow[0]`. `None` if the call
    /// is denied by default.
    pub fn rule(&self) -> Option<&'p str> {
        self.0.rule.map(|(name, _)| name)
    }

    /// Where that rule is written.
    pub fn place(&self) -> Option<&'p Place> {
        self.0.rule.map(|(_, place)| place)
    }
}

impl<'p> Replay<'p> {
    /// What was decided when the call was made.
    pub fn recorded(&self) -> Decision {
        self.recorded
    }

    /// What this policy would have decided, if that can be told.
    pub fn decision(&self) -> Option<Decision> {
        let mut decisions = self.outcomes.iter().map(ReplayOutcome::decision);
        let first = decisions.next().unwrap_or(self.recorded);
        decisions.all(|decision| decision == first).then_some(first)
    }

    /// Every outcome that is possible, in the order the rules are asked. Empty if this very
    /// policy made the recorded decision, which stands.
    pub fn outcomes(&self) -> &[ReplayOutcome<'p>] {
        &self.outcomes
    }

    /// Why the decision cannot be told; empty if it can.
    pub fn doubts(&self) -> &[ReplayDoubt] {
        &self.doubts
    }
}

impl PermissionPolicy {
    /// Judges a recorded attempt by this policy; `None` if the record is not of a decision, or
    /// of one that no policy made: the refusal of a call that made no sense.
    ///
    /// What the record leaves open is told in [`Replay::doubts`], with these exceptions:
    ///
    /// * Symbolic links are not followed again: paths are judged by their text. A decision of
    ///   this very policy is taken as it was recorded.
    /// * Other policies that narrowed the call ([`GuardContext::narrowed`]) are not on record,
    ///   and are left out. Everyone the agent acted for is judged.
    /// * Of arguments that look like paths, every one may have been declared to be one. Those
    ///   that do not are taken to be none, unless neither they nor the metadata show another.
    /// * A value that was shown by its `Debug`, or by Python's `repr`, and reads as JSON is taken
    ///   for that JSON.
    /// * Metadata is taken to be on record as the policy read it; the Python package leaves
    ///   `candidate_paths` out.
    ///
    /// [`GuardContext::narrowed`]: crate::GuardContext::narrowed
    pub fn replay<'p>(&'p self, record: &AuditRecord<'_>) -> Option<Replay<'p>> {
        let recorded = recorded_decision(record)?;
        if record.policy.as_deref() == Some(self.digest()) {
            return Some(Replay {
                recorded,
                outcomes: Vec::new(),
                doubts: Vec::new(),
            });
        }
        let mut arguments = RecordedArguments::parse(&record.input_summary);
        let mut metadata = Cow::Borrowed(&*record.metadata);
        for key in PATH_METADATA {
            let is_redacted = |value: &Value| value.to_string().contains(REDACTED);
            if metadata.get(key).is_some_and(is_redacted) {
                metadata.to_mut().remove(key);
                arguments.add_redacted(key);
            }
        }
        let with_fields = arguments.with_fields();
        let call = Call {
            metadata: &metadata,
            ..recorded_call(record)
        };
        let readings = readings(call, &arguments, with_fields.as_ref());
        let knowledge = Knowledge::new(call, &arguments, &readings);

        let parties = std::iter::once(&record.agent_id).chain(&record.acting_for);
        let mut outcomes = Vec::new();
        let mut doubts = BTreeSet::new();
        let mut floor = 0;
        for agent_id in parties {
            let (possible, more) = self.possible(agent_id, &knowledge);
            // The strictest answer counts, so that none is below each party's most lenient.
            let least = possible.iter().map(|possible| possible.decision);
            floor = floor.max(least.map(strictness).min().unwrap_or(0));
            outcomes.extend(possible.into_iter().map(ReplayOutcome));
            doubts.extend(more);
        }
        outcomes.retain(|outcome| strictness(outcome.decision()) >= floor);
        let mut replay = Replay {
            recorded,
            outcomes,
            doubts: Vec::new(),
        };
        if replay.decision().is_none() {
            replay.doubts = doubts.into_iter().map(ReplayDoubt::from).collect();
        }
        Some(replay)
    }
}

/// What a policy decided, if the record is of that.
pub(crate) fn recorded_decision(record: &AuditRecord<'_>) -> Option<Decision> {
    // The Python package names no policy, and records no decision of anything else.
    let is_of_python = record.prev.is_none() && record.action_id.get_version_num() != 7;
    if record.policy.is_none() && !is_of_python {
        return None;
    }
    match record.event {
        // Somebody approved it. What the policy decided is in an earlier record of the attempt.
        AuditEvent::Allowed if record.request_id.is_some() => None,
        AuditEvent::Allowed => Some(Decision::Allow),
        AuditEvent::Denied => Some(Decision::Deny),
        AuditEvent::ApprovalRequired => Some(Decision::RequireApproval),
        _ => None,
    }
}

/// The recorded call without its arguments.
pub(crate) fn recorded_call<'a>(record: &'a AuditRecord<'_>) -> Call<'a> {
    Call {
        agent_id: &record.agent_id,
        tool_name: &record.tool_name,
        operation: &record.operation,
        risk_level: record.risk_level,
        arguments: Arguments::Captured(&[]),
        metadata: &record.metadata,
        redactor: &BUILT_IN,
    }
}

fn strictness(decision: Decision) -> u8 {
    match decision {
        Decision::Allow => 0,
        Decision::RequireApproval => 1,
        Decision::Deny => 2,
    }
}

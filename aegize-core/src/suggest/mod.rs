//! A least-privilege policy from what was seen on record.
//!
//! What ran at low or medium risk is allowed, as narrowly as the records tell it; what was asked
//! for, and what ran at a higher risk, asks a person; what was denied is left out, in comments.
//! The invariants: the text loads, equal records give equal text in whatever order they come, and
//! replayed by it no call that ran at low or medium risk is denied, if a policy can name its tool.

mod paths;
mod values;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use time::OffsetDateTime;

use self::paths::SeenPaths;
use self::values::SeenValues;
use crate::action::RiskLevel;
use crate::arguments::RecordedArguments;
use crate::audit::AuditRecord;
use crate::policy::{Decision, readings};
use crate::replay::{recorded_call, recorded_decision};

/// A policy in the making, from the decisions that a log records.
///
/// It displays as the YAML of a policy, with comments that tell what each rule was made from.
#[derive(Debug)]
pub struct PolicySuggestion {
    agents: BTreeMap<String, SeenAgent>,
}

/// What was seen of one agent.
#[derive(Debug, Default)]
struct SeenAgent {
    environments: BTreeSet<String>,
    calls: BTreeMap<(String, String), SeenCalls>,
}

/// What was seen of one operation of a tool.
#[derive(Debug, Default)]
struct SeenCalls {
    /// Ran at low or medium risk.
    routine: Tally,
    /// Ran at a higher risk.
    risky: Tally,
    /// Had to be approved.
    asked: Tally,
    denied: Tally,
    /// Of the routine calls, and of those that were denied.
    paths: SeenPaths,
    /// Of the routine calls.
    values: SeenValues,
}

/// How many calls, when, and of which risk.
#[derive(Debug, Default)]
struct Tally {
    count: u64,
    span: Option<Span>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    first: OffsetDateTime,
    last: OffsetDateTime,
    lowest: RiskLevel,
    highest: RiskLevel,
}

impl Tally {
    fn add(&mut self, record: &AuditRecord<'_>) {
        self.count += 1;
        let (time, risk) = (record.timestamp, record.risk_level);
        self.span = Some(match self.span {
            None => Span {
                first: time,
                last: time,
                lowest: risk,
                highest: risk,
            },
            Some(span) => Span {
                first: span.first.min(time),
                last: span.last.max(time),
                lowest: span.lowest.min(risk),
                highest: span.highest.max(risk),
            },
        });
    }
}

impl PolicySuggestion {
    /// For those agents, of whom nothing was seen yet.
    pub fn new(agents: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let agents = agents.into_iter();
        Self {
            agents: agents
                .map(|agent| (agent.into(), SeenAgent::default()))
                .collect(),
        }
    }

    /// Takes note of a record, if a policy decided it and it is about one of the agents: because
    /// they made the call, or because it was made for them.
    pub fn add(&mut self, record: &AuditRecord<'_>) {
        let Some(decision) = recorded_decision(record) else {
            return;
        };
        let parties: BTreeSet<&str> = std::iter::once(&record.agent_id)
            .chain(&record.acting_for)
            .map(|agent_id| &**agent_id)
            .collect();
        for agent_id in parties {
            if let Some(agent) = self.agents.get_mut(agent_id) {
                agent.add(record, decision);
            }
        }
    }

    /// The agents of whom no decision was seen.
    pub fn unseen(&self) -> impl Iterator<Item = &str> {
        self.agents
            .iter()
            .filter(|(_, agent)| agent.calls.is_empty())
            .map(|(agent_id, _)| &**agent_id)
    }
}

impl SeenAgent {
    fn add(&mut self, record: &AuditRecord<'_>, decision: Decision) {
        let environment = record.metadata.get("environment");
        if let Some(environment) = environment.and_then(|value| value.as_str()) {
            self.environments.insert(environment.to_owned());
        }
        let key = (record.tool_name.to_string(), record.operation.to_string());
        let calls = self.calls.entry(key).or_default();
        match decision {
            Decision::RequireApproval => calls.asked.add(record),
            Decision::Allow if record.risk_level > RiskLevel::Medium => calls.risky.add(record),
            Decision::Allow => {
                calls.routine.add(record);
                calls.look_at(record, true);
            }
            Decision::Deny => {
                calls.denied.add(record);
                calls.look_at(record, false);
            }
        }
    }
}

impl SeenCalls {
    fn look_at(&mut self, record: &AuditRecord<'_>, is_routine: bool) {
        let arguments = RecordedArguments::parse(&record.input_summary);
        let call = recorded_call(record);
        let readings = readings(call, &arguments, None);
        if is_routine {
            self.paths.add_routine(call, &arguments, &readings);
            self.values.add(&arguments);
        } else {
            self.paths
                .add_denied(call, &arguments, &readings, record.risk_level);
        }
    }
}

impl fmt::Display for PolicySuggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write::policy(f, &self.agents)
    }
}

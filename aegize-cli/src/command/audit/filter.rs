//! Which records of a log are asked for.
//!
//! The invariant: what is given several times holds if any of it does; of different options, all
//! have to hold.

use aegize::{AuditEvent, AuditRecord, NamePattern};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use time::OffsetDateTime;
use uuid::Uuid;

use super::moment;

#[derive(Debug, Args)]
#[command(next_help_heading = "Filters, which may be given several times for alternatives")]
pub(super) struct Filter {
    /// Attempts of an agent, or made for it
    #[arg(long = "agent", value_name = "ID")]
    agents: Vec<String>,

    /// Attempts to use a tool; `*` stands for any text, as in policies
    #[arg(long = "tool", value_name = "GLOB")]
    tools: Vec<NamePattern>,

    /// Attempts of an operation
    #[arg(long = "operation", value_name = "GLOB")]
    operations: Vec<NamePattern>,

    /// What happened
    #[arg(long = "event", value_name = "EVENT", value_parser = event())]
    events: Vec<AuditEvent>,

    /// The records of one attempt
    #[arg(long = "action", value_name = "UUID")]
    actions: Vec<Uuid>,

    /// At or after a time: 2026-06-27, 2026-06-27T18:00:00Z (UTC unless it says otherwise), or
    /// how long ago, such as 90s, 15m, 1h, 2d, 4w
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    since: Option<OffsetDateTime>,

    /// Before a time
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    until: Option<OffsetDateTime>,
}

fn event() -> impl clap::builder::TypedValueParser<Value = AuditEvent> {
    let names = AuditEvent::ALL.map(AuditEvent::as_str);
    PossibleValuesParser::new(names).map(|name| {
        let mut events = AuditEvent::ALL.into_iter();
        // One of them, or it would have been refused.
        events
            .find(|event| event.as_str() == name)
            .unwrap_or(AuditEvent::Other)
    })
}

impl Filter {
    pub(super) fn is_match(&self, record: &AuditRecord<'_>) -> bool {
        let is_of = |agent: &String| {
            let mut parties = std::iter::once(&record.agent_id).chain(&record.acting_for);
            parties.any(|party| **party == **agent)
        };
        self.since.is_none_or(|since| record.timestamp >= since)
            && self.until.is_none_or(|until| record.timestamp < until)
            && any(&self.events, |event| *event == record.event)
            && any(&self.actions, |action| *action == record.action_id)
            && any(&self.agents, is_of)
            && any(&self.tools, |tool| tool.is_match(&record.tool_name))
            && any(&self.operations, |operation| {
                operation.is_match(&record.operation)
            })
    }
}

fn any<T>(wanted: &[T], is_it: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is_it)
}

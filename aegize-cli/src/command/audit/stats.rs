//! `aegize audit stats`: how often what happened.

mod human;
mod tally;

use std::io::Write;
use std::path::PathBuf;

use aegize::AuditEvent;
use clap::Args;
use serde_json::{Map, Value, json};

use self::tally::{Attempt, Events, Tally};
use super::filter::Filter;
use crate::command::Format;
use crate::exit::{Exit, Failure};
use crate::layout::rfc3339;
use crate::logs::Log;
use crate::output::write_json;

/// Count what is on record
///
/// Nothing is executed. Reads an audit log, and counts the records that pass all filters: by event, by agent, and by tool and
/// operation; what part of decisions were refusals, and what part of executions failed; how long
/// executions took; and which attempts were allowed and have no outcome in the log.
///
/// Medians and percentiles are exact to 0.1 %. The memory that this takes does not grow with the
/// log: at most 10 000 agents and 10 000 operations are listed, and at most 100 000 attempts that
/// are open at a time are followed; if there are more, the result says how many records or
/// attempts that leaves out.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Stats {
    /// The audit log: a file of JSON Lines, a directory of such files, or /dev/stdin
    #[arg(value_name = "LOG")]
    log: PathBuf,

    /// How the result is told
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    #[command(flatten)]
    filter: Filter,
}

const EXAMPLE: &str = "\
Examples:
  aegize audit stats audit.jsonl
  aegize audit stats audit.jsonl --since 1d --tool 'github.*' --format json

As JSON, a part of it left out:

  {
    \"records\": 1204, \"bad_lines\": 0,
    \"first\": \"2026-06-27T18:00:00.123456Z\", \"last\": \"2026-06-28T09:30:00.5Z\",
    \"decisions\": 622, \"executions\": 578,
    \"rates\": {\"denied\": 0.048, \"approval_required\": 0.016, \"execution_failed\": 0.026, …},
    \"duration_us\": {\"count\": 575, \"min\": 12, \"median\": 1210, \"p95\": 40223, …},
    \"events\": {\"allowed\": 580, \"denied\": 30, …},
    \"agents\": [{\"agent\": \"research_bot\", \"events\": {…}}, …],
    \"tools\": [{\"tool\": \"web_search\", \"operation\": \"search\", \"events\": {…}}, …],
    \"open\": {\"count\": 2, \"not_followed\": 0, \"oldest\": [{\"seq\": 1190, …}]}
  }";

const EXIT_CODES: &str = "\
Exit codes:
  0  every line was read
  1  a line is no record; standard error says which
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

impl Stats {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let mut log = Log::open(&self.log)?;
        let mut tally = Tally::new();
        while let Some(record) = log.next()? {
            tally.add(&record, self.filter.is_match(&record));
        }
        tally.bad_lines = log.bad_lines;
        match self.format {
            Format::Human => human::write(stdout, &tally)?,
            Format::Json => write_json(stdout, &as_json(&tally))?,
        }
        Ok(if tally.bad_lines == 0 {
            Exit::Done
        } else {
            Exit::Mismatch
        })
    }
}

fn as_json(tally: &Tally) -> Value {
    let (first, last) = tally.span.unzip();
    let agents = tally.agents.most_frequent().into_iter();
    let agents = agents.map(|(agent, events)| json!({ "agent": agent, "events": all(events) }));
    let tools = tally.tools.most_frequent().into_iter();
    let tools = tools.map(|((tool, operation), events)| {
        json!({ "tool": tool, "operation": operation, "events": all(events) })
    });
    let rates = tally
        .events
        .rates()
        .map(|(event, rate)| (event.as_str(), json!(rate)));
    json!({
        "records": tally.events.total(),
        "bad_lines": tally.bad_lines,
        "first": first.map(rfc3339),
        "last": last.map(rfc3339),
        "decisions": tally.events.decisions(),
        "executions": tally.events.executions(),
        "rates": Value::Object(rates.into_iter().map(|(name, rate)| (name.to_owned(), rate)).collect()),
        "duration_us": tally.durations.summary().map(|durations| json!({
            "count": durations.count,
            "min": durations.min,
            "median": durations.median,
            "p95": durations.p95,
            "p99": durations.p99,
            "max": durations.max,
        })),
        "events": all(&tally.events),
        "agents": agents.collect::<Vec<_>>(),
        "agents_not_listed": tally.agents.not_listed(),
        "tools": tools.collect::<Vec<_>>(),
        "tools_not_listed": tally.tools.not_listed(),
        "open": {
            "count": tally.open.count(),
            "not_followed": tally.open.not_followed(),
            "oldest": tally.open.oldest().into_iter().map(open_json).collect::<Vec<_>>(),
        },
    })
}

/// How often each event happened, whether or not it did.
fn all(events: &Events) -> Value {
    let counts = AuditEvent::ALL.map(|event| (event.as_str().to_owned(), events.of(event).into()));
    Value::Object(Map::from_iter(counts))
}

fn open_json(attempt: &Attempt) -> Value {
    json!({
        "seq": attempt.seq,
        "timestamp": rfc3339(attempt.timestamp),
        "action_id": attempt.action_id,
        "agent": attempt.agent,
        "tool": attempt.tool,
        "operation": attempt.operation,
    })
}

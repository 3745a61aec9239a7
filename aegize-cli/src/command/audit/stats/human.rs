//! Counts for people.

use std::io::{self, Write};

use aegize::AuditEvent;

use super::tally::{Events, Tally};
use crate::layout::{cut, day, duration, padded, time_of_day, width_of};
use crate::logs::left_out;
use crate::output::{event, event_name, one_line, strong, width};

/// How many agents and operations are shown.
const SHOWN: usize = 20;

/// The events that have a column.
const COLUMNS: [AuditEvent; 6] = [
    AuditEvent::Allowed,
    AuditEvent::Denied,
    AuditEvent::ApprovalRequired,
    AuditEvent::ExecutionSucceeded,
    AuditEvent::ExecutionFailed,
    AuditEvent::ExecutionAbandoned,
];

/// What becomes of requests for approval.
const APPROVALS: [AuditEvent; 6] = [
    AuditEvent::ApprovalGranted,
    AuditEvent::ApprovalRejected,
    AuditEvent::ApprovalExpired,
    AuditEvent::ApprovalRevoked,
    AuditEvent::ApprovalWithdrawn,
    AuditEvent::ApprovalConsumed,
];

/// What becomes of approvers' tokens.
const TOKENS: [AuditEvent; 2] = [AuditEvent::TokenCreated, AuditEvent::TokenRevoked];

pub(super) fn write(stdout: &mut impl Write, tally: &Tally) -> io::Result<()> {
    write!(
        stdout,
        "{}",
        strong(counted(tally.events.total(), "record"))
    )?;
    if let Some((first, last)) = tally.span {
        let told = [first, last].map(|time| format!("{} {}", day(time), time_of_day(time)));
        write!(stdout, ", {} UTC", told.join(" to "))?;
    }
    writeln!(stdout)?;
    if let Some(left_out) = left_out(tally.bad_lines) {
        writeln!(stdout, "{left_out}")?;
    }
    writeln!(stdout)?;
    let [denied, asked, failed, abandoned] = tally.events.rates();
    let decisions = [(AuditEvent::Allowed, None), denied, asked];
    let executions = [(AuditEvent::ExecutionSucceeded, None), failed, abandoned];
    write_shares(
        stdout,
        "decisions",
        tally.events.decisions(),
        decisions,
        tally,
    )?;
    write_shares(
        stdout,
        "executions",
        tally.events.executions(),
        executions,
        tally,
    )?;
    write_counts(stdout, "approvals", &APPROVALS, tally)?;
    write_counts(stdout, "tokens", &TOKENS, tally)?;
    for other in [AuditEvent::LogRecovered, AuditEvent::Other] {
        let count = tally.events.of(other);
        if count > 0 {
            writeln!(stdout, "{:<10}  {count}", event_name(other))?;
        }
    }
    if let Some(durations) = tally.durations.summary() {
        let values = [
            ("min", durations.min),
            ("median", durations.median),
            ("p95", durations.p95),
            ("p99", durations.p99),
            ("max", durations.max),
        ];
        let told = values.map(|(name, us)| format!("{name} {}", duration(us)));
        writeln!(stdout, "durations   {}", told.join(", "))?;
    }
    write_open(stdout, tally)?;
    let agents = tally.agents.most_frequent().into_iter();
    let agents = agents.map(|(agent, events)| (one_line(agent), events));
    write_table(stdout, "AGENT", agents.collect(), tally.agents.not_listed())?;
    let tools = tally.tools.most_frequent().into_iter();
    let tools =
        tools.map(|((tool, operation), events)| (one_line(&format!("{tool} {operation}")), events));
    write_table(stdout, "CALL", tools.collect(), tally.tools.not_listed())
}

fn write_shares(
    stdout: &mut impl Write,
    name: &str,
    total: u64,
    parts: [(AuditEvent, Option<f64>); 3],
    tally: &Tally,
) -> io::Result<()> {
    let parts = parts.map(|(event, rate)| {
        let share = rate.map_or(String::new(), |rate| format!(" ({:.1} %)", rate * 100.0));
        format!("{} {}{share}", tally.events.of(event), event_name(event))
    });
    writeln!(stdout, "{name:<10}  {total}: {}", parts.join(", "))
}

/// How often each of some events happened, as far as any did.
fn write_counts(
    stdout: &mut impl Write,
    name: &str,
    events: &[AuditEvent],
    tally: &Tally,
) -> io::Result<()> {
    let counts = events.iter().map(|event| (event, tally.events.of(*event)));
    let told: Vec<_> = counts
        .filter(|(_, count)| *count > 0)
        .map(|(event, count)| format!("{count} {}", event_name(*event)))
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    writeln!(stdout, "{name:<10}  {}", told.join(", "))
}

fn write_open(stdout: &mut impl Write, tally: &Tally) -> io::Result<()> {
    let (count, not_followed) = (tally.open.count(), tally.open.not_followed());
    if count > 0 {
        let attempts = counted(count as u64, "attempt");
        writeln!(stdout, "open        {attempts} without an outcome, such as")?;
        for attempt in tally.open.oldest() {
            let (day, time) = (day(attempt.timestamp), time_of_day(attempt.timestamp));
            let told = format!(
                "seq {}, {day} {time}, {}, {} {}",
                attempt.seq, attempt.agent, attempt.tool, attempt.operation
            );
            writeln!(stdout, "            {}", one_line(&told))?;
        }
    }
    if not_followed > 0 {
        let attempts = counted(not_followed, "attempt");
        writeln!(
            stdout,
            "            whether {attempts} more had an outcome was not followed"
        )?;
    }
    Ok(())
}

fn write_table(
    stdout: &mut impl Write,
    heading: &str,
    mut rows: Vec<(String, &Events)>,
    not_listed: u64,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let more = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    let numbers: usize = COLUMNS.iter().map(|event| column(*event) + 2).sum();
    let names = rows
        .iter()
        .map(|(name, _)| width_of(name))
        .max()
        .unwrap_or(0);
    let room = width().map_or(usize::MAX, |width| width.saturating_sub(numbers));
    let first = names.max(heading.len()).min(room.max(12));

    write!(stdout, "\n{}", strong(padded(heading, first)))?;
    for event in COLUMNS {
        let name = heading_of(event);
        write!(stdout, "  {}", strong(format!("{name:>0$}", column(event))))?;
    }
    writeln!(stdout)?;
    for (name, events) in rows {
        write!(stdout, "{}", padded(&cut(&name, first), first))?;
        for of in COLUMNS {
            let count = events.of(of);
            let told = format!("{count:>0$}", column(of));
            if count == 0 || matches!(of, AuditEvent::Allowed | AuditEvent::ExecutionSucceeded) {
                write!(stdout, "  {told}")?;
            } else {
                write!(stdout, "  {}", event(of, told))?;
            }
        }
        writeln!(stdout)?;
    }
    if more > 0 {
        writeln!(stdout, "and {more} more")?;
    }
    if not_listed > 0 {
        writeln!(stdout, "{} of others", counted(not_listed, "record"))?;
    }
    Ok(())
}

fn heading_of(event: AuditEvent) -> String {
    event_name(event).to_uppercase()
}

/// How wide an event's column is.
fn column(event: AuditEvent) -> usize {
    heading_of(event).len().max(7)
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

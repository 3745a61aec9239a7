//! What is asked, in full, for people who are to decide.
//!
//! The invariant: every character of what is asked is seen, or written as an escape.

use std::io::{self, Write};

use aegize::{ApprovalRequest, ApprovalState, RiskLevel};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::words;
use crate::layout::{day, padded, roughly, time_of_day, width_of};
use crate::output::{bad, faint, good, plain, state, strong, visible, wary};

/// How wide labels are.
const LABEL: usize = 10;

/// From how many characters on a value that has parts is laid out in lines.
const LONG: usize = 60;

/// The widest name of an argument that others are aligned with.
const WIDEST: usize = 24;

pub(super) fn write(
    out: &mut impl Write,
    request: &ApprovalRequest,
    now: OffsetDateTime,
) -> io::Result<()> {
    let question = request.question();
    let action = &question.action;
    let call = visible(&format!("{} {}", action.tool_name, action.operation));
    writeln!(out, "{}", strong(call))?;

    let standing = standing(request, now);
    label(out, "state")?;
    writeln!(out, "{}{standing}", state(request.state(), request.state()))?;
    label(out, "risk")?;
    let risk = action.risk_level.as_str();
    match action.risk_level {
        RiskLevel::Low | RiskLevel::Medium => writeln!(out, "{}", plain(risk))?,
        _ => writeln!(out, "{}", bad(risk))?,
    }
    row(out, "agent", &words::agent(request))?;
    row(out, "id", &request.id().to_string())?;
    let times = match request.asked() {
        1 => String::new(),
        asked => format!("{asked} times, first "),
    };
    let ago = roughly(now - request.created_at());
    row(
        out,
        "asked",
        &format!("{times}{}, {ago} ago", moment(request.created_at())),
    )?;

    let paths = &action.path_arguments;
    write_values(
        out,
        "arguments",
        &action.arguments,
        &question.redacted,
        paths,
    )?;
    write_values(out, "metadata", &action.metadata, &question.redacted, &[])?;
    writeln!(out)?;

    row(out, "reason", &question.reason)?;
    row(out, "rule", &question.rule)?;
    row(out, "policy", &question.policy)?;
    for terms in &question.terms {
        row(out, "needs", &words::terms(terms))?;
    }
    for vote in request.approvals() {
        label(out, "approved")?;
        let told = format!("{} by {}", moment(vote.at), words::vote(vote));
        writeln!(out, "{}", good(visible(&told)))?;
    }
    if request.state() == ApprovalState::Requested && !request.approvals().is_empty() {
        for missing in words::missing(request) {
            row(out, "lacks", &missing)?;
        }
    }
    if let Some(vote) = request.refusal() {
        label(out, request.state().as_str())?;
        let told = format!("{} by {}", moment(vote.at), words::vote(vote));
        writeln!(out, "{}", bad(visible(&told)))?;
    }
    if let Some(remembered) = words::remembered(request) {
        row(out, "extends to", &remembered)?;
    }
    for attempt in request.consumed_by() {
        row(out, "used by", &format!("attempt {attempt}"))?;
    }
    Ok(())
}

/// How long it stays where it stands.
fn standing(request: &ApprovalRequest, now: OffsetDateTime) -> String {
    let left = roughly(request.expires_at() - now);
    match request.state() {
        ApprovalState::Requested => format!(", {left} left to decide"),
        ApprovalState::Granted if request.remember().is_some() => format!(", {left} left"),
        ApprovalState::Granted => format!(", {left} left to make the call"),
        ApprovalState::Rejected if request.expires_at() > now => {
            format!(", which answers the same call for another {left}")
        }
        _ => format!(", {}", moment(request.updated_at())),
    }
}

fn write_values(
    out: &mut impl Write,
    heading: &str,
    values: &Map<String, Value>,
    redacted: &[String],
    paths: &[String],
) -> io::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", faint(heading))?;
    let names: Vec<_> = values.keys().map(|name| visible(name)).collect();
    let widest = names.iter().map(|name| width_of(name)).max().unwrap_or(0);
    let width = widest.min(WIDEST);
    for ((name, value), shown) in values.iter().zip(names) {
        write!(out, "  {}  ", padded(&shown, width))?;
        let is_redacted = redacted.iter().any(|path| is_within(path, name));
        let is_path = paths.contains(name);
        let value = laid_out(value, width + 4);
        let mark = match (is_redacted, is_path) {
            (true, _) => "  (kept secret in part or whole; the approval covers it)",
            (false, true) => "  (a path)",
            (false, false) => "",
        };
        if is_redacted {
            writeln!(out, "{}{mark}", wary(value))?;
        } else {
            writeln!(out, "{}{mark}", plain(value))?;
        }
    }
    Ok(())
}

/// Whether what was redacted is a value of this name, or in it.
fn is_within(redacted: &str, name: &str) -> bool {
    let rest = redacted.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '/']))
}

/// A value as JSON: in one line if it is short, and otherwise in lines that begin at a column.
fn laid_out(value: &Value, column: usize) -> String {
    let short = value.to_string();
    let has_parts = value.is_object() || value.is_array();
    if !has_parts || width_of(&short) <= LONG {
        return visible(&short);
    }
    let lines = format!("{value:#}");
    let lines: Vec<_> = lines.lines().map(visible).collect();
    lines.join(&format!("\n{:column$}", ""))
}

/// A day and a time.
fn moment(time: OffsetDateTime) -> String {
    format!("{} {} UTC", day(time), time_of_day(time))
}

fn row(out: &mut impl Write, name: &str, told: &str) -> io::Result<()> {
    label(out, name)?;
    writeln!(out, "{}", visible(told))
}

fn label(out: &mut impl Write, name: &str) -> io::Result<()> {
    write!(out, "{}  ", faint(padded(name, LABEL)))
}

//! What is asked, in full, for people who are to decide.
//!
//! The invariant: every character of what is asked is seen, or written as an escape; no text that
//! others wrote begins a line, not even where a terminal would break one; and where a secret was taken away,
//! that is said.

use std::io::{self, Write};

use aegize::{ApprovalRequest, ApprovalState, RiskLevel};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::words;
use crate::layout::{day, folded, padded, roughly, time_of_day, width_of};
use crate::output::{Painted, bad, faint, good, plain, state, strong, visible, wary};

/// How wide labels are.
const LABEL: usize = 10;

/// From how many characters on a value that has parts is laid out in lines.
const LONG: usize = 60;

/// The widest name of an argument that others are aligned with.
const WIDEST: usize = 24;

/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";

/// Shows it as wide as a terminal is, if it is one.
pub(super) fn write(
    out: &mut impl Write,
    request: &ApprovalRequest,
    now: OffsetDateTime,
    terminal: Option<usize>,
) -> io::Result<()> {
    let question = request.question();
    let action = &question.action;
    let mut page = Page {
        out,
        terminal,
        has_secrets: !question.redacted.is_empty(),
    };
    let call = visible(&format!("{} {}", action.tool_name, action.operation));
    let call = folded(&call, 0, LABEL + 2, terminal);
    writeln!(page.out, "{}", strong(call))?;

    let standing = standing(request, now);
    page.label("state")?;
    let state = state(request.state(), request.state());
    writeln!(page.out, "{state}{standing}")?;
    let risk = match action.risk_level {
        RiskLevel::Low | RiskLevel::Medium => plain,
        _ => bad,
    };
    page.painted("risk", action.risk_level.as_str(), risk)?;
    page.row("agent", &words::agent(request))?;
    page.row("id", &request.id().to_string())?;
    let times = match request.asked() {
        1 => String::new(),
        asked => format!("{asked} times, first "),
    };
    let ago = roughly(now - request.created_at());
    let asked = format!("{times}{}, {ago} ago", moment(request.created_at()));
    page.row("asked", &asked)?;

    page.values("arguments", &action.arguments, &action.path_arguments)?;
    page.values("metadata", &action.metadata, &[])?;
    writeln!(page.out)?;

    page.row("reason", &question.reason)?;
    page.row("rule", &question.rule)?;
    page.row("policy", &question.policy)?;
    for terms in &question.terms {
        page.row("needs", &words::terms(terms))?;
    }
    for vote in request.approvals() {
        let told = format!("{} by {}", moment(vote.at), words::vote(vote));
        page.painted("approved", &told, good)?;
    }
    if request.state() == ApprovalState::Requested && !request.approvals().is_empty() {
        for missing in words::missing(request) {
            page.row("lacks", &missing)?;
        }
    }
    if let Some(vote) = request.refusal() {
        let told = format!("{} by {}", moment(vote.at), words::vote(vote));
        page.painted(request.state().as_str(), &told, bad)?;
    }
    if let Some(remembered) = words::remembered(request) {
        page.row("extends to", &remembered)?;
    }
    for attempt in request.consumed_by() {
        page.row("used by", &format!("attempt {attempt}"))?;
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

/// Where it is shown.
struct Page<'o, W> {
    out: &'o mut W,
    /// How wide that is.
    terminal: Option<usize>,
    /// Whether anything was taken away of what is shown.
    has_secrets: bool,
}

impl<W: Write> Page<'_, W> {
    fn row(&mut self, name: &str, told: &str) -> io::Result<()> {
        self.painted(name, told, plain)
    }

    fn painted(
        &mut self,
        name: &str,
        told: &str,
        paint: fn(String) -> Painted<String>,
    ) -> io::Result<()> {
        self.label(name)?;
        let told = folded(&visible(told), LABEL + 2, LABEL + 2, self.terminal);
        writeln!(self.out, "{}", paint(told))
    }

    fn label(&mut self, name: &str) -> io::Result<()> {
        write!(self.out, "{}  ", faint(padded(name, LABEL)))
    }

    fn values(
        &mut self,
        heading: &str,
        values: &Map<String, Value>,
        paths: &[String],
    ) -> io::Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{}", faint(heading))?;
        let names: Vec<_> = values.keys().map(|name| visible(name)).collect();
        let widest = names.iter().map(|name| width_of(name)).max().unwrap_or(0);
        let width = widest.min(WIDEST);
        for ((name, value), shown) in values.iter().zip(names) {
            let value = laid_out(value, width + 4);
            let is_redacted =
                self.has_secrets && [&shown, &value].iter().any(|text| text.contains(REDACTED));
            let (mark, paint): (_, fn(String) -> Painted<String>) = if is_redacted {
                let mark = "  (kept secret in part or whole; the approval covers it)";
                (mark, wary)
            } else if paths.contains(name) {
                ("  (a path)", plain)
            } else {
                ("", plain)
            };
            let text = format!("{}  {value}{mark}", padded(&shown, width));
            let text = folded(&text, 2, width + 4, self.terminal);
            writeln!(self.out, "  {}", paint(text))?;
        }
        Ok(())
    }
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

//! Requests as a table, as wide as the terminal.
//!
//! The invariant: a row is one line, and on a terminal that has room for the narrowest columns none is
//! wider than that. On a narrow one, columns that tell the least are left out.

use std::io::{self, Write};

use aegize::{ApprovalRequest, ApprovalState, RiskLevel};
use time::OffsetDateTime;

use super::{id, words};
use crate::layout::{cut, padded, roughly, width_of};
use crate::output::{Painted, bad, faint, plain, state, strong, visible};

const HEADINGS: [&str; 8] = [
    "ID", "STATE", "AGE", "LEFT", "RISK", "AGENT", "CALL", "DETAILS",
];

/// The cells of a terminal that has room for every column.
const ROOMY: usize = 100;

/// Between columns.
const GAP: usize = 2;

struct Row {
    state: ApprovalState,
    risk: RiskLevel,
    cells: [String; HEADINGS.len()],
}

pub(super) fn write(
    out: &mut impl Write,
    requests: &[ApprovalRequest],
    now: OffsetDateTime,
    terminal: Option<usize>,
) -> io::Result<()> {
    let rows: Vec<_> = requests
        .iter()
        .map(|request| Row::new(request, now))
        .collect();
    let widths = widths(&rows, terminal);
    write_cells(out, &HEADINGS.map(str::to_owned), widths, |text, _| {
        strong(text)
    })?;
    for row in &rows {
        write_cells(out, &row.cells, widths, |text, heading| match heading {
            "ID" | "AGE" | "LEFT" => faint(text),
            "STATE" => state(row.state, text),
            "RISK" if row.risk > RiskLevel::Medium => bad(text),
            _ => plain(text),
        })?;
    }
    Ok(())
}

fn widths(rows: &[Row], terminal: Option<usize>) -> [usize; HEADINGS.len()] {
    let mut widths = HEADINGS.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = width_of(cell).max(*width);
        }
    }
    if let Some(terminal) = terminal {
        let [id, state, age, left, risk, agent, call, details] = &mut widths;
        let mut gaps = 7;
        if terminal < ROOMY {
            // The newest come first; and nobody has to be told that what waits does.
            (*age, gaps) = (0, gaps - 1);
            if rows.iter().all(|row| row.state == ApprovalState::Requested) {
                (*state, gaps) = (0, gaps - 1);
            }
        }
        let taken = *id + *state + *age + *left + *risk + gaps * GAP;
        let room = terminal.saturating_sub(taken);
        *agent = (*agent).min((room / 4).max(8));
        *call = (*call).min((room * 2 / 5).max(12));
        *details = room.saturating_sub(*agent + *call).max(8);
    }
    widths
}

fn write_cells(
    out: &mut impl Write,
    cells: &[String; HEADINGS.len()],
    widths: [usize; HEADINGS.len()],
    paint: impl Fn(String, &str) -> Painted<String>,
) -> io::Result<()> {
    for ((heading, text), width) in HEADINGS.into_iter().zip(cells).zip(widths) {
        if width == 0 {
            continue;
        }
        let text = cut(text, width);
        if heading == "DETAILS" {
            writeln!(out, "{}", paint(text, heading))?;
        } else {
            write!(out, "{}{:GAP$}", paint(padded(&text, width), heading), "")?;
        }
    }
    Ok(())
}

impl Row {
    fn new(request: &ApprovalRequest, now: OffsetDateTime) -> Self {
        let action = &request.question().action;
        let left = if request.state().is_end() {
            "-".to_owned()
        } else {
            roughly(request.expires_at() - now)
        };
        Self {
            state: request.state(),
            risk: action.risk_level,
            cells: [
                id::short(request.id()),
                request.state().as_str().to_owned(),
                roughly(now - request.created_at()),
                left,
                action.risk_level.as_str().to_owned(),
                visible(&words::agent(request)),
                visible(&format!("{} {}", action.tool_name, action.operation)),
                visible(&details(request)),
            ],
        }
    }
}

/// What there is to tell besides, the most telling first: with what a call is made that is to be decided,
/// and how the others were.
pub(super) fn details(request: &ApprovalRequest) -> String {
    let is_open = request.state() == ApprovalState::Requested;
    let mut parts = Vec::new();
    if request.asked() > 1 {
        parts.push(format!("asked {} times", request.asked()));
    }
    parts.extend(words::remembered(request));
    let approvals = request.approvals().iter().map(words::vote);
    let approvals: Vec<_> = approvals.collect();
    if !approvals.is_empty() {
        parts.push(format!("approved by {}", approvals.join(", ")));
    }
    if is_open && !approvals.is_empty() {
        parts.push(format!("lacks {}", words::missing(request).join(" and ")));
    }
    if let Some(vote) = request.refusal() {
        parts.push(format!("{} by {}", request.state(), words::vote(vote)));
    }
    let summary = request.question().input_summary.clone();
    parts.insert(if is_open { 0 } else { parts.len() }, summary);
    parts.retain(|part| !part.is_empty());
    parts.join("  ")
}

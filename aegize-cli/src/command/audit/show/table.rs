//! Records as a table, as wide as the terminal.
//!
//! Columns are as wide as the first records need, of which some are kept to be measured. The
//! invariant: a row is one line, and on a terminal that has room for the narrowest columns none is
//! wider than that.

use std::io::{self, Write};

use aegize::{AuditEvent, AuditRecord, RiskLevel};

use super::Rows;
use crate::layout::{cut, day, duration, padded, time_of_day, width_of};
use crate::output::{self, Painted, faint, one_line, plain, strong, wary};

/// How many records are measured.
const MEASURED: usize = 500;

/// From how many characters on there is room for risks.
const WIDE: usize = 100;

/// Between columns.
const GAP: usize = 2;

const HEADINGS: [&str; 7] = ["SEQ", "TIME", "EVENT", "RISK", "AGENT", "CALL", "DETAILS"];

/// How wide columns are made at least: records that are yet to come may need it.
const LEAST: Widths = [4, 4, 9, 8, 12, 20, 0];

/// Columns that are 0 wide are left out.
type Widths = [usize; HEADINGS.len()];

pub(super) struct Table<W> {
    stdout: W,
    /// Of the terminal; without one, nothing is cut, and every row has its day.
    width: Option<usize>,
    waiting: Vec<Row>,
    widths: Option<Widths>,
    /// The day whose records are being shown.
    day: String,
}

struct Row {
    event: AuditEvent,
    risk: RiskLevel,
    day: String,
    cells: [String; HEADINGS.len()],
}

impl<W: Write> Rows for Table<W> {
    fn add(&mut self, record: &AuditRecord<'_>, _: &[u8]) -> io::Result<()> {
        self.waiting.push(Row::new(record, self.width.is_none()));
        if self.widths.is_some() || self.waiting.len() >= MEASURED {
            self.write()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write()?;
        self.stdout.flush()
    }
}

impl<W: Write> Table<W> {
    pub(super) fn new(stdout: W, width: Option<usize>) -> Self {
        Self {
            stdout,
            width,
            waiting: Vec::new(),
            widths: None,
            day: String::new(),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        if rows.is_empty() {
            return Ok(());
        }
        let widths = if let Some(widths) = self.widths {
            widths
        } else {
            let widths = widths(&rows, self.width);
            write_cells(&mut self.stdout, &HEADINGS, widths, |text, _| strong(text))?;
            *self.widths.insert(widths)
        };
        for row in rows {
            if self.width.is_some() && row.day != self.day {
                writeln!(self.stdout, "{}", faint(format!("{} UTC", row.day)))?;
                self.day.clone_from(&row.day);
            }
            let cells = row.cells.each_ref().map(String::as_str);
            write_cells(
                &mut self.stdout,
                &cells,
                widths,
                |text, heading| match heading {
                    "SEQ" | "TIME" => faint(text),
                    "EVENT" => output::event(row.event, text),
                    "RISK" if row.risk > RiskLevel::Medium => wary(text),
                    _ => plain(text),
                },
            )?;
        }
        Ok(())
    }
}

fn widths(rows: &[Row], terminal: Option<usize>) -> Widths {
    let mut widths = LEAST;
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = width_of(cell).max(*width);
        }
    }
    let [seq, time, event, risk, agent, call, details] = &mut widths;
    *details = usize::MAX;
    if let Some(terminal) = terminal {
        if terminal < WIDE {
            *risk = 0;
        }
        let fixed = [*seq, *time, *event, *risk];
        let shown = fixed.iter().filter(|width| **width > 0);
        let taken: usize = shown.map(|width| width + GAP).sum();
        let room = terminal.saturating_sub(taken + 2 * GAP);
        *agent = (*agent).min((room / 4).max(8));
        *call = (*call).min((room * 2 / 5).max(12));
        *details = room.saturating_sub(*agent + *call).max(8);
    }
    widths
}

fn write_cells(
    stdout: &mut impl Write,
    cells: &[&str; HEADINGS.len()],
    widths: Widths,
    paint: impl Fn(String, &str) -> Painted<String>,
) -> io::Result<()> {
    let is_cut = widths.last() != Some(&usize::MAX);
    for ((heading, text), width) in HEADINGS.into_iter().zip(cells).zip(widths) {
        let text = if is_cut {
            cut(text, width)
        } else {
            (*text).to_owned()
        };
        if heading == "DETAILS" {
            writeln!(stdout, "{}", paint(text, heading))?;
        } else if width > 0 {
            write!(
                stdout,
                "{}{:GAP$}",
                paint(padded(&text, width), heading),
                ""
            )?;
        }
    }
    Ok(())
}

impl Row {
    fn new(record: &AuditRecord<'_>, has_day: bool) -> Self {
        let day = day(record.timestamp);
        let time = time_of_day(record.timestamp);
        let agent = if record.acting_for.is_empty() {
            record.agent_id.to_string()
        } else {
            format!("{} for {}", record.agent_id, record.acting_for.join(", "))
        };
        Self {
            event: record.event,
            risk: record.risk_level,
            cells: [
                record.seq.to_string(),
                if has_day {
                    format!("{day} {time}Z")
                } else {
                    time
                },
                output::event_name(record.event).to_owned(),
                record.risk_level.as_str().to_owned(),
                one_line(&agent),
                one_line(&format!("{} {}", record.tool_name, record.operation)),
                one_line(&details(record)),
            ],
            day,
        }
    }
}

/// What there is to tell besides, the most telling first.
fn details(record: &AuditRecord<'_>) -> String {
    let is_outcome = matches!(
        record.event,
        AuditEvent::ExecutionSucceeded
            | AuditEvent::ExecutionFailed
            | AuditEvent::ExecutionAbandoned
    );
    let is_usual = record.event == AuditEvent::Allowed;
    let parts = [
        record.duration_us.map(duration),
        record.error.as_ref().map(ToString::to_string),
        record.result_summary.as_ref().map(ToString::to_string),
        (!record.approvers.is_empty()).then(|| format!("by {}", record.approvers.join(", "))),
        record
            .reason
            .as_ref()
            .filter(|_| !is_usual)
            .map(ToString::to_string),
        // That of an outcome is its attempt's.
        (!is_outcome).then(|| record.input_summary.to_string()),
    ];
    let told = parts.into_iter().flatten().filter(|part| !part.is_empty());
    told.collect::<Vec<_>>().join("  ")
}

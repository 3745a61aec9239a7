//! Findings for people: the message, the line of the file, and a call that shows it.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aegize::{Finding, Place, Severity};
use anstyle::{AnsiColor, Style};

use crate::command::policy::call_json;
use crate::output::{faint, one_line};

const NOTE: Style = AnsiColor::Cyan.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// The longest line that is shown whole, in characters.
const LONGEST: usize = 120;

/// The most other rules that are named.
const MOST_RELATED: usize = 5;

pub(super) fn write(stdout: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    let mut files = Files::default();
    for finding in findings {
        let (code, severity) = (finding.code(), finding.severity());
        let style = if severity == Severity::Note {
            NOTE
        } else {
            WARNING
        };
        write!(stdout, "{style}{severity}[{code}]{style:#}: ")?;
        if let Some(rule) = finding.rule() {
            write!(stdout, "`{}`: ", one_line(rule))?;
        }
        writeln!(stdout, "{}", one_line(finding.message()))?;
        let width = write_place(stdout, finding.place(), &mut files)?;
        for related in finding.related().iter().take(MOST_RELATED) {
            let (rule, place) = (one_line(related.rule()), related.place().to_string());
            writeln!(
                stdout,
                "{:width$} {} `{rule}` is at {}",
                "",
                faint('='),
                one_line(&place)
            )?;
        }
        if let Some(witness) = finding.witness() {
            let call = one_line(&call_json(witness).to_string());
            writeln!(stdout, "{:width$} {} for example: {call}", "", faint('='))?;
        }
        writeln!(stdout)?;
    }
    match findings.len() {
        1 => writeln!(stdout, "1 finding"),
        count => writeln!(stdout, "{count} findings"),
    }
}

/// Writes where something is, and the line that is there; gives the width of its number.
fn write_place(stdout: &mut impl Write, place: &Place, files: &mut Files) -> io::Result<usize> {
    let (Some(file), Some(number)) = (place.file(), place.line()) else {
        return Ok(1);
    };
    let digits = number.to_string();
    let width = digits.len();
    let shown = one_line(&place.to_string());
    writeln!(stdout, "{:width$}{} {shown}", "", faint("-->"))?;
    if let Some(line) = files.line(file, number) {
        let indent = line.chars().take_while(|c| matches!(c, ' ' | '-')).count();
        let carets = "^".repeat(
            line.trim_end()
                .chars()
                .count()
                .saturating_sub(indent)
                .max(1),
        );
        writeln!(stdout, "{:width$} {}", "", faint('|'))?;
        writeln!(stdout, "{} {line}", faint(format!("{digits} |")))?;
        writeln!(
            stdout,
            "{:width$} {} {:indent$}{WARNING}{carets}{WARNING:#}",
            "",
            faint('|'),
            ""
        )?;
    }
    Ok(width)
}

/// The lines of the files that were looked at.
#[derive(Default)]
struct Files(HashMap<PathBuf, Vec<String>>);

impl Files {
    /// A line, cut, with a space for each control character; `None` if it is no longer there.
    fn line(&mut self, file: &Path, number: usize) -> Option<String> {
        let lines = self.0.entry(file.to_owned()).or_insert_with(|| {
            let text = fs::read_to_string(file).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        });
        let line = lines.get(number.checked_sub(1)?)?;
        let mut shown: String = line.replace('\t', " ").chars().take(LONGEST).collect();
        if line.chars().nth(LONGEST).is_some() {
            shown.push('…');
        }
        Some(one_line(&shown))
    }
}

//! The lines of the files that rules come from, to show them beside what is said of them.
//!
//! A policy remembers where its rules are, not what is written there: the files are read once
//! more. A line that is no longer there is left out.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aegize::Place;
use serde_json::{Value, json};

use crate::output::{faint, one_line};

/// The longest line that is shown whole, in characters.
const LONGEST: usize = 120;

/// The files that were looked at.
#[derive(Default)]
pub(crate) struct Sources(HashMap<PathBuf, Vec<String>>);

impl Sources {
    /// The line at a place, without its indentation and free of control characters.
    fn line(&mut self, place: &Place) -> Option<String> {
        let file = place.file()?;
        let lines = self
            .0
            .entry(file.to_owned())
            .or_insert_with(|| read_lines(file));
        let line = lines.get(place.line()?.checked_sub(1)?)?;
        let mut shown: String = line.trim().chars().take(LONGEST).collect();
        if line.trim().chars().nth(LONGEST).is_some() {
            shown.push('…');
        }
        Some(one_line(&shown))
    }

    /// Writes where something is and the line that is there, indented.
    pub(crate) fn write(
        &mut self,
        stdout: &mut impl Write,
        place: &Place,
        indent: usize,
    ) -> io::Result<()> {
        let arrow = faint("-->");
        writeln!(
            stdout,
            "{:indent$}{arrow} {}",
            "",
            one_line(&place.to_string())
        )?;
        match (self.line(place), place.line()) {
            (Some(text), Some(number)) => {
                let margin = faint(format!("{number} |"));
                writeln!(stdout, "{:indent$}{margin} {text}", "")
            }
            _ => Ok(()),
        }
    }

    /// A rule's name, and where it is, for programs.
    pub(crate) fn rule(&mut self, name: &str, place: Option<&Place>) -> Value {
        json!({
            "name": name,
            "file": place.and_then(Place::file).map(Path::to_string_lossy),
            "line": place.and_then(Place::line),
            "source": place.and_then(|place| self.line(place)),
        })
    }
}

fn read_lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

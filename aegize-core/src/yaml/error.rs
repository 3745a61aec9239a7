//! What is wrong with a file: every problem, where it stands, and what to write instead.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::decode::MOST;
use super::{LONGEST, Mark};
use crate::text::{is_active, one_line};

/// Why a policy, or a file of policy tests, could not be loaded. Holds its problems, the first
/// hundred if there are more.
///
/// It displays one block for each problem: file, line and column, the message, and the line
/// with the place marked. Control characters from the file are shown as escapes.
#[derive(Debug)]
pub struct LoadError {
    file: Option<PathBuf>,
    kind: LoadErrorKind,
    problems: Vec<Problem>,
    is_cut: bool,
}

/// What kind of failure a [`LoadError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// The file could not be read.
    Unreadable,
    /// The file is longer than 32 MiB.
    TooLarge,
    /// The file is not UTF-8.
    NotUtf8,
    /// The text is not YAML, or uses a part of YAML that is not read.
    Syntax,
    /// The YAML does not say what it has to.
    Invalid,
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone)]
pub struct Problem {
    message: String,
    path: String,
    mark: Option<Mark>,
    snippet: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>, mark: Option<Mark>) -> Self {
        Self {
            message: shown(&message.into()),
            path: String::new(),
            mark,
            snippet: None,
        }
    }

    pub(crate) fn at_path(mut self, path: &str) -> Self {
        self.path = shown(path);
        self
    }

    /// What is wrong, and what to write instead.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where it stands in the document, such as `agents.bot.allow[0].tool`; empty for the
    /// document as a whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The line, counted from 1, if the document was read from a text.
    pub fn line(&self) -> Option<usize> {
        self.mark.map(Mark::line)
    }

    /// The column, in characters counted from 1, if the document was read from a text.
    pub fn column(&self) -> Option<usize> {
        self.mark.map(Mark::column)
    }
}

impl LoadError {
    pub(crate) fn invalid(kind: LoadErrorKind, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.mark.map_or((0, 0), |m| (m.line(), m.column())));
        // Lines are counted once for all problems, so that a hostile file stays cheap.
        let mut lines = text.lines().enumerate();
        let mut current = None;
        for problem in &mut problems {
            let Some(mark) = problem.mark else { continue };
            while current.is_none_or(|(index, _): (usize, &str)| index + 1 < mark.line()) {
                current = lines.next();
                if current.is_none() {
                    break;
                }
            }
            problem.snippet = current.map(|(_, line)| snippet(line));
        }
        Self {
            file: None,
            kind,
            is_cut: problems.len() >= MOST,
            problems,
        }
    }

    pub(crate) fn unreadable(error: &io::Error) -> Self {
        Self::bare(
            LoadErrorKind::Unreadable,
            format!("cannot be read: {error}"),
        )
    }

    pub(crate) fn too_large() -> Self {
        Self::bare(
            LoadErrorKind::TooLarge,
            format!("is longer than {LONGEST} bytes; split it"),
        )
    }

    pub(crate) fn not_utf8(valid: &str) -> Self {
        let mark = Mark::new(
            valid.matches('\n').count() + 1,
            valid.chars().rev().take_while(|c| *c != '\n').count() + 1,
            1,
        );
        Self {
            file: None,
            kind: LoadErrorKind::NotUtf8,
            is_cut: false,
            problems: vec![Problem::new(
                "is not UTF-8; save the file as UTF-8",
                Some(mark),
            )],
        }
    }

    pub(crate) fn nothing() -> Self {
        let message = "no file is given; name at least one".to_owned();
        Self::bare(LoadErrorKind::Unreadable, message)
    }

    fn bare(kind: LoadErrorKind, message: String) -> Self {
        Self {
            file: None,
            kind,
            is_cut: false,
            problems: vec![Problem::new(message, None)],
        }
    }

    pub(crate) fn in_file(mut self, file: &Path) -> Self {
        self.file = Some(file.to_owned());
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> LoadErrorKind {
        self.kind
    }

    /// The file, if it was read from one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What is wrong, in the order of the text: at least one problem, at most a hundred.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// Words of a file as they can be shown: a hostile key may be as long as the file, and stand in
/// every message and path.
fn shown(text: &str) -> String {
    one_line(&text.chars().take(1000).collect::<String>())
}

/// A line of the text as it can be shown: cut, and each character in its column.
fn snippet(line: &str) -> String {
    let shown = |c| if is_active(c) { ' ' } else { c };
    line.chars().take(160).map(shown).collect()
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            let place = self
                .file
                .as_ref()
                .map(|file| one_line(&file.display().to_string()));
            match (place, problem.mark) {
                (Some(file), Some(mark)) => {
                    write!(f, "{file}:{}:{}: ", mark.line(), mark.column())?;
                }
                (Some(file), None) => write!(f, "{file}: ")?,
                (None, Some(mark)) => {
                    write!(f, "line {}, column {}: ", mark.line(), mark.column())?;
                }
                (None, None) if problem.path.is_empty() => {}
                (None, None) => write!(f, "{}: ", problem.path)?,
            }
            f.write_str(&problem.message)?;
            if let (Some(mark), Some(line)) = (problem.mark, &problem.snippet) {
                underline(f, mark, line)?;
            }
        }
        if self.is_cut {
            write!(f, "\nonly the first {MOST} problems are shown")?;
        }
        Ok(())
    }
}

/// The line, and below it a mark under the place.
fn underline(f: &mut fmt::Formatter<'_>, mark: Mark, line: &str) -> fmt::Result {
    let number = mark.line().to_string();
    let indent = " ".repeat(mark.column().saturating_sub(1).min(160));
    let room = line.chars().count().saturating_sub(indent.len());
    let carets = "^".repeat(mark.length().clamp(1, room.max(1)));
    let margin = " ".repeat(number.len());
    write!(f, "\n  {number} | {line}\n  {margin} | {indent}{carets}")
}

impl std::error::Error for LoadError {}

//! Command lines and argument lists, by the program that they start.
//!
//! A line is read only if a shell and a program that splits it on its own see the same words:
//! nothing in it separates, substitutes, redirects, expands, assigns, or comments, not even in
//! quotes, since many tools put the words together again. What a listed program does with its
//! arguments, such as starting another one (`sh -c`, `env`, `xargs`), is not known here: a list
//! of programs to allow says much, one of programs to deny says little. Neither are the
//! languages of `cmd` and PowerShell.

use super::glob::{PatternError, check};
use super::matching::Match;
use crate::text::find_invisible;

/// The longest line that is read, in bytes: what Linux takes as one argument.
const LONGEST: usize = 128 * 1024;

/// What some shell acts on wherever it stands; controls, line ends among them, are refused
/// besides.
const ACTIVE: [char; 19] = [
    ';', '&', '|', '<', '>', '(', ')', '$', '`', '\\', '{', '}', '*', '?', '[', ']', '!', '#', '^',
];

/// First words that a shell takes for its grammar (POSIX.1-2024, XCU 2.4, and bash).
const RESERVED: [&str; 17] = [
    "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in",
    "select", "then", "time", "until", "while",
];

/// One entry of a list of programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProgramPattern(Box<str>);

impl ProgramPattern {
    /// An entry `git` or `/usr/bin/git`.
    pub(crate) fn new(entry: &str) -> Result<Self, PatternError> {
        if entry.is_empty() {
            return Err(PatternError::new(
                "is empty; write a program, such as `git` or `/usr/bin/git`",
            ));
        }
        check(entry)?;
        if let Some((program, _)) = entry.split_once(char::is_whitespace) {
            return Err(PatternError::new(format!(
                "has white space; a list of programs says nothing of their arguments: write `{program}`"
            )));
        }
        if !is_program(entry) {
            return Err(PatternError::new(
                "is not the plain name or path of a program; write one, such as `git` or `/usr/bin/git`",
            ));
        }
        if RESERVED.contains(&entry) {
            return Err(PatternError::new(format!(
                "is a word of the shell and not a program; write a path, such as `/usr/bin/{entry}`, if there is one"
            )));
        }
        if entry.contains('/') && !is_absolute(entry) {
            return Err(PatternError::new(format!(
                "is a relative path, which is another program in every directory; write `{}` or its absolute path",
                file_name(entry)
            )));
        }
        Ok(Self(entry.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Command lines at every border of what is covered, and beyond.
    pub(crate) fn examples(&self) -> Vec<String> {
        let name = file_name(&self.0);
        vec![
            self.0.to_string(),
            name.to_owned(),
            format!("/other/{name}"),
            "other".to_owned(),
        ]
    }

    fn judge(&self, program: &str) -> Match {
        if *self.0 == *program {
            Match::Yes
        } else if same_file_name(&self.0, program) {
            Match::Unreadable
        } else {
            Match::No
        }
    }
}

/// Whether a path is absolute and in normal form.
fn is_absolute(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|path| {
        path.split('/')
            .all(|segment| !matches!(segment, "" | "." | ".."))
    })
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether two programs may be the same file, found by different ways: a search path, links
/// between directories, a file system that does not tell cases apart, an extension that Windows
/// adds.
fn same_file_name(one: &str, other: &str) -> bool {
    fn stem(path: &str) -> &str {
        let name = file_name(path);
        match name.rsplit_once('.') {
            Some((stem, extension))
                if ["exe", "com", "bat", "cmd"]
                    .iter()
                    .any(|known| extension.eq_ignore_ascii_case(known)) =>
            {
                stem
            }
            _ => name,
        }
    }
    stem(one).to_lowercase() == stem(other).to_lowercase()
}

/// Whether a first word is a program in every shell.
fn is_program(word: &str) -> bool {
    let is_letter =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ',' | ':' | '@');
    !file_name(word).is_empty() && word.chars().all(is_letter)
}

/// Whether a word means itself to every shell.
fn is_inert(word: &str) -> bool {
    // `~` is a directory where a word or a part of one begins, `=` a search where a word does.
    let expands = word.starts_with(['~', '=']) || word.contains("=~") || word.contains(":~");
    !expands
        && find_invisible(word).is_none()
        && !word.contains(ACTIVE)
        && word.chars().all(|c| c == ' ' || !c.is_whitespace())
}

/// Whether a text is a command line that starts a listed program and does nothing else.
pub(crate) fn command_line(text: &str, patterns: &[ProgramPattern]) -> Match {
    if text.len() > LONGEST || !is_inert(text) {
        return Match::Unreadable;
    }
    let Some(words) = shlex::split(text) else {
        return Match::Unreadable;
    };
    argv(words.iter().map(String::as_str), patterns)
}

/// Whether words are the arguments of a listed program, its own name first.
pub(crate) fn argv<'w>(
    words: impl IntoIterator<Item = &'w str>,
    patterns: &[ProgramPattern],
) -> Match {
    let mut words = words.into_iter();
    let Some(program) = words.next() else {
        return Match::Unreadable;
    };
    if !is_program(program) || RESERVED.contains(&program) || !words.all(is_inert) {
        return Match::Unreadable;
    }
    Match::any(patterns.iter().map(|pattern| pattern.judge(program)))
}

//! How results and failures reach the terminal, or whatever stands in its place.
//!
//! Streams may be closed or full, and texts come from files that somebody else wrote. The
//! invariant: no stream makes the process panic, and no text moves the cursor or begins a line.

use std::fmt::{self, Write as _};
use std::io::{self, BufWriter, Write};

use aegize::Decision;
use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::exit::Failure;

/// Standard output. A reader that has seen enough (`| head -1`) is no error: the rest is dropped,
/// and the exit code still tells the result. Styles reach a terminal only, and not if `NO_COLOR` is
/// set.
pub(crate) fn stdout() -> impl Write {
    BufWriter::new(UntilClosed(anstream::stdout().lock()))
}

struct UntilClosed<W>(W);

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}

/// Tells on standard error why there is no result.
pub(crate) fn report(failure: &Failure) {
    let text = match failure {
        Failure::Arguments(error) => lines(&error.render().to_string()),
        Failure::Load(errors) => errors.iter().fold(String::new(), |text, error| {
            text + &format!("error: {error}\n")
        }),
        Failure::File(file, error) => {
            let file = one_line(&file.display().to_string());
            format!("error: {file}: cannot be written: {error}\n")
        }
        Failure::Log(error) => format!("error: {}\n", one_line(&error.to_string())),
        Failure::Input(file, problem) => {
            let (file, problem) = (one_line(&file.display().to_string()), one_line(problem));
            format!("error: {file}: {problem}\n")
        }
        Failure::Output(error) => format!("error: cannot write to standard output: {error}\n"),
    };
    // `eprint!` panics if standard error is full; then there is nobody left to tell.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Tells on standard error what a reader of the result should know.
pub(crate) fn warn(text: &str) {
    let _ = io::stderr().write_all(format!("warning: {}\n", one_line(text)).as_bytes());
}

/// Writes a result for programs: JSON, indented, with a line end.
pub(crate) fn write_json(stdout: &mut impl Write, value: &Value) -> io::Result<()> {
    writeln!(stdout, "{}", json(value))
}

/// JSON lets all but the C0 controls stand in a string; here the others are escaped, too.
fn json(value: &Value) -> String {
    let mut escaped = String::new();
    for c in format!("{value:#}").chars() {
        if c != '\n' && is_control(c) {
            // All of them have four digits. Writing to a string does not fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// A decision by its name: green, yellow or red.
pub(crate) fn decision(decision: Decision) -> Painted<&'static str> {
    let text = decision.as_str();
    match decision {
        Decision::Allow => good(text),
        Decision::RequireApproval => Painted {
            text,
            style: AnsiColor::Yellow.on_default().bold(),
        },
        Decision::Deny => bad(text),
    }
}

pub(crate) fn good<T>(text: T) -> Painted<T> {
    let style = AnsiColor::Green.on_default().bold();
    Painted { text, style }
}

pub(crate) fn bad<T>(text: T) -> Painted<T> {
    let style = AnsiColor::Red.on_default().bold();
    Painted { text, style }
}

/// What a reader looks for first.
pub(crate) fn strong<T>(text: T) -> Painted<T> {
    let style = Style::new().bold();
    Painted { text, style }
}

/// What frames the rest.
pub(crate) fn faint<T>(text: T) -> Painted<T> {
    let style = AnsiColor::Blue.on_default();
    Painted { text, style }
}

/// A text in a style.
pub(crate) struct Painted<T> {
    text: T,
    style: Style,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:#}", self.style, self.text, self.style)
    }
}

/// A text in which every control character is written as an escape.
pub(crate) fn one_line(text: &str) -> String {
    escape(text, is_control)
}

/// The same, with line feeds left as they are.
fn lines(text: &str) -> String {
    escape(text, |c| c != '\n' && is_control(c))
}

fn escape(text: &str, must_be_escaped: fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if must_be_escaped(c) {
            // Writing to a string does not fail.
            let _ = write!(escaped, "{}", c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Whether a terminal acts on a character instead of showing it: the C0 and C1 controls, line
/// and paragraph separators, and the overrides that let a line read differently from what it
/// says (CVE-2021-42574).
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_control_characters_are_escaped() {
        assert_eq!(
            one_line("a\tb\r\n\0\u{7f}\u{9b}31m\u{1b}[0m\u{202e}\u{2066}\u{2028}"),
            r"a\tb\r\n\u{0}\u{7f}\u{9b}31m\u{1b}[0m\u{202e}\u{2066}\u{2028}"
        );
        let letters = r#"naïve — 'Größe' "日本語" \n 👩‍💻 שלום e\u0301"#;
        assert_eq!(one_line(letters), letters);
    }

    #[test]
    fn json_says_the_same_without_controls() {
        let text = "a\n\u{7f}\u{85}\u{9b}31m\u{202e}\u{2028}\u{2069}é👩";
        let value = Value::from(vec![text]);
        let written = json(&value);
        assert!(
            !written.contains(|c| c != '\n' && is_control(c)),
            "{written}"
        );
        assert!(written.contains("é👩"), "{written}");
        assert_eq!(written.parse::<Value>().unwrap(), value);
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(lines("a\n  b\u{1b}\n"), "a\n  b\\u{1b}\n");
    }
}

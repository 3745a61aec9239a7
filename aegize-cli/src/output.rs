//! How results and failures reach the terminal, or whatever stands in its place.
//!
//! Streams may be closed or full, and texts come from files that somebody else wrote. The
//! invariant: no stream makes the process panic, and no text moves the cursor or begins a line.

use std::fmt::{self, Write as _};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aegize::{ApprovalState, AuditEvent, Decision};
use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::exit::Failure;

/// Standard output. A reader that has seen enough (`| head -1`) is no error: the rest is dropped,
/// and the exit code still tells the result. Styles reach a terminal only, and not if `NO_COLOR` is
/// set.
pub(crate) fn stdout() -> impl Write {
    BufWriter::new(UntilClosed(anstream::stdout().lock()))
}

/// The same without styles, byte for byte.
pub(crate) fn unstyled() -> impl Write {
    BufWriter::new(UntilClosed(io::stdout().lock()))
}

/// How wide standard output is, if it is a terminal or `COLUMNS` says it.
pub(crate) fn width() -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok();
    let told = columns.and_then(|columns| columns.parse().ok());
    told.or_else(|| {
        let stdout = io::stdout();
        let size = terminal_size::terminal_size_of(&stdout);
        let width = size.map_or(UNTOLD, |(width, _)| width.0.into());
        stdout.is_terminal().then_some(width)
    })
}

/// How wide a terminal is that does not say it.
pub(crate) const UNTOLD: usize = 80;

/// Whether the reader of standard output was seen to be gone.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether nobody reads standard output any more, as far as writing to it has told.
pub(crate) fn is_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}

/// Waits, but not longer than there is a reader of standard output; whether it is gone.
pub(crate) fn is_closed_after(time: Duration) -> bool {
    is_closed() || wait(time)
}

#[cfg(unix)]
fn wait(time: Duration) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdout = io::stdout();
    // No flags: the loss of the reader is told all the same.
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    let is_told = Timespec::try_from(time)
        .is_ok_and(|time| poll(&mut watched, Some(&time)).is_ok_and(|told| told > 0));
    let gone = PollFlags::ERR | PollFlags::HUP;
    is_told && watched.iter().any(|fd| fd.revents().intersects(gone))
}

#[cfg(not(unix))]
fn wait(time: Duration) -> bool {
    std::thread::sleep(time);
    false
}

struct UntilClosed<W>(W);

impl<W> UntilClosed<W> {
    /// What a write to nobody is taken for.
    fn unless_closed<T>(result: io::Result<T>, dropped: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                IS_CLOSED.store(true, Ordering::Relaxed);
                Ok(dropped)
            }
            result => result,
        }
    }
}

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::unless_closed(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::unless_closed(self.0.flush(), ())
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
        Failure::Refused(_, message) => format!("error: {}\n", one_line(message)),
        Failure::Output(error) => format!("error: cannot write to standard output: {error}\n"),
    };
    // `eprint!` panics if standard error is full; then there is nobody left to tell.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Tells on standard error what is no part of the result and no problem.
pub(crate) fn note(text: &str) {
    let _ = io::stderr().write_all(format!("{}\n", one_line(text)).as_bytes());
}

/// Tells on standard error what a reader of the result should know.
pub(crate) fn warn(text: &str) {
    let _ = io::stderr().write_all(format!("warning: {}\n", one_line(text)).as_bytes());
}

/// Writes a result for programs: JSON, indented, with a line end.
pub(crate) fn write_json(stdout: &mut impl Write, value: &Value) -> io::Result<()> {
    writeln!(stdout, "{}", json(value))
}

/// Writes a line of JSON as it stands, with a line end. On a terminal, what that would not show is
/// escaped, which says the same.
pub(crate) fn write_json_line(stdout: &mut impl Write, line: &[u8]) -> io::Result<()> {
    match std::str::from_utf8(line) {
        Ok(text) if io::stdout().is_terminal() => writeln!(stdout, "{}", json_escaped(text)),
        _ => {
            stdout.write_all(line)?;
            stdout.write_all(b"\n")
        }
    }
}

/// JSON lets all but the C0 controls stand in a string; here the others are escaped, too.
fn json(value: &Value) -> String {
    json_escaped(&format!("{value:#}"))
}

fn json_escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
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
        Decision::RequireApproval => wary(text),
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

pub(crate) fn wary<T>(text: T) -> Painted<T> {
    let style = AnsiColor::Yellow.on_default().bold();
    Painted { text, style }
}

/// What tells of an event: green if all went well, yellow if somebody should look, red if a call
/// was refused or failed.
pub(crate) fn event<T>(event: AuditEvent, text: T) -> Painted<T> {
    match event {
        AuditEvent::Allowed
        | AuditEvent::ApprovalGranted
        | AuditEvent::ApprovalConsumed
        | AuditEvent::ExecutionSucceeded => good(text),
        AuditEvent::Denied
        | AuditEvent::ApprovalRejected
        | AuditEvent::ApprovalRevoked
        | AuditEvent::ExecutionFailed => bad(text),
        AuditEvent::ApprovalRequired
        | AuditEvent::ApprovalExpired
        | AuditEvent::ApprovalWithdrawn
        | AuditEvent::ExecutionAbandoned
        | AuditEvent::LogRecovered
        | AuditEvent::TokenCreated
        | AuditEvent::TokenRevoked => wary(text),
        _ => plain(text),
    }
}

/// Where a request stands: yellow if people are asked or nobody answered, green if it was
/// approved, red if it was refused.
pub(crate) fn state<T>(state: ApprovalState, text: T) -> Painted<T> {
    match state {
        ApprovalState::Granted | ApprovalState::Consumed => good(text),
        ApprovalState::Rejected | ApprovalState::Revoked => bad(text),
        ApprovalState::Requested | ApprovalState::Expired | ApprovalState::Withdrawn => wary(text),
    }
}

/// An event's name, as short as people need it.
pub(crate) fn event_name(event: AuditEvent) -> &'static str {
    let name = event.as_str();
    let without = |prefix| name.strip_prefix(prefix);
    name.strip_suffix("_required")
        .or_else(|| {
            ["execution_", "log_", "approval_", "token_"]
                .into_iter()
                .find_map(without)
        })
        .unwrap_or(name)
}

/// What needs no emphasis.
pub(crate) fn plain<T>(text: T) -> Painted<T> {
    let style = Style::new();
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

/// The same, with every character that nobody sees as an escape, too: for what people agree to.
pub(crate) fn visible(text: &str) -> String {
    escape(text, is_hidden)
}

/// The same as [`one_line`], with line feeds left as they are.
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
/// and paragraph separators, and the marks and overrides that let a line read differently from what
/// it says (CVE-2021-42574).
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a reader would not see a character, or take it for another: what acts, what has no width or
/// no ink, spaces of other widths, and what no two programs show alike.
fn is_hidden(c: char) -> bool {
    is_control(c)
        || matches!(c,
            '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{202f}' | '\u{205f}'..='\u{206f}'
            | '\u{2800}' | '\u{3000}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_control_characters_are_escaped() {
        assert_eq!(
            one_line("a\tb\r\n\0\u{7f}\u{9b}31m\u{1b}[0m\u{202e}\u{2066}\u{2028}\u{200f}"),
            r"a\tb\r\n\u{0}\u{7f}\u{9b}31m\u{1b}[0m\u{202e}\u{2066}\u{2028}\u{200f}"
        );
        let letters = r#"naïve — 'Größe' "日本語" \n 👩‍💻 שלום e\u0301"#;
        assert_eq!(one_line(letters), letters);
    }

    #[test]
    fn what_people_agree_to_hides_nothing() {
        assert_eq!(
            visible(
                "1\u{200b}0\u{200d}0\u{feff} \u{e0041}\u{fe0f}\u{3164} \u{202e}\n\u{a0}\u{2800}"
            ),
            r"1\u{200b}0\u{200d}0\u{feff} \u{e0041}\u{fe0f}\u{3164} \u{202e}\n\u{a0}\u{2800}"
        );
        let letters = r#"naïve — 'Größe' "日本語" \n שלום ก็ e\u0301"#;
        assert_eq!(visible(letters), letters);
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

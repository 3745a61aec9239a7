//! Bounded text for people: what a call was given and what came of it.
//!
//! The bound holds for the work as well as for the text: strings are cut before they are
//! formatted, and a walk ends when the room is used up.

use std::fmt::{self, Write};

use super::capture::Captured;
use super::redact::Redacting;
use super::walk::{Scalar, Shape, Sink, Stop};
use super::{Argument, Arguments};
use crate::secrets::{REDACTED, Redactions, Redactor};
use crate::text::is_active;

/// The most characters a summary has.
pub(super) const LIMIT: usize = 200;

/// What stands at the end of a summary that was cut.
pub(super) const CUT: char = '…';

/// What stands for a value that nothing can read.
pub(super) const OPAQUE: &str = "<opaque>";

/// How many bytes of a text are looked at.
const WINDOW: usize = 1536;

/// `name=value, …` of a call's arguments, redacted, at most 200 characters.
pub(crate) fn summarize_arguments(
    arguments: Arguments<'_>,
    redactor: &Redactor,
    found: &mut Redactions,
) -> String {
    let mut text = Bounded::new();
    for (index, argument) in arguments.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        if write_argument(&mut text, separator, argument, redactor, found).is_err() {
            break;
        }
    }
    text.finish()
}

fn write_argument(
    text: &mut Bounded,
    separator: &str,
    argument: Argument<'_>,
    redactor: &Redactor,
    found: &mut Redactions,
) -> fmt::Result {
    let name = redactor.excerpt(argument.name, WINDOW, found);
    write_name(text, separator, &name)?;
    if argument.is_secret(redactor) {
        found.add(&redactor.label(argument.name));
        text.write_str(REDACTED)
    } else {
        write_value(text, argument.value, redactor, found)
    }
}

/// A name as it is, or quoted if it could be taken for more than a name.
fn write_name(text: &mut Bounded, separator: &str, name: &str) -> fmt::Result {
    text.write_str(separator)?;
    if name.chars().all(is_plain) {
        text.write_str(name)?;
    } else {
        Writer::new(text).quoted(name)?;
    }
    text.push('=')
}

/// Whether a character of a name needs no quotes.
pub(super) fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// One value, redacted, at most 200 characters.
pub(crate) fn summarize_value(
    value: Captured<'_>,
    redactor: &Redactor,
    found: &mut Redactions,
) -> String {
    let mut text = Bounded::new();
    // An error only means that the room is used up.
    let _ = write_value(&mut text, value, redactor, found);
    text.finish()
}

fn write_value(
    text: &mut Bounded,
    value: Captured<'_>,
    redactor: &Redactor,
    found: &mut Redactions,
) -> fmt::Result {
    let mut window = Window::default();
    // An error means that there is more than is looked at, or that the value has no more to say.
    let _ = match value {
        Captured::Debug(value) => write!(window, "{value:?}"),
        Captured::Display(value) => write!(window, "{value}"),
        Captured::Opaque => return text.write_str(OPAQUE),
        readable => {
            let mut writer = Writer::new(text);
            let mut redacting = Redacting::new(&mut writer, redactor, found, WINDOW);
            return match readable.walk(&mut redacting) {
                Some(Ok(())) => Ok(()),
                Some(Err(Stop::Failed)) => text.write_str("<unreadable>"),
                Some(Err(Stop::Enough)) | None => text.cut(),
            };
        }
    };
    text.write_str(&redactor.excerpt(&window.0, WINDOW, found))
}

/// The beginning of a text that is printed, and a little more than is looked at of it.
#[derive(Default)]
struct Window(String);

impl Write for Window {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= WINDOW - self.0.len().min(WINDOW) {
            self.0.push_str(text);
            return Ok(());
        }
        for c in text.chars() {
            if self.0.len() > WINDOW {
                break;
            }
            self.0.push(c);
        }
        Err(fmt::Error)
    }
}

/// Text with room for [`LIMIT`] characters; control characters are escaped.
struct Bounded {
    text: String,
    room: usize,
    is_cut: bool,
}

impl Bounded {
    fn new() -> Self {
        Self {
            text: String::new(),
            room: LIMIT,
            is_cut: false,
        }
    }

    fn push(&mut self, c: char) -> fmt::Result {
        if self.room == 0 {
            return self.cut();
        }
        self.room -= 1;
        self.text.push(c);
        Ok(())
    }

    /// Notes that there is more than was written.
    fn cut(&mut self) -> fmt::Result {
        self.is_cut = true;
        Err(fmt::Error)
    }

    /// The text, its end replaced by an ellipsis if there was more.
    fn finish(mut self) -> String {
        if self.is_cut {
            if self.room == 0 {
                self.text.pop();
            }
            self.text.push(CUT);
        }
        self.text
    }
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if is_active(c) {
                for escaped in c.escape_default() {
                    self.push(escaped)?;
                }
            } else {
                self.push(c)?;
            }
        }
        Ok(())
    }
}

/// Writes a walk as compact JSON.
struct Writer<'t> {
    text: &'t mut Bounded,
    /// Whether a separator is due before the next value or key.
    follows: bool,
}

impl<'t> Writer<'t> {
    fn new(text: &'t mut Bounded) -> Self {
        Self {
            text,
            follows: false,
        }
    }

    fn separate(&mut self) -> fmt::Result {
        if std::mem::replace(&mut self.follows, true) {
            self.text.push(',')?;
        }
        Ok(())
    }

    fn quoted(&mut self, text: &str) -> fmt::Result {
        self.text.push('"')?;
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                self.text.push('\\')?;
                self.text.push(c)?;
            } else {
                self.text.write_str(c.encode_utf8(&mut [0; 4]))?;
            }
        }
        self.text.push('"')
    }

    fn write_scalar(&mut self, scalar: Scalar<'_>) -> fmt::Result {
        self.separate()?;
        match scalar {
            Scalar::Null => self.text.write_str("null"),
            Scalar::Bool(value) => write!(self.text, "{value}"),
            Scalar::Signed(value) => write!(self.text, "{value}"),
            Scalar::Unsigned(value) => write!(self.text, "{value}"),
            Scalar::Float(value) => write!(self.text, "{value}"),
            Scalar::Text(text) => self.quoted(text),
            Scalar::Bytes(bytes) => write!(self.text, "<{} bytes>", bytes.len()),
        }
    }
}

fn enough(written: fmt::Result) -> Result<(), Stop> {
    written.map_err(|fmt::Error| Stop::Enough)
}

impl Sink for Writer<'_> {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Stop> {
        enough(self.write_scalar(scalar))
    }

    fn open(&mut self, shape: Shape) -> Result<(), Stop> {
        enough(self.separate())?;
        self.follows = false;
        enough(self.text.push(if shape == Shape::List { '[' } else { '{' }))
    }

    fn key(&mut self, key: &str, _: bool) -> Result<(), Stop> {
        enough(self.separate())?;
        self.follows = false;
        enough(self.quoted(key).and_then(|()| self.text.push(':')))
    }

    fn close(&mut self, shape: Shape) -> Result<(), Stop> {
        self.follows = true;
        enough(self.text.push(if shape == Shape::List { ']' } else { '}' }))
    }
}

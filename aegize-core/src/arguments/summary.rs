//! Bounded text for people: what a call was given and what came of it.
//!
//! The bound holds for the work as well as for the text: strings are cut before they are
//! formatted, and a walk ends when the room is used up.

use std::fmt::{self, Write};

use super::capture::Captured;
use super::walk::{Scalar, Shape, Sink, Stop};
use super::{Argument, REDACTED};
use crate::text::is_active;

/// The most characters a summary has.
pub(super) const LIMIT: usize = 200;

/// What stands at the end of a summary that was cut.
pub(super) const CUT: char = '…';

/// What stands for a value that nothing can read.
pub(super) const OPAQUE: &str = "<opaque>";

/// `name=value, …` of a call's arguments, redacted, at most 200 characters.
pub(crate) fn summarize_arguments<'a>(arguments: impl IntoIterator<Item = Argument<'a>>) -> String {
    let mut text = Bounded::new();
    for (index, argument) in arguments.into_iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let written = write_name(&mut text, separator, argument.name).and_then(|()| {
            if argument.is_redacted {
                text.write_str(REDACTED)
            } else {
                write_value(&mut text, argument.value)
            }
        });
        if written.is_err() {
            break;
        }
    }
    text.finish()
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

/// One value, at most 200 characters.
pub(crate) fn summarize_value(value: Captured<'_>) -> String {
    let mut text = Bounded::new();
    // An error only means that the room is used up.
    let _ = write_value(&mut text, value);
    text.finish()
}

fn write_value(text: &mut Bounded, value: Captured<'_>) -> fmt::Result {
    match value {
        Captured::Debug(value) => write!(text, "{value:?}"),
        Captured::Display(value) => write!(text, "{value}"),
        Captured::Opaque => text.write_str(OPAQUE),
        readable => match readable.walk(&mut Writer::new(text)) {
            Some(Ok(())) => Ok(()),
            Some(Err(Stop::Failed)) => text.write_str("<unreadable>"),
            Some(Err(Stop::Enough)) | None => Err(fmt::Error),
        },
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
            self.is_cut = true;
            return Err(fmt::Error);
        }
        self.room -= 1;
        self.text.push(c);
        Ok(())
    }

    /// The text, its end replaced by an ellipsis if there was more.
    fn finish(mut self) -> String {
        if self.is_cut {
            self.text.pop();
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

//! A walk from which secrets are taken on the way.
//!
//! Stands between a value and a sink: texts are redacted, values under a sensitive name replaced.
//! The invariant: a sink behind it sees no value that was replaced, nor a part of one.

use super::capture::Captured;
use super::walk::{Scalar, Shape, Sink, Stop};
use super::{Argument, Call};
use crate::secrets::{REDACTED, Redactions, Redactor};

/// The most events of a replaced value that are passed over; a walk cannot leave one out.
const LONGEST: usize = 10_000;

impl Call<'_> {
    /// A text of an argument, or of the metadata of that name, as it may be shown; `None` if it
    /// stands where a value is replaced.
    pub(crate) fn shown(&self, source: &str, text: &str) -> Option<String> {
        let redacted = self.redactor.redact(text);
        let metadata = self.metadata.get_key_value(source);
        let metadata = metadata.map(|(key, value)| Argument::new(key, Captured::Json(value)));
        let mut values = self.arguments.iter().chain(metadata);
        let is_shown = values.any(|argument| {
            argument.name == source
                && !argument.is_secret(self.redactor)
                && self.shows(argument, &redacted)
        });
        // The name of an argument may be a path itself.
        (is_shown || source == text).then(|| redacted.into_owned())
    }

    fn shows(&self, argument: Argument<'_>, text: &str) -> bool {
        let mut search = Search {
            text,
            is_found: false,
        };
        let mut found = Redactions::default();
        let _ = argument.value.walk(&mut Redacting::new(
            &mut search,
            self.redactor,
            &mut found,
            usize::MAX,
        ));
        search.is_found
    }
}

/// Whether a value may be a secret: all but whether there is one, or something else holds.
pub(super) fn may_be_secret(value: Captured<'_>) -> bool {
    struct First(bool);

    impl Sink for First {
        fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Stop> {
            self.0 = !is_harmless(scalar);
            Err(Stop::Enough)
        }

        fn open(&mut self, _: Shape) -> Result<(), Stop> {
            Err(Stop::Enough)
        }

        fn key(&mut self, _: &str, _: bool) -> Result<(), Stop> {
            Err(Stop::Enough)
        }

        fn close(&mut self, _: Shape) -> Result<(), Stop> {
            Err(Stop::Enough)
        }
    }

    let mut first = First(true);
    let _ = value.walk(&mut first);
    first.0
}

/// They tell no secret, and whether there is one is worth knowing.
fn is_harmless(scalar: Scalar<'_>) -> bool {
    matches!(scalar, Scalar::Null | Scalar::Bool(_))
}

/// Looks for a text.
struct Search<'t> {
    text: &'t str,
    is_found: bool,
}

impl Search<'_> {
    fn see(&mut self, text: &[u8]) -> Result<(), Stop> {
        self.is_found = text == self.text.as_bytes();
        if self.is_found {
            return Err(Stop::Enough);
        }
        Ok(())
    }
}

impl Sink for Search<'_> {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Stop> {
        match scalar {
            Scalar::Text(text) => self.see(text.as_bytes()),
            Scalar::Bytes(bytes) => self.see(bytes),
            _ => Ok(()),
        }
    }

    fn open(&mut self, _: Shape) -> Result<(), Stop> {
        Ok(())
    }

    fn key(&mut self, key: &str, _: bool) -> Result<(), Stop> {
        self.see(key.as_bytes())
    }

    fn close(&mut self, _: Shape) -> Result<(), Stop> {
        Ok(())
    }
}

/// A sink that hands everything but secrets to another one.
pub(super) struct Redacting<'s, S> {
    sink: &'s mut S,
    redactor: &'s Redactor,
    found: &'s mut Redactions,
    /// How many bytes of a text are looked at.
    window: usize,
    /// The sensitive name that stands before the next value, which is to be replaced.
    name: Option<String>,
    /// How many lists and maps are open within the one that is replaced.
    depth: usize,
    passed: usize,
}

impl<'s, S: Sink> Redacting<'s, S> {
    pub(super) fn new(
        sink: &'s mut S,
        redactor: &'s Redactor,
        found: &'s mut Redactions,
        window: usize,
    ) -> Self {
        Self {
            sink,
            redactor,
            found,
            window,
            name: None,
            depth: 0,
            passed: 0,
        }
    }

    /// Whether an event belongs to a value that is replaced.
    fn is_hidden(&mut self) -> Result<bool, Stop> {
        if self.depth == 0 {
            return Ok(false);
        }
        self.passed += 1;
        if self.passed > LONGEST {
            return Err(Stop::Enough);
        }
        Ok(true)
    }

    /// Reads the name of the next value.
    fn named(&mut self, name: &str) {
        let is_sensitive = self.redactor.is_name(name);
        self.name = is_sensitive.then(|| self.redactor.label(name));
    }

    fn replace(&mut self, name: &str) -> Result<(), Stop> {
        self.found.add(name);
        self.sink.scalar(Scalar::Text(REDACTED))
    }
}

impl<S: Sink> Sink for Redacting<'_, S> {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Stop> {
        if self.is_hidden()? {
            return Ok(());
        }
        match (scalar, self.name.take()) {
            _ if is_harmless(scalar) => self.sink.scalar(scalar),
            (_, Some(name)) => self.replace(&name),
            (Scalar::Text(text), None) => {
                // In a list, a name may stand before its value: `["--token", "…"]`.
                if is_single_name(text) {
                    self.named(text);
                }
                let text = self.redactor.excerpt(text, self.window, self.found);
                self.sink.scalar(Scalar::Text(&text))
            }
            _ => self.sink.scalar(scalar),
        }
    }

    fn open(&mut self, shape: Shape) -> Result<(), Stop> {
        if self.is_hidden()? {
            self.depth += 1;
            return Ok(());
        }
        if let Some(name) = self.name.take() {
            self.depth = 1;
            return self.replace(&name);
        }
        self.sink.open(shape)
    }

    fn key(&mut self, key: &str, field: bool) -> Result<(), Stop> {
        if self.is_hidden()? {
            return Ok(());
        }
        self.named(key);
        let key = self.redactor.excerpt(key, self.window, self.found);
        self.sink.key(&key, field)
    }

    fn close(&mut self, shape: Shape) -> Result<(), Stop> {
        if self.is_hidden()? {
            self.depth -= 1;
            return Ok(());
        }
        self.name = None;
        self.sink.close(shape)
    }
}

/// Whether a text could be a name: one word, with the dashes of a flag or none.
fn is_single_name(text: &str) -> bool {
    const LONGEST: usize = 64;
    text.len() <= LONGEST
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

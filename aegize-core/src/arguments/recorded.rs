//! What a record still tells of a call's arguments: a summary, read back.
//!
//! The grammar is that of [`summary`](super::summary), beside it. What was redacted, cut or
//! shown only for people is unknown, and so is all that follows a value whose end cannot be seen.
//! The invariant: an argument that is known has the value that was judged, whatever is unknown.
//!
//! One thing a summary cannot tell: text that a value's own `Debug` printed, if it reads as JSON,
//! is taken for that JSON.

use super::Argument;
use super::capture::Captured;
use super::paths::is_path_like;
use super::summary::{CUT, LIMIT, OPAQUE};
use super::walk::{Scalar, Shape, Sink, Stop, Structured};
use crate::secrets::REDACTED;

/// How deep a value may nest to be read back; a summary has no room for more that is whole.
const DEEPEST: usize = 100;

/// The arguments that a summary tells of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordedArguments {
    pub(crate) arguments: Vec<RecordedArgument>,
    /// Whether there are no others than these.
    pub(crate) is_complete: bool,
}

/// One argument by name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordedArgument {
    pub(crate) name: String,
    pub(crate) value: Result<RecordedValue, Unknown>,
}

/// Why a value is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unknown {
    Redacted,
    Cut,
    Unreadable,
}

/// A value as it was judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RecordedValue {
    /// What nothing could read, then as now.
    Opaque,
    Null,
    Bool(bool),
    Signed(i128),
    Unsigned(u128),
    Float(f64),
    Text(String),
    List(Vec<RecordedValue>),
    /// A map, or a type with fields: a summary shows both alike.
    Map(Vec<(String, RecordedValue)>),
    /// A type with fields, whose names are no data.
    Fields(Vec<(String, RecordedValue)>),
}

impl RecordedArguments {
    /// Reads an `input_summary`.
    pub(crate) fn parse(summary: &str) -> Self {
        let is_cut = summary.ends_with(CUT) && summary.chars().count() == LIMIT;
        let mut parser = Parser {
            rest: if is_cut {
                summary.strip_suffix(CUT).unwrap_or(summary)
            } else {
                summary
            },
        };
        let mut recorded = Self {
            arguments: Vec::new(),
            is_complete: true,
        };
        if parser.rest.is_empty() && !is_cut {
            return recorded;
        }
        loop {
            let Some(name) = parser.name() else {
                recorded.is_complete = false;
                return recorded;
            };
            let value = parser.value();
            let (value, is_end) = match value {
                Some(value) if parser.rest.is_empty() && !is_cut => (value, true),
                Some(value) if parser.eat(", ") => (value, false),
                _ => {
                    let may_end_here = value.is_none() || matches!(parser.rest, "" | ",");
                    let unknown = if is_cut && may_end_here {
                        Unknown::Cut
                    } else {
                        Unknown::Unreadable
                    };
                    recorded.is_complete = false;
                    (Err(unknown), true)
                }
            };
            if name.contains(REDACTED) {
                // Its own name may be that of any argument.
                recorded.is_complete = false;
            } else {
                recorded.arguments.push(RecordedArgument { name, value });
            }
            if is_end {
                return recorded;
            }
        }
    }

    /// Adds a value that counts as a path and was redacted.
    pub(crate) fn add_redacted(&mut self, name: &str) {
        self.arguments.push(RecordedArgument {
            name: name.to_owned(),
            value: Err(Unknown::Redacted),
        });
    }

    /// The known arguments as policy reads them, with the one of that name, if any, declared to
    /// be a path.
    pub(crate) fn known<'a>(&'a self, path: Option<&str>) -> Vec<Argument<'a>> {
        let known = self.arguments.iter().filter_map(|argument| {
            let value = argument.value.as_ref().ok()?;
            let captured = match value {
                RecordedValue::Opaque => Captured::Opaque,
                value => Captured::Structured(value),
            };
            let captured = Argument::new(&argument.name, captured);
            Some(if path == Some(&argument.name) {
                captured.path()
            } else {
                captured
            })
        });
        known.collect()
    }

    /// The same if every map is a type with fields; `None` if there is no map. The name of a
    /// field looks like no path.
    pub(crate) fn with_fields(&self) -> Option<Self> {
        let mut other = self.clone();
        let values = other.arguments.iter_mut();
        for value in values.filter_map(|argument| argument.value.as_mut().ok()) {
            value.give_fields();
        }
        (other != *self).then_some(other)
    }

    /// The arguments of which the value is not known.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = (&str, Unknown)> {
        self.arguments
            .iter()
            .filter_map(|argument| Some((&*argument.name, *argument.value.as_ref().err()?)))
    }

    /// The names of the arguments that the tool may declare to be paths, which no record tells:
    /// those that hold a text that looks like one, or else, unless the call's metadata has paths,
    /// those that hold any text.
    pub(crate) fn possible_paths(&self, metadata_has_paths: bool) -> Vec<&str> {
        let holding = |is_wanted: fn(&str) -> bool| -> Vec<&str> {
            let arguments = self.arguments.iter().filter(|argument| {
                let value = argument.value.as_ref();
                value.is_ok_and(|value| value.any_text(&mut |text| is_wanted(text)))
            });
            arguments.map(|argument| &*argument.name).collect()
        };
        let path_like = holding(is_path_like);
        if path_like.is_empty() && !metadata_has_paths {
            holding(|_| true)
        } else {
            path_like
        }
    }
}

impl RecordedValue {
    /// The value if it holds no others.
    pub(crate) fn scalar(&self) -> Option<Scalar<'_>> {
        Some(match self {
            Self::Null => Scalar::Null,
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Signed(value) => Scalar::Signed(*value),
            Self::Unsigned(value) => Scalar::Unsigned(*value),
            Self::Float(value) => Scalar::Float(*value),
            Self::Text(text) => Scalar::Text(text),
            Self::Opaque | Self::List(_) | Self::Map(_) | Self::Fields(_) => return None,
        })
    }

    /// Whether any text in it, keys included, is one that is looked for.
    pub(crate) fn any_text(&self, is_wanted: &mut dyn FnMut(&str) -> bool) -> bool {
        match self {
            Self::Text(text) => is_wanted(text),
            Self::List(items) => items.iter().any(|item| item.any_text(is_wanted)),
            Self::Map(entries) | Self::Fields(entries) => entries
                .iter()
                .any(|(key, value)| is_wanted(key) || value.any_text(is_wanted)),
            _ => false,
        }
    }

    fn give_fields(&mut self) {
        match self {
            Self::List(items) => items.iter_mut().for_each(Self::give_fields),
            Self::Map(entries) => {
                let mut entries = std::mem::take(entries);
                for (_, value) in &mut entries {
                    value.give_fields();
                }
                let is_type = !entries.iter().any(|(key, _)| is_path_like(key));
                *self = if is_type {
                    Self::Fields(entries)
                } else {
                    Self::Map(entries)
                };
            }
            _ => {}
        }
    }
}

impl Structured for RecordedValue {
    fn walk(&self, sink: &mut dyn Sink) -> Result<(), Stop> {
        if let Some(scalar) = self.scalar() {
            return sink.scalar(scalar);
        }
        match self {
            Self::List(items) => {
                sink.open(Shape::List)?;
                for item in items {
                    item.walk(sink)?;
                }
                sink.close(Shape::List)
            }
            Self::Map(entries) | Self::Fields(entries) => {
                sink.open(Shape::Map)?;
                for (key, value) in entries {
                    sink.key(key, matches!(self, Self::Fields(_)))?;
                    value.walk(sink)?;
                }
                sink.close(Shape::Map)
            }
            _ => Err(Stop::Failed),
        }
    }
}

/// Reads a summary from its beginning; `None` where the text is none that a value is shown as.
struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The longest beginning of such characters.
    fn take(&mut self, is_wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !is_wanted(c));
        let (taken, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A name and its `=`.
    fn name(&mut self) -> Option<String> {
        let name = if self.eat("\"") {
            self.quoted()?
        } else {
            self.take(super::summary::is_plain).to_owned()
        };
        self.eat("=").then_some(name)
    }

    /// An argument's value, or that it is not known though its end is.
    fn value(&mut self) -> Option<Result<RecordedValue, Unknown>> {
        if self.eat(REDACTED) {
            return Some(Err(Unknown::Redacted));
        }
        if self.eat(OPAQUE) {
            return Some(Ok(RecordedValue::Opaque));
        }
        let value = self.json(DEEPEST)?;
        let is_redacted = value.any_text(&mut |text| text.contains(REDACTED));
        Some(if is_redacted {
            Err(Unknown::Redacted)
        } else {
            Ok(value)
        })
    }

    fn json(&mut self, levels: usize) -> Option<RecordedValue> {
        let levels = levels.checked_sub(1)?;
        if self.eat("\"") {
            return self.quoted().map(RecordedValue::Text);
        }
        if self.eat("[") {
            let mut items = Vec::new();
            self.separated("]", |parser| {
                items.push(parser.json(levels)?);
                Some(())
            })?;
            return Some(RecordedValue::List(items));
        }
        if self.eat("{") {
            let mut entries = Vec::new();
            self.separated("}", |parser| {
                let key = parser.eat("\"").then(|| parser.quoted())??;
                let value = parser.eat(":").then(|| parser.json(levels))??;
                entries.push((key, value));
                Some(())
            })?;
            return Some(RecordedValue::Map(entries));
        }
        match self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
            "null" => Some(RecordedValue::Null),
            "true" => Some(RecordedValue::Bool(true)),
            "false" => Some(RecordedValue::Bool(false)),
            word => number(word),
        }
    }

    /// What stands between an opening and a closing sign, with commas in between.
    fn separated(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        if self.eat(close) {
            return Some(());
        }
        loop {
            item(self)?;
            if self.eat(close) {
                return Some(());
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    /// What follows an opening quote, up to the closing one.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            text.push_str(self.take(|c| !matches!(c, '"' | '\\')));
            if self.eat("\"") {
                return Some(text);
            }
            if !self.eat("\\") {
                return None;
            }
            let mut rest = self.rest.chars();
            let escape = rest.next()?;
            self.rest = rest.as_str();
            text.push(match escape {
                '"' | '\\' => escape,
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                'u' => self.code_point()?,
                _ => return None,
            });
        }
    }

    /// What follows `\u`: a code point in braces.
    fn code_point(&mut self) -> Option<char> {
        let digits = self
            .eat("{")
            .then(|| self.take(|c| c.is_ascii_hexdigit()))?;
        if !self.eat("}") {
            return None;
        }
        u32::from_str_radix(digits, 16)
            .ok()
            .and_then(char::from_u32)
    }
}

/// A number as `Display` writes it; neither infinite nor NaN, which cannot be told from words.
fn number(text: &str) -> Option<RecordedValue> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && !text.contains(|c: char| c.is_ascii_alphabetic());
    if !is_number {
        return None;
    }
    if let Ok(value) = text.parse() {
        return Some(RecordedValue::Signed(value));
    }
    if let Ok(value) = text.parse() {
        return Some(RecordedValue::Unsigned(value));
    }
    let float = text.parse::<f64>().ok()?;
    float.is_finite().then_some(RecordedValue::Float(float))
}

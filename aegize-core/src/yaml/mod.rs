//! YAML text as a tree of nodes that know where they stand.
//!
//! The only door to the YAML parser, and a narrow one: one document of plain mappings, lists and
//! scalars. No anchors or aliases, no merge keys, no tags, no YAML 1.1 guesses, no more than 32
//! levels. What is stricter than YAML's grammar (equal keys, for one) is left to
//! [`decode`], which reports all problems of a file at once.

pub(crate) mod comments;
pub(crate) mod decode;
mod error;
mod parse;
pub(crate) mod scalar;

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::num::NonZeroU32;
use std::path::Path;

use serde_json::{Number, Value};

use self::decode::Decoder;
pub use self::error::{LoadError, LoadErrorKind, Problem};
use self::parse::parse;

/// The longest file that is read, in bytes.
pub(crate) const LONGEST: usize = 32 * 1024 * 1024;

/// Where a node stands: 1-based line and column, and its length in characters. There is one for
/// each value of a large file, so they are kept small; no file is long enough for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    line: NonZeroU32,
    column: u32,
    length: u32,
}

impl Mark {
    pub(crate) fn new(line: usize, column: usize, length: usize) -> Self {
        let short = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            line: NonZeroU32::new(short(line)).unwrap_or(NonZeroU32::MIN),
            column: short(column),
            length: short(length),
        }
    }

    pub(crate) fn line(self) -> usize {
        self.line.get() as usize
    }

    pub(crate) fn column(self) -> usize {
        self.column as usize
    }

    pub(crate) fn length(self) -> usize {
        self.length as usize
    }
}

/// A value, and where it stands if it was read from a text. It borrows what stands there as it
/// is meant.
#[derive(Debug, Clone)]
pub(crate) struct Node<'t> {
    pub(crate) mark: Option<Mark>,
    pub(crate) kind: Kind<'t>,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind<'t> {
    Null,
    Bool(bool),
    Number {
        number: Number,
        /// As it was written: a decimal is not always a float.
        text: Cow<'t, str>,
    },
    String {
        text: Cow<'t, str>,
        /// Whether it was written without quotes, so that other YAML readers may take it for
        /// something else.
        is_plain: bool,
    },
    List(Vec<Node<'t>>),
    Map(Vec<(Node<'t>, Node<'t>)>),
}

impl Kind<'_> {
    /// What a person calls it.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number { .. } => "a number",
            Self::String { .. } => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Decodes a text, or tells all that is wrong with it.
pub(crate) fn load<T>(
    text: &str,
    decode: impl FnOnce(&Node, &mut Decoder) -> T,
) -> Result<T, LoadError> {
    if text.len() > LONGEST {
        return Err(LoadError::too_large());
    }
    if let Some(problem) = lone_carriage_return(text) {
        return Err(LoadError::invalid(
            LoadErrorKind::Syntax,
            text,
            vec![problem],
        ));
    }
    let node = parse(text)
        .map_err(|problems| LoadError::invalid(LoadErrorKind::Syntax, text, problems))?;
    load_node(&node, text, decode)
}

/// YAML ends a line at a carriage return, and most that show a text do not: what stands behind it
/// looks like a part of the line.
fn lone_carriage_return(text: &str) -> Option<Problem> {
    let mut lines = text.split('\n').enumerate();
    lines.find_map(|(index, line)| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (before, _) = line.split_once('\r')?;
        let mark = Mark::new(index + 1, before.chars().count() + 1, 1);
        let message = "a carriage return within a line; write a line break";
        Some(Problem::new(message, Some(mark)))
    })
}

/// Decodes a tree that was read from `text`, or from no text at all.
pub(crate) fn load_node<T>(
    node: &Node,
    text: &str,
    decode: impl FnOnce(&Node, &mut Decoder) -> T,
) -> Result<T, LoadError> {
    let mut decoder = Decoder::default();
    let value = decode(node, &mut decoder);
    let problems = decoder.into_problems();
    if problems.is_empty() {
        Ok(value)
    } else {
        Err(LoadError::invalid(LoadErrorKind::Invalid, text, problems))
    }
}

/// The text of a file.
pub(crate) fn read_file(path: &Path) -> Result<String, LoadError> {
    File::open(path)
        .map_err(|error| LoadError::unreadable(&error))
        .and_then(read)
        .map_err(|error| error.in_file(path))
}

/// The text that a reader gives.
pub(crate) fn read(reader: impl Read) -> Result<String, LoadError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(1);
    let length = reader.take(limit).read_to_end(&mut bytes);
    if length.map_err(|error| LoadError::unreadable(&error))? > LONGEST {
        return Err(LoadError::too_large());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes().get(..valid).unwrap_or_default();
        LoadError::not_utf8(&String::from_utf8_lossy(bytes))
    })
}

impl<'v> From<&'v Value> for Node<'v> {
    /// A tree that stands nowhere.
    fn from(value: &'v Value) -> Self {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Bool(*value),
            Value::Number(number) => Kind::Number {
                number: number.clone(),
                text: Cow::Owned(number.to_string()),
            },
            Value::String(text) => string(text),
            Value::Array(items) => Kind::List(items.iter().map(Self::from).collect()),
            Value::Object(map) => Kind::Map(
                map.iter()
                    .map(|(key, value)| {
                        let key = Self {
                            mark: None,
                            kind: string(key),
                        };
                        (key, Self::from(value))
                    })
                    .collect(),
            ),
        };
        Self { mark: None, kind }
    }
}

fn string(text: &str) -> Kind<'_> {
    Kind::String {
        text: Cow::Borrowed(text),
        is_plain: false,
    }
}

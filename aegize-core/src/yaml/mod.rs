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

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Number, Value};

use self::decode::Decoder;
pub use self::error::{LoadError, LoadErrorKind, Problem};
use self::parse::parse;

/// The longest file that is read, in bytes.
pub(crate) const LONGEST: usize = 32 * 1024 * 1024;

/// Where a node stands: 1-based line and column, and its length in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) length: usize,
}

/// A value, and where it stands if it was read from a text.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) mark: Option<Mark>,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number {
        number: Number,
        /// As it was written: a decimal is not always a float.
        text: Box<str>,
    },
    String {
        text: String,
        /// Whether it was written without quotes, so that other YAML readers may take it for
        /// something else.
        is_plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Kind {
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
        let mark = Mark {
            line: index + 1,
            column: before.chars().count() + 1,
            length: 1,
        };
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

impl From<&Value> for Node {
    /// A tree that stands nowhere.
    fn from(value: &Value) -> Self {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Bool(*value),
            Value::Number(number) => Kind::Number {
                number: number.clone(),
                text: number.to_string().into(),
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

fn string(text: &str) -> Kind {
    Kind::String {
        text: text.to_owned(),
        is_plain: false,
    }
}

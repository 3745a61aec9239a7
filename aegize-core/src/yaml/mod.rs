//! YAML text as a tree of nodes that know where they stand.
//!
//! The only door to the YAML parser, and a narrow one: one document of plain mappings, lists and
//! scalars. No anchors or aliases, no merge keys, no tags, no YAML 1.1 guesses, no more than 32
//! levels. What is stricter than YAML's grammar (equal keys, for one) is left to
//! [`decode`], which reports all problems of a file at once.

pub(crate) mod decode;
mod error;

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Error, Location, Spanned, Tagged};

use self::decode::Decoder;
pub use self::error::{LoadError, LoadErrorKind, Problem};

/// The longest file that is read, in bytes.
pub(crate) const LONGEST: usize = 32 * 1024 * 1024;

/// The most values, keys included, of one document: room for some 100 000 rules.
const WIDEST: usize = 2_500_000;

/// How deep a document may nest.
const DEEPEST: usize = 32;

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
    Number(Number),
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
            Self::Number(_) => "a number",
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
    let node = parse(text)
        .map_err(|problems| LoadError::invalid(LoadErrorKind::Syntax, text, problems))?;
    load_node(&node, text, decode)
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
    let mut bytes = Vec::new();
    let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| LoadError::unreadable(&error).in_file(path))?;
    if bytes.len() > LONGEST {
        return Err(LoadError::too_large().in_file(path));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes().get(..valid).unwrap_or_default();
        LoadError::not_utf8(&String::from_utf8_lossy(bytes)).in_file(path)
    })
}

/// Reads one document.
fn parse(text: &str) -> Result<Node, Vec<Problem>> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 2 * WIDEST,
            max_nodes: WIDEST,
            max_total_scalar_bytes: LONGEST,
            max_depth: DEEPEST,
            max_documents: 1,
            max_anchors: 0,
            max_aliases: 0,
            max_merge_keys: 0,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_booleans: true,
        with_snippet: false,
    };
    let read: Place = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| vec![problem(&error)])?;
    let mut reader = Reader {
        text,
        problems: Vec::new(),
    };
    let node = reader.node(read);
    if reader.problems.is_empty() {
        Ok(node)
    } else {
        Err(reader.problems)
    }
}

/// What the parser says, in our words where it matters.
fn problem(error: &Error) -> Problem {
    let error = error.without_snippet();
    let message = match error {
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. } => {
                "anchors and aliases are not read; write the value out in each place".to_owned()
            }
            BudgetBreach::Depth { .. } => {
                format!("nested deeper than {DEEPEST} levels; flatten it")
            }
            BudgetBreach::Documents { .. } => {
                "a second document; put one document in a file".to_owned()
            }
            BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => {
                format!("more than {WIDEST} values; split the file")
            }
            other => format!("too large to read: {other:?}"),
        },
        Error::MultipleDocuments { .. } => {
            "a second document; put one document in a file".to_owned()
        }
        Error::MergeKeyNotAllowed { .. } => {
            "merge keys (`<<`) are not read; write the keys out".to_owned()
        }
        other => {
            let text = other.to_string();
            // The place is told beside the message.
            let end = text.find(" at line ").unwrap_or(text.len());
            format!("not valid YAML: {}", text.get(..end).unwrap_or(&text))
        }
    };
    let mark = error.location().and_then(mark);
    Problem::new(message, mark)
}

fn mark(location: Location) -> Option<Mark> {
    let number = |n: u64| usize::try_from(n).ok();
    (location != Location::UNKNOWN).then_some(Mark {
        line: number(location.line())?,
        column: number(location.column())?,
        length: number(location.span().len())?,
    })
}

/// The tree as the parser hands it over.
enum Read {
    Leaf(Kind),
    List(Vec<Place>),
    Map(Vec<(Place, Place)>),
}

type Place = Spanned<Tagged<Read>>;

/// Turns what was read into nodes, looking up in the text how each was written.
struct Reader<'t> {
    text: &'t str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn node(&mut self, place: Place) -> Node {
        let location = place.referenced;
        let Tagged(read, tag) = place.value;
        if tag.is_some() {
            let message = "tags are not read; remove the `!` and its name";
            self.problems.push(Problem::new(message, mark(location)));
        }
        let kind = match read {
            Read::Leaf(Kind::String { text, .. }) => Kind::String {
                is_plain: !self.is_quoted(location),
                text,
            },
            Read::Leaf(kind) => kind,
            Read::List(items) => {
                Kind::List(items.into_iter().map(|item| self.node(item)).collect())
            }
            Read::Map(entries) => Kind::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (self.node(key), self.node(value)))
                    .collect(),
            ),
        };
        Node {
            mark: mark(location),
            kind,
        }
    }

    fn is_quoted(&self, location: Location) -> bool {
        location
            .span()
            .byte_offset()
            .and_then(|offset| usize::try_from(offset).ok())
            .and_then(|offset| self.text.as_bytes().get(offset))
            .is_some_and(|first| matches!(first, b'"' | b'\'' | b'|' | b'>'))
    }
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadVisitor)
    }
}

struct ReadVisitor;

macro_rules! numbers {
    ($($method:ident($type:ty) = $number:expr;)*) => {$(
        fn $method<E: serde::de::Error>(self, value: $type) -> Result<Read, E> {
            let number: fn($type) -> Option<Number> = $number;
            match number(value) {
                Some(number) => Ok(Read::Leaf(Kind::Number(number))),
                None => Err(E::custom("a number out of range")),
            }
        }
    )*};
}

impl<'de> Visitor<'de> for ReadVisitor {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping, a list or a scalar")
    }

    fn visit_unit<E>(self) -> Result<Read, E> {
        Ok(Read::Leaf(Kind::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Read, E> {
        Ok(Read::Leaf(Kind::Bool(value)))
    }

    numbers! {
        visit_i64(i64) = |n| Some(n.into());
        visit_u64(u64) = |n| Some(n.into());
        visit_i128(i128) = Number::from_i128;
        visit_u128(u128) = Number::from_u128;
        visit_f64(f64) = Number::from_f64;
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Read, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Read, E> {
        Ok(Read::Leaf(Kind::String {
            text,
            is_plain: true,
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Read, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Read::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Read, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Read::Map(map))
    }
}

impl From<&Value> for Node {
    /// A tree that stands nowhere.
    fn from(value: &Value) -> Self {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Bool(*value),
            Value::Number(number) => Kind::Number(number.clone()),
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

//! From text to a tree, without recursion: the parser's events and a stack.

use std::borrow::Cow;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};
use serde_json::Number;

use super::{Kind, Mark, Node, Problem};

/// How deep a document may nest.
const DEEPEST: usize = 32;

/// The most values, keys included, of one document: room for some 100 000 rules.
const WIDEST: usize = 2_500_000;

/// Reads one document.
pub(super) fn parse(text: &str) -> Result<Node<'_>, Vec<Problem>> {
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_comments: false,
        emit_unresolved_aliases: true,
    };
    let mut tree = Tree::default();
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| vec![syntax(&error)])?;
        tree.add(event, &span)?;
    }
    if !tree.problems.is_empty() {
        return Err(tree.problems);
    }
    // A text without any document says nothing.
    Ok(tree.root.unwrap_or(Node {
        mark: None,
        kind: Kind::Null,
    }))
}

pub(super) fn syntax(error: &ScanError) -> Problem {
    let message = format!("not valid YAML: {}", error.kind());
    Problem::new(message, Some(mark(error.marker(), 1)))
}

pub(super) fn mark(marker: &Marker, length: usize) -> Mark {
    Mark::new(marker.line(), marker.col() + 1, length)
}

/// The tree as far as it was read.
#[derive(Default)]
struct Tree<'t> {
    open: Vec<Open<'t>>,
    root: Option<Node<'t>>,
    values: usize,
    problems: Vec<Problem>,
}

/// A list or mapping whose end was not seen yet.
struct Open<'t> {
    mark: Mark,
    kind: OpenKind<'t>,
}

enum OpenKind<'t> {
    List(Vec<Node<'t>>),
    Map(Vec<(Node<'t>, Node<'t>)>, Option<Node<'t>>),
}

impl<'t> Tree<'t> {
    fn add(&mut self, event: Event<'t>, span: &Span) -> Result<(), Vec<Problem>> {
        let end = if span.start.line() == span.end.line() {
            span.end.col()
        } else {
            span.start.col() + 1
        };
        let place = mark(&span.start, end.saturating_sub(span.start.col()));
        self.refuse(&event, place)?;
        let kind = match event {
            Event::Scalar(text, style, ..) => {
                let kind = scalar(text, style == ScalarStyle::Plain);
                self.close(place, kind);
                return Ok(());
            }
            Event::SequenceStart(..) => OpenKind::List(Vec::new()),
            Event::MappingStart(..) => OpenKind::Map(Vec::new(), None),
            Event::SequenceEnd | Event::MappingEnd => {
                match self.open.pop() {
                    Some(Open {
                        mark,
                        kind: OpenKind::List(items),
                    }) => {
                        self.close(mark, Kind::List(items));
                    }
                    Some(Open {
                        mark,
                        kind: OpenKind::Map(entries, _),
                    }) => {
                        self.close(mark, Kind::Map(entries));
                    }
                    None => {}
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        if self.open.len() >= DEEPEST {
            let message = format!("nested deeper than {DEEPEST} levels; flatten it");
            return Err(vec![Problem::new(message, Some(place))]);
        }
        self.open.push(Open { mark: place, kind });
        Ok(())
    }

    /// Reports the parts of YAML that are not read, and stops at the one that is hostile.
    fn refuse(&mut self, event: &Event<'_>, place: Mark) -> Result<(), Vec<Problem>> {
        let mut problem = |message: &str| self.problems.push(Problem::new(message, Some(place)));
        if event.tag().is_some() {
            problem("tags are not read; remove the `!` and its name");
        }
        if event.anchor_id().is_some()
            || matches!(event, Event::Alias(_) | Event::UnresolvedAlias(_))
        {
            problem("anchors and aliases are not read; write the value out in each place");
        }
        if matches!(event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<") {
            problem("merge keys (`<<`) are not read; write the keys out");
        }
        if matches!(event, Event::DocumentStart(..)) && self.root.is_some() {
            problem("a second document; put one document in a file");
        }
        self.values += usize::from(event.is_node());
        if self.values > WIDEST {
            problem(&format!("more than {WIDEST} values; split the file"));
        }
        // What was read so far is enough for a person, and all that a hostile file gets.
        if self.values > WIDEST || self.problems.len() >= super::decode::MOST {
            return Err(std::mem::take(&mut self.problems));
        }
        Ok(())
    }

    /// Puts a complete value where it belongs.
    fn close(&mut self, mark: Mark, kind: Kind<'t>) {
        let node = Node {
            mark: Some(mark),
            kind,
        };
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = self.root.take().or(Some(node)),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map(entries, key)) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push((key, node)),
            },
        }
    }
}

/// What a scalar is, by the core schema of YAML 1.2.2 (§10.3.2), with two exceptions that other
/// readers take for something else and that are therefore left as plain strings: integers with
/// a leading zero, and infinities.
pub(super) fn scalar(text: Cow<'_, str>, is_plain: bool) -> Kind<'_> {
    if !is_plain {
        return Kind::String { text, is_plain };
    }
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" => return Kind::Bool(true),
        "false" | "False" | "FALSE" => return Kind::Bool(false),
        _ => {}
    }
    match number(&text) {
        Some(number) => Kind::Number { number, text },
        None => Kind::String { text, is_plain },
    }
}

fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut digits = unsigned.chars();
    let (first, second) = (digits.next()?, digits.next());
    if !(first.is_ascii_digit() || first == '.')
        || (first == '0' && second.is_some_and(|c| c.is_ascii_digit()))
        || !unsigned
            .chars()
            .all(|c| c.is_ascii_digit() || "+-.eE".contains(c))
    {
        return None;
    }
    let integer = text.strip_prefix('+').unwrap_or(text);
    if let Ok(integer) = integer.parse::<i128>() {
        return Number::from_i128(integer).or_else(|| Number::from_f64(text.parse().ok()?));
    }
    text.parse().ok().and_then(Number::from_f64)
}

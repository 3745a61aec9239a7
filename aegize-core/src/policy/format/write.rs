//! From a tree with comments to text.
//!
//! Two spaces for each level. Lists of scalars, matchers and the author's own mappings share a
//! line if they fit; everything else has lines of its own. The invariant: written again, the text
//! stays as it is.

use super::place::Place;
use crate::yaml::comments::{Block, Comment, Entry, Value};
use crate::yaml::scalar;

/// The longest line, in characters, that is put together from several values or words. Comments
/// behind it do not count: a comment shall not change the layout.
const WIDTH: usize = 100;

/// Input: the whole file, in order. Output: its text.
pub(super) fn document(root: &Entry) -> String {
    let mut text = String::new();
    for (index, comment) in root.above.iter().enumerate() {
        line(&mut text, index > 0 && comment.is_apart, 0, &comment.text);
    }
    if !root.above.is_empty() {
        text.push('\n');
    }
    if let Value::List(block) | Value::Map(block) = &root.value {
        write_block(&mut text, block, Place::Root, 0, false);
    }
    text
}

/// How a value is written.
enum Layout<'v> {
    /// Not at all: an empty section.
    Nothing,
    /// Behind its key or dash.
    Line(String),
    /// A scalar in lines below its header.
    Lines(String, Vec<String>),
    /// Entries in lines of their own.
    Block(&'v Block),
}

/// The entries of a block. The first one has no line of its own if it stands behind a dash.
fn write_block(text: &mut String, block: &Block, place: Place, indent: usize, behind_dash: bool) {
    let mut before = None;
    for entry in &block.entries {
        let inner = place.of(entry.key.as_ref());
        let layout = layout(entry, inner, indent);
        if before.is_some() || !behind_dash {
            let is_apart = before.is_some_and(|before| place.separates(before, entry));
            write_above(text, entry, inner, indent, before.map(|_| is_apart));
            text.push_str(&" ".repeat(indent));
        }
        before = Some(entry);
        match (&entry.key, &layout) {
            (Some(key), _) => text.push_str(&(scalar::inline(key, false) + ":")),
            (None, Layout::Block(block)) => {
                text.push_str("- ");
                write_block(text, block, inner, indent + 2, true);
                continue;
            }
            (None, _) => text.push('-'),
        }
        if let Layout::Line(behind) | Layout::Lines(behind, _) = &layout {
            text.push(' ');
            text.push_str(behind);
        }
        if let Some(comment) = &entry.right {
            text.push_str("  ");
            text.push_str(comment);
        }
        text.push('\n');
        match layout {
            Layout::Lines(_, lines) => {
                for value in lines {
                    line(text, false, indent + 2, &value);
                }
            }
            Layout::Block(block) => write_block(text, block, inner, indent + 2, false),
            Layout::Nothing | Layout::Line(_) => {}
        }
    }
    for comment in &block.tail {
        line(text, comment.is_apart, indent, &comment.text);
    }
}

/// The comments above an entry, and the empty lines around them. `separated` is `None` for the
/// first entry of a block, which no empty line precedes.
fn write_above(
    text: &mut String,
    entry: &Entry,
    place: Place,
    indent: usize,
    separated: Option<bool>,
) {
    let mut comments = Vec::new();
    comments_of(entry, place, indent, &mut comments);
    let (mut must_be_apart, mut may_be_apart) = (separated == Some(true), separated.is_some());
    for (comment, is_apart) in comments {
        line(
            text,
            may_be_apart && is_apart || must_be_apart,
            indent,
            comment,
        );
        (must_be_apart, may_be_apart) = (false, true);
    }
    if may_be_apart && entry.is_apart || must_be_apart {
        text.push('\n');
    }
}

/// The comments above an entry, each with whether it is apart. What belongs to the first thing
/// behind a dash has no other line than this.
fn comments_of<'e>(
    entry: &'e Entry,
    place: Place,
    indent: usize,
    found: &mut Vec<(&'e str, bool)>,
) {
    let shown = |comment: &'e Comment| (comment.text.as_str(), comment.is_apart);
    found.extend(entry.above.iter().map(shown));
    if entry.key.is_none()
        && let Layout::Block(block) = layout(entry, place, indent)
    {
        found.extend(entry.right.iter().map(|comment| (comment.as_str(), false)));
        if let Some(first) = block.entries.first() {
            comments_of(first, place.of(first.key.as_ref()), indent + 2, found);
        }
    }
}

fn line(text: &mut String, is_apart: bool, indent: usize, content: &str) {
    if is_apart {
        text.push('\n');
    }
    if !content.is_empty() {
        text.push_str(&" ".repeat(indent));
        text.push_str(content);
    }
    text.push('\n');
}

fn layout(entry: &Entry, place: Place, indent: usize) -> Layout<'_> {
    let key = entry.key.as_ref();
    let lead = key.map_or(1, |key| scalar::inline(key, false).chars().count() + 1);
    let fits = |value: &str| indent + lead + 1 + value.chars().count() <= WIDTH;
    match &entry.value {
        Value::Scalar(value) => {
            let inline = scalar::inline(value, false);
            if value.is_plain && inline == "null" && key.is_some() {
                return Layout::Nothing;
            }
            let is_long = value.text.contains('\n') || !fits(&inline);
            let lines = is_long.then(|| scalar::lines(value, WIDTH.saturating_sub(indent + 2)));
            match lines.flatten() {
                Some((header, lines)) => Layout::Lines(header.to_owned(), lines),
                None => Layout::Line(inline),
            }
        }
        Value::List(block) | Value::Map(block) => match flow(&entry.value, place) {
            Some(value) if fits(&value) || block.entries.is_empty() => Layout::Line(value),
            _ => Layout::Block(block),
        },
    }
}

/// A value in one line, if it may be written so.
fn flow(value: &Value, place: Place) -> Option<String> {
    match value {
        Value::Scalar(value) if value.text.contains('\n') => None,
        Value::Scalar(value) => Some(scalar::inline(value, true)),
        Value::List(block) => {
            let item = |entry: &Entry| match entry.value {
                Value::Scalar(_) => flow(&entry.value, place),
                _ => None,
            };
            Some(format!("[{}]", parts(block, item)?.join(", ")))
        }
        Value::Map(block) if block.entries.is_empty() => Some("{}".to_owned()),
        Value::Map(block) if place == Place::Free => {
            let pair = |entry: &Entry| {
                let key = scalar::inline(entry.key.as_ref()?, true);
                Some(format!("{key}: {}", flow(&entry.value, place)?))
            };
            Some(format!("{{ {} }}", parts(block, pair)?.join(", ")))
        }
        Value::Map(_) => None,
    }
}

/// The parts of a block that may share a line; there is no room for comments in it.
fn parts(block: &Block, part: impl Fn(&Entry) -> Option<String>) -> Option<Vec<String>> {
    let is_bare = |entry: &Entry| entry.above.is_empty() && entry.right.is_none();
    let parts = block
        .entries
        .iter()
        .map(|entry| is_bare(entry).then(|| part(entry))?);
    if block.tail.is_empty() {
        parts.collect()
    } else {
        None
    }
}

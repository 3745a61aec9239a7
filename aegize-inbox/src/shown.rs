//! What agents wrote, as people may read it.
//!
//! The invariant: every character is either seen or named, and none changes how the page around it
//! reads.

use std::borrow::Cow;

use maud::{Markup, Render, html};
use serde_json::Value;

/// What a redacted secret reads.
const REDACTED: &str = "[redacted]";
/// A text with more characters or lines than this is folded.
const LONG: usize = 400;
const LONG_LINES: usize = 12;
/// How much of it is seen while it is folded.
const PREVIEW: usize = 160;
/// The most entries of a list or mapping that are not folded.
const MANY: usize = 25;
/// How deep tables nest; what is deeper is shown as JSON.
const DEEP: usize = 4;

/// A text in a line, with what nobody would see made visible.
pub(crate) struct Line<'a>(pub(crate) &'a str);

/// A text of many lines, the same way.
pub(crate) struct Block<'a>(pub(crate) &'a str);

impl Render for Line<'_> {
    fn render(&self) -> Markup {
        pieces(self.0, is_unseen_in_a_line)
    }
}

impl Render for Block<'_> {
    fn render(&self) -> Markup {
        pieces(self.0, is_unseen)
    }
}

fn pieces(text: &str, is_unseen: fn(char) -> bool) -> Markup {
    let mut rest = text;
    html! {
        bdi {
            @while !rest.is_empty() {
                @let at = rest.find(is_unseen).unwrap_or(rest.len());
                @let (seen, unseen) = rest.split_at(at);
                (seen)
                @if let Some(c) = unseen.chars().next() {
                    span.unseen title=(name(c)) { (format!("U+{:04X}", u32::from(c))) }
                }
                @let next = unseen.chars().next().map_or(0, char::len_utf8);
                ({ rest = unseen.get(next..).unwrap_or_default(); "" })
            }
        }
    }
}

/// The same in a line, where white space of other kinds than the blank would not be told from it.
pub(crate) fn is_unseen_in_a_line(c: char) -> bool {
    matches!(c, '\n' | '\t') || is_unseen(c)
}

/// Whether a reader would not see a character, or take it for another: controls, what changes the
/// direction (CVE-2021-42574), what has no width or no ink, and what no two programs show alike.
fn is_unseen(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c,
            '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
            | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{2800}' | '\u{3000}'
            | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{10ffff}')
}

/// What a character that nobody sees does.
fn name(c: char) -> &'static str {
    match c {
        '\n' => "line break",
        '\t' => "tab",
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
            "changes the direction of the text"
        }
        '\u{e0000}'..='\u{e007f}' => "a tag that no reader sees",
        _ if c.is_control() => "a control character",
        _ if c.is_whitespace() => "an unusual space",
        _ => "a character that no reader sees",
    }
}

/// A value of an argument; `redacted` if secrets were taken from what it is of.
pub(crate) fn value(value: &Value, redacted: bool) -> Markup {
    nested(value, redacted, 0)
}

fn nested(value: &Value, redacted: bool, depth: usize) -> Markup {
    match value {
        Value::Null => html! { code.literal { "null" } },
        Value::Bool(bool) => html! { code.literal { (bool) } },
        Value::Number(number) => html! { code.literal { (number.to_string()) } },
        Value::String(string) => text(string, redacted),
        Value::Array(list) if list.is_empty() => html! { span.empty { "empty list" } },
        Value::Object(map) if map.is_empty() => html! { span.empty { "empty mapping" } },
        _ if depth >= DEEP => {
            let json = serde_json::to_string_pretty(value).unwrap_or_default();
            text(&json, redacted)
        }
        Value::Array(list) => {
            let entries = list.iter().enumerate();
            let entries = entries.map(|(index, entry)| (Cow::Owned(index.to_string()), entry));
            table(entries.collect(), "list", redacted, depth)
        }
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, entry)| (Cow::Borrowed(&**key), entry));
            table(entries.collect(), "mapping", redacted, depth)
        }
    }
}

fn table(
    mut entries: Vec<(Cow<'_, str>, &Value)>,
    kind: &str,
    redacted: bool,
    depth: usize,
) -> Markup {
    let more = entries.split_off(entries.len().min(MANY));
    let rows = |entries: Vec<(Cow<'_, str>, &Value)>| {
        html! {
            table.nested { tbody {
                @for (key, entry) in entries {
                    tr {
                        th scope="row" { (Line(&key)) }
                        td { (nested(entry, redacted, depth + 1)) }
                    }
                }
            } }
        }
    };
    html! {
        div class=(kind) {
            (rows(entries))
            @if !more.is_empty() {
                details {
                    summary { (more.len()) " more" }
                    (rows(more))
                }
            }
        }
    }
}

fn text(text: &str, redacted: bool) -> Markup {
    if text.is_empty() {
        return html! { span.empty { "empty text" } };
    }
    let quote = if reads_as_another(text) { "\"" } else { "" };
    let length = text.chars().count();
    html! {
        @if length > LONG || text.lines().count() > LONG_LINES {
            @let preview: String = text.chars().take(PREVIEW).collect();
            details.long {
                summary {
                    span.text {
                        (Line(&preview))
                        @if length > PREVIEW { "… " span.more { (length - PREVIEW) " more" } }
                    }
                    " " span.kind { (length) " characters" }
                }
                div.text { (quote) (marked(text, redacted)) (quote) }
            }
        } @else {
            div.text { (quote) (marked(text, redacted)) (quote) }
        }
    }
}

/// Whether a text would be taken for a value that is none, or ends in what nobody sees.
fn reads_as_another(text: &str) -> bool {
    text.trim() != text
        || matches!(text, "empty text" | "empty list" | "empty mapping")
        || serde_json::from_str::<Value>(text)
            .is_ok_and(|value| !value.is_object() && !value.is_array())
}

fn marked(text: &str, redacted: bool) -> Markup {
    html! {
        @if redacted {
            @for (index, part) in text.split(REDACTED).enumerate() {
                @if index > 0 { mark.redacted { "redacted" } }
                @if !part.is_empty() { (Block(part)) }
            }
        } @else {
            (Block(text))
        }
    }
}

//! How a scalar is written: plain, in double quotes, or as a block of lines.
//!
//! The invariant: what is written here is read as the same value, by this loader and by readers
//! of YAML 1.1, who take more plain texts for something else.

use super::Kind;
use super::comments::Scalar;
use super::decode::is_ambiguous;
use super::parse::scalar;
use crate::text::is_active;

/// A scalar in one line. `in_flow` tells whether it stands in brackets or braces.
pub(crate) fn inline(source: &Scalar, in_flow: bool) -> String {
    let Scalar { text, is_plain } = source;
    match scalar(text.into(), *is_plain) {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number { .. } => text.clone(),
        _ if is_kept_plain(source, in_flow) => text.clone(),
        _ => quoted(text),
    }
}

/// A scalar in lines of its own: what stands behind its key, and the lines. `None` if one line
/// of `width` characters does, or if lines could not say the same.
pub(crate) fn lines(source: &Scalar, width: usize) -> Option<(&'static str, Vec<String>)> {
    let (body, is_ended) = match source.text.strip_suffix('\n') {
        Some(body) => (body, true),
        None => (source.text.as_str(), false),
    };
    let is_same = |line: &str| line.trim() == line && !line.contains(must_be_escaped);
    if !body.split('\n').all(is_same) || body.starts_with('\n') || body.ends_with('\n') {
        return None;
    }
    if body.split('\n').all(|line| line.chars().count() <= width) {
        let lines = body.split('\n').map(str::to_owned).collect();
        let header = if is_ended { "|" } else { "|-" };
        return source.text.contains('\n').then_some((header, lines));
    }
    let mut folded = Vec::new();
    for line in body.split('\n') {
        // A single line break would be read as a space.
        if !folded.is_empty() && !line.is_empty() {
            folded.push(String::new());
        }
        fold(line, width, &mut folded);
    }
    let header = if is_ended { ">" } else { ">-" };
    (folded.len() > 1 || is_ended).then_some((header, folded))
}

/// Breaks a line at single spaces.
fn fold(line: &str, width: usize, folded: &mut Vec<String>) {
    let mut words = line.split(' ');
    let mut current = words.next().unwrap_or_default().to_owned();
    for word in words {
        let length = current.chars().count() + 1 + word.chars().count();
        if length > width && !word.is_empty() && !current.ends_with(' ') {
            folded.push(std::mem::replace(&mut current, word.to_owned()));
        } else {
            current.push(' ');
            current.push_str(word);
        }
    }
    folded.push(current);
}

/// Whether a string needs no quotes.
fn is_kept_plain(source: &Scalar, in_flow: bool) -> bool {
    let text = source.text.as_str();
    let is_string = matches!(scalar(text.into(), true), Kind::String { .. });
    if !is_string || !is_valid_plain(text, in_flow) {
        return false;
    }
    // Its quotes, or their absence, mean something to other readers.
    if is_ambiguous(text) || looks_like_value(text) {
        return source.is_plain;
    }
    // Not all of these are a mistake everywhere, but one need not know where they are.
    !text.contains(|c| "?:[]{}#&*!|>\"%@`\\".contains(c))
}

/// Whether YAML 1.1 may see a number, a date or an operator.
fn looks_like_value(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['+', '-', '.']);
    text == "=" || unsigned.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a text is read as itself without quotes (YAML 1.2.2, §7.3.3).
fn is_valid_plain(text: &str, in_flow: bool) -> bool {
    let is_indicator = text.starts_with(|c| ",[]{}#&*!|>'\"%@`".contains(c))
        || text
            .strip_prefix(['-', '?', ':'])
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-'));
    let is_marker = text == "<<" || text.starts_with("---") || text.starts_with("...");
    let is_cut = text.contains(": ") || text.contains(" #") || text.ends_with(':');
    let is_flow_end = in_flow && text.contains(|c| ",[]{}".contains(c));
    !(is_indicator || is_marker || is_cut || is_flow_end)
        && text.trim() == text
        && !text.contains(must_be_escaped)
}

/// A text in double quotes (YAML 1.2.2, §7.3.1), or in single ones (§7.3.2) if that spares its
/// backslashes: a regular expression stays as it is.
fn quoted(text: &str) -> String {
    if text.contains('\\') && !text.contains(|c| c == '\'' || must_be_escaped(c)) {
        return format!("'{text}'");
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if must_be_escaped(c) => quoted.push_str(&escape(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn escape(c: char) -> String {
    let code = u32::from(c);
    match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

/// What nobody sees, or YAML does not print (YAML 1.2.2, §5.1).
fn must_be_escaped(c: char) -> bool {
    is_active(c) || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

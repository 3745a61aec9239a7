//! Values that a text itself gives a name: `password=…`, `"token": "…"`, `--api-key …`.
//!
//! Commands, headers, connection strings, JSON within strings, and what `Debug` prints all look
//! alike: a name, a separator, a value. Where the value ends is not always certain; then rather
//! more of it is taken than less. One pass over the text, of which no byte is in two values.

use std::ops::Range;

use super::{Span, names};

/// The longest name that is looked at.
const LONGEST_NAME: usize = 64;

/// The values of sensitive names, in order.
pub(super) fn find<'t>(
    text: &'t str,
    is_sensitive: impl Fn(&str) -> bool,
) -> impl Iterator<Item = Span<'t>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + next_separator(text.as_bytes().get(from..)?)?;
            from = at + 1;
            let before = text.get(..at)?;
            let is_blank = text.as_bytes().get(at).is_some_and(is_blank_byte);
            // Of several blanks, the first.
            if is_blank && before.as_bytes().last().is_some_and(is_blank_byte) {
                continue;
            }
            let Some(name) = name_before(before) else {
                continue;
            };
            if (is_blank && !name.starts_with('-')) || !is_sensitive(name) {
                continue;
            }
            if let Some(value) = value_after(text, from, names::is_header(name)) {
                from = value.end;
                return Some(Span { range: value, name });
            }
        }
    })
}

/// A `:`, a `=`, or a blank, which is one behind a flag.
fn next_separator(text: &[u8]) -> Option<usize> {
    text.iter()
        .position(|byte| matches!(byte, b':' | b'=') || is_blank_byte(byte))
}

fn is_blank_byte(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The name that a text ends with: `password`, `"password"`, `config["password"]`.
fn name_before(text: &str) -> Option<&str> {
    let text = text.trim_end_matches([' ', '\t']);
    let text = text.strip_suffix(']').unwrap_or(text);
    let text = text.trim_end_matches(['"', '\'', '`', '\\']);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte) || *byte >= 128;
    let bytes = text.as_bytes();
    let length = bytes
        .iter()
        .rev()
        .take(LONGEST_NAME)
        .take_while(|byte| is_name(byte))
        .count();
    // A name that is longer may have been cut within a character.
    let mut suffixes = (1..=length).rev();
    suffixes.find_map(|length| text.get(text.len() - length..))
}

/// Where the value stands whose separator ends there.
fn value_after(text: &str, start: usize, is_header: bool) -> Option<Range<usize>> {
    let rest = text.get(start..)?;
    // `a::b` is a path, `=>` and `==` are separators.
    if rest.starts_with(':') {
        return None;
    }
    let value = rest.strip_prefix(['=', '>']).unwrap_or(rest);
    let value = value.trim_start_matches([' ', '\t']);
    let start = start + rest.len() - value.len();
    let escapes = value.len() - value.trim_start_matches('\\').len();
    let quoted = value.get(escapes..)?;
    let (start, length) = match quoted.chars().next()? {
        quote @ ('"' | '\'' | '`') => {
            let start = start + escapes + 1;
            let inner = quoted.get(1..)?;
            (start, closing(inner, quote, escapes))
        }
        _ if is_header => (start, header_length(value)),
        _ => (start, bare_length(value)),
    };
    (length > 0).then(|| start..start + length)
}

/// Where a quoted text ends: before a quote that has no more escapes than the one that began it.
fn closing(text: &str, quote: char, escapes: usize) -> usize {
    let mut before = 0;
    for (index, c) in text.char_indices() {
        if c == '\\' {
            before += 1;
        } else if c == quote && before <= escapes {
            return index - before;
        } else {
            before = 0;
        }
    }
    text.len()
}

/// A header's value goes on to the end of its line, or of the quotes around it.
fn header_length(text: &str) -> usize {
    let line = text
        .split(['"', '\'', '`', '\r', '\n'])
        .next()
        .unwrap_or_default();
    line.trim_end_matches([' ', '\t', '\\']).len()
}

/// A value without quotes ends at a blank, or where what holds it ends. Brackets hold it together:
/// `Some("…")`, `Login { … }`.
fn bare_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    let rest_at = |at: usize| text.get(at..).unwrap_or_default();
    while let Some(c) = rest_at(at).chars().next() {
        let next = at + c.len_utf8();
        let rest = rest_at(next);
        let value = text.get(..at).unwrap_or_default();
        match c {
            '"' | '\'' | '`' if depth > 0 => {
                at = next + closing(rest, c, 0) + 1;
                continue;
            }
            '"' | '\'' | '`' => return value.trim_end_matches('\\').len(),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return next;
                }
            }
            _ if depth > 0 => {}
            '&' | '<' => return at,
            ',' | ';' | ')' | ']' | '}' if ends_here(rest) => return at,
            _ if c.is_whitespace() => {
                let following = rest.trim_start();
                if !following.starts_with('{') && !is_scheme(value) {
                    return at;
                }
                at = text.len() - following.len();
                continue;
            }
            _ => {}
        }
        at = next;
    }
    text.len()
}

/// Whether what follows a comma or a bracket shows that the value ended before it.
fn ends_here(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | ')' | ']' | '}')
    })
}

/// Whether a word only tells the kind of the secret that follows.
fn is_scheme(word: &str) -> bool {
    ["bearer", "basic", "digest", "token"]
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
}

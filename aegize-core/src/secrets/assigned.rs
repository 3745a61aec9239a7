//! Values that a text itself gives a name: `password=…`, `"token": "…"`, `--api-key …`.
//!
//! Commands, headers, connection strings, JSON within strings, and what `Debug` prints all look
//! alike: a name, a separator, a value. Where the value ends is not always certain; then rather
//! more of it is taken than less. One pass over the text, of which no byte is in two values.

use std::ops::Range;

use memchr::memchr3;

use super::{Span, names};

/// The longest name that is looked at.
const LONGEST_NAME: usize = 64;

/// The values of sensitive names, in order.
pub(super) fn find(
    text: &str,
    is_sensitive: impl Fn(&str) -> bool,
) -> impl Iterator<Item = Span<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + memchr3(b':', b'=', b'-', text.as_bytes().get(from..)?)?;
            from = at + 1;
            let Some((name, end)) = name_at(text, at) else {
                continue;
            };
            if !is_sensitive(name) {
                continue;
            }
            if let Some(value) = value_after(text, end, names::is_header(name)) {
                from = value.end;
                return Some(Span { range: value, name });
            }
        }
    })
}

/// The name that a value may follow, and where what separates them ends: of a separator, the name
/// before it; of the dash of a flag, the flag, if a blank ends it.
fn name_at(text: &str, at: usize) -> Option<(&str, usize)> {
    let before = text.get(..at)?;
    if !text.get(at..)?.starts_with('-') {
        return Some((name_before(before)?, at + 1));
    }
    let is_within = before.bytes().next_back().is_some_and(is_name);
    if is_within {
        return None;
    }
    let flag = text.as_bytes().get(at..)?;
    let length = flag
        .iter()
        .take(LONGEST_NAME)
        .take_while(|byte| is_name(**byte));
    let (flag, rest) = text.get(at..)?.split_at_checked(length.count())?;
    // As a list of arguments prints it: `"--token", "…"`.
    let rest = rest.trim_start_matches(['"', '\'', '\\']);
    let rest = rest.strip_prefix(',').unwrap_or(rest);
    let rest = rest.strip_prefix([' ', '\t'])?;
    Some((flag, text.len() - rest.len()))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte) || byte >= 128
}

/// The name that a text ends with: `password`, `"password"`, `config["password"]`.
fn name_before(text: &str) -> Option<&str> {
    let text = text.trim_end_matches([' ', '\t']);
    let text = text.strip_suffix(']').unwrap_or(text);
    let text = text.trim_end_matches(['"', '\'', '`', '\\']);
    let bytes = text.as_bytes();
    let length = bytes
        .iter()
        .rev()
        .take(LONGEST_NAME)
        .take_while(|byte| is_name(**byte))
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

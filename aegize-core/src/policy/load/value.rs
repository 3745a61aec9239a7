//! The values of matchers: scalars, lists of patterns, and how they are shown.

use regex::{Regex, RegexBuilder};

use super::patterns;
use crate::pattern::{Decimal, HostPattern, PatternError, Scheme, UrlPath, UrlPattern};
use crate::policy::condition::Literal;
use crate::text::one_line;
use crate::yaml::decode::{Decoder, Trail};
use crate::yaml::{Kind, Node};

/// The largest compiled form of one regular expression, in bytes.
const LARGEST_REGEX: usize = 128 * 1024;

/// One string or a list of them, at least one.
pub(super) fn some<T>(
    decoder: &mut Decoder,
    node: &Node,
    trail: Trail<'_>,
    what: &str,
    parse: fn(&str) -> Result<T, PatternError>,
) -> Option<Vec<T>> {
    if matches!(node.kind, Kind::String { .. }) {
        let pattern = super::pattern(decoder, node, trail, "a string", parse)?;
        return Some(vec![pattern]);
    }
    refuse_empty(decoder, node, trail);
    patterns(decoder, node, trail, &format!("a list of {what}"), parse)
}

fn refuse_empty(decoder: &mut Decoder, node: &Node, trail: Trail<'_>) {
    if matches!(&node.kind, Kind::List(items) if items.is_empty()) {
        let message = "an empty list matches nothing; name at least one, or remove the key";
        decoder.problem(node, trail, message);
    }
}

pub(super) fn read_literals(
    decoder: &mut Decoder,
    node: &Node,
    trail: Trail<'_>,
) -> Option<Vec<Literal>> {
    refuse_empty(decoder, node, trail);
    let items = decoder.items(node, trail, "a list of scalars")?;
    let literals = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| read_literal(decoder, item, Trail::Index(&trail, index)));
    Some(literals.collect())
}

pub(super) fn read_literal(
    decoder: &mut Decoder,
    node: &Node,
    trail: Trail<'_>,
) -> Option<Literal> {
    match &node.kind {
        Kind::Bool(value) => Some(Literal::Bool(*value)),
        Kind::Number { .. } => read_number(decoder, node, trail).map(Literal::Number),
        Kind::String { .. } => decoder
            .text(node, trail, "a scalar")
            .map(|text| Literal::Text(text.into())),
        Kind::Null => {
            let message = "null is not a value; `present: false` asks for an absent argument";
            decoder.problem(node, trail, message);
            None
        }
        Kind::List(_) | Kind::Map(_) => {
            let found = node.kind.describe();
            let message = format!("expected a string, a number or a boolean, found {found}");
            decoder.problem(node, trail, message);
            None
        }
    }
}

pub(super) fn read_number(decoder: &mut Decoder, node: &Node, trail: Trail<'_>) -> Option<Decimal> {
    let Kind::Number { text, .. } = &node.kind else {
        let found = node.kind.describe();
        decoder.problem(node, trail, format!("expected a number, found {found}"));
        return None;
    };
    let number = Decimal::parse(text);
    if number.is_none() {
        let message = "has more digits than are compared; write at most 64";
        decoder.problem(node, trail, message);
    }
    number
}

pub(super) fn read_length(decoder: &mut Decoder, node: &Node, trail: Trail<'_>) -> Option<usize> {
    let length = match &node.kind {
        Kind::Number { number, .. } => number.as_u64().and_then(|n| usize::try_from(n).ok()),
        _ => None,
    };
    if length.is_none() {
        let message = "expected the largest length: an integer from 0";
        decoder.problem(node, trail, message);
    }
    length
}

pub(super) fn read_url(decoder: &mut Decoder, node: &Node, trail: Trail<'_>) -> Option<UrlPattern> {
    const KEYS: [&str; 4] = ["scheme", "host", "port", "path"];
    let expected = "a mapping with `scheme`, `host`, `port` or `path`";
    let fields = decoder.fields(node, trail, expected, &KEYS);
    if !matches!(node.kind, Kind::Map(_)) {
        return None;
    }
    if fields.iter().next().is_none() {
        let message = "asks for nothing; write `host:` and a list of hosts, for example";
        decoder.problem(node, trail, message);
        return None;
    }
    let mut pattern = UrlPattern::default();
    for (key, node) in fields.iter() {
        let trail = Trail::Key(&trail, key);
        match key {
            "scheme" => pattern.scheme = Some(some(decoder, node, trail, "schemes", Scheme::new)?),
            "host" => pattern.host = Some(some(decoder, node, trail, "hosts", HostPattern::new)?),
            "port" => pattern.port = Some(read_ports(decoder, node, trail)?),
            _ => pattern.path = Some(some(decoder, node, trail, "path globs", UrlPath::new)?),
        }
    }
    Some(pattern)
}

fn read_ports(decoder: &mut Decoder, node: &Node, trail: Trail<'_>) -> Option<Vec<u16>> {
    refuse_empty(decoder, node, trail);
    let mut port = |node: &Node, trail: Trail<'_>| {
        let port = match &node.kind {
            Kind::Number { number, .. } => number.as_u64().and_then(|n| u16::try_from(n).ok()),
            _ => None,
        };
        if port.is_none() {
            decoder.problem(node, trail, "expected a port: an integer up to 65535");
        }
        port
    };
    match &node.kind {
        Kind::List(items) => Some(
            items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| port(item, Trail::Index(&trail, index)))
                .collect(),
        ),
        _ => Some(vec![port(node, trail)?]),
    }
}

/// A regular expression that has to match the whole text, in linear time.
pub(super) fn regex(pattern: &str) -> Result<Regex, PatternError> {
    let build = |text: &str| {
        RegexBuilder::new(text)
            .size_limit(LARGEST_REGEX)
            .build()
            .map_err(|error| PatternError::new(explain(&error)))
    };
    // By itself first: what is unbalanced could reach beyond the group that anchors it. The line
    // break ends a comment.
    build(pattern)?;
    build(&format!(r"\A(?:{pattern})\z")).or_else(|_| build(&format!("\\A(?:{pattern}\n)\\z")))
}

fn explain(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "is too large when compiled; shorten it or its repetitions".to_owned()
        }
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            let reason = last.strip_prefix("error: ").unwrap_or(last);
            format!("is not a regular expression: {reason}")
        }
    }
}

/// A value of the file on one line, shortened.
pub(super) fn shown(node: &Node) -> String {
    const LONGEST: usize = 100;
    let mut text = String::new();
    write_flow(node, &mut text, LONGEST);
    if text.chars().nth(LONGEST).is_some() {
        text = text.chars().take(LONGEST).collect();
        text.push('…');
    }
    text
}

fn write_flow(node: &Node, text: &mut String, longest: usize) {
    if text.len() > longest * 4 {
        return;
    }
    match &node.kind {
        Kind::Null => text.push_str("null"),
        Kind::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Kind::Number { text: number, .. } => text.push_str(number),
        Kind::String { text: string, .. } => {
            let cut: String = string.chars().take(longest).collect();
            text.push_str(&one_line(&cut));
        }
        Kind::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                write_flow(item, text, longest);
            }
            text.push(']');
        }
        Kind::Map(entries) => {
            text.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                write_flow(key, text, longest);
                text.push_str(": ");
                write_flow(value, text, longest);
            }
            text.push('}');
        }
    }
}

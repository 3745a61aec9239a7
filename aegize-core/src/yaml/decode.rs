//! Decoding nodes into values, collecting every problem on the way.
//!
//! A decoder never stops at the first mistake: what cannot be read is reported and left out,
//! and the caller looks at [`Decoder::problems`] before it uses the rest.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};

use super::{Kind, Node, Problem};

/// How many problems of one document are reported.
pub(super) const MOST: usize = 100;

/// Where a node stands in its document, as a path that is only written out for a problem.
#[derive(Clone, Copy)]
pub(crate) enum Trail<'a> {
    Root,
    Key(&'a Trail<'a>, &'a str),
    Index(&'a Trail<'a>, usize),
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Self::Root, key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// The entries of one mapping, each key once.
pub(crate) struct Fields<'n> {
    entries: Vec<(&'n str, &'n Node<'n>)>,
}

impl<'n> Fields<'n> {
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node<'n>> {
        self.entries
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, node)| *node)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The entries, in file order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'n str, &'n Node<'n>)> {
        self.entries.iter().copied()
    }
}

/// Collects the problems of one document.
#[derive(Default)]
pub(crate) struct Decoder {
    problems: Vec<Problem>,
}

impl Decoder {
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    pub(crate) fn problem(&mut self, node: &Node, trail: Trail<'_>, message: impl Into<String>) {
        // A person mends the first few and tries again; a hostile file gets no further.
        if self.problems.len() < MOST {
            self.problems
                .push(Problem::new(message, node.mark).at_path(&trail.to_string()));
        }
    }

    /// The entries of a mapping with free keys; `x-…` keys are the author's own.
    pub(crate) fn entries<'n>(
        &mut self,
        node: &'n Node<'n>,
        trail: Trail<'_>,
        expected: &str,
    ) -> Vec<(&'n str, &'n Node<'n>, &'n Node<'n>)> {
        let Kind::Map(pairs) = &node.kind else {
            let found = node.kind.describe();
            self.problem(node, trail, format!("expected {expected}, found {found}"));
            return Vec::new();
        };
        let mut seen = HashSet::with_capacity(pairs.len());
        let mut entries = Vec::with_capacity(pairs.len());
        for (key_node, value) in pairs {
            let Some(key) = self.name(key_node, trail, "a key") else {
                continue;
            };
            if !seen.insert(key) {
                self.duplicate(key_node, Trail::Key(&trail, key), key);
            } else if !key.starts_with("x-") {
                entries.push((key, key_node, value));
            }
        }
        entries
    }

    /// The entries of a mapping whose keys are known.
    pub(crate) fn fields<'n>(
        &mut self,
        node: &'n Node<'n>,
        trail: Trail<'_>,
        expected: &str,
        known: &[&str],
    ) -> Fields<'n> {
        let mut entries = self.entries(node, trail, expected);
        entries.retain(|(key, key_node, _)| {
            let is_known = known.contains(key);
            if !is_known {
                let message = format!("unknown key `{key}`; {}", remedy(key, known));
                self.problem(key_node, Trail::Key(&trail, key), message);
            }
            is_known
        });
        Fields {
            entries: entries
                .into_iter()
                .map(|(key, _, value)| (key, value))
                .collect(),
        }
    }

    /// A free value as JSON.
    pub(crate) fn value(&mut self, node: &Node, trail: Trail<'_>) -> Value {
        match &node.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number { number, .. } => Value::Number(number.clone()),
            Kind::String { text, .. } => Value::String(text.clone().into_owned()),
            Kind::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.value(item, Trail::Index(&trail, index)))
                .collect(),
            Kind::Map(pairs) => {
                let mut map = Map::new();
                for (key_node, value) in pairs {
                    let Some(key) = self.name(key_node, trail, "a key") else {
                        continue;
                    };
                    let trail = Trail::Key(&trail, key);
                    if map
                        .insert(key.to_owned(), self.value(value, trail))
                        .is_some()
                    {
                        self.duplicate(key_node, trail, key);
                    }
                }
                Value::Object(map)
            }
        }
    }

    fn duplicate(&mut self, key_node: &Node, trail: Trail<'_>, key: &str) {
        let message = format!("duplicate key `{key}`; merge it with the one above");
        self.problem(key_node, trail, message);
    }

    /// The items of a list.
    pub(crate) fn items<'n>(
        &mut self,
        node: &'n Node<'n>,
        trail: Trail<'_>,
        expected: &str,
    ) -> Option<&'n [Node<'n>]> {
        if let Kind::List(items) = &node.kind {
            return Some(items);
        }
        let found = node.kind.describe();
        let remedy = match &node.kind {
            Kind::String { text, .. } => format!("; write `[{text}]`"),
            _ => String::new(),
        };
        self.problem(
            node,
            trail,
            format!("expected {expected}, found {found}{remedy}"),
        );
        None
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, node: &Node, trail: Trail<'_>) -> Option<bool> {
        if let Kind::Bool(value) = node.kind {
            return Some(value);
        }
        let found = node.kind.describe();
        self.problem(
            node,
            trail,
            format!("expected `true` or `false`, found {found}"),
        );
        None
    }

    /// A string that is not blank and that every YAML reader takes for a string.
    pub(crate) fn name<'n>(
        &mut self,
        node: &'n Node<'n>,
        trail: Trail<'_>,
        expected: impl fmt::Display + Copy,
    ) -> Option<&'n str> {
        let text = self.text(node, trail, expected)?;
        if text.trim().is_empty() {
            let message = format!("expected {expected}, found a blank one; write it out");
            self.problem(node, trail, message);
            return None;
        }
        Some(text)
    }

    /// A string that every YAML reader takes for a string.
    pub(crate) fn text<'n>(
        &mut self,
        node: &'n Node<'n>,
        trail: Trail<'_>,
        expected: impl fmt::Display,
    ) -> Option<&'n str> {
        let message = match &node.kind {
            Kind::String { text, is_plain } if *is_plain && is_ambiguous(text) => format!(
                "`{text}` is a boolean or a number to other YAML readers; put it in quotes: \"{text}\""
            ),
            Kind::String { text, .. } => return Some(text),
            Kind::Bool(_) | Kind::Number { .. } => {
                let found = node.kind.describe();
                format!("expected {expected}, found {found}; put it in quotes")
            }
            Kind::Null => {
                format!("expected {expected}, found nothing; write one, or remove the key")
            }
            other => format!("expected {expected}, found {}", other.describe()),
        };
        self.problem(node, trail, message);
        None
    }
}

/// Whether older or looser YAML readers take a plain scalar for a boolean or a number.
pub(super) fn is_ambiguous(text: &str) -> bool {
    let is_boolean = ["y", "yes", "n", "no", "on", "off"]
        .iter()
        .any(|spelling| text.eq_ignore_ascii_case(spelling));
    let digits = text.trim_start_matches(['+', '-']);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '_' | ':' | '.' | ','))
        && !digits.contains("..")
        && digits.matches('.').count() < 2;
    let is_special = ["0x", "0o", "0b", ".inf", ".nan"].iter().any(|prefix| {
        let start = digits.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    });
    is_boolean || is_number || is_special
}

/// What to write instead of an unknown word.
pub(crate) fn remedy(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("use {}", known.join(", ")),
    }
}

/// The known word that a misspelt one is close to.
fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

//! A policy file in its canonical layout, with its comments.
//!
//! Text becomes a tree that keeps comments, its keys are put in order ([`place`]), and the tree is
//! written again ([`write`]). The invariant: the text that is given out loads to the same policy
//! as the text that was read, and has the same comments; it is read again to be sure.

mod place;
#[cfg(test)]
mod tests;
mod write;

use std::io::Read;
use std::path::Path;

use self::place::Place;
use super::load::Loader;
use crate::yaml::comments::{self, Block, Entry, Value};
use crate::yaml::{self, Kind, LoadError, LoadErrorKind, Node, Problem};

/// A policy file and its canonical layout: the same policy and the same comments, in the order
/// and shape that reviewers expect.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::FormattedPolicy;
///
/// let policy = FormattedPolicy::from_yaml_str(
///     "agents: {bot: {deny: [{operations: [rm], tool: 'shell'}]}} # no deleting",
/// )?;
/// assert_eq!(policy.formatted(), "\
/// agents:  # no deleting
///   bot:
///     deny:
///       - tool: shell
///         operations: [rm]
/// ");
/// # Ok::<(), aegize::LoadError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormattedPolicy {
    original: String,
    formatted: String,
}

impl FormattedPolicy {
    /// Reads a policy from a file of at most 32 MiB, which is not changed.
    ///
    /// # Errors
    ///
    /// As [`from_yaml_str`](Self::from_yaml_str), or if the file cannot be read or is not UTF-8.
    pub fn from_yaml_file(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let text = yaml::read_file(path)?;
        Self::new(text).map_err(|error| error.in_file(path))
    }

    /// Reads a policy of at most 32 MiB to the end of a reader.
    ///
    /// # Errors
    ///
    /// As [`from_yaml_file`](Self::from_yaml_file).
    pub fn from_yaml_reader(reader: impl Read) -> Result<Self, LoadError> {
        Self::new(yaml::read(reader)?)
    }

    /// Reads a policy from a text.
    ///
    /// # Errors
    ///
    /// If the text does not load, by itself, as a [`PermissionPolicy`](super::PermissionPolicy)
    /// or as the first file of a [layered](super::PermissionPolicy::layered) one; or if it has
    /// no canonical layout: a key of more than some 1000 characters, or, below a key that begins
    /// with `x-`, a list or mapping as a key.
    pub fn from_yaml_str(text: &str) -> Result<Self, LoadError> {
        Self::new(text.to_owned())
    }

    fn new(original: String) -> Result<Self, LoadError> {
        // One of several files need not name an agent.
        let is_layer = true;
        yaml::load(&original, |root, decoder| {
            Loader::default().add(root, None, is_layer, decoder);
        })?;
        let formatted = format(&original)?;
        Ok(Self {
            original,
            formatted,
        })
    }

    /// The text as it was read.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The text in the canonical layout.
    pub fn formatted(&self) -> &str {
        &self.formatted
    }
}

/// Input: a text that the YAML reader accepts. Output: its canonical layout.
fn format(text: &str) -> Result<String, LoadError> {
    let refuse = |problem| LoadError::invalid(LoadErrorKind::Syntax, text, vec![problem]);
    let mut root = comments::read(text).map_err(refuse)?;
    Place::Root.arrange(&mut root);
    let formatted = write::document(&root);
    if says_the_same(text, &formatted) {
        Ok(formatted)
    } else {
        let message = "has no canonical layout; shorten the longest keys";
        Err(refuse(Problem::new(message, None)))
    }
}

/// Whether two texts have the same values, apart from the order of keys, and the same comments.
fn says_the_same(a: &str, b: &str) -> bool {
    let values = yaml::load(a, |a, _| yaml::load(b, |b, _| is_same(a, b)));
    let comments = |text| {
        let mut found = Vec::new();
        collect(&comments::read(text)?, &mut found);
        found.sort_unstable();
        Ok::<_, Problem>(found)
    };
    matches!(values, Ok(Ok(true))) && matches!((comments(a), comments(b)), (Ok(a), Ok(b)) if a == b)
}

fn is_same(a: &Node<'_>, b: &Node<'_>) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Bool(a), Kind::Bool(b)) => a == b,
        (Kind::Number { text: a, .. }, Kind::Number { text: b, .. })
        | (Kind::String { text: a, .. }, Kind::String { text: b, .. }) => a == b,
        (Kind::List(a), Kind::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Kind::Map(a), Kind::Map(b)) => {
            let (a, b) = (sorted(a), sorted(b));
            let mut pairs = a.iter().zip(&b);
            a.len() == b.len() && pairs.all(|(a, b)| is_same(&a.0, &b.0) && is_same(&a.1, &b.1))
        }
        _ => false,
    }
}

/// The entries by their keys; equal keys, which only the author's own mappings may have, stay in
/// their order.
fn sorted<'p, 't>(pairs: &'p [(Node<'t>, Node<'t>)]) -> Vec<&'p (Node<'t>, Node<'t>)> {
    let mut pairs: Vec<_> = pairs.iter().collect();
    pairs.sort_by_key(|(key, _)| match &key.kind {
        Kind::String { text, .. } => text.to_string(),
        other => format!("{other:?}"),
    });
    pairs
}

fn collect(entry: &Entry, found: &mut Vec<String>) {
    let above = entry.above.iter().map(|comment| &comment.text);
    found.extend(above.chain(&entry.right).cloned());
    if let Value::List(Block { entries, tail, .. }) | Value::Map(Block { entries, tail, .. }) =
        &entry.value
    {
        for entry in entries {
            collect(entry, found);
        }
        found.extend(tail.iter().map(|comment| comment.text.clone()));
    }
}

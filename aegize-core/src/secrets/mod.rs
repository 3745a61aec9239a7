//! What must be neither recorded nor shown, found by name and by shape, and replaced.
//!
//! A [`Redactor`] knows names, under which a value is replaced whole ([`names`]), shapes of
//! credentials ([`rules`]), and values that a text gives a name itself ([`assigned`]). It is asked
//! about every value on its way into a record or a refusal, and never by a decision. The invariant:
//! what is cut is redacted first, so that no part of a secret stays because its rest was cut off.

mod assigned;
#[cfg(test)]
mod canaries;
mod names;
mod rules;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use regex::Regex;
use serde_json::{Map, Value};
use smallvec::SmallVec;

use crate::text::one_line;

/// What stands in place of a redacted value wherever people or models read.
pub(crate) const REDACTED: &str = "[redacted]";

/// For what is told outside of every context.
pub(crate) static BUILT_IN: Redactor = Redactor::new();

/// How many bytes of a text that is cut are looked at and not shown: a secret that begins before
/// them shows enough of itself to be known, also if it goes on behind the cut.
const MARGIN: usize = 512;

/// How often a text is looked at again in which something was replaced.
const MOST_PASSES: usize = 8;

/// Keeps secrets out of records and refusals.
///
/// By default it knows the names under which secrets are passed (`password`, `api_key`, `userToken`,
/// `X-Auth-Token`, …; `token_count` and `secretary` are none of them), and the shapes of widespread
/// credentials: the keys of cloud providers and services, JSON web tokens, private keys,
/// `Authorization` values, passwords in URLs. An operator adds more.
///
/// ```
/// # extern crate aegize_core as aegize;
/// let redactor = aegize::Redactor::new()
///     .name("employee_id")
///     .pattern("badge", "badge (B-[0-9]{6})")?;
/// assert_eq!(
///     redactor.redact("--employee-id 7 --password 'open sesame' for badge B-123456"),
///     "--employee-id [redacted] --password '[redacted]' for badge [redacted]",
/// );
/// # Ok::<(), aegize::InvalidPattern>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    names: Vec<String>,
    patterns: Vec<(String, Regex)>,
}

/// A pattern that is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is no regular expression: {problem}")]
pub struct InvalidPattern {
    pattern: String,
    problem: String,
}

impl Redactor {
    /// A redactor that knows the built-in names and shapes.
    pub const fn new() -> Self {
        Self {
            names: Vec::new(),
            patterns: Vec::new(),
        }
    }

    /// The same redactor with one more name for values that are replaced whole. However it is
    /// written where it occurs, `employee_id` is also `employeeId` and `X-Employee-ID`.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        let folded: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
        if !folded.is_empty() {
            self.names.push(folded.to_lowercase());
        }
        self
    }

    /// The same redactor with one more shape of values: a regular expression. What its first group
    /// matches is replaced, or all that it matches if it has none. Records name the rule.
    ///
    /// # Errors
    ///
    /// If it is no regular expression.
    pub fn pattern(
        mut self,
        rule: impl Into<String>,
        pattern: &str,
    ) -> Result<Self, InvalidPattern> {
        let regex = Regex::new(pattern).map_err(|error| InvalidPattern {
            pattern: pattern.to_owned(),
            problem: error.to_string(),
        })?;
        self.patterns.push((rule.into(), regex));
        Ok(self)
    }

    /// The text with `[redacted]` in place of each secret in it.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.text(text, &mut Redactions::default())
    }

    /// Whether a value of that name is replaced, whatever it is.
    pub(crate) fn is_name(&self, name: &str) -> bool {
        names::is_sensitive(name, &self.names)
    }

    /// A whole text, redacted.
    pub(crate) fn text<'t>(&self, text: &'t str, found: &mut Redactions) -> Cow<'t, str> {
        self.excerpt(text, usize::MAX, found)
    }

    /// A text of which at most the first `window` bytes are looked at, redacted. If there is more,
    /// it ends with an ellipsis some way before.
    pub(crate) fn excerpt<'t>(
        &self,
        text: &'t str,
        window: usize,
        found: &mut Redactions,
    ) -> Cow<'t, str> {
        let window = floor(text, window);
        let is_cut = window.len() < text.len();
        let shown = if is_cut {
            floor(window, window.len().saturating_sub(MARGIN)).len()
        } else {
            window.len()
        };
        let Some(mut redacted) = self.replaced(window, shown, found) else {
            let text = window.get(..shown).unwrap_or_default();
            return if is_cut {
                Cow::Owned(format!("{text}…"))
            } else {
                Cow::Borrowed(text)
            };
        };
        // What stood beside a secret may be seen for what it is now that the secret is gone.
        for _ in 0..MOST_PASSES {
            match self.replaced(&redacted, redacted.len(), found) {
                Some(again) if again != redacted => redacted = again,
                _ => break,
            }
        }
        if is_cut {
            redacted.push('…');
        }
        Cow::Owned(redacted)
    }

    /// The first `shown` bytes of a text, with the secrets in it replaced; `None` if there are
    /// none.
    fn replaced(&self, text: &str, shown: usize, found: &mut Redactions) -> Option<String> {
        let spans = self.spans(text);
        let mut replaced = String::new();
        let mut done = 0;
        for span in spans.iter().filter(|span| span.range.start < shown) {
            found.add(&self.label(span.name));
            if span.range.start >= done {
                replaced.push_str(text.get(done..span.range.start).unwrap_or_default());
                replaced.push_str(REDACTED);
            }
            done = done.max(span.range.end);
        }
        replaced.push_str(text.get(done..shown).unwrap_or_default());
        (done > 0).then_some(replaced)
    }

    /// A JSON value, redacted whole; `None` if there is nothing to replace.
    fn json(&self, value: &Value, found: &mut Redactions) -> Option<Value> {
        match value {
            Value::String(text) => match self.text(text, found) {
                Cow::Borrowed(_) => None,
                Cow::Owned(text) => Some(Value::String(text)),
            },
            Value::Array(values) => {
                let redacted: Vec<_> = values.iter().map(|value| self.json(value, found)).collect();
                redacted.iter().any(Option::is_some).then(|| {
                    let kept = redacted.into_iter().zip(values);
                    kept.map(|(new, old)| new.unwrap_or_else(|| old.clone()))
                        .collect()
                })
            }
            Value::Object(map) => self.map(map, found).map(Value::Object),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    /// A JSON object, redacted whole; `None` if there is nothing to replace.
    pub(crate) fn map(
        &self,
        map: &Map<String, Value>,
        found: &mut Redactions,
    ) -> Option<Map<String, Value>> {
        let mut is_changed = false;
        let entries: Vec<_> = map
            .iter()
            .map(|(key, value)| {
                let new_key = self.text(key, found);
                let new = if is_secret(value) && self.is_name(key) {
                    found.add(&self.label(key));
                    Some(Value::from(REDACTED))
                } else {
                    self.json(value, found)
                };
                is_changed |= new.is_some() || matches!(new_key, Cow::Owned(_));
                (new_key, new, value)
            })
            .collect();
        is_changed.then(|| {
            let entries = entries.into_iter();
            entries
                .map(|(key, new, old)| (key.into_owned(), new.unwrap_or_else(|| old.clone())))
                .collect()
        })
    }

    /// A name as the report of a record may have it.
    pub(crate) fn label(&self, name: &str) -> String {
        const LONGEST: usize = 64;
        let is_secret = rules::find(name).next().is_some()
            || self.patterns.iter().any(|(_, regex)| regex.is_match(name));
        if is_secret {
            return REDACTED.to_owned();
        }
        one_line(floor(name, LONGEST))
    }

    /// Where secrets stand in a text, by their beginnings.
    fn spans<'n>(&'n self, text: &'n str) -> SmallVec<[Span<'n>; 4]> {
        let mut spans: SmallVec<[Span<'n>; 4]> = rules::find(text).collect();
        for (name, regex) in &self.patterns {
            for captures in regex.captures_iter(text) {
                if let Some(secret) = captures.get(1).or(captures.get(0)) {
                    spans.push(Span {
                        range: secret.range(),
                        name,
                    });
                }
            }
        }
        spans.extend(assigned::find(text, |name| self.is_name(name)));
        spans.retain(|span| !span.range.is_empty());
        spans.sort_by_key(|span| (span.range.start, span.range.end));
        spans
    }
}

/// A secret in a text, and the rule or the name that it was found by.
struct Span<'n> {
    range: Range<usize>,
    name: &'n str,
}

/// Whether a value can be a secret at all.
fn is_secret(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(_))
}

/// What begins a text, at most so many bytes.
fn floor(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The names of what was redacted, each once, in the order found: of an argument or a key, or of
/// the rule that knew the value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redactions(Vec<String>);

impl Redactions {
    /// The most names that are told: a model may make them up.
    const MOST: usize = 32;

    pub(crate) fn add(&mut self, name: &str) {
        if self.0.len() < Self::MOST && !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }

    /// Adds those of something else.
    pub(crate) fn extend(&mut self, other: &Self) {
        other.iter().for_each(|name| self.add(name));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

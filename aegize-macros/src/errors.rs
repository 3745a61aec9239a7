//! Collects the mistakes of one attribute, and finds the word that was meant.
//!
//! Invariant: recording a mistake never stops the reading of what follows it, so that one compile
//! shows them all.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Errors {
    found: Option<syn::Error>,
}

impl Errors {
    /// Records a mistake at `span`.
    pub(crate) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(syn::Error::new(span, message));
    }

    /// Records a mistake on all of `tokens`.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.found {
            Some(found) => found.combine(error),
            found @ None => *found = Some(error),
        }
    }

    // Input:  the mistakes, and the `#[cfg(…)]`s under which they are some
    // Output: `#[cfg(…)] ::core::compile_error!{"…"}` per mistake, or nothing if there were none
    pub(crate) fn into_compile_errors(self, conditions: &TokenStream) -> Option<TokenStream> {
        let found = self.found?.into_iter();
        Some(
            found
                .flat_map(|mistake| [conditions.clone(), mistake.into_compile_error()])
                .collect(),
        )
    }

    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        let found = self.found.into_iter().flatten();
        found.map(|error| error.to_string()).collect()
    }
}

/// The one of `known` that `word` was most likely meant to be.
///
/// A word that is a part of a known one (`tool` of `tool_name`), or that contains it, or that is at
/// most a third of its letters away from it.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    if word.is_empty() {
        return None;
    }
    known
        .iter()
        .filter_map(|candidate| {
            let letters = word.len().max(candidate.len());
            let distance = edit_distance(&word, candidate);
            let part = candidate.contains(&word) || word.contains(candidate);
            (part || distance * 3 <= letters).then_some((distance, *candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The number of characters to insert, delete, replace or swap with their neighbour: the optimal
/// string alignment distance.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (index, from) in left.chars().enumerate() {
        let mut next = vec![index + 1];
        for (column, to) in right.iter().enumerate() {
            let replaced = at(&row, column) + usize::from(from != *to);
            let deleted = at(&row, column + 1) + 1;
            let inserted = at(&next, column) + 1;
            let neighbour = column.checked_sub(1).and_then(|column| right.get(column));
            let swapped = if previous == Some(*to) && neighbour == Some(&from) {
                at(&before, column - 1) + 1
            } else {
                replaced
            };
            next.push(replaced.min(deleted).min(inserted).min(swapped));
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(from);
    }
    at(&row, right.len())
}

/// The message for a `word` that is none of `known`: "unknown key `tool`; did you mean
/// `tool_name`?"
pub(crate) fn unknown(kind: &str, word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(meant) => format!("unknown {kind} `{word}`; did you mean `{meant}`?"),
        None => format!(
            "unknown {kind} `{word}`; the {kind}s are {}",
            listed(known, "and")
        ),
    }
}

/// `words` as a list for a sentence: "`a`, `b` and `c`".
pub(crate) fn listed(words: &[&str], conjunction: &str) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            format!("{} {conjunction} `{last}`", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{edit_distance, listed, nearest};

    #[test]
    fn nearest_finds_parts_and_slips() {
        let keys = ["tool_name", "operation", "risk_level", "metadata", "result"];
        for (word, meant) in [
            ("tool", Some("tool_name")),
            ("name", Some("tool_name")),
            ("toolname", Some("tool_name")),
            ("op", Some("operation")),
            ("risk", Some("risk_level")),
            ("RiskLevel", Some("risk_level")),
            ("meta", Some("metadata")),
            ("results", Some("result")),
            ("opreation", Some("operation")),
            ("timeout", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &keys), meant, "{word}");
        }
    }

    #[test]
    fn neighbours_are_swapped_at_once() {
        assert_eq!(nearest("hihg", &["low", "high"]), Some("high"));
        assert_eq!(edit_distance("redcat", "redact"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", ""), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(listed(&["a"], "or"), "`a`");
        assert_eq!(listed(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}

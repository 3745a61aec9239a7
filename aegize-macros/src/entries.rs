//! Reads comma-separated `key`, `key = value` and `key(…)` lists.
//!
//! Invariant: a broken entry is reported and left out; the entries after it are still read.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;

use crate::errors::Errors;

/// One entry of a list.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

impl Entry {
    /// The key's text, without `r#`.
    pub(crate) fn name(&self) -> String {
        self.key.unraw().to_string()
    }
}

/// What follows an entry's key.
pub(crate) enum Value {
    /// Nothing: `key`.
    None,
    /// `key = tokens`; the span is that of `=`.
    Assigned(Span, TokenStream),
    /// `key(…)`.
    List(Group),
    /// Anything else.
    Other,
}

// Input:  tool_name = "email", metadata(team = "ops"), 7
// Output: [Entry(tool_name), Entry(metadata)] and a mistake on `7`
pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(first) = tokens.next() {
        let key = match first {
            TokenTree::Ident(key) => Some(key),
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                syn::parse2::<Ident>(group.stream()).map_err(|_| errors.on(group, EXPECTED)).ok()
            }
            other => {
                errors.at(other.span(), EXPECTED);
                if is_comma(&other) {
                    continue;
                }
                None
            }
        };
        let mut rest = Vec::new();
        while let Some(token) = tokens.next_if(|token| !is_comma(token)) {
            rest.push(token);
        }
        tokens.next();
        if let Some(key) = key {
            entries.push(Entry { key, value: value(rest) });
        }
    }
    entries
}

const EXPECTED: &str = "expected a name";

fn value(mut rest: Vec<TokenTree>) -> Value {
    match rest.as_slice() {
        [] => Value::None,
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => Value::List(group.clone()),
        [TokenTree::Punct(punct), ..] if punct.as_char() == '=' => {
            let span = punct.span();
            Value::Assigned(span, rest.drain(1..).collect())
        }
        _ => Value::Other,
    }
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

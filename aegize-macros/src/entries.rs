//! Reads comma-separated `key`, `key = value` and `key(…)` lists.
//!
//! Invariant: a broken entry is reported and left out; the entries after it are still read.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::LitStr;
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

    /// The string literal of `key = "…"`.
    pub(crate) fn text(self, errors: &mut Errors) -> Option<LitStr> {
        let key = self.name();
        let value = match self.value {
            Value::Assigned(_, tokens) if !tokens.is_empty() => tokens,
            Value::Assigned(equals, _) => {
                errors.at(equals, format_args!("missing value; write `{key} = \"…\"`"));
                return None;
            }
            Value::None | Value::List(_) | Value::Other => {
                errors.on(
                    self.key,
                    format_args!("`{key}` takes a value; write `{key} = \"…\"`"),
                );
                return None;
            }
        };
        match syn::parse2::<LitStr>(value.clone()) {
            Ok(literal) if literal.suffix().is_empty() => Some(literal),
            _ => {
                errors.on(
                    value,
                    format_args!(
                        "the value of `{key}` must be a string literal; write `{key} = \"…\"`"
                    ),
                );
                None
            }
        }
    }

    /// The string literal of `key = "…"`, a name that a policy can match.
    pub(crate) fn policy_name(self, errors: &mut Errors) -> Option<LitStr> {
        let key = self.name();
        let literal = self.text(errors)?;
        let value = literal.value();
        let problem = if value.trim().is_empty() {
            "is empty; give it the name that policies use"
        } else if value.trim() != value {
            "begins or ends with white space, which no policy would match; remove it"
        } else if value.chars().any(char::is_control) {
            "contains a control character; remove it"
        } else {
            return Some(literal);
        };
        errors.on(literal, format_args!("`{key}` {problem}"));
        None
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

/// A list as far as it could be read.
#[derive(Default)]
pub(crate) struct Entries {
    pub(crate) read: Vec<Entry>,
    /// Something was not an entry, so what seems to be missing may be there.
    pub(crate) broken: bool,
}

// Input:  tool_name = "email", metadata(team = "ops"), 7
// Output: [Entry(tool_name), Entry(metadata)], and on `7` the mistake that `expected` was expected
pub(crate) fn read(tokens: TokenStream, expected: &str, errors: &mut Errors) -> Entries {
    let mut entries = Entries::default();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(first) = tokens.next() {
        let span = first.span();
        let is_separator = is_comma(&first);
        let key = match first {
            TokenTree::Ident(key) => Some(key),
            // A key that a `macro_rules!` macro passed on.
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                syn::parse2(group.stream()).ok()
            }
            _ => None,
        };
        let mut rest = Vec::new();
        if !is_separator {
            while let Some(token) = tokens.next_if(|token| !is_comma(token)) {
                rest.push(token);
            }
            tokens.next();
        }
        if let Some(key) = key {
            let value = value(rest);
            entries.read.push(Entry { key, value });
        } else {
            errors.at(span, format_args!("expected {expected}"));
            entries.broken = true;
        }
    }
    entries
}

fn value(mut rest: Vec<TokenTree>) -> Value {
    match rest.as_slice() {
        [] => Value::None,
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
            Value::List(group.clone())
        }
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

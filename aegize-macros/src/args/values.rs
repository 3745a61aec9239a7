//! The values that keys take.
//!
//! Invariant: a value that is returned is one that a policy can use; one that is not was reported.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, ExprPath, Ident, LitStr, Path, Token};

use super::{Extra, ResultCapture, RiskLevel};
use crate::entries::{self, Entry, Value};
use crate::errors::{Errors, unknown};

const RISK_LEVELS: [&str; 4] = ["low", "medium", "high", "critical"];

pub(super) fn risk_level(entry: Entry, errors: &mut Errors) -> Option<RiskLevel> {
    let literal = entry.text(errors)?;
    let value = literal.value();
    let level = match value.as_str() {
        "low" => RiskLevel::Low,
        "medium" => RiskLevel::Medium,
        "high" => RiskLevel::High,
        "critical" => RiskLevel::Critical,
        _ => {
            errors.on(literal, unknown("risk level", &value, &RISK_LEVELS));
            return None;
        }
    };
    Some(level)
}

pub(super) fn result(entry: Entry, errors: &mut Errors) -> Option<ResultCapture> {
    let literal = entry.text(errors)?;
    let value = literal.value();
    if value == "skip" {
        return Some(ResultCapture::Skip);
    }
    errors.on(
        literal,
        format_args!(
            "unknown value `{value}` for `result`; the only one is `skip`, and \
            without the key results are recorded"
        ),
    );
    None
}

// Input:  metadata(team = "ops", ticket = "OPS-12")
// Output: [("team", "ops"), ("ticket", "OPS-12")]
pub(super) fn metadata(entry: Entry, errors: &mut Errors) -> Vec<(String, LitStr)> {
    let Value::List(list) = entry.value else {
        errors.on(
            entry.key,
            "`metadata` takes a list; write `metadata(key = \"value\")`",
        );
        return Vec::new();
    };
    let mut metadata: Vec<(String, LitStr)> = Vec::new();
    for entry in entries::read(
        list.stream(),
        "a key with a value, such as `team = \"ops\"`",
        errors,
    )
    .read
    {
        let key = entry.name();
        let span = entry.key.span();
        let value = entry.text(errors);
        if key == "environment" {
            errors.at(
                span,
                "`environment` is the agent's, and already in every record; choose another key",
            );
        } else if metadata.iter().any(|(given, _)| *given == key) {
            errors.at(
                span,
                format_args!("duplicate metadata key `{key}`; give it once"),
            );
        } else if let Some(value) = value {
            metadata.push((key, value));
        }
    }
    metadata
}

/// `crate = ::path`: where the `aegize` crate is.
pub(super) fn crate_path(entry: Entry, errors: &mut Errors) -> Option<Path> {
    let remedy = "write the path of the crate as it is known here, such as `crate = ::my_aegize`";
    path(entry, remedy, Path::parse_mod_style, errors)
}

/// `refuse_with = path`: the function that makes a return value of a refusal.
pub(super) fn refuse_with(entry: Entry, errors: &mut Errors) -> Option<ExprPath> {
    let remedy =
        "write the path of a function that takes a `GuardError`, such as `refuse_with = refused`";
    path(entry, remedy, ExprPath::parse, errors)
}

fn path<T>(
    entry: Entry,
    remedy: &str,
    parse: impl Parser<Output = T>,
    errors: &mut Errors,
) -> Option<T> {
    let key = entry.name();
    let parsed = match entry.value {
        Value::Assigned(_, tokens) if !tokens.is_empty() => {
            parse.parse2(tokens.clone()).map_err(|_| tokens)
        }
        Value::Assigned(equals, _) => {
            errors.at(equals, format_args!("missing value; {remedy}"));
            return None;
        }
        _ => {
            errors.on(entry.key, format_args!("`{key}` takes a path; {remedy}"));
            return None;
        }
    };
    parsed
        .map_err(|tokens| {
            errors.on(
                tokens,
                format_args!("the value of `{key}` must be a path; {remedy}"),
            );
        })
        .ok()
}

// Input:  args(path = &self.root, size = data.len())
// Output: [path: &self.root, size: data.len()]
pub(super) fn extras(entry: Entry, errors: &mut Errors) -> Vec<Extra> {
    let remedy = "write `args(name = expression)`";
    let list = match entry.value {
        Value::List(list) if !list.stream().is_empty() => list,
        _ => {
            errors.on(entry.key, format_args!("`args` takes a list; {remedy}"));
            return Vec::new();
        }
    };
    let mut extras: Vec<Extra> = Vec::new();
    for (key, value) in assignments(list.stream(), remedy, errors) {
        let name = key.unraw().to_string();
        if let Some(span) = leaves(value.to_token_stream()) {
            errors.at(
                span,
                "an argument can neither wait nor return: it is looked at before the decision; \
                 leave it out, or look at something that is there already",
            );
        } else if extras.iter().any(|given| given.name == name) {
            errors.on(
                key,
                format_args!("duplicate argument `{name}`; give it once"),
            );
        } else {
            extras.push(Extra {
                name,
                span: key.span(),
                value,
            });
        }
    }
    extras
}

// Input:  path = &self.root, 7, size = data.len()
// Output: [(path, &self.root), (size, data.len())], and a mistake on `7`
//
// Not `entries::read`, for which every comma ends an entry: that of `a::<B, C>()`, too.
fn assignments(tokens: TokenStream, remedy: &str, errors: &mut Errors) -> Vec<(Ident, Expr)> {
    let mut read = Vec::new();
    let all = |input: ParseStream<'_>| {
        while !input.is_empty() {
            match assignment(input) {
                Ok(assignment) => read.push(assignment),
                Err(error) => {
                    errors.at(error.span(), format_args!("expected an argument; {remedy}"));
                    while !input.is_empty() && !input.peek(Token![,]) {
                        input.parse::<TokenTree>()?;
                    }
                }
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    if let Err(error) = all.parse2(tokens) {
        errors.push(error);
    }
    read
}

/// Where an expression says `.await`, `?` or `return`.
fn leaves(tokens: TokenStream) -> Option<Span> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Group(group) => leaves(group.stream()),
        TokenTree::Ident(word) if word == "await" || word == "return" => Some(word.span()),
        TokenTree::Punct(mark) if mark.as_char() == '?' => Some(mark.span()),
        _ => None,
    })
}

fn assignment(input: ParseStream<'_>) -> syn::Result<(Ident, Expr)> {
    let name = input.call(Ident::parse_any)?;
    input.parse::<Token![=]>()?;
    let value: Expr = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Ok((name, value));
    }
    Err(input.error("expected `,`"))
}

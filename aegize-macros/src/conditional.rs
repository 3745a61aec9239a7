//! Parameters whose `#[guard(…)]` depends on a condition.
//!
//! The compiler resolves `#[cfg_attr(p, guard(…))]` on a parameter after this macro, for which
//! `p` is unknown. So there are two functions, and `#[cfg]` leaves one of them.
//!
//! Invariant: each of the two is what the compiler would have made of the function under its
//! condition.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Meta, Token};

/// A function under a condition.
pub(crate) struct Case {
    /// `#[cfg(…)]`
    pub(crate) condition: TokenStream,
    pub(crate) item: TokenStream,
}

// All attributes under one condition go at once, so that many of them are still two functions.
//
// Input:  fn send(to: &str, #[cfg_attr(p, guard(redact))] body: &str) { … }
// Output: #[cfg(p)]      fn send(to: &str, #[guard(redact)] body: &str) { … }
//         #[cfg(not(p))] fn send(to: &str, body: &str) { … }
//     or: nothing, if no such attribute is there
pub(crate) fn split(item: &TokenStream) -> Option<[Case; 2]> {
    let found = |token: TokenTree| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
            group.stream().into_iter().find_map(Conditional::read)
        }
        _ => None,
    };
    let condition = item.clone().into_iter().find_map(found)?.condition;
    let when = |holds| {
        let tokens = item.clone().into_iter();
        tokens
            .map(|token| resolved(token, &condition, holds))
            .collect()
    };
    Some([
        Case {
            condition: quote!(#[cfg(#condition)]),
            item: when(true),
        },
        Case {
            condition: quote!(#[cfg(not(#condition))]),
            item: when(false),
        },
    ])
}

// Input:  (to: &str, #[cfg_attr(p, guard(redact))] body: &str), p, true
// Output: (to: &str, #[guard(redact)] body: &str)
fn resolved(token: TokenTree, condition: &Meta, holds: bool) -> TokenTree {
    let TokenTree::Group(group) = &token else {
        return token;
    };
    if group.delimiter() != Delimiter::Parenthesis {
        return token;
    }
    let mut resolved = TokenStream::new();
    let mut tokens = group.stream().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = tokens.peek().cloned().and_then(Conditional::read);
        match found.filter(|found| found.says(condition)) {
            // `token` is the `#` before the brackets.
            Some(found) => {
                tokens.next();
                for attribute in found.attributes.into_iter().filter(|_| holds) {
                    resolved.extend(quote_spanned!(attribute.span()=> #[#attribute]));
                }
            }
            None => resolved.extend([token]),
        }
    }
    let mut parameters = Group::new(Delimiter::Parenthesis, resolved);
    parameters.set_span(group.span());
    parameters.into()
}

/// `[cfg_attr(condition, attributes)]`, one of which is `guard(…)`.
struct Conditional {
    condition: Meta,
    attributes: Vec<Meta>,
}

impl Conditional {
    fn read(token: TokenTree) -> Option<Self> {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                let found = conditional(&syn::parse2(group.stream()).ok()?)?;
                found.attributes.iter().any(is_about_guard).then_some(found)
            }
            _ => None,
        }
    }

    fn says(&self, condition: &Meta) -> bool {
        let [this, other] = [&self.condition, condition].map(ToTokens::to_token_stream);
        this.to_string() == other.to_string()
    }
}

// Input:  cfg_attr(p, guard(redact), allow(unused))
// Output: p, [guard(redact), allow(unused)]
fn conditional(meta: &Meta) -> Option<Conditional> {
    let Meta::List(list) = meta else {
        return None;
    };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let parse = Punctuated::<Meta, Token![,]>::parse_terminated;
    let mut metas = parse.parse2(list.tokens.clone()).ok()?.into_iter();
    Some(Conditional {
        condition: metas.next()?,
        attributes: metas.collect(),
    })
}

fn is_about_guard(meta: &Meta) -> bool {
    let under_a_condition =
        || conditional(meta).is_some_and(|found| found.attributes.iter().any(is_about_guard));
    meta.path().is_ident("guard") || under_a_condition()
}

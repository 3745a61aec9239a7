//! Which attributes of a function leave it as it is.
//!
//! Invariant: an attribute that is not known to be inert is taken for a macro that still has to see
//! the `async fn`.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

const INERT: &[&str] = &[
    "allow",
    "cfg",
    "cold",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "inline",
    "link_section",
    "must_use",
    "no_mangle",
    "target_feature",
    "unsafe",
    "warn",
];
const INERT_TOOLS: &[&str] = &["clippy", "diagnostic", "rustdoc", "rustfmt"];

/// Whether `async fn` may be written as the function that returns its future.
pub(super) fn allows_desugaring(attributes: &[Attribute]) -> bool {
    attributes.iter().all(|attribute| is_inert(&attribute.meta))
}

fn is_inert(meta: &Meta) -> bool {
    let Some(first) = meta.path().segments.first() else {
        return false;
    };
    let name = first.ident.to_string();
    if meta.path().segments.len() > 1 {
        return INERT_TOOLS.contains(&name.as_str());
    }
    match meta {
        Meta::List(list) if name == "cfg_attr" => adds_only_inert(list.tokens.clone()),
        _ => INERT.contains(&name.as_str()),
    }
}

// Input:  feature = "slow", cold, doc = "…"       (the inside of `cfg_attr(…)`)
// Output: true
fn adds_only_inert(tokens: TokenStream) -> bool {
    Punctuated::<Meta, Token![,]>::parse_terminated
        .parse2(tokens)
        .is_ok_and(|metas| metas.iter().skip(1).all(is_inert))
}

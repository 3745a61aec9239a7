//! The attribute.
use proc_macro2::TokenStream;

use crate::errors::Errors;

mod args;
mod entries;
mod errors;
mod expand;
mod fallback;
mod signature;

/// Guards a tool.
#[proc_macro_attribute]
pub fn guarded_tool(
    attribute: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    guarded(attribute.into(), item.into()).into()
}

fn guarded(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = args::parse(attribute, &mut errors);
    let callable = signature::parse(item.clone(), &mut errors);
    match (options, callable, errors.into_compile_errors()) {
        (Some(options), Some(callable), None) => expand::expand(&options, &callable),
        (_, _, mistakes) => fallback::fallback(item, mistakes.unwrap_or_default()),
    }
}

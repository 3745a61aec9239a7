//! A function's tokens → the description that `expand` works from.
//!
//! Invariant: what is described can be guarded. Everything else is a mistake, reported on the token
//! that makes it so, with the reason and the way out. The body is never parsed: it is carried as
//! the tokens that the user wrote.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Abi, Attribute, ReturnType, Signature, Token, Type, Visibility, braced, parse_quote};

use crate::errors::Errors;
use attributes::allows_desugaring;
pub(crate) use output::{Kind, Output, inferred};
pub(crate) use parameters::Parameter;
pub(crate) use pattern::Shape;

mod attributes;
mod output;
mod parameters;
mod pattern;
#[cfg(test)]
mod tests;

/// A function that can be guarded.
pub(crate) struct Callable {
    /// The function as written, without `#[guard(…)]`.
    pub(crate) function: Function,
    /// Its parameters but for the receiver.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: Output,
    /// Whether no other macro is left to see the function.
    pub(crate) is_last: bool,
}

/// A function as written.
pub(crate) struct Function {
    /// The outer attributes, then those written `#![…]` in the body.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) signature: Signature,
    pub(crate) body: Body,
}

/// What is between a function's braces, and where they are.
pub(crate) struct Body {
    tokens: TokenStream,
    braces: Span,
}

impl Body {
    // Output: { code }, with the braces that the user wrote
    //
    // With braces of the macro's, the compiler would take the function for generated, and not warn
    // that it is unused.
    pub(crate) fn replaced_by(&self, code: TokenStream) -> Group {
        block(code, self.braces)
    }
}

// Output: { body }, in braces of the macro's at the place of the user's
//
// Inside a block of ours, braces of the user's would be reported as unnecessary.
impl ToTokens for Body {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        block(
            self.tokens.clone(),
            Span::mixed_site().located_at(self.braces),
        )
        .to_tokens(tokens);
    }
}

fn block(tokens: TokenStream, braces: Span) -> Group {
    let mut block = Group::new(Delimiter::Brace, tokens);
    block.set_span(braces);
    block
}

// Input:  pub fn send(to: &str, #[guard(redact)] secret: String) -> Result<(), Error> { … }
// Output: Callable, or `None` and at least one mistake
//
// With `any_output`, refusals are mapped to what the function returns, even if that is nothing.
pub(crate) fn parse(
    tokens: TokenStream,
    any_output: bool,
    errors: &mut Errors,
) -> Option<Callable> {
    let mut function = match syn::parse2::<Parsed>(tokens) {
        Ok(Parsed::Function(function)) => *function,
        Ok(Parsed::Bodiless(signature)) => {
            errors.on(
                signature,
                "this function has no body to guard; put `#[guarded_tool]` on the \
                    method of the impl",
            );
            return None;
        }
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    refuse_qualifiers(&function, errors);
    let parameters = parameters::read(&mut function.signature, errors);
    let ty = match &function.signature.output {
        ReturnType::Type(_, ty) => ty.as_ref().clone(),
        ReturnType::Default if any_output => parse_quote!(()),
        ReturnType::Default => {
            errors.on(
                &function.signature,
                "a guarded tool must return `Result<T, E>` with `E: From<GuardError>`, so that a \
                 refusal can be returned; or say what to do instead with `refuse_with = path`, a \
                 `fn(GuardError)`",
            );
            return None;
        }
    };
    let is_last = allows_desugaring(&function.attributes);
    let desugar = is_last && parameters.iter().all(Parameter::moves_whole);
    let output = Output::of(ty, function.signature.asyncness.is_some(), desugar);
    Some(Callable {
        function,
        parameters,
        output,
        is_last,
    })
}

fn refuse_qualifiers(function: &Function, errors: &mut Errors) {
    let signature = &function.signature;
    if let Some(constness) = &signature.constness {
        errors.on(
            constness,
            "a `const fn` cannot be guarded: whether it may run is decided when \
                it is called; remove `const`",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.on(
            abi,
            "an `extern` function cannot be guarded: its foreign caller cannot \
                receive a refusal; guard the Rust function that it calls",
        );
    }
    if let Some(variadic) = &signature.variadic {
        errors.on(
            variadic.dots,
            "a variadic function cannot be guarded: its arguments have no names \
                to be recorded under",
        );
    }
    for attribute in &function.attributes {
        if attribute.path().is_ident("track_caller") {
            errors.on(
                attribute.path(),
                "a guarded tool cannot be `#[track_caller]`: the guard would be \
                    the caller that it sees; remove it",
            );
        }
        let last = attribute.path().segments.last();
        if last.is_some_and(|last| last.ident == "guarded_tool") {
            errors.on(
                attribute.path(),
                "this function is guarded already; keep one `#[guarded_tool]`",
            );
        }
    }
}

enum Parsed {
    Function(Box<Function>),
    Bodiless(Box<Signature>),
}

impl Parse for Parsed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let defaultness = input.parse()?;
        if !starts_function(&input.fork()) {
            return Err(input.error(
                "`#[guarded_tool]` goes on a function with a body: a free \
                    function, or a method of an impl or a trait",
            ));
        }
        let signature = input.parse()?;
        if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            return Ok(Self::Bodiless(Box::new(signature)));
        }
        let content;
        let braces = braced!(content in input);
        attributes.extend(
            content
                .call(Attribute::parse_inner)?
                .into_iter()
                .map(|attribute| Attribute {
                    style: syn::AttrStyle::Outer,
                    ..attribute
                }),
        );
        let tokens = content.parse()?;
        Ok(Self::Function(Box::new(Function {
            attributes,
            visibility,
            defaultness,
            signature,
            body: Body {
                tokens,
                braces: braces.span.join(),
            },
        })))
    }
}

/// Whether `input` is at `const? async? unsafe? (extern "…")? fn`.
fn starts_function(input: ParseStream<'_>) -> bool {
    let qualifiers = || -> syn::Result<()> {
        input.parse::<Option<Token![const]>>()?;
        input.parse::<Option<Token![async]>>()?;
        input.parse::<Option<Token![unsafe]>>()?;
        input.parse::<Option<Abi>>()?;
        Ok(())
    };
    qualifiers().is_ok() && input.peek(Token![fn])
}

/// The type itself, without the invisible or written parentheses around it.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

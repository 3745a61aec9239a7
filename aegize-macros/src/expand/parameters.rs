//! How arguments get from the signature to the body.
//!
//! Invariant: the body sees every parameter under its own name, and an argument lives as long as it
//! would without the guard.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{FnArg, Pat, Receiver, ReturnType, Signature, Token, Type};

use super::Expansion;
use crate::signature::{Kind, Parameter, Shape};

impl Expansion<'_> {
    // Input:  async fn send(to: &str, _: u8) -> R
    // Output: fn send(to: &str, __arg1: u8) -> impl ::core::future::Future<Output = R>
    //
    // The `impl` is the macro's, so its edition decides which lifetimes are captured: all of them,
    // as in `async fn`.
    pub(super) fn desugared(&self) -> Signature {
        let mut signature = self.callable.function.signature.clone();
        signature.asyncness = None;
        let parameters = self.callable.parameters.iter();
        for parameter in parameters.filter(|parameter| parameter.shape == Shape::Nothing) {
            if let Some(FnArg::Typed(typed)) = signature.inputs.get_mut(parameter.position) {
                let name = self.renamed(parameter);
                *typed.pat = Pat::Verbatim(name.into_token_stream());
            }
        }
        let arrow = match &signature.output {
            ReturnType::Type(arrow, _) => *arrow,
            ReturnType::Default => Token![->](self.span),
        };
        let result = &self.callable.output.result;
        let (first, last) = self.result_span();
        let (first, last) = (self.span.located_at(first), self.span.located_at(last));
        let opaque = quote_spanned!(first=> impl ::core::future::Future<Output = #result);
        let close = quote_spanned!(last=> >);
        let future = Type::Verbatim(quote_spanned!(self.span=> #opaque #close));
        signature.output = ReturnType::Type(arrow, Box::new(future));
        signature
    }

    // Output: let _ = (&b, &a, &self);
    //
    // Moves every parameter into the closure or future around it, used or not, in the order in
    // which a function drops its parameters: the last one first.
    pub(super) fn hold(&self) -> Option<TokenStream> {
        let desugared = self.callable.output.kind == Kind::Async;
        let mut held: Vec<TokenStream> = Vec::new();
        held.extend(
            self.receiver()
                .map(|Receiver { self_token, .. }| quote_spanned!(self.span=> &#self_token)),
        );
        for parameter in &self.callable.parameters {
            match parameter.shape {
                Shape::Nothing if desugared => {
                    let (conditions, name) = (&parameter.conditions, self.renamed(parameter));
                    held.push(quote_spanned!(self.span=> #(#conditions)* &#name));
                }
                _ => held.extend(parameter.bindings.iter().map(|binding| {
                    let (conditions, ident) = (&binding.conditions, &binding.ident);
                    quote_spanned!(self.span=> #(#conditions)* &#ident)
                })),
            }
        }
        held.reverse();
        let allow = self.allow();
        (!held.is_empty()).then(|| {
            quote_spanned! {self.span=>
                #allow
                let _ = (#(#held,)*);
            }
        })
    }

    // Output: #[allow(clippy::used_underscore_binding)]
    //
    // Only where a name asks for it: under `forbid`, an `allow` is an error.
    pub(super) fn allow(&self) -> Option<TokenStream> {
        let mut bindings = self
            .callable
            .parameters
            .iter()
            .flat_map(|parameter| &parameter.bindings);
        bindings
            .any(|binding| binding.ident.to_string().starts_with('_'))
            .then(|| quote_spanned!(self.span=> #[allow(clippy::used_underscore_binding)]))
    }

    fn receiver(&self) -> Option<&Receiver> {
        self.callable.function.signature.receiver()
    }

    fn renamed(&self, parameter: &Parameter) -> Ident {
        Ident::new(&format!("__arg{}", parameter.position), self.span)
    }
}

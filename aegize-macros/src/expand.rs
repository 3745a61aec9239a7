//! Options and callable → the guarded function.
//!
//! Invariant: expansion cannot fail, names nothing but `::aegize::__private`, `::core` and `::std::boxed::Box`, and puts
//! no item or local of its own in the body's scope. Generated locals have the macro's hygiene, the body its own block.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::{FnArg, Pat, Receiver, ReturnType, Signature, Type};

use crate::args::{Options, ResultCapture, RiskLevel};
use crate::signature::{Callable, Function, Kind, Parameter, Shape, inferred};

#[cfg(test)]
mod tests;

// Input:  Options, Callable
// Output: the function with the signature that callers see unchanged, and the guard around its body
pub(crate) fn expand(options: &Options, callable: &Callable) -> TokenStream {
    let Function { attributes, visibility, defaultness, signature, .. } = &callable.function;
    let expansion = Expansion { options, callable, span: Span::mixed_site() };
    let body = match callable.output.kind {
        Kind::Sync => expansion.sync_body(),
        Kind::Async => expansion.async_body(),
        Kind::KeptAsync => expansion.kept_async_body(),
        Kind::Future => expansion.future_body(),
        Kind::BoxedFuture => expansion.boxed_future_body(),
    };
    let desugared = (callable.output.kind == Kind::Async).then(|| expansion.desugared());
    let signature = desugared.as_ref().unwrap_or(signature);
    quote_spanned! {expansion.span=>
        #(#attributes)* #visibility #defaultness #signature { #body }
    }
}

struct Expansion<'a> {
    options: &'a Options,
    callable: &'a Callable,
    span: Span,
}

impl Expansion<'_> {
    // Output: run(enter(…), move || -> R { body }, |result| outcome!(result))
    fn sync_body(&self) -> TokenStream {
        let entry = self.entry();
        let result = self.result();
        let hold = self.hold();
        let body = &self.callable.function.body;
        let outcome = self.outcome();
        self.call("run", quote_spanned!(self.span=> #entry, move || -> #result { #hold #body }, #outcome))
    }

    // Output: run_async(move || enter(…).map(|permit| (permit, async move { body })), |result| outcome!(result))
    fn async_body(&self) -> TokenStream {
        let destructure = self.destructure();
        let entry = self.entry();
        let future = self.future();
        let outcome = self.outcome();
        let arguments = quote_spanned! {self.span=>
            move || {
                #destructure
                ::core::result::Result::map(#entry, move |permit| (permit, #future))
            },
            #outcome,
        };
        self.call("run_async", arguments)
    }

    fn kept_async_body(&self) -> TokenStream {
        let call = self.async_body();
        quote_spanned!(self.span=> #call.await)
    }

    // Output: run_async(move || enter(…).map(|permit| (permit, (move || body)())), |result| outcome!(result))
    fn future_body(&self) -> TokenStream {
        let entry = self.entry();
        let outcome = self.outcome();
        let returned = match &self.callable.function.signature.output {
            ReturnType::Type(arrow, ty) => {
                let ty = inferred(ty.as_ref().clone());
                quote_spanned!(self.span=> #arrow #ty)
            }
            ReturnType::Default => TokenStream::new(),
        };
        let body = &self.callable.function.body;
        let arguments = quote_spanned! {self.span=>
            move || ::core::result::Result::map(#entry, move |permit| {
                let start = move || #returned #body;
                (permit, start())
            }),
            #outcome,
        };
        self.call("run_async", arguments)
    }

    fn boxed_future_body(&self) -> TokenStream {
        let call = self.future_body();
        quote_spanned!(self.span=> ::std::boxed::Box::pin(#call))
    }

    // Output: async move { body }, of the function's own result type
    //
    // The return that never happens tells the compiler the type before `?` and `return` ask for it.
    fn future(&self) -> TokenStream {
        let result = self.result();
        let hold = self.hold();
        let body = &self.callable.function.body;
        quote_spanned! {self.span=>
            async move {
                #hold
                if let ::core::option::Option::Some(result) = ::core::option::Option::None::<#result> {
                    return result;
                }
                #body
            }
        }
    }

    // Input:  "run", enter(…), move || …, |result| …
    // Output: ::aegize::__private::run(enter(…), move || …, |result| …)
    //
    // The call is placed on the result's type, from its first token to its last, because that is where the compiler
    // then reports that a type is not a `Result`, or that its error does not take a refusal.
    fn call(&self, name: &str, arguments: TokenStream) -> TokenStream {
        let (first, last) = self.result_span();
        let name = Ident::new(name, last);
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
        arguments.set_span(last);
        quote_spanned!(first=> ::aegize::__private::#name #arguments)
    }

    /// The first and the last token of the result's type.
    fn result_span(&self) -> (Span, Span) {
        let mut tokens = self.callable.output.result.to_token_stream().into_iter().map(|token| token.span());
        let first = tokens.next().unwrap_or(self.span);
        (first, tokens.last().unwrap_or(first))
    }

    fn result(&self) -> Type {
        inferred(self.callable.output.result.clone())
    }

    // Output: enter({ static SITE: Site = …; &SITE }, &[argument!("to", to), …])
    fn entry(&self) -> TokenStream {
        let site = self.site();
        let arguments = self.arguments();
        quote_spanned! {self.span=>
            #[allow(clippy::used_underscore_binding)]
            ::aegize::__private::enter({ #site &SITE }, &[#(#arguments),*])
        }
    }

    fn site(&self) -> TokenStream {
        let Options { tool_name, operation, risk_level, metadata, .. } = self.options;
        let risk_level = Ident::new(
            match risk_level {
                RiskLevel::Low => "Low",
                RiskLevel::Medium => "Medium",
                RiskLevel::High => "High",
                RiskLevel::Critical => "Critical",
            },
            self.span,
        );
        let metadata = metadata.iter().map(|(key, value)| quote_spanned!(self.span=> (#key, #value)));
        let name = &self.callable.function.signature.ident;
        let function = format!("::{}", syn::ext::IdentExt::unraw(name));
        // Of the function's name, not of the attribute.
        let line = quote_spanned!(name.span()=> ::core::line!());
        quote_spanned! {self.span=>
            static SITE: ::aegize::__private::Site = ::aegize::__private::Site::new(
                #tool_name,
                #operation,
                ::aegize::__private::RiskLevel::#risk_level,
                &[#(#metadata),*],
                ::core::concat!(::core::module_path!(), #function),
                ::core::file!(),
                #line,
            );
        }
    }

    fn arguments(&self) -> impl Iterator<Item = TokenStream> {
        let captured = self.callable.parameters.iter().filter(|parameter| !parameter.treatment.skip);
        captured.flat_map(move |parameter| {
            let kind = if parameter.treatment.path { "path_argument" } else { "argument" };
            let kind = Ident::new(kind, self.span);
            let redacted = parameter.treatment.redact.then(|| quote_spanned!(self.span=> .redacted()));
            parameter.bindings.iter().map(move |binding| {
                let (name, ident, conditions) = (&binding.name, &binding.ident, &binding.conditions);
                quote_spanned! {self.span=>
                    #(#conditions)* ::aegize::__private::#kind!(#name, #ident) #redacted
                }
            })
        })
    }

    fn outcome(&self) -> TokenStream {
        let skip = (self.options.result == ResultCapture::Skip).then(|| format_ident!("skip"));
        quote_spanned!(self.span=> |result| ::aegize::__private::outcome!(#skip result))
    }

    // Output: let _ = (&b, &a, &self);
    //
    // Moves every parameter into the closure or future around it, used or not, in the order in which a function drops
    // its parameters: the last one first.
    fn hold(&self) -> Option<TokenStream> {
        let desugared = self.callable.output.kind == Kind::Async;
        let mut held: Vec<TokenStream> = Vec::new();
        held.extend(self.receiver().map(|Receiver { self_token, .. }| quote_spanned!(self.span=> &#self_token)));
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
        (!held.is_empty()).then(|| quote_spanned! {self.span=>
            #[allow(clippy::used_underscore_binding)]
            let _ = (#(#held,)*);
        })
    }

    fn receiver(&self) -> Option<&Receiver> {
        self.callable.function.signature.receiver()
    }

    // Input:  async fn send(to: &str, (a, b): (u8, u8)) -> R
    // Output: fn send(to: &str, __arg1: (u8, u8)) -> impl ::core::future::Future<Output = R>
    //
    // The `impl` is the macro's, so its edition decides which lifetimes are captured: all of them, as in `async fn`.
    fn desugared(&self) -> Signature {
        let mut signature = self.callable.function.signature.clone();
        signature.asyncness = None;
        for parameter in self.callable.parameters.iter().filter(|parameter| is_renamed(parameter)) {
            if let Some(FnArg::Typed(typed)) = signature.inputs.get_mut(parameter.position) {
                let name = self.renamed(parameter);
                *typed.pat = Pat::Verbatim(name.into_token_stream());
            }
        }
        if let ReturnType::Type(_, ty) = &mut signature.output {
            let (first, last) = self.result_span();
            let (first, last) = (self.span.located_at(first), self.span.located_at(last));
            let opaque = quote_spanned!(first=> impl ::core::future::Future<Output = #ty);
            let close = quote_spanned!(last=> >);
            **ty = Type::Verbatim(quote_spanned!(self.span=> #opaque #close));
        }
        signature
    }

    // Output: let (a, b) = __arg1;
    fn destructure(&self) -> TokenStream {
        if self.callable.output.kind != Kind::Async {
            return TokenStream::new();
        }
        let signature = &self.callable.function.signature;
        let renamed = self.callable.parameters.iter().filter(|parameter| parameter.shape == Shape::Whole);
        renamed
            .filter_map(|parameter| {
                let Some(FnArg::Typed(typed)) = signature.inputs.get(parameter.position) else { return None };
                let (conditions, pattern, name) = (&parameter.conditions, &typed.pat, self.renamed(parameter));
                Some(quote_spanned!(self.span=> #(#conditions)* let #pattern = #name;))
            })
            .collect()
    }

    fn renamed(&self, parameter: &Parameter) -> Ident {
        Ident::new(&format!("__arg{}", parameter.position), self.span)
    }
}

fn is_renamed(parameter: &Parameter) -> bool {
    parameter.shape != Shape::Name
}

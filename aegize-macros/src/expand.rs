//! Options and callable → the guarded function.
//!
//! Invariant: expansion cannot fail, names nothing but `::aegize::__private` (or that of `crate =
//! …`), `::core` and `::std::boxed::Box`, and puts no item or local of its own in the body's scope. Generated locals
//! have the macro's hygiene, the body its own block.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::{ReturnType, Type};

use crate::args::{Options, ResultCapture};
use crate::signature::{Callable, Function, Kind, inferred};

mod entry;
mod parameters;
#[cfg(test)]
mod tests;

// Input:  Options, Callable
// Output: the function with the signature that callers see unchanged, and the guard around its body
pub(crate) fn expand(options: &Options, callable: &Callable) -> TokenStream {
    let Function {
        attributes,
        visibility,
        defaultness,
        signature,
        body,
    } = &callable.function;
    let expansion = Expansion {
        options,
        callable,
        span: Span::mixed_site(),
    };
    let guarded = match callable.output.kind {
        Kind::Sync => expansion.sync_body(),
        Kind::Async => expansion.async_body(),
        Kind::KeptAsync => expansion.kept_async_body(),
        Kind::Future => expansion.future_body(),
        Kind::BoxedFuture => expansion.boxed_future_body(),
    };
    let desugared = (callable.output.kind == Kind::Async).then(|| expansion.desugared());
    let signature = desugared.as_ref().unwrap_or(signature);
    let block = body.replaced_by(guarded);
    quote_spanned! {expansion.span=>
        #(#attributes)* #visibility #defaultness #signature #block
    }
}

struct Expansion<'a> {
    options: &'a Options,
    callable: &'a Callable,
    span: Span,
}

impl Expansion<'_> {
    // Output: run(enter(…), move || -> R { body }, |returned| ending!(returned))
    //     or: run_or::<R, _>(enter(…), move || -> R { body }, |returned| ending!(returned), refuse_with)
    fn sync_body(&self) -> TokenStream {
        let entry = self.entry("enter");
        let result = self.result();
        let hold = self.hold();
        let body = &self.callable.function.body;
        let ending = self.ending();
        let arguments =
            quote_spanned!(self.span=> #entry, move || -> #result { #hold #body }, #ending);
        match &self.options.refuse_with {
            None => self.call_on_result("run", &TokenStream::new(), arguments),
            // What the function returns is known by its signature, not by what `refuse_with`
            // returns.
            Some(refuse) => self.call_on_result(
                "run_or",
                &quote_spanned!(self.span=> ::<#result, _>),
                quote_spanned!(self.span=> #arguments, #refuse),
            ),
        }
    }

    // Output: run_async(
    //             async move {
    //                 if let Err(error) = enter_async(…).await { return refused::<R>(error); }
    //                 body
    //             },
    //             |returned| ending!(returned),
    //         )
    //
    // The return also tells the compiler the type before `?` and `return` ask for it.
    fn async_body(&self) -> TokenStream {
        let hold = self.hold();
        let entry = self.entry("enter_async");
        let refused = self.refused();
        let body = &self.callable.function.body;
        self.run_async(&quote_spanned! {self.span=>
            async move {
                #hold
                if let ::core::result::Result::Err(error) = #entry.await {
                    return #refused;
                }
                #body
            }
        })
    }

    fn kept_async_body(&self) -> TokenStream {
        let call = self.async_body();
        quote_spanned!(self.span=> #call.await)
    }

    // Output: run_async(
    //             lazy(
    //                 move || (enter_async(…), move || -> … { body }),
    //                 |error| refused::<R>(error),
    //             ),
    //             |returned| ending!(returned),
    //         )
    fn future_body(&self) -> TokenStream {
        let private = self.private();
        let entry = self.entry("enter_async");
        let refused = self.refused();
        let returned = match &self.callable.function.signature.output {
            ReturnType::Type(arrow, ty) => {
                let ty = inferred(ty.as_ref().clone());
                quote_spanned!(self.span=> #arrow #ty)
            }
            ReturnType::Default => TokenStream::new(),
        };
        let body = &self.callable.function.body;
        let call = self.run_async(&quote_spanned! {self.span=>
            #private::lazy(
                move || (#entry, move || #returned #body),
                |error| #refused,
            )
        });
        self.recognisable(&call)
    }

    fn run_async(&self, future: &TokenStream) -> TokenStream {
        let private = self.private();
        let ending = self.ending();
        quote_spanned!(self.span=> #private::run_async(#future, #ending))
    }

    // Output: Box::pin(run_async(…))
    fn boxed_future_body(&self) -> TokenStream {
        let call = self.future_body();
        quote_spanned!(self.span=> ::std::boxed::Box::pin(#call))
    }

    // Output: async move { run_async(…).await }
    //
    // What other macros below look for, to put themselves around the future and not around its
    // making.
    fn recognisable(&self, call: &TokenStream) -> TokenStream {
        if self.callable.is_last {
            call.clone()
        } else {
            quote_spanned!(self.span=> async move { #call.await })
        }
    }

    // Output: refused::<R>(error)
    //     or: refused_by::<R>(error, refuse_with)
    fn refused(&self) -> TokenStream {
        let result = self.result();
        let known = quote_spanned!(self.span=> ::<#result>);
        let error = quote_spanned!(self.span=> error);
        match &self.options.refuse_with {
            None => self.call_on_result("refused", &known, error),
            Some(refuse) => {
                let arguments = quote_spanned!(self.span=> #error, #refuse);
                self.call_on_result("refused_by", &known, arguments)
            }
        }
    }

    // Input:  run, ::<R, _>, enter(…), move || …, |returned| …
    // Output: ::aegize::__private::run::<R, _>(enter(…), move || …, |returned| …)
    //
    // The call is placed on the result's type, from its first token to its last, because that is
    // where the compiler then reports that a type is not a `Result`, or that its error does not
    // take a refusal.
    fn call_on_result(
        &self,
        name: &str,
        known: &TokenStream,
        arguments: TokenStream,
    ) -> TokenStream {
        let (first, last) = self.result_span();
        let name = Ident::new(name, last);
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
        arguments.set_span(last);
        let private = self.private_at(first);
        quote_spanned!(first=> #private::#name #known #arguments)
    }

    // Output: ::aegize::__private
    fn private(&self) -> TokenStream {
        self.options.crate_path.as_ref().map_or_else(
            || quote_spanned!(self.span=> ::aegize::__private),
            |path| quote_spanned!(self.span=> #path::__private),
        )
    }

    // Output: ::aegize::__private
    //
    // The user's path keeps what it refers to, `$crate` of a macro for one, wherever it is placed.
    // A segment that is seen to be generated keeps rustc from calling the path too long. A wrong
    // path is so reported twice, where it was written and here; left where it was written, it
    // would stretch every mistake in the result from the attribute to the signature.
    fn private_at(&self, span: Span) -> TokenStream {
        let Some(path) = &self.options.crate_path else {
            return quote_spanned!(span=> ::aegize::__private);
        };
        let path = path.to_token_stream().into_iter().map(|mut token| {
            token.set_span(span.resolved_at(token.span()));
            token
        });
        let private = Ident::new("__private", self.span.located_at(span));
        quote_spanned!(span=> #(#path)*::#private)
    }

    /// The first and the last token of the result's type.
    fn result_span(&self) -> (Span, Span) {
        let mut tokens = self
            .callable
            .output
            .result
            .to_token_stream()
            .into_iter()
            .map(|token| token.span());
        let first = tokens.next().unwrap_or(self.span);
        (first, tokens.last().unwrap_or(first))
    }

    fn result(&self) -> Type {
        inferred(self.callable.output.result.clone())
    }

    // Output: |returned| ending!(returned)
    fn ending(&self) -> TokenStream {
        let private = self.private();
        let skip = (self.options.result == ResultCapture::Skip).then(|| format_ident!("skip"));
        quote_spanned!(self.span=> |returned| #private::ending!(#skip returned))
    }
}

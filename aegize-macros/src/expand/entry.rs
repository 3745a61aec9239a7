//! The call that asks for permission: where the function is, and what it was called with.
//!
//! Invariant: arguments are borrowed, and only until the call returns; the static is in a block
//! that does not enclose the body.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;

use super::Expansion;
use crate::args::{Extra, Options, RiskLevel};

impl Expansion<'_> {
    // Output: enter({ static SITE: Site = …; &SITE }, &[argument!("to", to), …])
    pub(super) fn entry(&self) -> TokenStream {
        let private = self.private();
        let site = self.site();
        let arguments = self.arguments().chain(self.extras());
        let allow = self.allow();
        let enter = quote_spanned! {self.span=>
            #private::enter({ #site &SITE }, &[#(#arguments),*])
        };
        if self.options.extras.is_empty() {
            return quote_spanned!(self.span=> #allow #enter);
        }
        // What `args(…)` made on the way, such as the guard of a lock, is dropped before the body.
        quote_spanned!(self.span=> { #allow let entry = #enter; entry })
    }

    fn site(&self) -> TokenStream {
        let Options {
            tool_name,
            operation,
            risk_level,
            metadata,
            ..
        } = self.options;
        let private = self.private();
        let function = self.callable.function.signature.ident.unraw().to_string();
        let risk_level = Ident::new(
            match risk_level {
                RiskLevel::Low => "Low",
                RiskLevel::Medium => "Medium",
                RiskLevel::High => "High",
                RiskLevel::Critical => "Critical",
            },
            self.span,
        );
        let metadata = metadata
            .iter()
            .map(|(key, value)| quote_spanned!(self.span=> (#key, #value)));
        quote_spanned! {self.span=>
            static SITE: #private::Site = #private::Site::new(
                #tool_name,
                #operation,
                #private::RiskLevel::#risk_level,
                &[#(#metadata),*],
            );
            #private::register!(SITE, #function);
        }
    }

    fn arguments(&self) -> impl Iterator<Item = TokenStream> {
        let private = self.private();
        let captured = self
            .callable
            .parameters
            .iter()
            .filter(|parameter| !parameter.treatment.skip);
        captured.flat_map(move |parameter| {
            let kind = if parameter.treatment.path {
                "path_argument"
            } else {
                "argument"
            };
            let kind = Ident::new(kind, self.span);
            let redacted = parameter
                .treatment
                .redact
                .then(|| quote_spanned!(self.span=> .redacted()));
            let private = private.clone();
            parameter.bindings.iter().map(move |binding| {
                let (name, ident, conditions) =
                    (&binding.name, &binding.ident, &binding.conditions);
                quote_spanned! {self.span=>
                    #(#conditions)* #private::#kind!(#name, #ident) #redacted
                }
            })
        })
    }

    // Output: match &(self.root.join(name)) { value => argument!("path", *value) }, …
    //
    // What `match` looks at lives until the call of `enter` returns.
    fn extras(&self) -> impl Iterator<Item = TokenStream> {
        let private = self.private();
        self.options.extras.iter().map(move |extra| {
            let Extra { name, value, .. } = extra;
            quote_spanned! {self.span=>
                match &(#value) { value => #private::argument!(#name, *value) }
            }
        })
    }
}

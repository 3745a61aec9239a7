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
    // Input:  enter
    // Output: {
    //             let entry = {
    //                 let arguments = &Argument::END;
    //                 let arguments = &argument!("to", to, arguments);
    //                 …
    //                 enter({ static SITE: Site = …; &SITE }, arguments)
    //             };
    //             entry
    //         }
    //     or: {
    //             let entry = match (&(self.root.join(name)),) {
    //                 (value0,) => { … }
    //             };
    //             entry
    //         }
    //
    // The arguments are a list on the stack, made from its end: each is put together where it
    // stays. What `match` looks at lives until the call of `enter` returns; what was made on the
    // way, such as the guard of a lock, is dropped before the body.
    pub(super) fn entry(&self, enter: &str) -> TokenStream {
        let private = self.private();
        let enter = Ident::new(enter, self.span);
        let site = self.site();
        let allow = self.allow();
        let mut arguments: Vec<_> = self.arguments().chain(self.extras()).collect();
        arguments.reverse();
        let mut entry = quote_spanned! {self.span=>
            {
                let arguments = &#private::Argument::END;
                #(#arguments)*
                #private::#enter({ #site &SITE }, arguments)
            }
        };
        if !self.options.extras.is_empty() {
            let values = self.options.extras.iter().map(|extra| &extra.value);
            let names = (0..self.options.extras.len()).map(|index| self.extra(index));
            entry = quote_spanned! {self.span=>
                match (#(&(#values),)*) { (#(#names,)*) => #entry }
            };
        }
        quote_spanned! {self.span=>
            {
                #allow
                let entry = #entry;
                entry
            }
        }
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
        let pairs = metadata
            .iter()
            .map(|(key, value)| quote_spanned!(self.span=> (#key, #value)));
        let metadata = if metadata.is_empty() {
            quote_spanned!(self.span=> ::core::option::Option::None)
        } else {
            quote_spanned!(self.span=> ::core::option::Option::Some(&[#(#pairs),*]))
        };
        quote_spanned! {self.span=>
            static SITE: #private::Site = #private::Site::new(
                #tool_name,
                #operation,
                #private::RiskLevel::#risk_level,
                #metadata,
            );
            #private::register!(SITE, #function);
        }
    }

    // Output: let arguments = &argument!("to", to, arguments); …
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
                    #(#conditions)*
                    let arguments = &#private::#kind!(#name, #ident, arguments) #redacted;
                }
            })
        })
    }

    // Output: let arguments = &argument!("path", *value0, arguments); …
    fn extras(&self) -> impl Iterator<Item = TokenStream> {
        let private = self.private();
        let extras = self.options.extras.iter().enumerate();
        extras.map(move |(index, Extra { name, .. })| {
            let value = self.extra(index);
            quote_spanned! {self.span=>
                let arguments = &#private::argument!(#name, *#value, arguments);
            }
        })
    }

    fn extra(&self, index: usize) -> Ident {
        Ident::new(&format!("value{index}"), self.span)
    }
}

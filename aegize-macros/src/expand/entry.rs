//! The call that asks for permission: where the function is, and what it was called with.
//!
//! Invariant: arguments are borrowed, and only until the call returns; the static is in a block
//! that does not enclose the body.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;

use super::Expansion;
use crate::args::{Options, RiskLevel};

impl Expansion<'_> {
    // Output: enter({ static SITE: Site = …; &SITE }, &[argument!("to", to), …])
    pub(super) fn entry(&self) -> TokenStream {
        let site = self.site();
        let arguments = self.arguments();
        quote_spanned! {self.span=>
            #[allow(clippy::used_underscore_binding)]
            ::aegize::__private::enter({ #site &SITE }, &[#(#arguments),*])
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
            static SITE: ::aegize::__private::Site = ::aegize::__private::Site::new(
                #tool_name,
                #operation,
                ::aegize::__private::RiskLevel::#risk_level,
                &[#(#metadata),*],
            );
        }
    }

    fn arguments(&self) -> impl Iterator<Item = TokenStream> {
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
            parameter.bindings.iter().map(move |binding| {
                let (name, ident, conditions) =
                    (&binding.name, &binding.ident, &binding.conditions);
                quote_spanned! {self.span=>
                    #(#conditions)* ::aegize::__private::#kind!(#name, #ident) #redacted
                }
            })
        })
    }
}

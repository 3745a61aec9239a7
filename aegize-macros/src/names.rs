//! The names under which arguments are recorded.
//!
//! Invariant: no two arguments of one call have the same name, because a policy or a reviewer would
//! take one for the other. Names that the signature alone gives are the compiler's to check.

use proc_macro2::Span;

use crate::args::Extra;
use crate::errors::Errors;
use crate::signature::Parameter;

struct Name<'a> {
    text: &'a str,
    /// Where `rename` or `args` gives it, if one does.
    given: Option<Span>,
    conditional: bool,
}

impl Name<'_> {
    /// Whether both may be arguments of one call; conditions may exclude each other.
    fn collides(&self, other: &Name<'_>) -> bool {
        self.text == other.text && !(self.conditional && other.conditional)
    }
}

pub(crate) fn report_duplicates(parameters: &[Parameter], extras: &[Extra], errors: &mut Errors) {
    let captured = parameters
        .iter()
        .filter(|parameter| !parameter.treatment.skip);
    let bindings = captured.flat_map(|parameter| &parameter.bindings);
    let mut names: Vec<Name<'_>> = bindings
        .map(|binding| Name {
            text: &binding.name,
            given: binding.renamed,
            conditional: !binding.conditions.is_empty(),
        })
        .collect();
    names.extend(extras.iter().map(|extra| Name {
        text: &extra.name,
        given: Some(extra.span),
        conditional: false,
    }));
    // The names of the signature first, so that it is the given one that is reported.
    names.sort_by_key(|name| name.given.is_some());
    for (index, name) in names.iter().enumerate() {
        if let Some(span) = name.given
            && names.iter().take(index).any(|other| name.collides(other))
        {
            let text = name.text;
            errors.at(
                span,
                format_args!(
                    "there already is an argument `{text}`, and a policy could not tell them \
                     apart; choose another name"
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::report_duplicates;
    use crate::errors::Errors;
    use crate::{args, signature};

    fn mistakes(arguments: &str, item: &str) -> usize {
        let mut errors = Errors::default();
        let arguments: proc_macro2::TokenStream = arguments.parse().expect("balanced tokens");
        let options = args::parse(
            quote!(tool_name = "a", operation = "b", #arguments),
            &mut errors,
        );
        let item = item.parse().expect("balanced tokens");
        let callable = signature::parse(item, false, &mut errors);
        let (options, callable) = (options.expect("options"), callable.expect("a function"));
        report_duplicates(&callable.parameters, &options.extras, &mut errors);
        errors.messages().len()
    }

    #[test]
    fn names_are_given_once() {
        for (arguments, parameters, expected) in [
            ("", "a: u8, b: u8", 0),
            ("args(c = 1)", "a: u8, b: u8", 0),
            ("args(b = 1)", "a: u8, b: u8", 1),
            ("args(b = 1)", "a: u8, #[guard(skip)] b: u8", 0),
            ("args(r#type = 1)", "r#type: u8", 1),
            ("", "#[guard(rename = \"b\")] a: u8, b: u8", 1),
            ("", "a: u8, #[guard(rename = \"a\")] b: u8", 1),
            ("args(a = 1)", "#[guard(rename = \"b\")] a: u8", 0),
            ("args(b = 1)", "#[guard(rename = \"b\")] a: u8", 1),
            (
                "",
                "#[cfg(unix)] #[guard(rename = \"b\")] a: u8, #[cfg(windows)] b: u8",
                0,
            ),
        ] {
            let item = format!("fn f({parameters}) -> R {{}}");
            assert_eq!(mistakes(arguments, &item), expected, "{arguments} {item}");
        }
    }
}

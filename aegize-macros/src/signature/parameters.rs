//! A function's parameters: the names they bind and what `#[guard(…)]` says of them.
//!
//! Invariant: after reading, no `#[guard]` is left in the signature, and every name that the body
//! can use is a binding of exactly one parameter.

use proc_macro2::{Ident, Span};
use syn::{Attribute, FnArg, Meta, Signature};

use super::pattern::{Binding, Pattern, Shape, conditions};
use crate::entries::{self, Value};
use crate::errors::{Errors, unknown};

const WORDS: [&str; 3] = ["path", "redact", "skip"];

/// One parameter, other than the receiver.
pub(crate) struct Parameter {
    /// Its place in the signature's inputs.
    pub(crate) position: usize,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) shape: Shape,
    pub(crate) treatment: Treatment,
    /// `#[cfg(…)]` on the parameter.
    pub(crate) conditions: Vec<Attribute>,
}

/// What `#[guard(…)]` says of a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Treatment {
    pub(crate) path: bool,
    pub(crate) redact: bool,
    pub(crate) skip: bool,
}

impl Parameter {
    /// Whether the argument can be taken under another name and bound to its pattern later, with
    /// nothing lost.
    pub(super) fn moves_whole(&self) -> bool {
        self.shape != Shape::Part
    }
}

// Input:  fn send(&self, to: &str, #[guard(redact)] (user, password): (String, String))
// Output: [to, (user, password) redacted], and the signature without `#[guard(redact)]`
pub(super) fn read(signature: &mut Signature, errors: &mut Errors) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for (position, input) in signature.inputs.iter_mut().enumerate() {
        match input {
            FnArg::Receiver(receiver) => {
                for guard in take_guards(&mut receiver.attrs) {
                    errors.on(
                        guard,
                        "the receiver is not recorded, so there is nothing to declare; \
                         remove this attribute",
                    );
                }
            }
            FnArg::Typed(typed) => {
                let guards = take_guards(&mut typed.attrs);
                let (treatment, path_word) = treatment(&guards, errors);
                let conditions = conditions(&typed.attrs);
                let pattern = Pattern::read(&typed.pat, &conditions);
                if let Some(span) = pattern.opaque
                    && !treatment.skip
                {
                    errors.at(
                        span,
                        "the names that this pattern binds cannot be told; bind the \
                         parameter to a name, or write `#[guard(skip)]`",
                    );
                }
                if let Some(word) = path_word
                    && pattern.bindings.len() != 1
                {
                    errors.at(
                        word,
                        "`path` declares one value, and this pattern does not bind \
                         exactly one name; bind the parameter to a name",
                    );
                }
                parameters.push(Parameter {
                    position,
                    shape: pattern.shape(&typed.pat),
                    bindings: pattern.bindings,
                    treatment,
                    conditions,
                });
            }
        }
    }
    parameters
}

fn take_guards(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    attributes
        .extract_if(.., |attribute| attribute.path().is_ident("guard"))
        .collect()
}

// Input:  [#[guard(path, redact)]]
// Output: Treatment { path, redact }, and the span of `path`
fn treatment(guards: &[Attribute], errors: &mut Errors) -> (Treatment, Option<Span>) {
    let mut words: Vec<Ident> = Vec::new();
    for guard in guards {
        let list = match &guard.meta {
            Meta::List(list) if !list.tokens.is_empty() => list,
            _ => {
                errors.on(
                    guard,
                    "write `#[guard(path)]`, `#[guard(redact)]` or `#[guard(skip)]`",
                );
                continue;
            }
        };
        for entry in entries::read(list.tokens.clone(), "`path`, `redact` or `skip`", errors).read {
            let name = entry.name();
            if !WORDS.contains(&name.as_str()) {
                errors.on(&entry.key, unknown("word", &name, &WORDS));
            } else if !matches!(entry.value, Value::None) {
                errors.on(
                    &entry.key,
                    format_args!("`{name}` takes no value; write `#[guard({name})]`"),
                );
            } else if words.contains(&entry.key) {
                errors.on(
                    &entry.key,
                    format_args!("duplicate word `{name}`; give it once"),
                );
            } else {
                words.push(entry.key);
            }
        }
    }
    let word = |name: &str| words.iter().find(|word| *word == name);
    if let Some(skip) = word("skip")
        && words.len() > 1
    {
        errors.on(
            skip,
            "`skip` keeps the parameter out of policy and records, so nothing else can \
             be said of it; keep one of the words",
        );
    }
    let treatment = Treatment {
        path: word("path").is_some(),
        redact: word("redact").is_some(),
        skip: word("skip").is_some(),
    };
    (treatment, word("path").map(Ident::span))
}

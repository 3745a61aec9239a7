//! A function's parameters: the names they bind and what `#[guard(…)]` says of them.
//!
//! Invariant: after reading, no `#[guard]` is left in the signature, and every name that the body
//! can use is a binding of exactly one parameter.

use proc_macro2::{Ident, Span};
use syn::{Attribute, FnArg, LitStr, Meta, PatType, Signature};

use super::pattern::{Binding, Pattern, Shape, conditions};
use crate::entries::{self, Entry, Value};
use crate::errors::{Errors, unknown};

const WORDS: [&str; 4] = ["path", "redact", "rename", "skip"];

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
            FnArg::Typed(typed) => parameters.push(parameter(position, typed, errors)),
        }
    }
    parameters
}

fn parameter(position: usize, typed: &mut PatType, errors: &mut Errors) -> Parameter {
    let guards = take_guards(&mut typed.attrs);
    let said = Said::read(&guards, errors);
    let conditions = conditions(&typed.attrs);
    let mut pattern = Pattern::read(&typed.pat, &conditions);
    if let Some(span) = pattern.opaque
        && !said.treatment.skip
    {
        errors.at(
            span,
            "the names that this pattern binds cannot be told; bind the parameter to a name, or \
             write `#[guard(skip)]`, and `args(name = expr)` in `#[guarded_tool(…)]` for what \
             policies have to see of it",
        );
    }
    if let Some(word) = said.path
        && pattern.bindings.len() != 1
    {
        errors.at(
            word,
            "`path` declares one value, and this pattern does not bind exactly one name; bind the \
             parameter to a name",
        );
    }
    if let [binding] = pattern.bindings.as_slice()
        && is_made_up(&binding.name)
        && said.rename.is_none()
        && !said.treatment.skip
    {
        let name = &binding.name;
        errors.on(
            &typed.pat,
            format_args!(
                "`{name}` is what another macro made of this parameter's pattern; name it with \
                 `#[guard(rename = \"…\")]`, or keep it out with `#[guard(skip)]`"
            ),
        );
    }
    if let Some(name) = said.rename {
        match pattern.bindings.as_mut_slice() {
            [binding] => binding.rename(&name),
            _ => errors.on(
                name,
                "`rename` names one value, and this pattern does not bind exactly one name; bind \
                 the parameter to a name",
            ),
        }
    }
    Parameter {
        position,
        shape: pattern.shape(&typed.pat),
        bindings: pattern.bindings,
        treatment: said.treatment,
        conditions,
    }
}

/// Whether a name is one that `#[async_trait]` gives to what a pattern takes apart.
fn is_made_up(name: &str) -> bool {
    name.strip_prefix("__arg")
        .is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

fn take_guards(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    attributes
        .extract_if(.., |attribute| attribute.path().is_ident("guard"))
        .collect()
}

/// What the `#[guard(…)]`s of one parameter say.
#[derive(Default)]
struct Said {
    treatment: Treatment,
    /// Where `path` is.
    path: Option<Span>,
    rename: Option<LitStr>,
}

impl Said {
    // Input:  [#[guard(path, rename = "file")]]
    // Output: Treatment { path }, the span of `path`, "file"
    fn read(guards: &[Attribute], errors: &mut Errors) -> Self {
        let mut said = Self::default();
        let mut words: Vec<Ident> = Vec::new();
        for guard in guards {
            let list = match &guard.meta {
                Meta::List(list) if !list.tokens.is_empty() => list,
                _ => {
                    errors.on(
                        guard,
                        "write `#[guard(path)]`, `#[guard(redact)]`, `#[guard(rename = \"…\")]` or \
                         `#[guard(skip)]`",
                    );
                    continue;
                }
            };
            let expected = "`path`, `redact`, `rename = \"…\"` or `skip`";
            for entry in entries::read(list.tokens.clone(), expected, errors).read {
                let name = entry.name();
                if !WORDS.contains(&name.as_str()) {
                    errors.on(&entry.key, unknown("word", &name, &WORDS));
                } else if words.contains(&entry.key) {
                    errors.on(
                        &entry.key,
                        format_args!("duplicate word `{name}`; give it once"),
                    );
                } else {
                    words.push(entry.key.clone());
                    said.take(&name, entry, errors);
                }
            }
        }
        if let Some(skip) = words.iter().find(|word| *word == "skip")
            && words.len() > 1
        {
            errors.on(
                skip,
                "`skip` keeps the parameter out of policy and records, so nothing else can \
                 be said of it; keep one of the words",
            );
        }
        said
    }

    fn take(&mut self, name: &str, entry: Entry, errors: &mut Errors) {
        if name == "rename" {
            self.rename = entry.policy_name(errors);
            return;
        }
        if !matches!(entry.value, Value::None) {
            errors.on(
                entry.key,
                format_args!("`{name}` takes no value; write `#[guard({name})]`"),
            );
            return;
        }
        match name {
            "path" => {
                self.treatment.path = true;
                self.path = Some(entry.key.span());
            }
            "redact" => self.treatment.redact = true,
            _ => self.treatment.skip = true,
        }
    }
}

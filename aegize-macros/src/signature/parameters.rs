//! A function's parameters: the names they bind and what `#[guard(…)]` says of them.
//!
//! Invariant: after reading, no `#[guard]` is left in the signature, and every name that the body can use is a binding
//! of exactly one parameter.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, Meta, Pat, Signature};

use crate::entries::{self, Value};
use crate::errors::{Errors, listed, nearest};

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

/// What a pattern makes of its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `x` or `mut x`
    Name,
    /// `_`, or any other pattern that binds nothing
    Nothing,
    /// A pattern that moves all of the argument into its bindings: `(a, b)`
    Whole,
    /// A pattern that borrows the argument or leaves a part of it behind: `ref x`, `(a, _)`
    Part,
}

/// One name that a pattern binds.
pub(crate) struct Binding {
    pub(crate) ident: Ident,
    /// The name without `r#`.
    pub(crate) name: String,
    /// `#[cfg(…)]` on the parameter or on a field of its pattern.
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
    /// Whether the argument can be taken under another name and bound to its pattern later, with nothing lost.
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
                    errors.on(guard, "the receiver is not recorded, so there is nothing to declare; remove this attribute");
                }
            }
            FnArg::Typed(typed) => {
                let guards = take_guards(&mut typed.attrs);
                let (treatment, path_word) = treatment(&guards, errors);
                let conditions = conditions(&typed.attrs);
                let mut pattern = Pattern { bindings: Vec::new(), partial: false, opaque: None };
                pattern.read(&typed.pat, &conditions);
                if let Some(span) = pattern.opaque
                    && !treatment.skip
                {
                    errors.at(span, "the names that this pattern binds cannot be told; bind the parameter to a name, or write `#[guard(skip)]`");
                }
                if let Some(word) = path_word
                    && pattern.bindings.len() != 1
                {
                    errors.at(word, "`path` declares one value, and this pattern does not bind exactly one name; bind the parameter to a name");
                }
                let shape = pattern.shape(&typed.pat);
                parameters.push(Parameter { position, bindings: pattern.bindings, shape, treatment, conditions });
            }
        }
    }
    parameters
}

fn take_guards(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    attributes.extract_if(.., |attribute| attribute.path().is_ident("guard")).collect()
}

// Input:  [#[guard(path, redact)]]
// Output: Treatment { path, redact }, and the span of `path`
fn treatment(guards: &[Attribute], errors: &mut Errors) -> (Treatment, Option<Span>) {
    let mut words: Vec<Ident> = Vec::new();
    for guard in guards {
        let list = match &guard.meta {
            Meta::List(list) if !list.tokens.is_empty() => list,
            _ => {
                errors.on(guard, "write `#[guard(path)]`, `#[guard(redact)]` or `#[guard(skip)]`");
                continue;
            }
        };
        for entry in entries::read(list.tokens.clone(), errors) {
            let name = entry.name();
            if !WORDS.contains(&name.as_str()) {
                match nearest(&name, &WORDS) {
                    Some(meant) => errors.on(&entry.key, format_args!("unknown word `{name}`; did you mean `{meant}`?")),
                    None => {
                        let words = listed(&WORDS, "and");
                        errors.on(&entry.key, format_args!("unknown word `{name}`; the words are {words}"));
                    }
                }
            } else if !matches!(entry.value, Value::None) {
                errors.on(&entry.key, format_args!("`{name}` takes no value; write `#[guard({name})]`"));
            } else if words.contains(&entry.key) {
                errors.on(&entry.key, format_args!("duplicate word `{name}`; give it once"));
            } else {
                words.push(entry.key);
            }
        }
    }
    let word = |name: &str| words.iter().find(|word| *word == name);
    if let Some(skip) = word("skip")
        && words.len() > 1
    {
        errors.on(skip, "`skip` keeps the parameter out of policy and records, so nothing else can be said of it; keep one of the words");
    }
    let treatment =
        Treatment { path: word("path").is_some(), redact: word("redact").is_some(), skip: word("skip").is_some() };
    (treatment, word("path").map(Ident::span))
}

/// The attributes that decide whether what follows them exists.
fn conditions(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| is_condition(attribute)).cloned().collect()
}

fn is_condition(attribute: &Attribute) -> bool {
    let adds_cfg = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) => list.tokens.to_string().contains("cfg"),
        _ => false,
    };
    attribute.path().is_ident("cfg") || (attribute.path().is_ident("cfg_attr") && adds_cfg(attribute))
}

/// What was found while reading one pattern.
struct Pattern {
    bindings: Vec<Binding>,
    /// Something is borrowed, or left behind.
    partial: bool,
    /// A part whose bindings cannot be told.
    opaque: Option<Span>,
}

impl Pattern {
    fn shape(&self, pattern: &Pat) -> Shape {
        match pattern {
            Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => Shape::Name,
            _ if self.opaque.is_some() => Shape::Part,
            _ if self.bindings.is_empty() => Shape::Nothing,
            _ if self.partial => Shape::Part,
            _ => Shape::Whole,
        }
    }

    // Input:  Point { x, y: (a, _) }
    // Output: bindings x and a; partial
    fn read(&mut self, pattern: &Pat, conditions: &[Attribute]) {
        match pattern {
            Pat::Ident(ident) => {
                self.partial |= ident.by_ref.is_some() || ident.subpat.is_some();
                self.bindings.push(Binding {
                    name: ident.ident.unraw().to_string(),
                    ident: ident.ident.clone(),
                    conditions: conditions.to_vec(),
                });
                if let Some((_, pattern)) = &ident.subpat {
                    self.read(pattern, conditions);
                }
            }
            // Every case binds the same names.
            Pat::Or(or) => or.cases.first().into_iter().for_each(|case| self.read(case, conditions)),
            Pat::Paren(paren) => self.read(&paren.pat, conditions),
            Pat::Reference(reference) => self.read(&reference.pat, conditions),
            Pat::Slice(slice) => slice.elems.iter().for_each(|pattern| self.read(pattern, conditions)),
            Pat::Struct(fields) => {
                self.partial |= fields.rest.is_some();
                for field in &fields.fields {
                    let mut conditions = conditions.to_vec();
                    conditions.extend(field.attrs.iter().filter(|attribute| is_condition(attribute)).cloned());
                    self.read(&field.pat, &conditions);
                }
            }
            Pat::Tuple(tuple) => tuple.elems.iter().for_each(|pattern| self.read(pattern, conditions)),
            Pat::TupleStruct(tuple) => tuple.elems.iter().for_each(|pattern| self.read(pattern, conditions)),
            Pat::Type(typed) => self.read(&typed.pat, conditions),
            Pat::Const(_) | Pat::Lit(_) | Pat::Path(_) | Pat::Range(_) | Pat::Rest(_) | Pat::Wild(_) => {
                self.partial = true;
            }
            other => self.opaque = Some(syn::spanned::Spanned::span(other)),
        }
    }
}

//! The names that a pattern binds.
//!
//! Invariant: every name is found, or the pattern is reported as one whose names cannot be told.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, LitStr, Meta, Pat};

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
    /// The name in policies and records: the variable's without `r#`, or that of `rename`.
    pub(crate) name: String,
    /// Where `rename` gives the name, if it does.
    pub(crate) renamed: Option<Span>,
    /// `#[cfg(…)]` on the parameter or on a field of its pattern.
    pub(crate) conditions: Vec<Attribute>,
}

impl Binding {
    pub(super) fn rename(&mut self, name: &LitStr) {
        self.name = name.value();
        self.renamed = Some(name.span());
    }
}

/// What was found while reading one pattern.
pub(super) struct Pattern {
    pub(super) bindings: Vec<Binding>,
    /// Something is borrowed, or left behind.
    partial: bool,
    /// A part whose bindings cannot be told.
    pub(super) opaque: Option<Span>,
}

impl Pattern {
    pub(super) fn shape(&self, pattern: &Pat) -> Shape {
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
    pub(super) fn read(pattern: &Pat, conditions: &[Attribute]) -> Self {
        let mut found = Self {
            bindings: Vec::new(),
            partial: false,
            opaque: None,
        };
        found.visit(pattern, conditions);
        found
    }

    fn visit(&mut self, pattern: &Pat, conditions: &[Attribute]) {
        match pattern {
            Pat::Ident(ident) => {
                self.partial |= ident.by_ref.is_some() || ident.subpat.is_some();
                self.bindings.push(Binding {
                    name: ident.ident.unraw().to_string(),
                    renamed: None,
                    ident: ident.ident.clone(),
                    conditions: conditions.to_vec(),
                });
                if let Some((_, pattern)) = &ident.subpat {
                    self.visit(pattern, conditions);
                }
            }
            // Every case binds the same names.
            Pat::Or(or) => or
                .cases
                .first()
                .into_iter()
                .for_each(|case| self.visit(case, conditions)),
            Pat::Paren(paren) => self.visit(&paren.pat, conditions),
            Pat::Reference(reference) => self.visit(&reference.pat, conditions),
            Pat::Slice(slice) => slice
                .elems
                .iter()
                .for_each(|pattern| self.visit(pattern, conditions)),
            Pat::Struct(fields) => {
                self.partial |= fields.rest.is_some();
                for field in &fields.fields {
                    let mut conditions = conditions.to_vec();
                    conditions.extend(
                        field
                            .attrs
                            .iter()
                            .filter(|attribute| is_condition(attribute))
                            .cloned(),
                    );
                    self.visit(&field.pat, &conditions);
                }
            }
            Pat::Tuple(tuple) => tuple
                .elems
                .iter()
                .for_each(|pattern| self.visit(pattern, conditions)),
            Pat::TupleStruct(tuple) => tuple
                .elems
                .iter()
                .for_each(|pattern| self.visit(pattern, conditions)),
            Pat::Type(typed) => self.visit(&typed.pat, conditions),
            Pat::Const(_)
            | Pat::Lit(_)
            | Pat::Path(_)
            | Pat::Range(_)
            | Pat::Rest(_)
            | Pat::Wild(_) => {
                self.partial = true;
            }
            other => self.opaque = Some(other.span()),
        }
    }
}

/// The attributes that decide whether what follows them exists.
pub(super) fn conditions(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes
        .iter()
        .filter(|attribute| is_condition(attribute))
        .cloned()
        .collect()
}

fn is_condition(attribute: &Attribute) -> bool {
    let adds_cfg = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) => list.tokens.to_string().contains("cfg"),
        _ => false,
    };
    attribute.path().is_ident("cfg")
        || (attribute.path().is_ident("cfg_attr") && adds_cfg(attribute))
}

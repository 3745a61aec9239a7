//! What a function returns, and where in it the tool's `Result` is.
//!
//! Invariant: only the shape of futures is recognised by name; whether the result is a `Result` is
//! for the trait to say.

use syn::punctuated::Punctuated;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, Path, PathArguments, Token, Type,
    TypeParamBound,
};

use super::bare;

/// What aliases of a boxed future are called.
const BOX_ALIASES: [&str; 2] = ["BoxFuture", "LocalBoxFuture"];

/// What a function returns.
pub(crate) struct Output {
    /// The type of the tool's result: what is returned, or what the returned future resolves to.
    pub(crate) result: Type,
    pub(crate) kind: Kind,
}

/// How a function gives its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `fn … -> R`
    Sync,
    /// `async fn … -> R`, to be written as `fn … -> impl Future<Output = R>`
    Async,
    /// `async fn … -> R`, to be kept as it is
    KeptAsync,
    /// `fn … -> impl Future<Output = R>`
    Future,
    /// `fn … -> Pin<Box<dyn Future<Output = R>>>`
    BoxedFuture,
}

impl Output {
    pub(super) fn of(ty: Type, is_async: bool, desugar: bool) -> Self {
        if is_async {
            let kind = if desugar {
                Kind::Async
            } else {
                Kind::KeptAsync
            };
            return Self { result: ty, kind };
        }
        if let Type::ImplTrait(opaque) = bare(&ty)
            && let Some(result) = future_output(&opaque.bounds)
        {
            return Self {
                result,
                kind: Kind::Future,
            };
        }
        match boxed_future_output(&ty) {
            Some(result) => Self {
                result,
                kind: Kind::BoxedFuture,
            },
            None => Self {
                result: ty,
                kind: Kind::Sync,
            },
        }
    }
}

// Input:  Pin<Box<dyn Future<Output = R> + Send + 'a>>, or BoxFuture<'a, R> as the alias of
//         `futures` and of many others is called
// Output: R
fn boxed_future_output(ty: &Type) -> Option<Type> {
    if let Some(result) = BOX_ALIASES
        .iter()
        .find_map(|alias| only_argument(ty, alias))
    {
        return Some(result.clone());
    }
    let boxed = only_argument(ty, "Pin")?;
    match bare(only_argument(bare(boxed), "Box")?) {
        Type::TraitObject(object) => future_output(&object.bounds),
        _ => None,
    }
}

// Input:  Future<Output = R> + Send + 'a
// Output: R
fn future_output(bounds: &Punctuated<TypeParamBound, Token![+]>) -> Option<Type> {
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        arguments(&bound.path, "Future")?
            .args
            .iter()
            .find_map(|argument| match argument {
                GenericArgument::AssocType(output) if output.ident == "Output" => {
                    Some(output.ty.clone())
                }
                _ => None,
            })
    })
}

// Input:  core::pin::Pin<T>, "Pin"; or BoxFuture<'a, T>, "BoxFuture"
// Output: T
fn only_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = bare(ty) else {
        return None;
    };
    let mut types =
        arguments(&path.path, name)?
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
    let only = types.next()?;
    types.next().is_none().then_some(only)
}

/// The `<…>` of a path whose last segment is `name`.
fn arguments<'a>(path: &'a Path, name: &str) -> Option<&'a AngleBracketedGenericArguments> {
    let last = path.segments.last()?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if last.ident == name => Some(arguments),
        _ => None,
    }
}

// Input:  Result<Vec<impl Display>, Error>
// Output: Result<Vec<_>, Error>
//
// A type that may stand where `impl Trait` may not: on a closure or on a `let`.
pub(crate) fn inferred(mut ty: Type) -> Type {
    infer(&mut ty);
    ty
}

fn infer(ty: &mut Type) {
    match ty {
        Type::ImplTrait(opaque) => {
            let span = syn::spanned::Spanned::span(&opaque.impl_token);
            *ty = Type::Infer(syn::TypeInfer {
                attrs: Vec::new(),
                underscore_token: Token![_](span),
            });
        }
        Type::Array(array) => infer(&mut array.elem),
        Type::Group(group) => infer(&mut group.elem),
        Type::Paren(paren) => infer(&mut paren.elem),
        Type::Path(path) => infer_path(&mut path.path),
        Type::Ptr(pointer) => infer(&mut pointer.elem),
        Type::Reference(reference) => infer(&mut reference.elem),
        Type::Slice(slice) => infer(&mut slice.elem),
        Type::TraitObject(object) => {
            for bound in &mut object.bounds {
                if let TypeParamBound::Trait(bound) = bound {
                    infer_path(&mut bound.path);
                }
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(infer),
        _ => {}
    }
}

fn infer_path(path: &mut Path) {
    for segment in &mut path.segments {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
            for argument in &mut arguments.args {
                match argument {
                    GenericArgument::Type(ty) => infer(ty),
                    GenericArgument::AssocType(associated) => infer(&mut associated.ty),
                    _ => {}
                }
            }
        }
    }
}

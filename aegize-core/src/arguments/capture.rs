//! How a parameter of any type becomes an [`Argument`].
//!
//! The attribute cannot see types, so it lets method resolution choose: a [`Probe`] behind
//! several references has one `capture` per way of reading a value, and the compiler takes the
//! first whose bound holds (autoref specialisation). The order, best first: a path type, text,
//! `Serialize`, `AsRef<Path>`, `Debug`, and what nothing can read, which is present but opaque.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt::{Debug, Display};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};

use serde::Serialize;
use serde_json::Value;

use super::Argument;
use super::walk::{Scalar, Shape, Sink, Stop, Structured};

/// A captured value, through one erased reference.
#[derive(Clone, Copy)]
pub(crate) enum Captured<'a> {
    /// A path.
    Path(&'a Path),
    /// A path type that may hold none, one or several.
    Paths(&'a dyn PathValue),
    Text(&'a str),
    Structured(&'a dyn Structured),
    /// A structured value whose strings can be borrowed.
    Json(&'a Value),
    /// Readable by people only.
    Debug(&'a dyn Debug),
    /// Readable by people only.
    Display(&'a dyn Display),
    Opaque,
}

impl Captured<'_> {
    /// Walks a value that policy can read; `None` if it cannot.
    pub(crate) fn walk(self, sink: &mut dyn Sink) -> Option<Result<(), Stop>> {
        match self {
            Self::Path(path) => Some(walk_path(path, sink)),
            Self::Paths(paths) => Some(paths.walk(sink)),
            Self::Text(text) => Some(sink.scalar(Scalar::Text(text))),
            Self::Structured(value) => Some(value.walk(sink)),
            Self::Json(value) => Some(Structured::walk(value, sink)),
            Self::Debug(_) | Self::Display(_) | Self::Opaque => None,
        }
    }
}

/// A reference whose type decides how it is captured.
pub struct Probe<'a, T>(pub &'a T);

/// A way of reading values of a type, for an argument or a result.
///
/// One line each, over what is compiled once: a tool has one for each of its arguments.
pub trait Way<T> {
    /// The argument of that name, and those after it.
    fn capture<'a>(name: &'a str, value: &'a T, next: &'a Argument<'a>) -> Argument<'a>;
}

/// The way that values of a type are read as arguments and results. Implemented for a [`Probe`]
/// behind references.
pub trait Chosen<W> {
    /// The way, which is but a type.
    fn way(&self) -> W;
}

/// The way that errors are read.
pub trait ChosenForErrors<W> {
    /// The way, which is but a type.
    fn error_way(&self) -> W;
}

macro_rules! ways {
    ($($(#[$doc:meta])* $way:ident $(<T: $bound:path>)? = |$name:ident, $value:ident, $next:ident| $capture:expr;)*) => {$(
        $(#[$doc])*
        pub struct $way;

        impl<T $(: $bound)?> Way<T> for $way {
            #[inline]
            fn capture<'a>($name: &'a str, $value: &'a T, $next: &'a Argument<'a>) -> Argument<'a> {
                $capture
            }
        }
    )*};
}

ways! {
    /// Not looked into.
    Opaquely = |name, _value, next| Argument::opaque(name, next);
    /// As a path type, which declares itself.
    AsPaths<T: PathValue> = |name, value, next| Argument::paths(name, value, next);
    /// As text of any kind, borrowed as it is.
    AsText<T: AsRef<str>> = |name, value, next| Argument::text(name, value.as_ref(), next);
    /// As a structured value.
    Structurally<T: Serialize> = |name, value, next| Argument::structured(name, value, next);
    /// As a generic parameter that can be nothing but a path.
    AsPath<T: AsRef<Path>> = |name, value, next| Argument::as_path(name, value.as_ref(), next);
    /// By people only.
    ByDebug<T: Debug> = |name, value, next| Argument::debug(name, value, next);
    /// By people only.
    ByDisplay<T: Display> = |name, value, next| Argument::display(name, value, next);
    /// Not recorded at all.
    Unrecorded = |name, _value, next| Argument::opaque(name, next).redacted();
}

macro_rules! choices {
    ($chosen:ident::$method:ident: $($way:ident for $probe:ty $(where T: $bound:path)?;)*) => {$(
        impl<T $(: $bound)?> $chosen<$way> for $probe {
            fn $method(&self) -> $way {
                $way
            }
        }
    )*};
}

// A lock comes before all, since looking would take it.
choices! {
    Chosen::way:
    Opaquely for &&&&&&Probe<'_, T> where T: Lock;
    AsPaths for &&&&&Probe<'_, T> where T: PathValue;
    AsText for &&&&Probe<'_, T> where T: AsRef<str>;
    Structurally for &&&Probe<'_, T> where T: Serialize;
    AsPath for &&Probe<'_, T> where T: AsRef<Path>;
    ByDebug for &Probe<'_, T> where T: Debug;
    Opaquely for Probe<'_, T>;
}

choices! {
    ChosenForErrors::error_way:
    ByDisplay for &&Probe<'_, T> where T: Display;
    ByDebug for &Probe<'_, T> where T: Debug;
    Opaquely for Probe<'_, T>;
}

/// The types that are not looked into, since that would wait for others, or for the caller
/// itself: mutexes and read-write locks, and pointers to them.
pub trait Lock {}

impl<T: ?Sized> Lock for Mutex<T> {}
impl<T: ?Sized> Lock for RwLock<T> {}
impl<T: Lock + ?Sized> Lock for &T {}
impl<T: Lock + ?Sized> Lock for &mut T {}
impl<T: Lock + ?Sized> Lock for Box<T> {}
impl<T: Lock + ?Sized> Lock for Rc<T> {}
impl<T: Lock + ?Sized> Lock for Arc<T> {}

/// The types that declare themselves to be paths: `Path`, `PathBuf`, `OsStr`, `OsString`,
/// pointers to them, and options, slices, arrays and vectors of them.
pub trait PathValue {
    #[doc(hidden)]
    fn paths(&self, visit: &mut dyn FnMut(Option<&Path>));

    #[doc(hidden)]
    fn is_list(&self) -> bool {
        false
    }
}

impl dyn PathValue + '_ {
    fn walk(&self, sink: &mut dyn Sink) -> Result<(), Stop> {
        let mut outcome = if self.is_list() {
            sink.open(Shape::List)
        } else {
            Ok(())
        };
        self.paths(&mut |path| {
            if outcome.is_ok() {
                outcome = match path {
                    Some(path) => walk_path(path, sink),
                    None => sink.scalar(Scalar::Null),
                };
            }
        });
        outcome?;
        if self.is_list() {
            sink.close(Shape::List)
        } else {
            Ok(())
        }
    }
}

/// A path as text, or as bytes if it is not UTF-8.
fn walk_path(path: &Path, sink: &mut dyn Sink) -> Result<(), Stop> {
    match path.to_str() {
        Some(text) => sink.scalar(Scalar::Text(text)),
        None => sink.scalar(Scalar::Bytes(path.as_os_str().as_encoded_bytes())),
    }
}

macro_rules! path_values {
    ($($type:ty),*) => {$(
        impl PathValue for $type {
            fn paths(&self, visit: &mut dyn FnMut(Option<&Path>)) {
                visit(Some(self.as_ref()));
            }
        }
    )*};
}

path_values!(
    Path,
    PathBuf,
    OsStr,
    OsString,
    Cow<'_, Path>,
    Cow<'_, OsStr>
);

macro_rules! path_pointers {
    ($($type:ty),*) => {$(
        impl<T: PathValue + ?Sized> PathValue for $type {
            fn paths(&self, visit: &mut dyn FnMut(Option<&Path>)) {
                (**self).paths(visit);
            }

            fn is_list(&self) -> bool {
                (**self).is_list()
            }
        }
    )*};
}

path_pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: PathValue> PathValue for Option<T> {
    fn paths(&self, visit: &mut dyn FnMut(Option<&Path>)) {
        match self {
            Some(value) => value.paths(visit),
            None => visit(None),
        }
    }

    fn is_list(&self) -> bool {
        self.as_ref().is_some_and(PathValue::is_list)
    }
}

impl<T: PathValue> PathValue for [T] {
    fn paths(&self, visit: &mut dyn FnMut(Option<&Path>)) {
        for value in self {
            value.paths(visit);
        }
    }

    fn is_list(&self) -> bool {
        true
    }
}

impl<T: PathValue> PathValue for Vec<T> {
    fn paths(&self, visit: &mut dyn FnMut(Option<&Path>)) {
        self.as_slice().paths(visit);
    }

    fn is_list(&self) -> bool {
        true
    }
}

impl<T: PathValue, const N: usize> PathValue for [T; N] {
    fn paths(&self, visit: &mut dyn FnMut(Option<&Path>)) {
        self.as_slice().paths(visit);
    }

    fn is_list(&self) -> bool {
        true
    }
}

//! How a parameter of any type becomes an [`Argument`].
//!
//! The attribute cannot see types, so it lets method resolution choose: a [`Probe`] behind
//! several references has one `capture` per way of reading a value, and the compiler takes the
//! first whose bound holds (autoref specialisation). The order, best first: a path type, text,
//! `Serialize`, `AsRef<Path>`, `Debug`, and what nothing can read, which is present but opaque.

use std::borrow::Cow;
use std::convert::Infallible;
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

macro_rules! captures {
    ($($(#[$doc:meta])* $trait:ident<T: $bound:path> for $probe:ty = |$value:ident| $make:expr;)*) => {$(
        $(#[$doc])*
        pub trait $trait<'a> {
            /// The argument of that name.
            fn capture(&self, name: &'a str) -> Argument<'a>;
        }

        impl<'a, T: $bound> $trait<'a> for $probe {
            fn capture(&self, name: &'a str) -> Argument<'a> {
                let $value = self.0;
                Argument::new(name, $make)
            }
        }
    )*};
}

captures! {
    /// Before all: a lock, which looking would take.
    ArgumentByLock<T: Lock> for &&&&&&Probe<'a, T> = |_value| Captured::Opaque;
    /// First choice: a path type, which declares itself.
    ArgumentByPath<T: PathValue> for &&&&&Probe<'a, T> = |value| Captured::Paths(value);
    /// Text of any kind, borrowed as it is.
    ArgumentByText<T: AsRef<str>> for &&&&Probe<'a, T> = |value| Captured::Text(value.as_ref());
    /// A structured value.
    ArgumentBySerialize<T: Serialize> for &&&Probe<'a, T> = |value| Captured::Structured(value);
    /// A generic parameter that can be nothing but a path.
    ArgumentByAsPath<T: AsRef<Path>> for &&Probe<'a, T> = |value| Captured::Path(value.as_ref());
    /// A value that only people can read.
    ArgumentByDebug<T: Debug> for &Probe<'a, T> = |value| Captured::Debug(value);
}

/// Last choice: a value that nothing can read. It is present all the same.
pub trait ArgumentOpaque<'a> {
    /// The argument of that name.
    fn capture(&self, name: &'a str) -> Argument<'a>;
}

impl<'a, T> ArgumentOpaque<'a> for Probe<'a, T> {
    fn capture(&self, name: &'a str) -> Argument<'a> {
        Argument::new(name, Captured::Opaque)
    }
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

/// The text of a tool's error: as it displays, else as it debugs, else only that it failed.
pub trait ErrorByDisplay<'a> {
    /// The error of a call.
    fn capture_error(&self) -> Argument<'a>;
}

impl<'a, T: Display> ErrorByDisplay<'a> for &&Probe<'a, T> {
    fn capture_error(&self) -> Argument<'a> {
        Argument::new("", Captured::Display(self.0))
    }
}

/// Second choice for an error.
pub trait ErrorByDebug<'a> {
    /// The error of a call.
    fn capture_error(&self) -> Argument<'a>;
}

impl<'a, T: Debug> ErrorByDebug<'a> for &Probe<'a, T> {
    fn capture_error(&self) -> Argument<'a> {
        Argument::new("", Captured::Debug(self.0))
    }
}

/// Last choice for an error.
pub trait ErrorOpaque<'a> {
    /// The error of a call.
    fn capture_error(&self) -> Argument<'a>;
}

impl<'a, T> ErrorOpaque<'a> for Probe<'a, T> {
    fn capture_error(&self) -> Argument<'a> {
        Argument::new("", Captured::Opaque)
    }
}

/// What a body returned whose refusals are mapped: a `Result` says itself how the body ended.
pub trait ReturnedResult<'a> {
    /// What is returned when all went well.
    type Value;
    /// What is returned otherwise.
    type Error;

    /// How the body ended.
    ///
    /// # Errors
    ///
    /// The body's own.
    fn as_result(&self) -> Result<&'a Self::Value, &'a Self::Error>;
}

impl<'a, T, E> ReturnedResult<'a> for &Probe<'a, Result<T, E>> {
    type Value = T;
    type Error = E;

    fn as_result(&self) -> Result<&'a T, &'a E> {
        self.0.as_ref()
    }
}

/// Last choice: any other value is a success.
pub trait ReturnedValue<'a, T> {
    /// How the body ended: well.
    ///
    /// # Errors
    ///
    /// None.
    fn as_result(&self) -> Result<&'a T, &'a Infallible>;
}

impl<'a, T> ReturnedValue<'a, T> for Probe<'a, T> {
    fn as_result(&self) -> Result<&'a T, &'a Infallible> {
        Ok(self.0)
    }
}

//! How a body ended, told from what it returned.
//!
//! The invariant: what is compiled here is compiled once for each type of result, not for each
//! tool.

use std::convert::Infallible;
use std::marker::PhantomData;

use crate::arguments::{Argument, Probe, Way};

/// How a body ended, borrowed from its result.
pub enum Outcome<'r> {
    /// With a value.
    Succeeded(Argument<'r>),
    /// With an error.
    Failed(Argument<'r>),
}

/// How to read what bodies return as an [`Outcome`].
pub trait Ending<R> {
    /// How the body ended that returned this.
    fn outcome(returned: &R) -> Outcome<'_>;
}

/// A `Result` says itself how the body ended: its value is read in one way, its error in another.
pub struct ResultEnding<V, E>(PhantomData<fn() -> (V, E)>);

impl<T, F, V: Way<T>, E: Way<F>> Ending<Result<T, F>> for ResultEnding<V, E> {
    fn outcome(returned: &Result<T, F>) -> Outcome<'_> {
        match returned {
            Ok(value) => Outcome::Succeeded(V::capture("", value, &Argument::END)),
            Err(error) => Outcome::Failed(E::capture("", error, &Argument::END)),
        }
    }
}

/// Any other value is a success.
pub struct ValueEnding<V>(PhantomData<fn() -> V>);

impl<T, V: Way<T>> Ending<T> for ValueEnding<V> {
    fn outcome(returned: &T) -> Outcome<'_> {
        Outcome::Succeeded(V::capture("", returned, &Argument::END))
    }
}

/// First choice for what a body returned.
pub trait ReturnedResult<'a, T: 'a, F: 'a> {
    /// The ending, in which the closure's two ways are used. It is not called.
    fn ending<V, E>(&self, ways: impl FnOnce(&'a T, &'a F) -> (V, E)) -> ResultEnding<V, E>;
}

impl<'a, T, F> ReturnedResult<'a, T, F> for &Probe<'a, Result<T, F>> {
    fn ending<V, E>(&self, _: impl FnOnce(&'a T, &'a F) -> (V, E)) -> ResultEnding<V, E> {
        ResultEnding(PhantomData)
    }
}

/// Last choice for what a body returned.
pub trait ReturnedValue<'a, T: 'a> {
    /// The ending, in which the first of the closure's two ways is used. It is not called.
    fn ending<V, E>(&self, ways: impl FnOnce(&'a T, &'a Infallible) -> (V, E)) -> ValueEnding<V>;
}

impl<'a, T> ReturnedValue<'a, T> for Probe<'a, T> {
    fn ending<V, E>(&self, _: impl FnOnce(&'a T, &'a Infallible) -> (V, E)) -> ValueEnding<V> {
        ValueEnding(PhantomData)
    }
}

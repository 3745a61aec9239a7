//! Exact copies of a call's arguments, for a call that waits for a person.
//!
//! A copy is walked as the original is, so a policy judges it as it judges the original. The
//! invariant: a copy is the whole value, or there is none.

use super::capture::Captured;
use super::walk::{Scalar, Shape, Sink, Stop, Structured};
use super::{Argument, Arguments};

/// How deep a copy may nest. It is a part of a request, which readers of JSON have to be able to read,
/// and they commonly go to 128 levels.
const DEEPEST: usize = 110;

/// A value, as it serializes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Exact {
    Null,
    Bool(bool),
    Signed(i128),
    Unsigned(u128),
    Float(f64),
    Text(String),
    List(Vec<Exact>),
    Map(Vec<ExactEntry>),
}

/// A key with its value. No map has a key twice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExactEntry {
    pub(crate) key: String,
    /// Whether it is a type's own field name, and not data.
    pub(crate) is_field: bool,
    pub(crate) value: Exact,
}

/// A named argument of a call.
#[derive(Debug, Clone)]
pub(crate) struct ExactArgument {
    pub(crate) name: String,
    pub(crate) value: Exact,
    pub(crate) is_path: bool,
    pub(crate) is_redacted: bool,
}

impl ExactArgument {
    pub(crate) fn lend(&self) -> Argument<'_> {
        let mut argument = Argument::new(&self.name, Captured::Structured(&self.value));
        argument.is_path = self.is_path;
        argument.is_redacted = self.is_redacted;
        argument
    }
}

/// Why there is no exact copy of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inexact {
    /// Nothing can look into it, or people only.
    Opaque,
    /// It does not serialize, or nests too deep.
    Unserializable,
    /// A map has a key twice, or a call an argument.
    Twice,
    /// It holds bytes that are not text.
    Bytes,
    /// It holds a number that JSON does not have, and was given as JSON.
    Number,
    /// It is larger than is copied.
    TooLarge,
}

/// Copies of all arguments, or the name of the one that has none, and why. `budget` is about how
/// many bytes they may hold together; what is left is told.
pub(crate) fn exact_arguments(
    arguments: Arguments<'_>,
    budget: &mut usize,
) -> Result<Vec<ExactArgument>, (String, Inexact)> {
    if let Arguments::Json(json) = arguments
        && let Some((name, problem)) = json.inexact
    {
        return Err((name.clone(), *problem));
    }
    let mut copies: Vec<ExactArgument> = Vec::new();
    for argument in arguments.iter() {
        let value = if copies.iter().any(|copy| copy.name == argument.name) {
            Err(Inexact::Twice)
        } else {
            Exact::of(argument.value, budget)
        };
        copies.push(ExactArgument {
            value: value.map_err(|problem| (argument.name.to_owned(), problem))?,
            name: argument.name.to_owned(),
            is_path: argument.is_path,
            is_redacted: argument.is_redacted,
        });
    }
    Ok(copies)
}

impl Exact {
    /// A copy of a value.
    pub(crate) fn of(value: Captured<'_>, budget: &mut usize) -> Result<Self, Inexact> {
        let mut copying = Copying {
            stack: Vec::new(),
            done: None,
            budget,
            problem: None,
        };
        match value.walk(&mut copying) {
            None => Err(Inexact::Opaque),
            Some(Err(_)) => Err(copying.problem.unwrap_or(Inexact::Unserializable)),
            // A `Serialize` that closes less or more than it opened has said nothing certain.
            Some(Ok(())) if !copying.stack.is_empty() => Err(Inexact::Unserializable),
            Some(Ok(())) => copying.done.ok_or(Inexact::Unserializable),
        }
    }
}

impl Structured for Exact {
    fn walk(&self, sink: &mut dyn Sink) -> Result<(), Stop> {
        match self {
            Self::Null => sink.scalar(Scalar::Null),
            Self::Bool(value) => sink.scalar(Scalar::Bool(*value)),
            Self::Signed(value) => sink.scalar(Scalar::Signed(*value)),
            Self::Unsigned(value) => sink.scalar(Scalar::Unsigned(*value)),
            Self::Float(value) => sink.scalar(Scalar::Float(*value)),
            Self::Text(value) => sink.scalar(Scalar::Text(value)),
            Self::List(items) => {
                sink.open(Shape::List)?;
                items.iter().try_for_each(|item| item.walk(sink))?;
                sink.close(Shape::List)
            }
            Self::Map(entries) => {
                sink.open(Shape::Map)?;
                entries.iter().try_for_each(|entry| {
                    sink.key(&entry.key, entry.is_field)?;
                    entry.value.walk(sink)
                })?;
                sink.close(Shape::Map)
            }
        }
    }
}

/// Builds a copy from a walk.
struct Copying<'b> {
    stack: Vec<Frame>,
    done: Option<Exact>,
    budget: &'b mut usize,
    problem: Option<Inexact>,
}

enum Frame {
    List(Vec<Exact>),
    /// With the key whose value comes next.
    Map(Vec<ExactEntry>, Option<(String, bool)>),
}

impl Copying<'_> {
    /// What an event costs beside its text: less than it takes in the memory of those who read the
    /// request, and much more than the two bytes that may stand for it in JSON.
    const EVENT: usize = 32;

    fn spend(&mut self, bytes: usize) -> Result<(), Stop> {
        match self.budget.checked_sub(bytes.saturating_add(Self::EVENT)) {
            Some(left) => {
                *self.budget = left;
                Ok(())
            }
            None => self.stop(Inexact::TooLarge),
        }
    }

    fn stop<T>(&mut self, problem: Inexact) -> Result<T, Stop> {
        self.problem = Some(problem);
        Err(Stop::Enough)
    }

    fn add(&mut self, value: Exact) -> Result<(), Stop> {
        match self.stack.last_mut() {
            None if self.done.is_none() => {
                self.done = Some(value);
                Ok(())
            }
            Some(Frame::List(items)) => {
                items.push(value);
                Ok(())
            }
            Some(Frame::Map(entries, key)) => match key.take() {
                Some((key, is_field)) => {
                    entries.push(ExactEntry {
                        key,
                        is_field,
                        value,
                    });
                    Ok(())
                }
                None => Err(Stop::Failed),
            },
            None => Err(Stop::Failed),
        }
    }
}

impl Sink for Copying<'_> {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Stop> {
        let value = match scalar {
            Scalar::Null => Exact::Null,
            Scalar::Bool(value) => Exact::Bool(value),
            Scalar::Signed(value) => Exact::Signed(value),
            Scalar::Unsigned(value) => Exact::Unsigned(value),
            Scalar::Float(value) => Exact::Float(value),
            Scalar::Text(text) => {
                self.spend(text.len())?;
                return self.add(Exact::Text(text.to_owned()));
            }
            Scalar::Bytes(_) => return self.stop(Inexact::Bytes),
        };
        self.spend(0)?;
        self.add(value)
    }

    fn open(&mut self, shape: Shape) -> Result<(), Stop> {
        self.spend(0)?;
        if self.stack.len() == DEEPEST {
            return self.stop(Inexact::Unserializable);
        }
        self.stack.push(match shape {
            Shape::List => Frame::List(Vec::new()),
            Shape::Map => Frame::Map(Vec::new(), None),
        });
        Ok(())
    }

    fn key(&mut self, key: &str, field: bool) -> Result<(), Stop> {
        self.spend(key.len())?;
        match self.stack.last_mut() {
            Some(Frame::Map(_, next @ None)) => {
                *next = Some((key.to_owned(), field));
                Ok(())
            }
            _ => Err(Stop::Failed),
        }
    }

    fn close(&mut self, shape: Shape) -> Result<(), Stop> {
        let value = match (self.stack.pop(), shape) {
            (Some(Frame::List(items)), Shape::List) => Exact::List(items),
            (Some(Frame::Map(entries, None)), Shape::Map) => {
                if has_twice(&entries) {
                    return self.stop(Inexact::Twice);
                }
                Exact::Map(entries)
            }
            _ => return Err(Stop::Failed),
        };
        self.add(value)
    }
}

/// Which of two values under one key is meant cannot be told.
fn has_twice(entries: &[ExactEntry]) -> bool {
    let mut keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

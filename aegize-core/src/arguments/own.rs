//! Owned copies of a call's arguments, for refusals.
//!
//! They are what people and models may see: secrets are replaced, unreadable ones are
//! given as the text they print, and a copy is cut at a budget, so that refusing a call stays
//! cheap however large its arguments are.

use std::fmt::Display;
use std::ops::ControlFlow;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::exact::Inexact;
use super::redact::Redacting;
use super::summary::summarize_value;
use super::walk::{Scalar, Shape, Sink, Stop, Structured as _};
use super::{Argument, Arguments};
use crate::secrets::{REDACTED, Redactions, Redactor};

/// About how many bytes the copies of a call's arguments may hold.
const BUDGET: usize = 16 * 1024;

/// What stands where a copy was cut.
const CUT: &str = "… (cut)";

/// The arguments by name, and the names of those that are declared to be paths.
pub(crate) fn own_arguments(
    arguments: Arguments<'_>,
    redactor: &Redactor,
) -> (Map<String, Value>, Vec<String>) {
    let mut values = Map::new();
    let mut paths = Vec::new();
    let mut budget = BUDGET;
    for argument in arguments.iter() {
        let Some(left) = budget.checked_sub(argument.name.len() + 16) else {
            values.insert(CUT.to_owned(), Value::Null);
            break;
        };
        budget = left;
        let name = redactor.redact(argument.name).into_owned();
        if argument.is_path {
            paths.push(name.clone());
        }
        // What was found is told by the record of the call.
        let mut found = Redactions::default();
        let (value, _) = own_argument(argument, redactor, &mut budget, &mut found);
        values.insert(name, value);
    }
    (values, paths)
}

/// As [`own_arguments`], but whole: `None` if anything but a secret would not be shown. The
/// arguments are of a size that is known to be fit. What was redacted in them is added to `found`.
pub(crate) fn shown_arguments(
    arguments: Arguments<'_>,
    redactor: &Redactor,
    found: &mut Redactions,
) -> Option<(Map<String, Value>, Vec<String>)> {
    let mut values = Map::new();
    let mut paths = Vec::new();
    for argument in arguments.iter() {
        let name = redactor.redact(argument.name).into_owned();
        if argument.is_path {
            paths.push(name.clone());
        }
        let mut unlimited = usize::MAX;
        let (value, is_whole) = own_argument(argument, redactor, &mut unlimited, found);
        if !is_whole || values.insert(name, value).is_some() {
            return None;
        }
    }
    Some((values, paths))
}

/// The fields of a struct or map as JSON.
pub(crate) struct OwnMap {
    pub(crate) values: Map<String, Value>,
    /// Of which field JSON does not have the value, if there is one, and why: a text stands for it, and
    /// might be the value of another call.
    pub(crate) inexact: Option<(String, Inexact)>,
}

/// A struct or map as JSON; `None` if it does not serialize, or has a key twice.
pub(crate) fn own_map(value: &impl Serialize) -> Option<OwnMap> {
    let mut builder = Builder::new(usize::MAX);
    value.walk(&mut builder).ok()?;
    match builder.done {
        Some(Value::Object(values)) => Some(OwnMap {
            values,
            inexact: builder.inexact,
        }),
        _ => None,
    }
}

/// One argument as JSON, and whether that is all of it.
fn own_argument(
    argument: Argument<'_>,
    redactor: &Redactor,
    budget: &mut usize,
    found: &mut Redactions,
) -> (Value, bool) {
    if argument.is_secret(redactor) {
        found.add(&redactor.label(argument.name));
        return (Value::from(REDACTED), true);
    }
    let mut builder = Builder::new(*budget);
    let window = BUDGET.max(*budget);
    let mut redacting = Redacting::new(&mut builder, redactor, found, window);
    let walked = argument.value.walk(&mut redacting);
    *budget = builder.budget;
    match walked {
        Some(Ok(())) => (builder.done.unwrap_or(Value::Null), true),
        Some(Err(Stop::Enough)) => (builder.cut(), false),
        Some(Err(Stop::Failed)) => (Value::from("<unreadable>"), false),
        None => {
            let shown = summarize_value(argument.value, redactor, found);
            (Value::from(shown), false)
        }
    }
}

/// Builds a JSON value from a walk.
struct Builder {
    stack: Vec<Frame>,
    done: Option<Value>,
    budget: usize,
    /// The first value for which a text stands: under which key of the outermost map, and why.
    inexact: Option<(String, Inexact)>,
}

enum Frame {
    List(Vec<Value>),
    Map(Map<String, Value>, String),
}

impl Builder {
    fn new(budget: usize) -> Self {
        Self {
            stack: Vec::new(),
            done: None,
            budget,
            inexact: None,
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Stop> {
        let left = self.budget.checked_sub(bytes);
        self.budget = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Stop::Enough)
    }

    fn add(&mut self, value: Value) {
        match self.stack.last_mut() {
            None => self.done = Some(value),
            Some(Frame::List(list)) => list.push(value),
            Some(Frame::Map(map, key)) => {
                map.insert(std::mem::take(key), value);
            }
        }
    }

    /// A number that JSON's numbers cannot hold exactly is kept as its text.
    fn number(&mut self, number: Option<Number>, value: &dyn Display) -> Value {
        number.map_or_else(
            || self.stand_in(value.to_string(), Inexact::Number),
            Value::Number,
        )
    }

    /// A text in the place of a value that JSON does not have.
    fn stand_in(&mut self, text: String, problem: Inexact) -> Value {
        if let (None, Some(Frame::Map(_, key))) = (&self.inexact, self.stack.first()) {
            self.inexact = Some((key.clone(), problem));
        }
        Value::from(text)
    }

    fn fold(&mut self) -> ControlFlow<()> {
        let value = match self.stack.pop() {
            None => return ControlFlow::Break(()),
            Some(Frame::List(list)) => Value::Array(list),
            Some(Frame::Map(map, _)) => Value::Object(map),
        };
        self.add(value);
        ControlFlow::Continue(())
    }

    /// What was built when the budget ended, with a mark where it was cut.
    fn cut(mut self) -> Value {
        self.add(Value::from(CUT));
        while self.fold().is_continue() {}
        self.done.unwrap_or(Value::Null)
    }
}

impl Sink for Builder {
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Stop> {
        let value = match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Signed(value) => self.number(Number::from_i128(value), &value),
            Scalar::Unsigned(value) => self.number(Number::from_u128(value), &value),
            Scalar::Float(value) => self.number(Number::from_f64(value), &value),
            Scalar::Text(text) if text.len() > self.budget => {
                let mut kept: String = text.chars().take(LONGEST_CUT).collect();
                kept.push('…');
                Value::String(kept)
            }
            Scalar::Text(text) => Value::from(text),
            Scalar::Bytes(bytes) => {
                self.stand_in(format!("<{} bytes>", bytes.len()), Inexact::Bytes)
            }
        };
        self.spend(16 + value.as_str().map_or(0, str::len))?;
        self.add(value);
        Ok(())
    }

    fn open(&mut self, shape: Shape) -> Result<(), Stop> {
        self.spend(16)?;
        self.stack.push(match shape {
            Shape::List => Frame::List(Vec::new()),
            Shape::Map => Frame::Map(Map::new(), String::new()),
        });
        Ok(())
    }

    fn key(&mut self, key: &str, _: bool) -> Result<(), Stop> {
        self.spend(key.len())?;
        match self.stack.last_mut() {
            // Which of two values is meant cannot be told.
            Some(Frame::Map(map, _)) if map.contains_key(key) => Err(Stop::Failed),
            Some(Frame::Map(_, last)) => {
                key.clone_into(last);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn close(&mut self, _: Shape) -> Result<(), Stop> {
        let _ = self.fold();
        Ok(())
    }
}

/// How many characters of a string that is too long are kept.
const LONGEST_CUT: usize = 200;

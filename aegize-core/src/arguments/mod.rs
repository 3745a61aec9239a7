//! The named values of a call: how they are captured, read and shown.
//!
//! A guarded call lends its arguments: each is one erased reference ([`Argument`]), looked at
//! only as far as a rule or a summary needs. Nothing is copied before a decision, so that a
//! 50 MB argument costs no more than a short one. The invariant: a value that cannot be read
//! is never mistaken for one that is absent.

mod capture;
mod exact;
mod own;
mod paths;
mod recorded;
#[cfg(test)]
mod recorded_tests;
mod redact;
mod summary;
mod walk;

use std::path::Path;
use std::{fmt, iter};

use serde_json::{Map, Value};

pub(crate) use self::capture::Captured;
pub use self::capture::{Chosen, ChosenForErrors, Lock, PathValue, Probe, Unrecorded, Way};
pub(crate) use self::exact::{Exact, ExactArgument, ExactEntry, Inexact, exact_arguments};
pub(crate) use self::own::{OwnMap, own_arguments, own_map, shown_arguments};
pub(crate) use self::paths::{CandidatePath, FewPaths, PATH_METADATA, is_path_like};
pub(crate) use self::recorded::{RecordedArguments, RecordedValue, Unknown};
pub(crate) use self::summary::{summarize_arguments, summarize_value};
pub(crate) use self::walk::{Scalar, Shape, Sink, Stop, Structured, is_map};

use crate::action::{RiskLevel, ToolAction};
use crate::identity::Environment;
use crate::secrets::{BUILT_IN, Redactions, Redactor};

/// One named argument of a call, borrowed from the caller, and those after it.
#[derive(Clone, Copy)]
pub struct Argument<'a> {
    /// `None` at the end of the arguments, which is not one itself.
    next: Option<&'a Argument<'a>>,
    pub(crate) name: &'a str,
    pub(crate) value: Captured<'a>,
    pub(crate) is_path: bool,
    pub(crate) is_redacted: bool,
}

impl<'a> Argument<'a> {
    /// What is after the last argument.
    pub const END: Argument<'static> = Argument {
        next: None,
        name: "",
        value: Captured::Opaque,
        is_path: false,
        is_redacted: false,
    };

    pub(crate) fn new(name: &'a str, value: Captured<'a>) -> Self {
        Self {
            next: Some(&Self::END),
            name,
            value,
            is_path: matches!(value, Captured::Path(_) | Captured::Paths(_)),
            is_redacted: false,
        }
    }

    // Each tool has code to make its arguments. It is a call of one of these with what is in
    // registers anyway.

    #[inline(never)]
    fn text(name: &'a str, value: &'a str, next: &'a Self) -> Self {
        Self::new(name, Captured::Text(value)).before(next)
    }

    #[inline(never)]
    fn structured(name: &'a str, value: &'a dyn Structured, next: &'a Self) -> Self {
        Self::new(name, Captured::Structured(value)).before(next)
    }

    #[inline(never)]
    fn paths(name: &'a str, value: &'a dyn PathValue, next: &'a Self) -> Self {
        Self::new(name, Captured::Paths(value)).before(next)
    }

    #[inline(never)]
    fn as_path(name: &'a str, value: &'a Path, next: &'a Self) -> Self {
        Self::new(name, Captured::Path(value)).before(next)
    }

    #[inline(never)]
    fn debug(name: &'a str, value: &'a dyn fmt::Debug, next: &'a Self) -> Self {
        Self::new(name, Captured::Debug(value)).before(next)
    }

    #[inline(never)]
    fn display(name: &'a str, value: &'a dyn fmt::Display, next: &'a Self) -> Self {
        Self::new(name, Captured::Display(value)).before(next)
    }

    #[inline(never)]
    fn opaque(name: &'a str, next: &'a Self) -> Self {
        Self::new(name, Captured::Opaque).before(next)
    }

    fn before(self, next: &'a Self) -> Self {
        Self {
            next: Some(next),
            ..self
        }
    }

    /// The same argument, kept out of every record and message.
    #[must_use]
    pub const fn redacted(mut self) -> Self {
        self.is_redacted = true;
        self
    }

    /// Whether the whole value is replaced wherever it is shown.
    pub(crate) fn is_secret(&self, redactor: &Redactor) -> bool {
        self.is_redacted || (redactor.is_name(self.name) && redact::may_be_secret(self.value))
    }

    /// The same argument, declared to be a path.
    #[must_use]
    pub const fn path(mut self) -> Self {
        self.is_path = true;
        self
    }
}

impl fmt::Debug for Argument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&summarize_arguments(
            Arguments::Captured(&[*self]),
            &BUILT_IN,
            &mut Redactions::default(),
        ))
    }
}

/// One attempted call, borrowed: what policy judges and the log records.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) agent_id: &'a str,
    pub(crate) tool_name: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) risk_level: RiskLevel,
    pub(crate) arguments: Arguments<'a>,
    pub(crate) metadata: &'a Map<String, Value>,
    /// What keeps secrets out of what is told about the call. Decisions do not ask it.
    pub(crate) redactor: &'a Redactor,
}

impl Call<'_> {
    /// Where the agent acts, as far as it is known.
    pub(crate) fn environment(&self) -> Option<Environment> {
        self.metadata.get("environment")?.as_str()?.parse().ok()
    }
}

impl<'a> From<&'a ToolAction> for Call<'a> {
    fn from(action: &'a ToolAction) -> Self {
        Self {
            agent_id: &action.agent_id,
            tool_name: &action.tool_name,
            operation: &action.operation,
            risk_level: action.risk_level,
            arguments: Arguments::Json(JsonArguments {
                values: &action.arguments,
                paths: &action.path_arguments,
                redacted: &[],
                inexact: None,
            }),
            metadata: &action.metadata,
            redactor: &BUILT_IN,
        }
    }
}

/// The arguments of a [`Call`].
#[derive(Clone, Copy)]
pub(crate) enum Arguments<'a> {
    /// Captured from a Rust function's parameters: the first of a list.
    Listed(&'a Argument<'a>),
    /// Captured one by one.
    Captured(&'a [Argument<'a>]),
    /// Given as JSON.
    Json(JsonArguments<'a>),
}

/// Arguments given as JSON, with the names of those that are declared paths or redacted.
#[derive(Clone, Copy)]
pub(crate) struct JsonArguments<'a> {
    pub(crate) values: &'a Map<String, Value>,
    pub(crate) paths: &'a [String],
    pub(crate) redacted: &'a [String],
    /// The name of one whose value JSON does not have, and why, if there is any.
    pub(crate) inexact: Option<&'a (String, Inexact)>,
}

impl<'a> Arguments<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = Argument<'a>> {
        let (first, captured, json): (_, &[_], _) = match self {
            Self::Listed(first) => (first, &[], None),
            Self::Captured(captured) => (&Argument::END, captured, None),
            Self::Json(json) => (&Argument::END, &[], Some(json)),
        };
        let listed = iter::successors(Some(first), |argument| argument.next)
            .take_while(|argument| argument.next.is_some());
        let json = json.into_iter().flat_map(|json| {
            json.values.iter().map(move |(name, value)| {
                let mut argument = Argument::new(name, Captured::Json(value));
                argument.is_path = json.paths.contains(name);
                argument.is_redacted = json.redacted.contains(name);
                argument
            })
        });
        listed.chain(captured).copied().chain(json)
    }
}

//! Few values, seen often: what an argument may be held to.

use std::collections::{BTreeMap, BTreeSet};

use super::write::quoted;
use crate::arguments::{RecordedArguments, RecordedValue, Scalar};

/// The most distinct values that are few.
const FEW: usize = 5;

/// How many calls there have to be for each value.
const OFTEN: u64 = 4;

/// The longest text that is suggested as a value, in bytes.
const LONGEST: usize = 80;

/// The scalar values of arguments.
#[derive(Debug, Default)]
pub(super) struct SeenValues(BTreeMap<String, Values>);

#[derive(Debug, Default)]
struct Values {
    count: u64,
    /// As YAML writes them; one more than few if there are too many.
    distinct: BTreeSet<String>,
}

impl SeenValues {
    pub(super) fn add(&mut self, arguments: &RecordedArguments) {
        for argument in &arguments.arguments {
            let scalar = argument.value.as_ref().ok().and_then(RecordedValue::scalar);
            let literal = match scalar {
                Some(Scalar::Bool(value)) => value.to_string(),
                Some(Scalar::Signed(value)) => value.to_string(),
                Some(Scalar::Unsigned(value)) => value.to_string(),
                Some(Scalar::Text(text)) if text.len() <= LONGEST => quoted(text),
                _ => continue,
            };
            let values = self.0.entry(argument.name.clone()).or_default();
            values.count += 1;
            if values.distinct.len() <= FEW {
                values.distinct.insert(literal);
            }
        }
    }

    /// The arguments that each of so many calls had, with the few values they had.
    pub(super) fn few(&self, calls: u64) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        let is_few = move |values: &Values| {
            let often = OFTEN.saturating_mul(values.distinct.len() as u64);
            values.count == calls && values.distinct.len() <= FEW && calls >= often
        };
        self.0
            .iter()
            .filter(move |(_, values)| is_few(values))
            .map(|(name, values)| (&**name, &values.distinct))
    }
}

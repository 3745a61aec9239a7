//! Which rules of two policies say the same.
//!
//! Rules are compared by all that decides a call, as it was read: not by name, place or reason,
//! nor by the order of things of which the order does not count. The invariant: rules of equal
//! meaning apply to the same calls. The converse need not hold, and costs only time.

use std::collections::HashMap;
use std::ptr;

use sha2::{Digest, Sha256};

use crate::policy::document::{Conditions, Rule};

/// What a rule says, as a digest.
pub(super) type Meaning = [u8; 32];

/// The meanings of rules, computed once for those that agents share.
#[derive(Default)]
pub(super) struct Meanings(HashMap<*const Rule, Meaning>);

impl Meanings {
    pub(super) fn of(&mut self, rule: &Rule) -> Meaning {
        *self
            .0
            .entry(ptr::from_ref(rule))
            .or_insert_with(|| digest(&[say(rule)]))
    }
}

/// A digest of several texts, none of which can be taken for a part of another.
pub(super) fn digest<T: AsRef<[u8]>>(parts: &[T]) -> Meaning {
    let mut digest = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

fn say(rule: &Rule) -> String {
    let operations = rule
        .operations
        .as_ref()
        .map(|operations| sorted(operations.iter().map(|operation| format!("{operation:?}"))));
    let unless = sorted(rule.unless.iter().map(say_conditions));
    format!(
        "{:?} {:?} {:?} {:?} {operations:?} {} {unless:?}",
        rule.section,
        rule.only_tightens,
        rule.environment,
        rule.tool,
        say_conditions(&rule.conditions),
    )
}

fn say_conditions(conditions: &Conditions) -> String {
    let paths = conditions
        .paths
        .as_ref()
        .map(|paths| sorted(paths.iter().map(|path| format!("{path:?}"))));
    let arguments = &conditions.arguments;
    let arguments = sorted(arguments.iter().map(|argument| format!("{argument:?}")));
    format!(
        "{:?} {paths:?} {arguments:?} {}",
        conditions.risk, conditions.follows_links
    )
}

fn sorted(parts: impl Iterator<Item = String>) -> Vec<String> {
    let mut parts: Vec<String> = parts.collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

//! The terms of an approval rule.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::policy::terms::{ApprovalTerms, EntitledApprover, GROUP, folded};
use crate::text::find_invisible;
use crate::yaml::decode::{Decoder, Fields, Trail};
use crate::yaml::{Kind, Node};

/// The keys of `require_approval` rules alone.
pub(super) const TERMS: [&str; 6] = [
    "approvers",
    "quorum",
    "expires_in",
    "remember",
    "remind_after",
    "escalate_to",
];

/// The longest time that an approval may be waited for or count.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

pub(super) fn read_terms(
    decoder: &mut Decoder,
    fields: &Fields<'_>,
    trail: Trail<'_>,
) -> ApprovalTerms {
    let mut terms = ApprovalTerms::default();
    let mut approvers = |key: &'static str| match fields.get(key) {
        Some(node) => read_approvers(decoder, node, Trail::Key(&trail, key)),
        None => Vec::new(),
    };
    terms.approvers = approvers("approvers");
    terms.escalate_to = approvers("escalate_to");
    if let Some(node) = fields.get("quorum") {
        let trail = Trail::Key(&trail, "quorum");
        terms.quorum = read_quorum(decoder, node, trail).unwrap_or(NonZeroU32::MIN);
        if let Some(people) = most_people(&terms).filter(|people| *people < terms.quorum()) {
            let message = format!(
                "a quorum of {} cannot be met by {people} approvers; name more, or lower it. Names that \
                 look the same are those of one person",
                terms.quorum()
            );
            decoder.problem(node, trail, message);
        }
    }
    let mut time = |key: &'static str| {
        let node = fields.get(key)?;
        read_time(decoder, node, Trail::Key(&trail, key))
    };
    terms.expires_in = time("expires_in");
    terms.remember = time("remember");
    terms.remind_after = time("remind_after");
    if let Some(node) = fields.get("escalate_to")
        && fields.get("remind_after").is_none()
    {
        let message = "`escalate_to` says whom to tell after a time; write which: `remind_after`";
        decoder.problem(node, Trail::Key(&trail, "escalate_to"), message);
    }
    terms
}

/// How many different people may approve at most, if that is known.
fn most_people(terms: &ApprovalTerms) -> Option<u32> {
    let mut people = BTreeSet::new();
    for entitled in terms.approvers.iter().chain(&terms.escalate_to) {
        match entitled {
            EntitledApprover::Person(name) => people.insert(folded(name)),
            EntitledApprover::Group(_) => return None,
        };
    }
    let people = u32::try_from(people.len()).unwrap_or(u32::MAX);
    (!terms.approvers.is_empty()).then_some(people)
}

fn read_approvers(decoder: &mut Decoder, node: &Node, trail: Trail<'_>) -> Vec<EntitledApprover> {
    if matches!(&node.kind, Kind::List(items) if items.is_empty()) {
        let message = "an empty list lets nobody approve; name at least one, or write a deny rule";
        decoder.problem(node, trail, message);
    }
    let items = decoder
        .items(node, trail, "a list of approvers")
        .unwrap_or_default();
    let mut approvers = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let trail = Trail::Index(&trail, index);
        let Some(text) = decoder.name(item, trail, "the name of an approver, or `group:NAME`")
        else {
            continue;
        };
        let (name, approver) = match text.strip_prefix(GROUP) {
            Some(name) => (name, EntitledApprover::Group(name.to_owned())),
            None => (text, EntitledApprover::Person(text.to_owned())),
        };
        if name.trim().is_empty() || name.trim() != name || find_invisible(name).is_some() {
            let message = "an approver's name is one that people can see; \
                remove white space around it and what nobody sees";
            decoder.problem(item, trail, message);
        } else if approvers.contains(&approver) {
            decoder.problem(
                item,
                trail,
                format!("approver `{text}` is listed twice; remove one"),
            );
        } else {
            approvers.push(approver);
        }
    }
    approvers
}

fn read_quorum(decoder: &mut Decoder, node: &Node, trail: Trail<'_>) -> Option<NonZeroU32> {
    let quorum = match &node.kind {
        Kind::Number { number, .. } => number.as_u64().and_then(|n| u32::try_from(n).ok()),
        _ => None,
    };
    let quorum = quorum.and_then(NonZeroU32::new);
    if quorum.is_none() {
        decoder.problem(
            node,
            trail,
            "expected how many people have to approve: an integer from 1",
        );
    }
    quorum
}

/// A time such as `90s`, `10m`, `24h` or `7d`.
fn read_time(decoder: &mut Decoder, node: &Node, trail: Trail<'_>) -> Option<Duration> {
    let text = decoder.name(node, trail, "a time such as 10m or 24h")?;
    let seconds = text.char_indices().next_back().and_then(|(last, unit)| {
        let unit = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return None,
        };
        let number = text.get(..last)?;
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
        number
            .parse::<u64>()
            .ok()
            .filter(|_| is_plain)?
            .checked_mul(unit)
    });
    let time = seconds
        .map(Duration::from_secs)
        .filter(|time| *time <= LONGEST);
    if time.is_none() {
        let shown: String = text.chars().take(60).collect();
        let message = format!(
            "`{}` is no time; write a number with s, m, h or d, such as 10m, up to 365d",
            shown.escape_debug()
        );
        decoder.problem(node, trail, message);
    }
    time
}

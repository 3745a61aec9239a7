//! What stands where in a policy file: the order of keys, and what may share a line.

use crate::yaml::comments::{Entry, Scalar, Value};

/// What a value is, by where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The whole file.
    Root,
    /// Names at the top level, and the sections of each.
    Names,
    /// The sections of an agent, a role or an environment.
    Sections,
    /// The environments of one agent, and the sections of each.
    Environments,
    /// A list of rules.
    Rules,
    Rule,
    /// Conditions by the name of an argument.
    Args,
    /// Exemptions, one or a list.
    Unless,
    /// A matcher, or whatever the author put below an `x-` key.
    Free,
}

impl Place {
    /// The keys of a mapping in their order; empty if the order is the author's.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Root => &["version", "roles", "agents", "environments"],
            Self::Sections => &[
                "widens",
                "roles",
                "allow",
                "require_approval",
                "deny",
                "environments",
            ],
            Self::Rule => &[
                "id",
                "tool",
                "operations",
                "risk_level_max",
                "risk_level_min",
                "paths",
                "symlinks",
                "args",
                "unless",
                "approvers",
                "quorum",
                "expires_in",
                "remember",
                "remind_after",
                "escalate_to",
                "reason",
            ],
            Self::Unless => &["risk_level_max", "paths", "args"],
            Self::Names | Self::Environments | Self::Rules | Self::Args | Self::Free => &[],
        }
    }

    /// What an entry or item of this is.
    pub(super) fn of(self, key: Option<&Scalar>) -> Self {
        let key = key.map_or("", |key| key.text.as_str());
        match (self, key) {
            _ if key.starts_with("x-") => Self::Free,
            (Self::Root, "roles" | "agents" | "environments") => Self::Names,
            (Self::Names | Self::Environments, _) => Self::Sections,
            (Self::Sections, "allow" | "require_approval" | "deny") => Self::Rules,
            (Self::Sections, "environments") => Self::Environments,
            (Self::Rules, _) => Self::Rule,
            (Self::Rule | Self::Unless, "args") => Self::Args,
            (Self::Rule, "unless") | (Self::Unless, "") => Self::Unless,
            _ => Self::Free,
        }
    }

    /// Whether an empty line stands between two entries.
    pub(super) fn separates(self, before: &Entry, entry: &Entry) -> bool {
        let is_scalar = |entry: &Entry| matches!(entry.value, Value::Scalar(_));
        match self {
            Self::Root => !is_scalar(before) && !is_scalar(entry),
            Self::Names => true,
            _ => false,
        }
    }

    /// Puts the keys of an entry's value in their order, and those of all values inside. Keys
    /// without a place come last, and comments where there is a line for them.
    pub(super) fn arrange(self, entry: &mut Entry) {
        let keys = self.keys();
        let rank = |entry: &Entry| {
            let key = entry.key.as_ref().map_or("", |key| key.text.as_str());
            let position = keys.iter().position(|known| *known == key);
            position.unwrap_or(keys.len())
        };
        if let Value::List(block) | Value::Map(block) = &mut entry.value {
            block.entries.sort_by_key(rank);
            for entry in &mut block.entries {
                self.of(entry.key.as_ref()).arrange(entry);
            }
        }
        if entry.key.is_none()
            && let Value::List(block) | Value::Map(block) = &mut entry.value
            && let Some(first) = block.entries.first_mut()
            && self != Self::Root
        {
            // Both stand behind the same dash.
            entry.above.append(&mut first.above);
        }
    }
}

//! The values that keys take.
//!
//! Invariant: a value that is returned is one that a policy can use; one that is not was reported.

use syn::LitStr;

use super::{ResultCapture, RiskLevel};
use crate::entries::{self, Entry, Value};
use crate::errors::{Errors, unknown};

const RISK_LEVELS: [&str; 4] = ["low", "medium", "high", "critical"];

/// A tool name or an operation: text that a policy can match.
pub(super) fn coordinate(key: &str, entry: Entry, errors: &mut Errors) -> Option<LitStr> {
    let literal = text(key, entry, errors)?;
    let value = literal.value();
    let problem = if value.trim().is_empty() {
        "is empty; give it the name that policies use"
    } else if value.trim() != value {
        "begins or ends with white space, which no policy would match; remove it"
    } else if value.chars().any(char::is_control) {
        "contains a control character; remove it"
    } else {
        return Some(literal);
    };
    errors.on(literal, format_args!("`{key}` {problem}"));
    None
}

pub(super) fn risk_level(entry: Entry, errors: &mut Errors) -> Option<RiskLevel> {
    let literal = text("risk_level", entry, errors)?;
    let value = literal.value();
    let level = match value.as_str() {
        "low" => RiskLevel::Low,
        "medium" => RiskLevel::Medium,
        "high" => RiskLevel::High,
        "critical" => RiskLevel::Critical,
        _ => {
            errors.on(literal, unknown("risk level", &value, &RISK_LEVELS));
            return None;
        }
    };
    Some(level)
}

pub(super) fn result(entry: Entry, errors: &mut Errors) -> Option<ResultCapture> {
    let literal = text("result", entry, errors)?;
    let value = literal.value();
    if value == "skip" {
        return Some(ResultCapture::Skip);
    }
    errors.on(
        literal,
        format_args!(
            "unknown value `{value}` for `result`; the only one is `skip`, and \
            without the key results are recorded"
        ),
    );
    None
}

// Input:  metadata(team = "ops", ticket = "OPS-12")
// Output: [("team", "ops"), ("ticket", "OPS-12")]
pub(super) fn metadata(entry: Entry, errors: &mut Errors) -> Vec<(String, LitStr)> {
    let Value::List(list) = entry.value else {
        errors.on(
            entry.key,
            "`metadata` takes a list; write `metadata(key = \"value\")`",
        );
        return Vec::new();
    };
    let mut metadata: Vec<(String, LitStr)> = Vec::new();
    for entry in entries::read(
        list.stream(),
        "a key with a value, such as `team = \"ops\"`",
        errors,
    )
    .read
    {
        let key = entry.name();
        let span = entry.key.span();
        let value = text(&key, entry, errors);
        if key == "environment" {
            errors.at(
                span,
                "`environment` is the agent's, and already in every record; choose another key",
            );
        } else if metadata.iter().any(|(given, _)| *given == key) {
            errors.at(
                span,
                format_args!("duplicate metadata key `{key}`; give it once"),
            );
        } else if let Some(value) = value {
            metadata.push((key, value));
        }
    }
    metadata
}

/// The string literal of `key = "…"`.
fn text(key: &str, entry: Entry, errors: &mut Errors) -> Option<LitStr> {
    let value = match entry.value {
        Value::Assigned(_, tokens) if !tokens.is_empty() => tokens,
        Value::Assigned(equals, _) => {
            errors.at(equals, format_args!("missing value; write `{key} = \"…\"`"));
            return None;
        }
        Value::None | Value::List(_) | Value::Other => {
            errors.on(
                entry.key,
                format_args!("`{key}` takes a value; write `{key} = \"…\"`"),
            );
            return None;
        }
    };
    match syn::parse2::<LitStr>(value.clone()) {
        Ok(literal) if literal.suffix().is_empty() => Some(literal),
        _ => {
            errors.on(
                value,
                format_args!(
                    "the value of `{key}` must be a string literal; write `{key} = \"…\"`"
                ),
            );
            None
        }
    }
}

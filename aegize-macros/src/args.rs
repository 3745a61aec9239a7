//! The attribute's own tokens → options.
//!
//! Invariant: `Some(options)` is returned only if nothing was wrong with them, and a mistake is reported once: a key
//! that is present but wrong is not also missing.

use proc_macro2::{Ident, Span, TokenStream};
use syn::LitStr;

use crate::entries::{self, Entry, Value};
use crate::errors::{Errors, listed, nearest};

#[cfg(test)]
mod tests;

const KEYS: [&str; 5] = ["tool_name", "operation", "risk_level", "metadata", "result"];
const REQUIRED: [&str; 2] = ["tool_name", "operation"];
const RISK_LEVELS: [&str; 4] = ["low", "medium", "high", "critical"];

/// What `#[guarded_tool(…)]` says.
pub(crate) struct Options {
    pub(crate) tool_name: LitStr,
    pub(crate) operation: LitStr,
    pub(crate) risk_level: RiskLevel,
    pub(crate) metadata: Vec<(String, LitStr)>,
    pub(crate) result: ResultCapture,
}

/// How much harm the tool can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RiskLevel {
    #[default]
    Low,
    Medium,
    High,
    Critical,
}

/// Whether the returned value is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ResultCapture {
    #[default]
    Record,
    Skip,
}

/// The options read so far.
#[derive(Default)]
struct Draft {
    tool_name: Option<LitStr>,
    operation: Option<LitStr>,
    risk_level: RiskLevel,
    metadata: Vec<(String, LitStr)>,
    result: ResultCapture,
}

// Input:  tool_name = "email", operation = "send", risk_level = "high"
// Output: Options, or `None` and at least one mistake
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Option<Options> {
    let mut draft = Draft::default();
    let mut given: Vec<String> = Vec::new();
    for entry in entries::read(tokens, errors) {
        let name = entry.name();
        if !KEYS.contains(&name.as_str()) {
            // A misspelt key is one mistake: the key it was meant to be is not missing as well.
            given.extend(unknown_key(&entry.key, &name, errors));
        } else if given.contains(&name) {
            errors.at(entry.key.span(), format_args!("duplicate key `{name}`; give it once"));
        } else {
            draft.set(&name, entry, errors);
            given.push(name);
        }
    }
    report_missing(&given, errors);
    Some(Options {
        tool_name: draft.tool_name?,
        operation: draft.operation?,
        risk_level: draft.risk_level,
        metadata: draft.metadata,
        result: draft.result,
    })
}

impl Draft {
    fn set(&mut self, name: &str, entry: Entry, errors: &mut Errors) {
        match name {
            "tool_name" => self.tool_name = coordinate(name, entry, errors),
            "operation" => self.operation = coordinate(name, entry, errors),
            "risk_level" => self.risk_level = risk_level(entry, errors).unwrap_or_default(),
            "metadata" => self.metadata = metadata(entry, errors),
            _ => self.result = result(entry, errors).unwrap_or_default(),
        }
    }
}

fn unknown_key(key: &Ident, name: &str, errors: &mut Errors) -> Option<String> {
    let meant = nearest(name, &KEYS);
    match meant {
        Some(meant) => errors.at(key.span(), format_args!("unknown key `{name}`; did you mean `{meant}`?")),
        None => errors
            .at(key.span(), format_args!("unknown key `{name}`; the keys are {}", listed(&KEYS, "and"))),
    }
    meant.map(str::to_owned)
}

fn report_missing(given: &[String], errors: &mut Errors) {
    let missing: Vec<&str> = REQUIRED.into_iter().filter(|key| !given.iter().any(|given| given == key)).collect();
    if !missing.is_empty() {
        let noun = if missing.len() == 1 { "key" } else { "keys" };
        let names = listed(&missing, "and");
        let write: Vec<String> = missing.iter().map(|key| format!("{key} = \"…\"")).collect();
        let write = write.join(", ");
        errors.at(
            Span::call_site(),
            format_args!("missing {noun} {names}: a policy knows a tool by its name and operation; write `{write}`"),
        );
    }
}

/// A tool name or an operation: text that a policy can match.
fn coordinate(key: &str, entry: Entry, errors: &mut Errors) -> Option<LitStr> {
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

fn risk_level(entry: Entry, errors: &mut Errors) -> Option<RiskLevel> {
    let literal = text("risk_level", entry, errors)?;
    let value = literal.value();
    let level = match value.as_str() {
        "low" => RiskLevel::Low,
        "medium" => RiskLevel::Medium,
        "high" => RiskLevel::High,
        "critical" => RiskLevel::Critical,
        _ => {
            let levels = listed(&RISK_LEVELS, "and");
            match nearest(&value, &RISK_LEVELS) {
                Some(meant) => errors.on(literal, format_args!("unknown risk level `{value}`; did you mean `{meant}`?")),
                None => errors.on(literal, format_args!("unknown risk level `{value}`; the levels are {levels}")),
            }
            return None;
        }
    };
    Some(level)
}

fn result(entry: Entry, errors: &mut Errors) -> Option<ResultCapture> {
    let literal = text("result", entry, errors)?;
    let value = literal.value();
    if value == "skip" {
        return Some(ResultCapture::Skip);
    }
    errors.on(
        literal,
        format_args!("unknown value `{value}` for `result`; the only one is `skip`, and without the key results are recorded"),
    );
    None
}

// Input:  metadata(team = "ops", ticket = "OPS-12")
// Output: [("team", "ops"), ("ticket", "OPS-12")]
fn metadata(entry: Entry, errors: &mut Errors) -> Vec<(String, LitStr)> {
    let Value::List(list) = entry.value else {
        errors.on(entry.key, "`metadata` takes a list; write `metadata(key = \"value\")`");
        return Vec::new();
    };
    let mut metadata: Vec<(String, LitStr)> = Vec::new();
    for entry in entries::read(list.stream(), errors) {
        let key = entry.name();
        let span = entry.key.span();
        let value = text(&key, entry, errors);
        if metadata.iter().any(|(given, _)| *given == key) {
            errors.at(span, format_args!("duplicate metadata key `{key}`; give it once"));
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
            errors.on(entry.key, format_args!("`{key}` takes a value; write `{key} = \"…\"`"));
            return None;
        }
    };
    match syn::parse2::<LitStr>(value.clone()) {
        Ok(literal) if literal.suffix().is_empty() => Some(literal),
        _ => {
            errors.on(value, format_args!("the value of `{key}` must be a string literal; write `{key} = \"…\"`"));
            None
        }
    }
}

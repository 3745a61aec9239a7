//! The attribute's own tokens → options.
//!
//! Invariant: a mistake is reported once (a key that is present but wrong is not also missing), and
//! without a mistake there are options.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::{Expr, ExprPath, LitStr, Path};

use crate::entries::{self, Entry};
use crate::errors::{Errors, listed, nearest, unknown};
use values::{crate_path, extras, metadata, refuse_with, result, risk_level};

#[cfg(test)]
mod tests;
mod values;

const KEYS: [&str; 8] = [
    "tool_name",
    "operation",
    "risk_level",
    "metadata",
    "args",
    "result",
    "refuse_with",
    "crate",
];
const REQUIRED: [&str; 2] = ["tool_name", "operation"];

/// What `#[guarded_tool(…)]` says.
pub(crate) struct Options {
    pub(crate) tool_name: LitStr,
    pub(crate) operation: LitStr,
    pub(crate) risk_level: RiskLevel,
    pub(crate) metadata: Vec<(String, LitStr)>,
    pub(crate) extras: Vec<Extra>,
    pub(crate) result: ResultCapture,
    /// What makes a return value of a refusal, if not `From<GuardError>`.
    pub(crate) refuse_with: Option<ExprPath>,
    /// Where the `aegize` crate is, if not at `::aegize`.
    pub(crate) crate_path: Option<Path>,
}

/// An argument that `args(…)` adds.
pub(crate) struct Extra {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) value: Expr,
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
    extras: Vec<Extra>,
    result: ResultCapture,
    refuse_with: Option<ExprPath>,
    crate_path: Option<Path>,
}

/// Whether the attribute's own tokens say what to return instead, however badly.
pub(crate) fn maps_refusals(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter();
    tokens.any(|token| matches!(token, TokenTree::Ident(key) if key == "refuse_with"))
}

// Input:  tool_name = "email", operation = "send", risk_level = "high"
// Output: Options, or `None` and at least one mistake
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Option<Options> {
    let mut draft = Draft::default();
    let mut given: Vec<String> = Vec::new();
    let entries = entries::read(
        tokens,
        "a key with a value, such as `tool_name = \"email\"`",
        errors,
    );
    for entry in entries.read {
        let name = entry.name();
        if !KEYS.contains(&name.as_str()) {
            // A misspelt key is one mistake: the key it was meant to be is not missing as well.
            given.extend(unknown_key(&entry.key, &name, errors));
        } else if given.contains(&name) {
            errors.at(
                entry.key.span(),
                format_args!("duplicate key `{name}`; give it once"),
            );
        } else {
            draft.set(&name, entry, errors);
            given.push(name);
        }
    }
    if !entries.broken {
        report_missing(&given, errors);
    }
    Some(Options {
        tool_name: draft.tool_name?,
        operation: draft.operation?,
        risk_level: draft.risk_level,
        metadata: draft.metadata,
        extras: draft.extras,
        result: draft.result,
        refuse_with: draft.refuse_with,
        crate_path: draft.crate_path,
    })
}

impl Draft {
    fn set(&mut self, name: &str, entry: Entry, errors: &mut Errors) {
        match name {
            "tool_name" => self.tool_name = entry.policy_name(errors),
            "operation" => self.operation = entry.policy_name(errors),
            "risk_level" => self.risk_level = risk_level(entry, errors).unwrap_or_default(),
            "metadata" => self.metadata = metadata(entry, errors),
            "args" => self.extras = extras(entry, errors),
            "refuse_with" => self.refuse_with = refuse_with(entry, errors),
            "crate" => self.crate_path = crate_path(entry, errors),
            _ => self.result = result(entry, errors).unwrap_or_default(),
        }
    }
}

/// Reports a key that does not exist, and returns the one that it was meant to be.
fn unknown_key(key: &Ident, name: &str, errors: &mut Errors) -> Option<String> {
    errors.at(key.span(), unknown("key", name, &KEYS));
    nearest(name, &KEYS).map(str::to_owned)
}

fn report_missing(given: &[String], errors: &mut Errors) {
    let missing: Vec<&str> = REQUIRED
        .into_iter()
        .filter(|key| !given.iter().any(|given| given == key))
        .collect();
    if !missing.is_empty() {
        let noun = if missing.len() == 1 { "key" } else { "keys" };
        let names = listed(&missing, "and");
        let write: Vec<String> = missing.iter().map(|key| format!("{key} = \"…\"")).collect();
        let write = write.join(", ");
        errors.at(
            Span::call_site(),
            format_args!(
                "missing {noun} {names}: a policy knows a tool by its name and \
                operation; write `{write}`"
            ),
        );
    }
}

//! Which requests a channel is told of.
//!
//! The invariant: what a request does not say keeps nobody from being told.

use aegize_core::{ApprovalRequest, Environment, NamePattern, RiskLevel};
use serde_json::Value;

/// Selects requests; empty parts select all.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) tools: Vec<NamePattern>,
    pub(super) risk_level_min: RiskLevel,
    pub(super) environments: Vec<Environment>,
}

impl Filter {
    pub(super) fn selects(&self, request: &ApprovalRequest) -> bool {
        let action = &request.question().action;
        let is_tool = |pattern: &NamePattern| pattern.is_match(&action.tool_name);
        let environment = action.metadata.get("environment").and_then(Value::as_str);
        let is_environment = |wanted: &Environment| {
            environment.is_none_or(|environment| environment == wanted.as_str())
        };
        (self.tools.is_empty() || self.tools.iter().any(is_tool))
            && action.risk_level >= self.risk_level_min
            && (self.environments.is_empty() || self.environments.iter().any(is_environment))
    }
}

//! What is attempted: [`ToolAction`], one call of one tool by one agent, and its [`RiskLevel`].
//!
//! An action is plain data: it can be built in a test, stored, sent and judged again. The guard
//! does not judge an owned action but the borrowed call behind it ([`Call`](crate::arguments)),
//! so that a permitted call copies none of its arguments.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::identity::Environment;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

/// One attempted call of a tool.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::{RiskLevel, ToolAction};
/// use serde_json::json;
///
/// let action = ToolAction::new("research_bot", "file_reader", "read")
///     .risk_level(RiskLevel::Medium)
///     .path_argument("path", "./safe_data/report.md")
///     .metadata("ticket", "OPS-12");
/// assert_eq!(action.arguments["path"], json!("./safe_data/report.md"));
/// ```
///
/// In a refusal, the action is what may be shown to people and models: secrets read
/// `[redacted]`, unreadable ones are given as the text they print, and long ones are cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ToolAction {
    /// Identifies the attempt; a `UUIDv7`, the same in all its audit records.
    pub action_id: Uuid,
    /// The acting agent's id.
    pub agent_id: Cow<'static, str>,
    /// The tool, as policies name it.
    pub tool_name: Cow<'static, str>,
    /// The operation of that tool.
    pub operation: Cow<'static, str>,
    /// How much harm the call could do.
    #[serde(default)]
    pub risk_level: RiskLevel,
    /// The named arguments.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// Which of the arguments are declared to be paths. If none is, every argument that looks
    /// like a path counts as one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path_arguments: Vec<String>,
    /// Facts beside the arguments. Policy reads `environment`, `path`, `paths` and
    /// `candidate_paths`.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// When the call was attempted, in UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub timestamp: OffsetDateTime,
}

impl ToolAction {
    /// An attempt made now, at [`RiskLevel::Low`], without arguments.
    pub fn new(
        agent_id: impl Into<Cow<'static, str>>,
        tool_name: impl Into<Cow<'static, str>>,
        operation: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            action_id: Uuid::now_v7(),
            agent_id: agent_id.into(),
            tool_name: tool_name.into(),
            operation: operation.into(),
            risk_level: RiskLevel::Low,
            arguments: Map::new(),
            path_arguments: Vec::new(),
            metadata: Map::new(),
            timestamp: OffsetDateTime::now_utc(),
        }
    }

    /// The same action at another risk level.
    #[must_use]
    pub fn risk_level(mut self, risk_level: RiskLevel) -> Self {
        self.risk_level = risk_level;
        self
    }

    /// The same action with one more argument.
    #[must_use]
    pub fn argument(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.arguments.insert(name.into(), value.into());
        self
    }

    /// The same action with one more argument, declared to be a path.
    #[must_use]
    pub fn path_argument(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let name = name.into();
        self.path_arguments.push(name.clone());
        self.argument(name, value)
    }

    /// The same action in an environment: the fact `environment` in its metadata. Without one,
    /// rules that refuse in some environment apply, and those that allow in some do not.
    #[must_use]
    pub fn environment(self, environment: Environment) -> Self {
        self.metadata("environment", environment.as_str())
    }

    /// The same action with one more fact about it.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

/// How much harm a call could do: `low < medium < high < critical`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum RiskLevel {
    /// Reading what is public; the default.
    #[default]
    Low,
    /// Reading what is private, or changes that are easily undone.
    Medium,
    /// What leaves the company, or is hard to undo.
    High,
    /// What cannot be undone, or moves money.
    Critical,
}

impl RiskLevel {
    /// All levels, lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name in policies and logs: `low`, `medium`, `high` or `critical`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for RiskLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for RiskLevel {
    type Err = UnknownRiskLevel;

    fn from_str(text: &str) -> Result<Self, UnknownRiskLevel> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| UnknownRiskLevel(text.to_owned()))
    }
}

/// A text that names no [`RiskLevel`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown risk level `{0}`; use low, medium, high or critical")]
pub struct UnknownRiskLevel(String);

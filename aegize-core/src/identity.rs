//! Who acts: [`AgentIdentity`] and the [`Environment`] it acts in.
//!
//! An identity is plain data that a person can read in a policy, a log or a dashboard. It is
//! not a credential: nothing here proves who is calling. Its one invariant, checked when it is
//! made and when it is deserialized: the id, the name and the owner are single lines of text
//! that are not blank.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// An agent that calls tools: the stable id that policies are written against, and the words
/// and facts that people know it by.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::{AgentIdentity, Environment};
///
/// let agent = AgentIdentity::new("research_bot", "Research Bot", "Geoffrey")?
///     .environment(Environment::Staging)
///     .metadata("team", "search");
/// assert_eq!(agent.agent_id, "research_bot");
/// # Ok::<(), aegize::IdentityError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
#[non_exhaustive]
pub struct AgentIdentity {
    /// The key of the agent's rules in a policy.
    pub agent_id: String,
    /// What people call it.
    pub name: String,
    /// The person or team that answers for it.
    pub owner: String,
    /// Where it acts; [`Environment::Dev`] unless told otherwise.
    pub environment: Environment,
    /// When the identity was made, in UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Further facts. Never read by policy.
    pub metadata: Map<String, Value>,
}

impl AgentIdentity {
    /// An agent in [`Environment::Dev`], created now.
    ///
    /// # Errors
    ///
    /// If one of the three is blank or holds a control character such as a line break.
    pub fn new(
        agent_id: impl Into<String>,
        name: impl Into<String>,
        owner: impl Into<String>,
    ) -> Result<Self, IdentityError> {
        Self {
            agent_id: agent_id.into(),
            name: name.into(),
            owner: owner.into(),
            environment: Environment::Dev,
            created_at: OffsetDateTime::now_utc(),
            metadata: Map::new(),
        }
        .checked()
    }

    /// The same agent in another environment.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The same agent with one more fact about it.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    fn checked(self) -> Result<Self, IdentityError> {
        for (field, text) in [
            ("agent_id", &self.agent_id),
            ("name", &self.name),
            ("owner", &self.owner),
        ] {
            let problem = if text.trim().is_empty() {
                Problem::Blank
            } else if let Some(found) = text.chars().find(|c| c.is_control()) {
                Problem::Control(found)
            } else {
                continue;
            };
            return Err(IdentityError { field, problem });
        }
        Ok(self)
    }
}

/// The deserialized form, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    agent_id: String,
    name: String,
    owner: String,
    #[serde(default)]
    environment: Environment,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(default)]
    metadata: Map<String, Value>,
}

impl TryFrom<Unchecked> for AgentIdentity {
    type Error = IdentityError;

    fn try_from(from: Unchecked) -> Result<Self, IdentityError> {
        Self {
            agent_id: from.agent_id,
            name: from.name,
            owner: from.owner,
            environment: from.environment,
            created_at: from.created_at,
            metadata: from.metadata,
        }
        .checked()
    }
}

/// Why an [`AgentIdentity`] could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct IdentityError {
    field: &'static str,
    problem: Problem,
}

impl IdentityError {
    /// The field at fault: `agent_id`, `name` or `owner`.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    Blank,
    Control(char),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("is blank; give it a name that a person recognises"),
            Self::Control(found) => write!(
                f,
                "holds the control character {found:?}; write it as one line of plain text"
            ),
        }
    }
}

/// Where an agent acts.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Development; the default.
    #[default]
    Dev,
    /// A rehearsal of production.
    Staging,
    /// Production.
    Prod,
}

impl Environment {
    /// All environments.
    pub const ALL: [Self; 3] = [Self::Dev, Self::Staging, Self::Prod];

    /// The name in policies and logs: `dev`, `staging` or `prod`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Prod => "prod",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = UnknownEnvironment;

    fn from_str(text: &str) -> Result<Self, UnknownEnvironment> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.as_str() == text)
            .ok_or_else(|| UnknownEnvironment(text.to_owned()))
    }
}

/// A text that names no [`Environment`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown environment `{0}`; use dev, staging or prod")]
pub struct UnknownEnvironment(String);

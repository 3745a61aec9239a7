//! What a tool and a call attach beside the arguments.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Authority;
use crate::identity::AgentIdentity;
use crate::secrets::{Redactions, Redactor};

/// The most bytes that a call's metadata may have as JSON: it is written into each of its
/// records, whole.
const LARGEST: usize = 64 * 1024;

/// How deep a call's metadata may nest: a reader of the log has its limits, too.
const DEEPEST: usize = 32;

/// The metadata of one call, before it is put together.
pub(crate) struct Metadata<'a> {
    /// What the tool always attaches.
    pub(crate) fixed: &'a [(&'static str, &'static str)],
    /// What this call attaches: from the scopes around it, and by itself.
    pub(crate) call: Vec<Value>,
}

/// A call's metadata, put together.
#[derive(Debug, Clone)]
pub(crate) struct Merged {
    /// As policy judges it.
    pub(super) judged: Map<String, Value>,
    /// As it may be shown, if that is not the same.
    redacted: Option<Map<String, Value>>,
    /// What was redacted in it.
    pub(super) redactions: Redactions,
}

impl Merged {
    fn new(judged: Map<String, Value>, redactor: &Redactor) -> Self {
        let mut redactions = Redactions::default();
        Self {
            redacted: redactor.map(&judged, &mut redactions),
            judged,
            redactions,
        }
    }

    /// That of calls to which nothing is attached: the agent's environment.
    pub(crate) fn of(agent: &AgentIdentity, redactor: &Redactor) -> Arc<Self> {
        let environment = agent.environment.as_str().into();
        let judged = Map::from_iter([("environment".to_owned(), environment)]);
        Arc::new(Self::new(judged, redactor))
    }

    /// As it may be shown.
    pub(super) fn shown(&self) -> &Map<String, Value> {
        self.redacted.as_ref().unwrap_or(&self.judged)
    }
}

impl Metadata<'_> {
    /// One map: the agent's environment, what is fixed, and what the call attaches. No key can
    /// take the place of another.
    ///
    /// # Errors
    ///
    /// What is wrong with the call's part.
    pub(super) fn merge(self, authority: &Authority) -> Result<Arc<Merged>, String> {
        if self.fixed.is_empty() && self.call.is_empty() {
            return Ok(Arc::clone(&authority.plain));
        }
        let mut metadata = authority.plain.judged.clone();
        for (key, value) in self.fixed {
            insert(
                &mut metadata,
                (*key).to_owned(),
                (*value).into(),
                "the agent's identity",
            )?;
        }
        let is_extended = !self.call.is_empty();
        if self.call.iter().any(|value| is_deeper(value, DEEPEST)) {
            return Err(format!(
                "its metadata nests deeper than {DEEPEST} levels; flatten it"
            ));
        }
        for call in self.call {
            let map = match call {
                Value::Object(map) => map,
                Value::Null => continue,
                _ => return Err("its metadata is not a JSON object".to_owned()),
            };
            for (key, value) in map {
                insert(
                    &mut metadata,
                    key,
                    value,
                    "the tool, the agent or another scope",
                )?;
            }
        }
        if is_extended {
            let length = serde_json::to_vec(&metadata).map_or(usize::MAX, |json| json.len());
            if length > LARGEST {
                return Err(format!(
                    "its metadata is {length} bytes long as JSON; at most {LARGEST} are recorded"
                ));
            }
        }
        Ok(Arc::new(Merged::new(metadata, &authority.redactor)))
    }
}

/// Whether a value nests deeper than some levels; looks no deeper than that.
fn is_deeper(value: &Value, levels: usize) -> bool {
    let mut inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => return false,
    };
    levels == 0 || inner.any(|value| is_deeper(value, levels - 1))
}

fn insert(
    metadata: &mut Map<String, Value>,
    key: String,
    value: Value,
    owner: &str,
) -> Result<(), String> {
    if metadata.contains_key(&key) {
        let key = key.escape_debug();
        return Err(format!(
            "its metadata key `{key}` is set by {owner}; choose another"
        ));
    }
    metadata.insert(key, value);
    Ok(())
}

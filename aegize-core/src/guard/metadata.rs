//! What a tool and a call attach beside the arguments.

use serde_json::{Map, Value};

use crate::identity::AgentIdentity;

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

impl Metadata<'_> {
    /// One map: the agent's environment, what is fixed, and what the call attaches. No key can
    /// take the place of another.
    ///
    /// # Errors
    ///
    /// What is wrong with the call's part.
    pub(super) fn merge(self, agent: &AgentIdentity) -> Result<Map<String, Value>, String> {
        let mut metadata = Map::new();
        metadata.insert("environment".to_owned(), agent.environment.as_str().into());
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
        Ok(metadata)
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

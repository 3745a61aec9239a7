//! Which requests somebody wants to see, as an address says it.

use aegize_core::{ApprovalQuery, ApprovalState};
use serde::Deserialize;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

/// The fields of an address; blank ones do not count.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Selection {
    pub(crate) state: String,
    pub(crate) agent: String,
    pub(crate) tool: String,
    pub(crate) operation: String,
    pub(crate) before: String,
}

/// What an address may not say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unselectable {
    #[error(
        "`{0}` is no state of a request; use requested, granted, consumed, rejected, expired, revoked or withdrawn"
    )]
    State(String),
    #[error("`{0}` is no id of a request; use the `next` of the list before")]
    Before(String),
}

impl Selection {
    /// The query for at most so many.
    pub(crate) fn query(&self, most: usize) -> Result<ApprovalQuery, Unselectable> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut query = ApprovalQuery::newest(most);
        if let Some(name) = given(&self.state) {
            let state = state(&name).ok_or(Unselectable::State(name))?;
            query.states.push(state);
        }
        if let Some(id) = given(&self.before) {
            let before = Uuid::try_parse(&id).map_err(|_| Unselectable::Before(id))?;
            query.before = Some(before);
        }
        query.agent_id = given(&self.agent);
        query.tool_name = given(&self.tool);
        query.operation = given(&self.operation);
        Ok(query)
    }

    /// The address of what comes after a request in the same list.
    pub(crate) fn address(&self, page: &str, before: Uuid) -> String {
        let before = before.to_string();
        let fields = [
            ("state", &self.state),
            ("agent", &self.agent),
            ("tool", &self.tool),
            ("operation", &self.operation),
            ("before", &before),
        ];
        let given = fields.iter().filter(|(_, value)| !value.is_empty());
        let mut address = Serializer::for_suffix(format!("{page}?"), page.len() + 1);
        address.extend_pairs(given);
        address.finish()
    }
}

/// The state of a name.
fn state(name: &str) -> Option<ApprovalState> {
    let mut states = ApprovalState::ALL.into_iter();
    states.find(|state| state.as_str() == name)
}

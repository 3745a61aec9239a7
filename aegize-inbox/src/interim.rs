//! Who may decide, in memory, until the store has it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aegize_core::Approver;

/// Who may decide.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    people: Arc<Mutex<HashMap<String, Approver>>>,
}

impl Directory {
    /// One more person, by their token.
    pub fn insert(&self, token: &str, approver: Approver) {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.insert(token.to_owned(), approver);
    }

    /// One person less.
    pub fn remove(&self, token: &str) {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.remove(token);
    }

    pub(crate) async fn authenticate(&self, token: &str) -> Option<Approver> {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.get(token).cloned()
    }

    pub(crate) async fn approver(&self, name: &str) -> Option<Approver> {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people
            .values()
            .find(|person| person.name() == name)
            .cloned()
    }
}

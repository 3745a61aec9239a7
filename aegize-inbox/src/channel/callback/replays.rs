//! Which messages there were lately.
//!
//! Only signed messages are remembered, and only for as long as their time would be accepted. With
//! the process they are forgotten: then the desk refuses what a message says again, since a
//! request that was decided is not asked about, and one person counts once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use super::TOLERANCE;

#[derive(Default)]
pub(super) struct Replays(Mutex<HashMap<String, OffsetDateTime>>);

impl Replays {
    /// Whether a message is seen for the first time.
    pub(super) fn is_new(&self, key: &str, now: OffsetDateTime) -> bool {
        // A message from the future is accepted for twice the tolerance.
        let kept = Duration::seconds(i64::try_from(2 * TOLERANCE).unwrap_or(i64::MAX));
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, at| (now - *at).abs() <= kept);
        seen.insert(key.to_owned(), now).is_none()
    }

    /// Forgets a message, so that it may come again.
    pub(super) fn forget(&self, key: &str) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(key);
    }
}

//! Who is signed in, in this process's memory.
//!
//! The invariant: a session is found by nothing but its id, of 256 bits, and not after its time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use crate::random;

/// The most sessions that one token has; the oldest makes room.
const MOST: usize = 16;
/// The most streams of events that one session has.
const STREAMS: usize = 8;

/// How long a session lasts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetime {
    /// Without anything being done.
    pub(crate) idle: Duration,
    /// At all.
    pub(crate) whole: Duration,
}

/// All sessions.
pub(crate) struct Sessions {
    lifetime: Lifetime,
    sessions: Mutex<HashMap<[u8; 32], Kept>>,
}

struct Kept {
    session: Arc<Session>,
    opened: Instant,
    used: Instant,
}

/// One person's session.
#[derive(Debug)]
pub(crate) struct Session {
    key: [u8; 32],
    /// The id of the token that they signed in with.
    pub(crate) token_id: String,
    /// What their forms carry.
    pub(crate) form_token: String,
    /// Its streams of events.
    pub(crate) streams: Arc<Semaphore>,
}

impl Session {
    /// Whether a form is one of this session's.
    pub(crate) fn made(&self, form_token: &str) -> bool {
        self.form_token
            .as_bytes()
            .ct_eq(form_token.as_bytes())
            .into()
    }
}

impl Sessions {
    pub(crate) fn new(lifetime: Lifetime) -> Self {
        Self {
            lifetime,
            sessions: Mutex::default(),
        }
    }

    /// Opens a session, and returns its id.
    pub(crate) fn open(&self, token_id: &str) -> Result<String, getrandom::Error> {
        let id = random::secret()?;
        let key = random::digest(&id);
        let session = Arc::new(Session {
            key,
            token_id: token_id.to_owned(),
            form_token: random::secret()?,
            streams: Arc::new(Semaphore::new(STREAMS)),
        });
        let now = Instant::now();
        let mut sessions = self.live(now);
        let of_token = sessions.iter();
        let of_token = of_token.filter(|(_, kept)| kept.session.token_id == token_id);
        let of_token: Vec<_> = of_token.map(|(key, kept)| (kept.opened, *key)).collect();
        if of_token.len() >= MOST
            && let Some((_, oldest)) = of_token.into_iter().min()
        {
            sessions.remove(&oldest);
        }
        sessions.insert(
            key,
            Kept {
                session,
                opened: now,
                used: now,
            },
        );
        Ok(id)
    }

    /// The session with an id, and whether that counts as using it.
    pub(crate) fn find(&self, id: &str, is_use: bool) -> Option<Arc<Session>> {
        let now = Instant::now();
        let mut sessions = self.live(now);
        let kept = sessions.get_mut(&random::digest(id))?;
        if is_use {
            kept.used = now;
        }
        Some(Arc::clone(&kept.session))
    }

    /// How long a session lasts if it is not used; `None` if it has ended.
    pub(crate) fn left(&self, session: &Session) -> Option<Duration> {
        let now = Instant::now();
        let sessions = self.live(now);
        let kept = sessions.get(&session.key)?;
        let Lifetime { idle, whole } = self.lifetime;
        let ends = [(kept.used, idle), (kept.opened, whole)];
        let ends =
            ends.map(|(from, time)| time.saturating_sub(now.saturating_duration_since(from)));
        ends.into_iter().min()
    }

    /// Ends a session.
    pub(crate) fn close(&self, session: &Session) {
        self.live(Instant::now()).remove(&session.key);
    }

    fn live(&self, now: Instant) -> MutexGuard<'_, HashMap<[u8; 32], Kept>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let Lifetime { idle, whole } = self.lifetime;
        sessions.retain(|_, kept| {
            now.saturating_duration_since(kept.used) < idle
                && now.saturating_duration_since(kept.opened) < whole
        });
        sessions
    }
}

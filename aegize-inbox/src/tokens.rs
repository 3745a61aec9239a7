//! Whose token that is, without letting anybody find out by trying.
//!
//! The invariants: a token counts no longer than the directory accepts it, however well it is
//! remembered that it is right; and who has signed in with one is kept out by nobody who guesses, not
//! even by those who know its id.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aegize_store::{Directory, TokenInfo};
use axum::http::StatusCode;

use crate::app::App;
use crate::random;
use crate::throttle::Who;

/// How long a token that was right needs no other check than whether it is still accepted. Checking
/// it is made to be slow.
const VERIFIED: Duration = Duration::from_mins(1);

/// The digests of tokens that were right when they were checked last, their ids, and when that was.
/// There are no more of them than tokens that were ever accepted.
#[derive(Default)]
pub(crate) struct Verified(Mutex<HashMap<[u8; 32], (String, Instant)>>);

/// What is known of a token that was right.
#[derive(Debug, PartialEq, Eq)]
enum Known {
    /// It was lately, and has this id.
    Lately(String),
    /// It was once, and has to be checked again. That is no attempt.
    Once,
}

impl Verified {
    fn find(&self, digest: &[u8; 32], now: Instant) -> Option<Known> {
        let (id, at) = self.known().get(digest).cloned()?;
        Some(if now.saturating_duration_since(at) < VERIFIED {
            Known::Lately(id)
        } else {
            Known::Once
        })
    }

    fn keep(&self, digest: [u8; 32], id: String, now: Instant) {
        self.known().insert(digest, (id, now));
    }

    fn forget(&self, digest: &[u8; 32]) {
        self.known().remove(digest);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<[u8; 32], (String, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a token does not count.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("too many attempts; wait {} s and try again", .0.as_secs().max(1))]
    TooMany(Duration),
    #[error("this token is not accepted; it may be mistyped or revoked")]
    Unknown,
    #[error("whose token this is cannot be told now; try again later")]
    Unavailable,
}

impl Refused {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// After how many seconds it may count.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany(wait) => Some(wait.as_secs().max(1)),
            Self::Unknown | Self::Unavailable => None,
        }
    }
}

/// The token that somebody sent from an address, if it is right and accepted. What was right before
/// is no attempt. Ids are no secret, so it may be told which there are.
pub(crate) async fn holder(app: &App, from: IpAddr, token: &str) -> Result<TokenInfo, Refused> {
    let digest = random::digest(token);
    let who = match app.verified.find(&digest, Instant::now()) {
        Some(Known::Lately(id)) => return accepted(app, &id).await,
        Some(Known::Once) => None,
        None => Some(attempt(app, from, token).await?),
    };
    let is_right = app.directory.authenticate(token).await;
    let is_right = is_right.map_err(|_| Refused::Unavailable)?.is_some();
    let Some(id) = Directory::token_id(token).filter(|_| is_right) else {
        app.verified.forget(&digest);
        app.metrics.sign_in_failed();
        return Err(Refused::Unknown);
    };
    if let Some(who) = who {
        app.throttle.give_back(&who);
    }
    app.verified.keep(digest, id.to_owned(), Instant::now());
    accepted(app, id).await
}

/// Counts an attempt, and tells whose it is.
async fn attempt(app: &App, from: IpAddr, token: &str) -> Result<Who, Refused> {
    let known = match Directory::token_id(token) {
        Some(id) => app.directory.token(id).await,
        None => Ok(None),
    };
    let known = known.map_err(|_| Refused::Unavailable)?;
    let who = known.map_or_else(|| Who::at(from), |known| Who::Token(known.id));
    app.throttle.take(&who).map_err(Refused::TooMany)?;
    Ok(who)
}

/// The token with an id, if it still is accepted.
async fn accepted(app: &App, id: &str) -> Result<TokenInfo, Refused> {
    let token = app.directory.token(id).await;
    token
        .map_err(|_| Refused::Unavailable)?
        .ok_or(Refused::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_right_is_checked_again_after_a_while_and_is_no_attempt() {
        let (verified, now) = (Verified::default(), Instant::now());
        let (right, other) = ([1; 32], [2; 32]);
        verified.keep(right, "id".to_owned(), now);
        let find = |digest, after| verified.find(digest, now + after);
        let day = Duration::from_hours(24);
        assert_eq!(
            find(&right, Duration::ZERO),
            Some(Known::Lately("id".to_owned()))
        );
        assert_eq!(find(&right, VERIFIED), Some(Known::Once));
        assert_eq!(find(&right, day), Some(Known::Once));
        assert_eq!(find(&other, day), None);
        verified.forget(&right);
        assert_eq!(find(&right, Duration::ZERO), None);
    }
}

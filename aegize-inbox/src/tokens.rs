//! Whose token that is, without letting anybody find out by trying.
//!
//! The invariant: a token counts no longer than the directory accepts it, however well it is
//! remembered that it is right.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aegize_store::{Directory, TokenInfo};
use axum::http::StatusCode;

use crate::app::App;
use crate::random;
use crate::throttle::Who;

/// How long a token that was right needs no other check than whether it is still accepted. Checking
/// it is made to be slow.
const VERIFIED: Duration = Duration::from_mins(1);

/// The digests of tokens that were right lately, and their ids.
#[derive(Default)]
pub(crate) struct Verified(Mutex<HashMap<[u8; 32], (String, Instant)>>);

impl Verified {
    fn find(&self, digest: &[u8; 32]) -> Option<String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, at)| at.elapsed() < VERIFIED);
        known.get(digest).map(|(id, _)| id.clone())
    }

    fn keep(&self, digest: [u8; 32], id: String) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(digest, (id, Instant::now()));
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

/// The token that somebody sent from an address, if it is right and accepted. What was right lately
/// is no attempt. Ids are no secret, so it may be told which there are.
pub(crate) async fn holder(app: &App, from: IpAddr, token: &str) -> Result<TokenInfo, Refused> {
    let digest = random::digest(token);
    if let Some(id) = app.verified.find(&digest) {
        return accepted(app, &id).await;
    }
    let known = match Directory::token_id(token) {
        Some(id) => app.directory.token(id).await,
        None => Ok(None),
    };
    let known = known.map_err(|_| Refused::Unavailable)?;
    let who = known.map_or_else(|| Who::at(from), |known| Who::Token(known.id));
    app.throttle.take(&who).map_err(Refused::TooMany)?;
    let is_right = app.directory.authenticate(token).await;
    let is_right = is_right.map_err(|_| Refused::Unavailable)?.is_some();
    let Some(id) = Directory::token_id(token).filter(|_| is_right) else {
        app.metrics.sign_in_failed();
        return Err(Refused::Unknown);
    };
    app.throttle.give_back(&who);
    app.verified.keep(digest, id.to_owned());
    accepted(app, id).await
}

/// The token with an id, if it still is accepted.
async fn accepted(app: &App, id: &str) -> Result<TokenInfo, Refused> {
    let token = app.directory.token(id).await;
    token
        .map_err(|_| Refused::Unavailable)?
        .ok_or(Refused::Unknown)
}

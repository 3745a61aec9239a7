//! Whose token that is, without letting anybody find out by trying.

use std::net::IpAddr;
use std::time::Duration;

use aegize_core::Approver;
use axum::http::StatusCode;

use crate::app::App;

/// Whoever holds a token.
pub(crate) struct Holder {
    pub(crate) approver: Approver,
    /// The public part of the token.
    pub(crate) token_id: String,
}

/// Why a token does not count.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("too many attempts; wait {} s and try again", .0.as_secs().max(1))]
    TooMany(Duration),
    #[error("this token is not accepted; it may be mistyped, expired or revoked")]
    Unknown,
}

impl Refused {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unknown => StatusCode::UNAUTHORIZED,
        }
    }

    /// After how many seconds it may count.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany(wait) => Some(wait.as_secs().max(1)),
            Self::Unknown => None,
        }
    }
}

/// Whoever holds a token that came from an address.
pub(crate) async fn holder(app: &App, from: IpAddr, token: &str) -> Result<Holder, Refused> {
    app.throttle.take(from).map_err(Refused::TooMany)?;
    let Some(approver) = app.directory.authenticate(token).await else {
        app.metrics.sign_in_failed();
        return Err(Refused::Unknown);
    };
    app.throttle.give_back(from);
    Ok(Holder {
        approver,
        token_id: token.to_owned(),
    })
}

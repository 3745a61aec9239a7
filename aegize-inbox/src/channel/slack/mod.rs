//! Slack: messages of Block Kit with buttons.
//!
//! The invariant: a message tells where its request stands when it is sent, so that no order of
//! deliveries leaves a button on a request that nobody is asked about.

mod callback;
mod message;

use std::fmt;

use aegize_store::DeliveryKind;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;
use zeroize::Zeroizing;

pub(super) use self::callback::{Click, decided};
use super::notice::Notice;
use super::post::post;
use super::{Failure, Told};

/// Where Slack's callbacks expect their answers.
const HOOKS: &str = "hooks.slack.com";

/// Errors that the same message brings about again.
const FINAL: [&str; 4] = [
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "msg_too_long",
];

pub(super) struct Slack {
    channel: String,
    token: Zeroizing<String>,
    signing: Option<Hmac<Sha256>>,
    api: Url,
}

impl Slack {
    pub(super) fn new(
        channel: String,
        token: Zeroizing<String>,
        signing_secret: &str,
        api: Url,
    ) -> Self {
        Self {
            channel,
            token,
            signing: Hmac::new_from_slice(signing_secret.as_bytes()).ok(),
            api,
        }
    }

    /// Where its methods are called, unless told otherwise.
    pub(super) fn api() -> Result<Url, url::ParseError> {
        Url::parse("https://slack.com/api")
    }

    /// Tells in the channel, or changes the message that told before: `first` is its receipt.
    pub(super) async fn tell(
        &self,
        notice: &Notice<'_>,
        first: Option<&str>,
    ) -> Result<Told, Failure> {
        let place = first.and_then(|receipt| receipt.split_once(' '));
        match (notice.kind, place) {
            (DeliveryKind::Granted | DeliveryKind::Ended, Some((channel, ts))) => {
                let place = [("channel", json!(channel)), ("ts", json!(ts))];
                let message = message::addressed(message::whole(notice), &place);
                self.call("chat.update", &message).await?;
                Ok(Told::default())
            }
            (DeliveryKind::Reminded | DeliveryKind::Escalated, Some((channel, ts))) => {
                let place = [
                    ("channel", json!(channel)),
                    ("thread_ts", json!(ts)),
                    ("reply_broadcast", json!(true)),
                ];
                let message = message::addressed(message::reminder(notice), &place);
                self.call("chat.postMessage", &message).await?;
                Ok(Told::default())
            }
            _ => {
                let place = [("channel", json!(self.channel))];
                let message = message::addressed(message::whole(notice), &place);
                let answer = self.call("chat.postMessage", &message).await?;
                let receipt = answer.channel.zip(answer.ts);
                Ok(Told {
                    receipt: receipt.map(|(channel, ts)| format!("{channel} {ts}")),
                })
            }
        }
    }

    /// Calls a method of Slack's Web API.
    async fn call(&self, method: &str, message: &Value) -> Result<ApiAnswer, Failure> {
        let mut url = self.api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(method);
        }
        let headers = vec![
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("authorization", format!("Bearer {}", *self.token)),
        ];
        let answer = post(url.clone(), headers, message.to_string().into_bytes()).await?;
        if !answer.status.is_success() {
            return Err(answer.refusal(&url));
        }
        let parsed: ApiAnswer = serde_json::from_slice(&answer.body)
            .map_err(|_| Failure::new("Slack's answer is none of its API"))?;
        if parsed.ok {
            return Ok(parsed);
        }
        let error = parsed.error.unwrap_or_default();
        // Its errors are words such as `channel_not_found`; anything else is not repeated.
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let word = if !error.is_empty() && error.len() < 64 && error.bytes().all(is_word) {
            error.as_str()
        } else {
            "an error that has no name"
        };
        Err(Failure {
            is_final: FINAL.contains(&word),
            is_busy: answer.retry_after.is_some(),
            retry_after: answer.retry_after,
            ..Failure::new(format!("Slack answers `{method}` with {word}"))
        })
    }

    /// Whether a callback is signed with the app's signing secret.
    pub(super) fn signed(&self, timestamp: &str, body: &[u8], signature: &[u8]) -> bool {
        self.signing.as_ref().is_some_and(|mac| {
            let mac = mac.clone();
            let mac = mac
                .chain_update("v0:")
                .chain_update(timestamp)
                .chain_update(":")
                .chain_update(body);
            mac.verify_slice(signature).is_ok()
        })
    }

    /// Whether answers to a click may be sent there: to Slack, or to the service that stands in
    /// for it.
    pub(super) fn takes_replies_at(&self, url: &Url) -> bool {
        let is_slack = url.scheme() == "https"
            && url.host_str() == Some(HOOKS)
            && url.port_or_known_default() == Some(443);
        is_slack || url.origin() == self.api.origin()
    }
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct ApiAnswer {
    ok: bool,
    error: Option<String>,
    channel: Option<String>,
    ts: Option<String>,
}

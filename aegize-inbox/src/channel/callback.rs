//! Answers that come from channels.
//!
//! The invariants: nothing is read of a body before its signature is checked, over the bytes as they
//! came, in constant time; a message counts once; and whoever it names is found in the directory,
//! and decides at the desk. A channel's answer is taken only to requests that it is told of.

mod answer;
mod replays;

use std::sync::Arc;
use std::time::Duration;

use aegize_core::{ApprovalDesk, ApprovalError, ApprovalErrorKind, ApprovalRequest, Approver};
use aegize_store::Directory;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::HeaderMap;
use axum::routing::post;
use serde::Deserialize;
use tokio::time::timeout;
use uuid::Uuid;

use self::answer::Refused;
use self::replays::Replays;
use super::slack::{self, Click, Slack};
use super::{Channels, Way};
use crate::object::Object;

/// The longest body. Slack sends the whole message along.
const LONGEST: usize = 256 * 1024;

/// How far a message's time may be from now, in seconds.
const TOLERANCE: u64 = 5 * 60;

/// How long Slack waits for an answer is 3 seconds.
const SLACK_WAITS: Duration = Duration::from_millis(2500);

struct Callbacks {
    channels: Channels,
    desk: ApprovalDesk,
    directory: Directory,
    replays: Replays,
}

pub(super) fn router(channels: Channels, desk: ApprovalDesk, directory: Directory) -> Router {
    let callbacks = Callbacks {
        channels,
        desk,
        directory,
        replays: Replays::default(),
    };
    Router::new()
        .route("/callbacks/slack", post(click))
        .route("/callbacks/webhook/{channel}", post(webhook))
        .layer(DefaultBodyLimit::max(LONGEST))
        .with_state(Arc::new(callbacks))
}

/// What the sender of a webhook's callback says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    request_id: Uuid,
    decision: Decision,
    approver: String,
    reason: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Approve,
    Reject,
}

async fn webhook(
    State(callbacks): State<Arc<Callbacks>>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<String, Refused> {
    let secret = match callbacks.channels.named(&channel).map(|named| &named.way) {
        Some(Way::Webhook(webhook)) => webhook.callback_secret.as_ref(),
        _ => None,
    };
    let secret = secret.ok_or(Refused::NOT_FOUND)?;
    let id = one(&headers, "webhook-id").filter(|id| !id.is_empty() && id.len() <= 256);
    let id = id.ok_or(Refused::UNSIGNED)?;
    let seconds = callbacks.timely(one(&headers, "webhook-timestamp"))?;
    let signatures = one(&headers, "webhook-signature").ok_or(Refused::UNSIGNED)?;
    if !secret.signed(id, seconds, &body, signatures) {
        return Err(Refused::UNSIGNED);
    }
    let key = format!("webhook {channel} {id}");
    callbacks.once(&key)?;
    let decided = callbacks.clone().webhook_verdict(channel, body).await;
    if decided.as_ref().is_err_and(Refused::is_passing) {
        callbacks.replays.forget(&key);
    }
    decided
}

async fn click(
    State(callbacks): State<Arc<Callbacks>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), Refused> {
    let timestamp = one(&headers, "x-slack-request-timestamp");
    callbacks.timely(timestamp)?;
    let timestamp = timestamp.unwrap_or_default();
    let signature = one(&headers, "x-slack-signature").ok_or(Refused::UNSIGNED)?;
    let signature = signature.strip_prefix("v0=").and_then(from_hex);
    let signature = signature.ok_or(Refused::UNSIGNED)?;
    let signed = callbacks.slacks(|slack| slack.signed(timestamp, &body, &signature));
    if signed.is_empty() {
        return Err(Refused::UNSIGNED);
    }
    callbacks.once(&format!("slack {timestamp} {signature:x?}"))?;
    let click = Click::parse(&body).map_err(Refused::malformed)?;
    if let Some(click) = click {
        // It goes on if Slack does not wait for it: what has begun is recorded whole.
        let deciding = tokio::spawn(callbacks.clone().take(click, signed));
        let _ = timeout(SLACK_WAITS, deciding).await;
    }
    Ok(())
}

impl Callbacks {
    /// The time of a message, if that is about now.
    fn timely(&self, timestamp: Option<&str>) -> Result<u64, Refused> {
        let digits = timestamp.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let seconds = digits.and_then(|text| text.parse::<u64>().ok());
        let seconds = seconds.ok_or(Refused::UNSIGNED)?;
        let now = u64::try_from(self.channels.now().unix_timestamp()).unwrap_or_default();
        if now.abs_diff(seconds) > TOLERANCE {
            return Err(Refused::STALE);
        }
        Ok(seconds)
    }

    fn once(&self, key: &str) -> Result<(), Refused> {
        let now = self.channels.now();
        if self.replays.is_new(key, now) {
            Ok(())
        } else {
            Err(Refused::REPLAYED)
        }
    }

    /// The names of channels of Slack that fulfil a condition.
    fn slacks(&self, condition: impl Fn(&Slack) -> bool) -> Vec<String> {
        let channels = self.channels.config.channels.iter();
        let channels = channels.filter(|channel| match &channel.way {
            Way::Slack(slack) => condition(slack),
            _ => false,
        });
        channels.map(|channel| channel.name.clone()).collect()
    }

    async fn webhook_verdict(
        self: Arc<Self>,
        channel: String,
        body: Bytes,
    ) -> Result<String, Refused> {
        let Object(verdict): Object<Verdict> = serde_json::from_slice(&body).map_err(|_| {
            Refused::malformed(
                "the body has to be {\"request_id\", \"decision\": \"approve\" or \"reject\", \
                 \"approver\", \"reason\"}",
            )
        })?;
        let approver = self.directory.approver(&verdict.approver).await;
        let approver = approver.map_err(|_| Refused::UNAVAILABLE)?;
        let approver = approver.ok_or(Refused::UNKNOWN_APPROVER)?;
        // It goes on if the sender does not wait for it: what has begun is recorded whole.
        let deciding = tokio::spawn(async move {
            let id = verdict.request_id;
            let reason = verdict.reason.as_deref();
            let is_approval = verdict.decision == Decision::Approve;
            self.decide(id, is_approval, &approver, reason, &[channel])
                .await
        });
        let request = deciding.await.map_err(|_| Refused::UNAVAILABLE)??;
        Ok(format!(
            "{{\"request_id\":\"{}\",\"state\":\"{}\"}}",
            request.id(),
            request.state()
        ))
    }

    async fn take(self: Arc<Self>, click: Click, signed: Vec<String>) {
        let told = match self.directory.by_slack(&click.user_id).await {
            Err(_) => Err(Refused::UNAVAILABLE),
            Ok(None) => Err(Refused::UNKNOWN_APPROVER),
            Ok(Some(approver)) => {
                let id = click.request_id;
                self.decide(id, click.is_approval, &approver, None, &signed)
                    .await
            }
        };
        let text = match told {
            Ok(request) => slack::decided(&request),
            Err(refused) => refused.told(),
        };
        let slack = signed.iter().find_map(|name| self.channels.named(name));
        if let Some(Way::Slack(slack)) = slack.map(|channel| &channel.way) {
            click.reply.send(slack, &text).await;
        }
    }

    /// Decides at the desk about a request that one of these channels is told of.
    async fn decide(
        &self,
        id: Uuid,
        is_approval: bool,
        approver: &Approver,
        reason: Option<&str>,
        channels: &[String],
    ) -> Result<ApprovalRequest, Refused> {
        let decided: Result<_, ApprovalError> = async {
            let request = self.desk.request(id).await?;
            let mut channels = channels.iter().filter_map(|name| self.channels.named(name));
            if !channels.any(|channel| channel.selects(&request)) {
                let message = "this channel is not told of that request";
                return Err(ApprovalError::new(ApprovalErrorKind::NotEntitled, message));
            }
            if is_approval {
                self.desk.approve(id, approver, reason).await
            } else {
                self.desk.reject(id, approver, reason).await
            }
        }
        .await;
        decided.map_err(|error| Refused::by_desk(&error))
    }
}

/// A header that is there once.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// The bytes of a SHA-256 in hexadecimal digits.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}

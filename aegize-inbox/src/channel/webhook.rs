//! A webhook, signed by the rules of Standard Webhooks.
//!
//! The invariant: nothing but a status of success counts as delivered.

use aegize_sinks::WebhookSecret;
use url::Url;

use super::notice::Notice;
use super::post::post;
use super::{Failure, Told};

#[derive(Debug)]
pub(super) struct Webhook {
    pub(super) url: Url,
    pub(super) secret: WebhookSecret,
    /// Of those who decide by a callback, if anyone does.
    pub(super) callback_secret: Option<WebhookSecret>,
}

impl Webhook {
    pub(super) async fn tell(&self, notice: &Notice<'_>) -> Result<Told, Failure> {
        let body = notice.to_json().to_string().into_bytes();
        let id = notice.id();
        let seconds = u64::try_from(notice.now.unix_timestamp()).unwrap_or_default();
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-signature", self.secret.sign(&id, seconds, &body)),
            ("webhook-id", id),
            ("webhook-timestamp", seconds.to_string()),
        ];
        let answer = post(self.url.clone(), headers, body).await?;
        if answer.status.is_success() {
            Ok(Told::default())
        } else {
            Err(answer.refusal(&self.url))
        }
    }
}

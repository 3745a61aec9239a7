//! Clicks on the buttons of a message, and what whoever clicked is told.
//!
//! A click is a `block_actions` payload in a form's field `payload`, as Slack's documentation of
//! interaction payloads has it.

use aegize_core::{ApprovalRequest, ApprovalState};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::super::post::post;
use super::Slack;
use super::message::{APPROVE, LONGEST_SECTION, REJECT, escaped, outcome};

/// Someone's answer to a request.
#[derive(Debug)]
pub(in super::super) struct Click {
    pub(in super::super) request_id: Uuid,
    pub(in super::super) is_approval: bool,
    pub(in super::super) user_id: String,
    pub(in super::super) reply: Reply,
}

/// Where whoever clicked is told something that nobody else sees.
#[derive(Debug)]
pub(in super::super) struct Reply(Option<Url>);

#[derive(Deserialize)]
struct Payload {
    r#type: String,
    user: User,
    actions: Vec<Action>,
    response_url: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Action {
    action_id: String,
    value: Option<String>,
}

impl Click {
    /// From the body of a callback; `None` for a button that only leads somewhere.
    pub(in super::super) fn parse(body: &[u8]) -> Result<Option<Self>, &'static str> {
        let mut fields = url::form_urlencoded::parse(body);
        let (Some((name, payload)), None) = (fields.next(), fields.next()) else {
            return Err("the form has other fields than one `payload`");
        };
        if name != "payload" {
            return Err("the form has no field `payload`");
        }
        let payload: Payload =
            serde_json::from_str(&payload).map_err(|_| "the payload is none of Slack's")?;
        if payload.r#type != "block_actions" {
            return Err("the payload tells of something else than a button");
        }
        let [action] = payload.actions.as_slice() else {
            return Err("the payload tells of several actions");
        };
        let is_approval = match action.action_id.as_str() {
            APPROVE => true,
            REJECT => false,
            _ => return Ok(None),
        };
        let id = action.value.as_deref().and_then(|id| id.parse().ok());
        Ok(Some(Self {
            request_id: id.ok_or("the button has no id of a request")?,
            is_approval,
            user_id: payload.user.id,
            reply: Reply(payload.response_url.and_then(|url| Url::parse(&url).ok())),
        }))
    }
}

/// What whoever clicked is told of what that came to.
pub(in super::super) fn decided(request: &ApprovalRequest) -> String {
    match request.state() {
        ApprovalState::Requested => {
            "Your approval counts. More people have to approve before the call may run.".to_owned()
        }
        _ => outcome(request),
    }
}

impl Reply {
    /// Tells them, if that is a place to which Slack's answers go. Whatever becomes of it, the
    /// message in the channel says where the request stands.
    pub(in super::super) async fn send(self, slack: &Slack, text: &str) {
        let Some(url) = self.0.filter(|url| slack.takes_replies_at(url)) else {
            return;
        };
        let (text, _) = escaped(text, LONGEST_SECTION);
        let body = json!({
            "response_type": "ephemeral",
            "replace_original": false,
            "text": text,
            "mrkdwn": false,
        });
        let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        let _ = post(url, headers, body.to_string().into_bytes()).await;
    }
}

//! Slack, with a server that stands in for it. The payloads of clicks have the shape that Slack's
//! documentation shows (docs.slack.dev, "`block_actions` payload"), and signatures are made as it
//! says under "Verifying requests from Slack".

mod clicks;
mod messages;

use std::fmt::Write as _;
use std::net::SocketAddr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Bank, Headers, Receiver, SIGNING_SECRET, post};

pub(crate) fn channels(receiver: &Receiver) -> String {
    format!(
        "url: https://approvals.acme.com/
channels:
  - name: finance
    type: slack
    channel: C0FINANCE
    bot_token_file: DIR/token
    signing_secret_file: DIR/signing
    api_url: http://{}/api
",
        receiver.address
    )
}

pub(crate) fn signature(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let mac = mac
        .chain_update(format!("v0:{timestamp}:"))
        .chain_update(body);
    let mut text = "v0=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

pub(crate) fn signed(secret: &str, seconds: i64, body: &[u8]) -> Headers {
    let timestamp = seconds.to_string();
    vec![
        (
            "content-type",
            "application/x-www-form-urlencoded".to_owned(),
        ),
        ("x-slack-signature", signature(secret, &timestamp, body)),
        ("x-slack-request-timestamp", timestamp),
    ]
}

pub(crate) fn form(payload: &Value) -> Vec<u8> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("payload", &payload.to_string());
    form.finish().into_bytes()
}

pub(crate) fn click(action: &str, value: &Value, user: &str, response_url: &str) -> Value {
    json!({
        "type": "block_actions",
        "team": {"id": "T9TK3CUKW", "domain": "example"},
        "user": {"id": user, "username": "jtorrance", "team_id": "T9TK3CUKW"},
        "api_app_id": "AABA1ABCD",
        "token": "9s8d9as89d8as9d8as989",
        "container": {
            "type": "message_attachment",
            "message_ts": "1548261231.000200",
            "attachment_id": 1,
            "channel_id": "CBR2V3XEX",
            "is_ephemeral": false,
            "is_app_unfurl": false,
        },
        "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
        "channel": {"id": "CBR2V3XEX", "name": "review-updates"},
        "message": {
            "bot_id": "BAH5CA16Z",
            "type": "message",
            "text": "This content can't be displayed.",
            "user": "UAJ2RU415",
            "ts": "1548261231.000200",
        },
        "response_url": response_url,
        "actions": [{
            "action_id": action,
            "block_id": "=qXel",
            "text": {"type": "plain_text", "text": "View", "emoji": true},
            "value": value,
            "type": "button",
            "action_ts": "1548426417.840180",
        }],
    })
}

pub(crate) fn reply_url(receiver: &Receiver) -> String {
    format!(
        "http://{}/actions/AABA1ABCD/1232321423432",
        receiver.address
    )
}

pub(crate) async fn send(bank: &Bank, address: SocketAddr, payload: &Value) -> (u16, String) {
    let body = form(payload);
    let headers = signed(SIGNING_SECRET, bank.clock.now().unix_timestamp(), &body);
    post(address, "/callbacks/slack", &headers, body).await
}

/// All texts in a message, with their types.
fn texts(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            if let (Some(kind), Some(text)) = (map.get("type"), map.get("text"))
                && let (Some(kind), Some(text)) = (kind.as_str(), text.as_str())
            {
                found.push((kind.to_owned(), text.to_owned()));
            }
            map.values().for_each(|value| texts(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| texts(value, found)),
        _ => {}
    }
}

pub(crate) fn texts_of(message: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    texts(message, &mut found);
    found
}

/// The buttons of a message: their actions and values.
pub(crate) fn buttons(message: &Value) -> Vec<(String, Value)> {
    let blocks = message["blocks"].as_array().unwrap().iter();
    blocks
        .filter(|block| block["type"] == "actions")
        .flat_map(|block| block["elements"].as_array().unwrap())
        .map(|button| {
            let action = button["action_id"].as_str().unwrap().to_owned();
            (action, button["value"].clone())
        })
        .collect()
}

/// What Slack's reference says of blocks and of text objects.
pub(crate) fn assert_within_limits(message: &Value) {
    let length = |text: &Value| text.as_str().unwrap().chars().count();
    let blocks = message["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => assert!((1..=150).contains(&length(&block["text"]["text"]))),
            "section" => {
                if let Some(fields) = block["fields"].as_array() {
                    assert!((1..=10).contains(&fields.len()));
                    for field in fields {
                        assert!((1..=2000).contains(&length(&field["text"])));
                    }
                } else {
                    assert!((1..=3000).contains(&length(&block["text"]["text"])));
                }
            }
            "context" => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=10).contains(&elements.len()));
            }
            "actions" => {
                for button in block["elements"].as_array().unwrap() {
                    assert!(length(&button["text"]["text"]) <= 75);
                    assert!(length(&button["action_id"]) <= 255);
                    assert!(button["url"].as_str().is_none_or(|url| url.len() <= 3000));
                }
            }
            other => panic!("{other}"),
        }
    }
    let all: usize = texts_of(message)
        .iter()
        .map(|(_, text)| text.chars().count())
        .sum();
    assert!(all < 13_200, "{all}");
}

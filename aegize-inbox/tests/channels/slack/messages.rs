//! Messages: what they show, and what becomes of them.

use std::future::pending;

use aegize_core::{RiskLevel, ToolCall};
use aegize_store::DeliveryState;
use serde_json::{Value, json};

use super::{assert_within_limits, buttons, channels, texts_of};
use crate::support::{ASK, Answer, BOT_TOKEN, Bank, Receiver, alice, refund};

#[tokio::test]
async fn a_message_tells_the_call_and_asks() {
    let bank = Bank::new(ASK).await;
    let mut slack = Receiver::willing().await;
    let notifier = bank.notifier(&bank.channels(&channels(&slack)));
    let request = bank.ask(refund(50)).await;
    assert_eq!(notifier.tell_due().await.unwrap(), 1);
    let got = slack.next().await;
    assert_eq!(got.path, "/api/chat.postMessage");
    assert_eq!(got.headers["authorization"], format!("Bearer {BOT_TOKEN}"));
    assert_eq!(
        got.headers["content-type"],
        "application/json; charset=utf-8"
    );
    let message = got.json();
    assert_within_limits(&message);
    assert_eq!(message["channel"], "C0FINANCE");
    let texts = texts_of(&message);
    let texts: Vec<_> = texts.iter().map(|(_, text)| text.as_str()).collect();
    for text in [
        "Approval needed: payments refund",
        "payments",
        "refund",
        "bot",
        "high",
        "prod",
        "argument amount",
        "50",
        "argument to",
        "\"ann@example.com\"",
        "1 of alice@acme.com, group:ops",
    ] {
        assert!(texts.contains(&text), "{text} is not in {texts:?}");
    }
    let id = json!(request.id());
    let expected = [
        ("aegize_approve".to_owned(), id.clone()),
        ("aegize_reject".to_owned(), id),
        ("aegize_open".to_owned(), Value::Null),
    ];
    assert_eq!(buttons(&message), expected);
}

#[tokio::test]
async fn however_a_request_ends_its_buttons_go() {
    let bank = Bank::new(ASK).await;
    let mut slack = Receiver::willing().await;
    let channels = bank.channels(&channels(&slack));
    let notifier = bank.notifier(&channels);
    let desk = bank.desk();
    let mut ids = Vec::new();
    for amount in 0..4 {
        ids.push(bank.ask(refund(amount)).await.id());
    }
    notifier.tell_due().await.unwrap();
    assert_eq!(slack.rest().len(), 4);
    desk.reject(ids[0], &alice(), Some("*not* <now>"))
        .await
        .unwrap();
    desk.approve(ids[1], &alice(), None).await.unwrap();
    desk.approve(ids[2], &alice(), None).await.unwrap();
    desk.revoke(ids[2], &alice(), None).await.unwrap();
    notifier.tell_due().await.unwrap();
    bank.clock.turn(48 * 60 * 60);
    notifier.tell_due().await.unwrap();
    let got = slack.rest();
    let mut titles = Vec::new();
    for got in &got {
        assert_eq!(got.path, "/api/chat.update");
        let message = got.json();
        let left: Vec<_> = buttons(&message).into_iter().map(|b| b.0).collect();
        assert_eq!(left, ["aegize_open"]);
        titles.push(
            message["blocks"][0]["text"]["text"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    titles.sort();
    let expected = ["Approved", "Expired", "Expired", "Rejected", "Revoked"];
    let expected: Vec<_> = expected
        .iter()
        .map(|what| format!("{what}: payments refund"))
        .collect();
    assert_eq!(titles, expected);
    let rejected = got
        .iter()
        .find(|got| got.json().to_string().contains("Rejected"));
    let told = rejected.unwrap().json().to_string();
    assert!(
        told.contains("Rejected by alice@acme.com: *not* &lt;now&gt;"),
        "{told}"
    );
}

#[tokio::test]
async fn reminders_answer_the_message_in_its_thread() {
    let policy = "
agents:
  bot:
    require_approval:
      - {tool: '*', approvers: [alice@acme.com], remind_after: 10m, escalate_to: ['group:<ops>']}
    allow: [{tool: '*'}]
";
    let bank = Bank::new(policy).await;
    let mut slack = Receiver::willing().await;
    let notifier = bank.notifier(&bank.channels(&channels(&slack)));
    bank.ask(refund(1)).await;
    notifier.tell_due().await.unwrap();
    slack.rest();
    bank.clock.turn(601);
    notifier.tell_due().await.unwrap();
    let got = slack.rest();
    assert_eq!(got.len(), 2);
    for got in &got {
        assert_eq!(got.path, "/api/chat.postMessage");
        let message = got.json();
        assert_within_limits(&message);
        assert_eq!(message["thread_ts"], "1503435956.000247");
        assert_eq!(message["reply_broadcast"], true);
        assert!(
            message["text"]
                .as_str()
                .unwrap()
                .starts_with("Still waiting.")
        );
    }
    let escalated = got
        .iter()
        .filter(|got| got.json().to_string().contains("group:&lt;ops&gt;"));
    assert_eq!(escalated.count(), 1);
}

/// Text that tries to mention everybody, to link, to format, to add fields, and to be too long.
#[tokio::test]
async fn hostile_text_in_every_field_stays_text() {
    let hostile = "<!channel> <@U123|me> <https://evil.example|Approve> & *bold* `x` \n*Risk:* low\
                   \u{202e}evil\u{200b}\u{7}";
    let policy = format!(
        "agents:
  bot:
    require_approval:
      - {{tool: '*', reason: {0}, approvers: ['<!here>&']}}
    allow: [{{tool: '*'}}]
",
        json!("because <!channel> & *now*")
    );
    let bank = Bank::new(&policy).await;
    let mut slack = Receiver::willing().await;
    let notifier = bank.notifier(&bank.channels(&channels(&slack)));
    let call = ToolCall::new("<!here>&tool", "<!here>&operation")
        .risk_level(RiskLevel::Critical)
        .arguments(json!({
            "<!here>&name": hostile,
            "nested": {"<!here>": [hostile, 1.5, null]},
        }))
        .metadata(json!({"note": hostile}));
    let request = bank.ask(call).await;
    notifier.tell_due().await.unwrap();
    bank.desk()
        .approve(request.id(), &alice(), Some(hostile))
        .await
        .unwrap_err();
    bank.clock.turn(48 * 60 * 60);
    notifier.tell_due().await.unwrap();
    let got = slack.rest();
    assert_eq!(got.len(), 2);
    for got in got {
        let message = got.json();
        assert_within_limits(&message);
        let fallback = (
            "mrkdwn".to_owned(),
            message["text"].as_str().unwrap().to_owned(),
        );
        for (kind, text) in texts_of(&message).into_iter().chain([fallback]) {
            assert!(
                !text.contains(['<', '>', '\n', '\u{202e}', '\u{200b}', '\u{7}']),
                "{text}"
            );
            let unescaped = text
                .replace("&amp;", "")
                .replace("&lt;", "")
                .replace("&gt;", "");
            assert!(!unescaped.contains('&'), "{text}");
            let is_ours = [
                "Tool",
                "Operation",
                "Agent",
                "Risk",
                "Environment",
                "Approvers",
            ];
            if kind == "mrkdwn" && text.starts_with('*') {
                let label = text.trim_matches('*');
                let others = ["Answer until", "Why"];
                assert!(
                    is_ours.contains(&label) || others.contains(&label),
                    "{text}"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_shown_whole_cannot_be_approved_there() {
    let bank = Bank::new(ASK).await;
    let mut slack = Receiver::willing().await;
    let notifier = bank.notifier(&bank.channels(&channels(&slack)));
    let many: serde_json::Map<_, _> = (0..80).map(|i| (format!("a{i}"), json!(i))).collect();
    let rows = [
        (json!({"text": "x".repeat(1900)}), true),
        (json!({"text": "x".repeat(2100)}), false),
        // The escapes count, too.
        (json!({"text": "&".repeat(1900)}), false),
        (
            json!({"a": "x".repeat(1900), "b": "x".repeat(1900), "c": "x".repeat(1900)}),
            false,
        ),
        (json!({"x".repeat(600): 1}), false),
        (Value::Object(many), false),
        (json!({}), true),
    ];
    for (arguments, is_whole) in rows {
        let id = bank
            .ask(ToolCall::new("payments", "refund").arguments(arguments))
            .await
            .id();
        notifier.tell_due().await.unwrap();
        let message = slack.next().await.json();
        assert_within_limits(&message);
        let buttons: Vec<_> = buttons(&message).into_iter().map(|b| b.0).collect();
        let is_offered = buttons.contains(&"aegize_approve".to_owned());
        assert_eq!(is_offered, is_whole, "{message}");
        assert!(buttons.contains(&"aegize_reject".to_owned()));
        let says_why = message
            .to_string()
            .contains(&format!("aegize approvals show {id}"));
        assert_eq!(says_why, !is_whole);
    }
}

/// The example that Slack's documentation works through.
#[tokio::test]
async fn what_slack_refuses_is_told_again_unless_it_never_helps() {
    let refusal = |error: &str| Answer::Says(200, &[], json!({"ok": false, "error": error}));
    let rows = [
        (
            refusal("channel_not_found"),
            DeliveryState::Pending,
            "Slack answers `chat.postMessage` with channel_not_found",
        ),
        (
            refusal("invalid_auth"),
            DeliveryState::Pending,
            "Slack answers `chat.postMessage` with invalid_auth",
        ),
        (
            refusal("invalid_blocks"),
            DeliveryState::GivenUp,
            "Slack answers `chat.postMessage` with invalid_blocks",
        ),
        (
            refusal("<b>\n"),
            DeliveryState::Pending,
            "Slack answers `chat.postMessage` with an error that has no name",
        ),
        (
            Answer::Says(200, &[], json!("ok")),
            DeliveryState::Pending,
            "Slack's answer is none of its API",
        ),
    ];
    for (answer, state, error) in rows {
        let bank = Bank::new(ASK).await;
        let slack = Receiver::new([answer]).await;
        let notifier = bank.notifier(&bank.channels(&channels(&slack)));
        let id = bank.ask(refund(1)).await.id();
        assert_eq!(notifier.tell_due().await.unwrap(), 0);
        let delivery = bank.deliveries(id).await.remove(0);
        assert_eq!(delivery.state, state);
        assert_eq!(delivery.error.as_deref(), Some(error));
    }
}

#[tokio::test]
async fn while_slack_wants_to_be_left_alone_nothing_is_sent_or_used_up() {
    let bank = Bank::new(ASK).await;
    let answers = [
        Answer::Says(429, &[("retry-after", "1")], json!(null)),
        Answer::Says(200, &[], json!({"ok": true, "channel": "C1", "ts": "1.2"})),
    ];
    let mut slack = Receiver::new(answers).await;
    let notifier = bank.notifier(&bank.channels(&channels(&slack)));
    let mut ids = Vec::new();
    for amount in 0..20 {
        ids.push(bank.ask(refund(amount)).await.id());
    }
    assert_eq!(notifier.tell_due().await.unwrap(), 0);
    assert_eq!(slack.rest().len(), 1);
    let mut attempts = 0;
    for id in &ids {
        attempts += bank.deliveries(*id).await[0].attempts;
    }
    assert_eq!(attempts, 1);
    let running = tokio::spawn(async move { notifier.run_until(pending()).await });
    for _ in &ids {
        slack.next().await;
    }
    running.abort();
}

//! Answers to webhooks: taken from those who sign them, once, and from nobody else.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use aegize_core::{ApprovalState, AuditEvent};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use uuid::Uuid;

use crate::support::{
    ASK, Bank, CALLBACK_SECRET, Headers, SECRET, doubled, post, refund, with, without,
};

const PATH: &str = "/callbacks/webhook/hook";

const CHANNELS: &str = "
channels:
  - {name: hook, type: webhook, url: 'http://127.0.0.1:1', secret_file: DIR/webhook,
     callback_secret_file: DIR/callback}
  - {name: mute, type: webhook, url: 'http://127.0.0.1:1', secret_file: DIR/webhook}
  - {name: mail, type: webhook, url: 'http://127.0.0.1:1', secret_file: DIR/webhook,
     callback_secret_file: DIR/callback, tools: [mail]}
";

fn verdict(id: Uuid, decision: &str, approver: &str) -> Vec<u8> {
    let verdict = json!({
        "request_id": id,
        "decision": decision,
        "approver": approver,
        "reason": "by phone",
    });
    verdict.to_string().into_bytes()
}

/// The headers of a message that somebody else's library signs.
fn signed(secret: &str, id: &str, seconds: i64, body: &[u8]) -> Headers {
    let signature = Webhook::new(secret).unwrap().sign(id, seconds, body);
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature.unwrap()),
    ]
}

async fn answer(bank: &Bank, address: SocketAddr, id: &str, body: &[u8]) -> (u16, Value) {
    let seconds = bank.clock.now().unix_timestamp();
    let headers = signed(CALLBACK_SECRET, id, seconds, body);
    let (status, text) = post(address, PATH, &headers, body).await;
    (status, serde_json::from_str(&text).unwrap())
}

/// That nothing was decided about a request.
async fn assert_untouched(bank: &Bank, id: Uuid) {
    let request = bank.request(id).await;
    assert_eq!(request.state(), ApprovalState::Requested);
    assert!(request.approvals().is_empty());
    let decided = [
        AuditEvent::ApprovalGranted,
        AuditEvent::ApprovalRejected,
        AuditEvent::ApprovalRevoked,
    ];
    let records = bank.records();
    assert!(!records.iter().any(|record| decided.contains(&record.event)));
}

#[tokio::test]
async fn a_signed_answer_decides_and_is_on_record() {
    let bank = Bank::new(ASK).await;
    let address = bank.serve(&bank.channels(CHANNELS)).await;
    let approved = bank.ask(refund(1)).await.id();
    let rejected = bank.ask(refund(2)).await.id();
    let (status, told) = answer(
        &bank,
        address,
        "msg_1",
        &verdict(approved, "approve", "alice@acme.com"),
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(told, json!({"request_id": approved, "state": "granted"}));
    // Who is entitled only by a group that the directory knows of.
    let body = verdict(rejected, "reject", "oscar@acme.com");
    let (status, _) = answer(&bank, address, "msg_2", &body).await;
    assert_eq!(status, 200);

    let request = bank.request(approved).await;
    assert_eq!(request.state(), ApprovalState::Granted);
    assert_eq!(request.approvals()[0].approver.name(), "alice@acme.com");
    assert_eq!(request.approvals()[0].approver.groups(), ["finance"]);
    assert_eq!(request.approvals()[0].reason.as_deref(), Some("by phone"));
    let request = bank.request(rejected).await;
    assert_eq!(request.state(), ApprovalState::Rejected);
    let records = bank.records();
    let granted = records
        .iter()
        .find(|record| record.event == AuditEvent::ApprovalGranted)
        .unwrap();
    assert_eq!(granted.approvers, ["alice@acme.com"]);
    assert_eq!(granted.request_id, Some(approved));
}

/// Messages that the channel did not sign as they are.
fn forged(good: &Headers, body: &[u8], now: i64) -> Vec<(&'static str, Headers, Vec<u8>)> {
    let signature = &good[2].1;
    let mut flipped = body.to_vec();
    flipped[20] ^= 1;
    let truncated = body[..body.len() - 1].to_vec();
    let whole = || body.to_vec();

    vec![
        ("no headers", Vec::new(), whole()),
        ("no id", without(good, 0), whole()),
        ("no time", without(good, 1), whole()),
        ("no signature", without(good, 2), whole()),
        ("an empty signature", with(good, 2, ""), whole()),
        ("an empty id", with(good, 0, ""), whole()),
        ("two ids", doubled(good, 0), whole()),
        ("two times", doubled(good, 1), whole()),
        ("two headers of signatures", doubled(good, 2), whole()),
        ("another id", with(good, 0, "msg_2"), whole()),
        (
            "another time",
            with(good, 1, (now - 1).to_string()),
            whole(),
        ),
        (
            "a time with a sign",
            with(good, 1, format!("+{now}")),
            whole(),
        ),
        ("a time of words", with(good, 1, "now"), whole()),
        (
            "a cut signature",
            with(good, 2, &signature[..signature.len() - 4]),
            whole(),
        ),
        (
            "a longer signature",
            with(good, 2, format!("{signature}AAAA")),
            whole(),
        ),
        ("one byte", with(good, 2, "v1,AA=="), whole()),
        ("no version", with(good, 2, &signature[3..]), whole()),
        (
            "another version",
            with(good, 2, signature.replace("v1", "v1a")),
            whole(),
        ),
        (
            "the secret of what is sent",
            signed(SECRET, "msg_1", now, body),
            whole(),
        ),
        ("a truncated body", good.clone(), truncated),
        ("a body twice", good.clone(), body.repeat(2)),
        ("a flipped byte", good.clone(), flipped),
        ("no body", good.clone(), Vec::new()),
        (
            "stale",
            signed(CALLBACK_SECRET, "msg_1", now - 301, body),
            whole(),
        ),
        (
            "of the future",
            signed(CALLBACK_SECRET, "msg_1", now + 301, body),
            whole(),
        ),
    ]
}

#[tokio::test]
async fn what_is_not_signed_by_the_channel_is_refused() {
    let bank = Bank::new(ASK).await;
    let address = bank.serve(&bank.channels(CHANNELS)).await;
    let id = bank.ask(refund(1)).await.id();
    let body = verdict(id, "approve", "alice@acme.com");
    let now = bank.clock.now().unix_timestamp();
    let good = signed(CALLBACK_SECRET, "msg_1", now, &body);
    let forged = forged(&good, &body, now);
    for (what, headers, body) in forged {
        let (status, told) = post(address, PATH, &headers, body).await;
        // hyper refuses some of them itself.
        assert!(matches!(status, 400 | 401), "{what}: {status} {told}");
        assert_untouched(&bank, id).await;
    }
    for path in ["/callbacks/webhook/mute", "/callbacks/webhook/other"] {
        assert_eq!(post(address, path, &good, body.clone()).await.0, 404);
    }
    let huge = vec![b' '; 300 * 1024];
    let headers = signed(CALLBACK_SECRET, "msg_9", now, &huge);
    assert_eq!(post(address, PATH, &headers, huge).await.0, 413);
    assert_untouched(&bank, id).await;

    // None of that has used up the true one.
    assert_eq!(post(address, PATH, &good, body).await.0, 200);
}

#[tokio::test]
async fn what_is_signed_and_makes_no_sense_is_refused() {
    let bank = Bank::new(ASK).await;
    let address = bank.serve(&bank.channels(CHANNELS)).await;
    let id = bank.ask(refund(1)).await.id();
    let good = String::from_utf8(verdict(id, "approve", "alice@acme.com")).unwrap();
    let bodies = [
        String::new(),
        "null".to_owned(),
        good[..good.len() - 1].to_owned(),
        good.repeat(2),
        format!("{good}}}"),
        good.replace("approve\"", "approved\""),
        good.replace("\"approver\"", "\"approvers\""),
        good.replace("{\"request_id\"", "{\"more\":1,\"request_id\""),
        good.replace("{\"request_id\"", "{\"decision\":\"reject\",\"request_id\""),
        good.replace(&id.to_string(), "1"),
        json!([id, "approve", "alice@acme.com", null]).to_string(),
        good.replace("\"alice@acme.com\"", "[\"alice@acme.com\"]"),
    ];
    for (index, body) in bodies.iter().enumerate() {
        let (status, told) = answer(&bank, address, &format!("m{index}"), body.as_bytes()).await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(told["status"], 400);
        assert_untouched(&bank, id).await;
    }
}

#[tokio::test]
async fn only_who_may_decides() {
    let bank = Bank::new(ASK).await;
    let address = bank.serve(&bank.channels(CHANNELS)).await;
    let id = bank.ask(refund(1)).await.id();
    // Nobody, not entitled, in a group by name only, and the agent itself.
    let people = [
        "nobody@acme.com",
        "",
        "mallory@acme.com",
        "group:ops",
        "bot",
        "ALICE@acme.com",
    ];
    for (index, person) in people.into_iter().enumerate() {
        let body = verdict(id, "approve", person);
        let (status, _) = answer(&bank, address, &format!("m{index}"), &body).await;
        assert_eq!(status, 403, "{person}");
        assert_untouched(&bank, id).await;
    }
    let body = verdict(Uuid::now_v7(), "approve", "alice@acme.com");
    assert_eq!(answer(&bank, address, "other", &body).await.0, 404);

    // A channel answers only what it is told of.
    let body = verdict(id, "approve", "alice@acme.com");
    let now = bank.clock.now().unix_timestamp();
    let headers = signed(CALLBACK_SECRET, "mail", now, &body);
    let (status, _) = post(address, "/callbacks/webhook/mail", &headers, body).await;
    assert_eq!(status, 403);
    assert_untouched(&bank, id).await;
}

#[tokio::test]
async fn a_message_counts_once() {
    let policy = "
agents:
  bot:
    require_approval: [{tool: payments, quorum: 2}]
    allow: [{tool: '*'}]
";
    let bank = Bank::new(policy).await;
    let channels = bank.channels(CHANNELS);
    let address = bank.serve(&channels).await;
    let id = bank.ask(refund(1)).await.id();
    let body = verdict(id, "approve", "alice@acme.com");
    let (status, told) = answer(&bank, address, "msg_1", &body).await;
    assert_eq!((status, &told["state"]), (200, &json!("requested")));

    assert_eq!(answer(&bank, address, "msg_1", &body).await.0, 409);
    bank.clock.turn(299);
    let (status, told) = answer(&bank, address, "msg_1", &body).await;
    assert_eq!(status, 409);
    assert_eq!(told["detail"], "this message was there before");
    // Another message by the same person, and one after a restart, are refused by the desk.
    assert_eq!(answer(&bank, address, "msg_2", &body).await.0, 409);
    let restarted = bank.serve(&channels).await;
    assert_eq!(answer(&bank, restarted, "msg_1", &body).await.0, 409);
    let request = bank.request(id).await;
    assert_eq!(request.state(), ApprovalState::Requested);
    assert_eq!(request.approvals().len(), 1);

    let body = verdict(id, "approve", "oscar@acme.com");
    let (status, told) = answer(&bank, address, "msg_3", &body).await;
    assert_eq!((status, &told["state"]), (200, &json!("granted")));
    // An answer that comes too late changes nothing.
    let body = verdict(id, "reject", "mallory@acme.com");
    assert_eq!(answer(&bank, address, "msg_4", &body).await.0, 409);
    assert_eq!(bank.request(id).await.state(), ApprovalState::Granted);
}

#[tokio::test]
async fn of_many_copies_at_once_one_counts() {
    let bank = Bank::new(ASK).await;
    let address = bank.serve(&bank.channels(CHANNELS)).await;
    let id = bank.ask(refund(1)).await.id();
    let body = verdict(id, "approve", "alice@acme.com");
    let copies = (0..16).map(|_| answer(&bank, address, "msg_1", &body));
    let answers = futures_util::future::join_all(copies).await;
    let taken = answers.iter().filter(|answer| answer.0 == 200).count();
    assert_eq!(taken, 1);
    let refused = answers.iter().filter(|answer| answer.0 == 409).count();
    assert_eq!(refused, 15);
    let records = bank.records();
    let granted = records
        .iter()
        .filter(|record| record.event == AuditEvent::ApprovalGranted);
    assert_eq!(granted.count(), 1);
}

#[tokio::test]
async fn an_answer_that_the_store_missed_may_come_again() {
    let bank = Bank::new(ASK).await;
    let address = bank.serve(&bank.channels(CHANNELS)).await;
    let id = bank.ask(refund(1)).await.id();
    let body = verdict(id, "approve", "alice@acme.com");
    bank.is_away.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let (status, told) = answer(&bank, address, "msg_1", &body).await;
        assert_eq!(status, 503);
        let detail = "approvals cannot be decided now; try again";
        assert_eq!(told["detail"], detail);
    }
    bank.is_away.store(false, Ordering::SeqCst);
    assert_untouched(&bank, id).await;
    assert_eq!(answer(&bank, address, "msg_1", &body).await.0, 200);
    assert_eq!(answer(&bank, address, "msg_1", &body).await.0, 409);
}

//! Clicks: whose counts, and which are refused.

use std::sync::atomic::Ordering;

use aegize_core::{ApprovalState, GuardError};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    assert_within_limits, buttons, channels, click, form, reply_url, send, signature, signed,
};
use crate::support::{
    ALICE_ON_SLACK, ASK, Bank, Forged, Receiver, SIGNING_SECRET, doubled, post, refund, with,
    without,
};

#[tokio::test]
async fn a_click_decides_and_the_message_follows_to_the_end() {
    let bank = Bank::new(ASK).await;
    let mut slack = Receiver::willing().await;
    let channels = bank.channels(&channels(&slack));
    let address = bank.serve(&channels).await;
    let notifier = bank.notifier(&channels);
    let request = bank.ask(refund(50)).await;
    notifier.tell_due().await.unwrap();
    let (action, value) = buttons(&slack.next().await.json()).remove(0);

    let payload = click(&action, &value, ALICE_ON_SLACK, &reply_url(&slack));
    assert_eq!(send(&bank, address, &payload).await, (200, String::new()));
    let granted = bank.request(request.id()).await;
    assert_eq!(granted.state(), ApprovalState::Granted);
    assert_eq!(granted.approvals()[0].approver.name(), "alice@acme.com");
    assert_eq!(granted.approvals()[0].approver.groups(), ["finance"]);
    let reply = slack.next().await;
    assert_eq!(reply.path, "/actions/AABA1ABCD/1232321423432");
    assert_eq!(reply.json()["response_type"], "ephemeral");
    assert_eq!(reply.json()["replace_original"], false);
    let text = reply.json()["text"].as_str().unwrap().to_owned();
    assert!(
        text.starts_with("Granted. One such call may run until "),
        "{text}"
    );
    assert!(!reply.headers.contains_key("authorization"));

    let ran = bank.context.guard(refund(50));
    ran.run(async || Ok::<_, GuardError>(())).await.unwrap();
    notifier.tell_due().await.unwrap();
    let got = slack.next().await;
    assert_eq!(got.path, "/api/chat.update");
    let message = got.json();
    assert_within_limits(&message);
    assert_eq!(message["channel"], "C0FINANCE");
    assert_eq!(message["ts"], "1503435956.000247");
    assert!(message.to_string().contains("Approved and used"));
    assert!(message.to_string().contains("approved by alice@acme.com"));
    let left: Vec<_> = buttons(&message).into_iter().map(|b| b.0).collect();
    assert_eq!(left, ["aegize_open"]);
    assert!(slack.rest().is_empty());
}

#[tokio::test]
async fn who_may_not_decide_is_told_so_and_nobody_else_is() {
    let bank = Bank::new(ASK).await;
    let mut slack = Receiver::willing().await;
    let channels = bank.channels(&channels(&slack));
    let address = bank.serve(&channels).await;
    let id = bank.ask(refund(50)).await.id();
    let unknown = "Nothing was decided: whoever answers is not among the approvers.";
    let rows = [
        ("USTRANGER", unknown),
        ("", unknown),
        ("alice@acme.com", unknown),
        (
            "UMALLORY",
            "Nothing was decided: `mallory@acme.com` is not among the approvers",
        ),
        ("UBOT", "Nothing was decided: `bot` makes the call"),
    ];
    for (user, expected) in rows {
        let payload = click("aegize_approve", &json!(id), user, &reply_url(&slack));
        assert_eq!(send(&bank, address, &payload).await.0, 200);
        let reply = slack.next().await.json();
        let text = reply["text"].as_str().unwrap();
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(reply["response_type"], "ephemeral");
        let request = bank.request(id).await;
        assert_eq!(request.state(), ApprovalState::Requested);
    }
    // A request that is not there.
    let other = json!(Uuid::now_v7());
    let payload = click("aegize_reject", &other, ALICE_ON_SLACK, &reply_url(&slack));
    assert_eq!(send(&bank, address, &payload).await.0, 200);
    let reply = slack.next().await.json();
    assert!(
        reply["text"]
            .as_str()
            .unwrap()
            .contains("there is no approval request")
    );
}

#[tokio::test]
async fn replies_go_to_slack_alone() {
    let bank = Bank::new(ASK).await;
    let mut slack = Receiver::willing().await;
    let mut elsewhere = Receiver::willing().await;
    let channels = bank.channels(&channels(&slack));
    let address = bank.serve(&channels).await;
    let id = bank.ask(refund(50)).await.id();
    let port = elsewhere.address.port();
    let urls = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://hooks.slack.com@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/hooks.slack.com"),
        "file:///etc/passwd".to_owned(),
        "no address".to_owned(),
    ];
    for url in urls {
        let payload = click("aegize_approve", &json!(id), "USTRANGER", &url);
        assert_eq!(send(&bank, address, &payload).await.0, 200);
    }
    let payload = click(
        "aegize_approve",
        &json!(id),
        "USTRANGER",
        &reply_url(&slack),
    );
    assert_eq!(send(&bank, address, &payload).await.0, 200);
    slack.next().await;
    assert!(slack.rest().is_empty());
    assert!(elsewhere.rest().is_empty());
}

#[tokio::test]
async fn forged_stale_and_repeated_clicks_are_refused() {
    let bank = Bank::new(ASK).await;
    let slack = Receiver::willing().await;
    let channels = bank.channels(&channels(&slack));
    let address = bank.serve(&channels).await;
    let id = bank.ask(refund(50)).await.id();
    let payload = click(
        "aegize_approve",
        &json!(id),
        ALICE_ON_SLACK,
        &reply_url(&slack),
    );
    let body = form(&payload);
    let now = bank.clock.now().unix_timestamp();
    let good = signed(SIGNING_SECRET, now, &body);
    let text = good[1].1.clone();
    let mut flipped = body.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let twice = body.repeat(2);
    let forged: Vec<Forged<'_>> = vec![
        ("nothing", Vec::new(), &body),
        ("no signature", without(&good, 1), &body),
        ("no time", without(&good, 2), &body),
        ("two signatures", doubled(&good, 1), &body),
        ("two times", doubled(&good, 2), &body),
        ("an empty signature", with(&good, 1, String::new()), &body),
        (
            "a cut signature",
            with(&good, 1, text[..text.len() - 2].to_owned()),
            &body,
        ),
        (
            "half a digit",
            with(&good, 1, text[..text.len() - 1].to_owned()),
            &body,
        ),
        (
            "a longer signature",
            with(&good, 1, format!("{text}00")),
            &body,
        ),
        (
            "no digits",
            with(&good, 1, format!("v0={}", "z".repeat(64))),
            &body,
        ),
        (
            "another version",
            with(&good, 1, text.replace("v0", "v1")),
            &body,
        ),
        ("another time", with(&good, 2, (now - 1).to_string()), &body),
        ("a negative time", with(&good, 2, format!("-{now}")), &body),
        (
            "another secret",
            signed("8f742231b10e8888", now, &body),
            &body,
        ),
        ("stale", signed(SIGNING_SECRET, now - 301, &body), &body),
        (
            "of the future",
            signed(SIGNING_SECRET, now + 301, &body),
            &body,
        ),
        ("truncated", good.clone(), &body[..body.len() - 1]),
        ("twice", good.clone(), &twice),
        ("flipped", good.clone(), &flipped),
    ];
    for (what, headers, body) in forged {
        let (status, _) = post(address, "/callbacks/slack", &headers, body).await;
        assert_eq!(status, 401, "{what}");
        assert_eq!(bank.request(id).await.revision(), 0, "{what}");
    }
    let (status, _) = post(address, "/callbacks/slack", &good, body.clone()).await;
    assert_eq!(status, 200);
    assert_eq!(bank.request(id).await.state(), ApprovalState::Granted);
    let (status, _) = post(address, "/callbacks/slack", &good, body).await;
    assert_eq!(status, 409);
}

#[test]
fn signatures_here_are_those_of_slack() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
                &channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner\
                &command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com\
                %2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
                &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    assert_eq!(
        signature(SIGNING_SECRET, "1531420618", body.as_bytes()),
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    );
}

#[tokio::test]
async fn signed_payloads_that_make_no_sense_are_refused() {
    let bank = Bank::new(ASK).await;
    let slack = Receiver::willing().await;
    let channels = bank.channels(&channels(&slack));
    let address = bank.serve(&channels).await;
    let id = bank.ask(refund(50)).await.id();
    let url = reply_url(&slack);
    let good = click("aegize_approve", &json!(id), ALICE_ON_SLACK, &url);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut payload = good.clone();
        change(&mut payload);
        form(&payload)
    };
    let text = good.to_string();
    let once = form(&good);
    let twice = [&once[..], b"&", &once].concat();
    let field = |name: &str, value: &str| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair(name, value);
        form.finish().into_bytes()
    };
    let bodies = [
        Vec::new(),
        b"payload".to_vec(),
        twice,
        [&once[..], b"&more=1"].concat(),
        field("payloads", &text),
        field("payload", &text[..text.len() - 1]),
        field("payload", &text.repeat(2)),
        field(
            "payload",
            &text.replace("\"user\":", "\"user\":{\"id\":\"UX\"},\"user\":"),
        ),
        text.into_bytes(),
        changed(&|payload| payload["type"] = json!("view_submission")),
        changed(&|payload| payload["actions"] = json!([])),
        changed(&|payload| {
            let action = payload["actions"][0].clone();
            payload["actions"] = json!([action, action]);
        }),
        changed(&|payload| payload["actions"][0]["value"] = json!("click_me_123")),
        changed(&|payload| payload["actions"][0]["value"] = Value::Null),
        changed(&|payload| payload["user"] = json!("UA8RXUSPL")),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let headers = signed(SIGNING_SECRET, bank.clock.now().unix_timestamp(), &body);
        let (status, _) = post(address, "/callbacks/slack", &headers, body).await;
        assert_eq!(status, 400, "{shown}");
        assert_eq!(bank.request(id).await.revision(), 0);
    }
    // The button that leads to the inbox is told, too, and decides nothing.
    let opened = click("aegize_open", &Value::Null, ALICE_ON_SLACK, &url);
    assert_eq!(send(&bank, address, &opened).await.0, 200);
    assert_eq!(bank.request(id).await.revision(), 0);
}

#[tokio::test]
async fn of_two_who_have_to_approve_each_clicks_for_themselves() {
    let policy = "
agents:
  bot:
    require_approval: [{tool: payments, quorum: 2}]
    allow: [{tool: '*'}]
";
    let bank = Bank::new(policy).await;
    let mut slack = Receiver::willing().await;
    let channels = bank.channels(&channels(&slack));
    let address = bank.serve(&channels).await;
    let id = bank.ask(refund(50)).await.id();
    let again = "Nothing was decided: `alice@acme.com` has already approved";
    let rows = [
        (
            ALICE_ON_SLACK,
            ApprovalState::Requested,
            "Your approval counts.",
        ),
        (ALICE_ON_SLACK, ApprovalState::Requested, again),
        ("UOSCAR", ApprovalState::Granted, "Granted."),
        (
            "UMALLORY",
            ApprovalState::Granted,
            "Nothing was decided: approval request",
        ),
    ];
    for (user, state, expected) in rows {
        let payload = click("aegize_approve", &json!(id), user, &reply_url(&slack));
        assert_eq!(send(&bank, address, &payload).await.0, 200);
        let reply = slack.next().await.json();
        let text = reply["text"].as_str().unwrap();
        assert!(text.starts_with(expected), "{text}");
        assert_eq!(bank.request(id).await.state(), state);
        bank.clock.turn(1);
    }
}

#[tokio::test]
async fn a_click_that_the_store_missed_is_told() {
    let bank = Bank::new(ASK).await;
    let mut slack = Receiver::willing().await;
    let channels = bank.channels(&channels(&slack));
    let address = bank.serve(&channels).await;
    let id = bank.ask(refund(50)).await.id();
    let payload = click(
        "aegize_approve",
        &json!(id),
        ALICE_ON_SLACK,
        &reply_url(&slack),
    );
    bank.is_away.store(true, Ordering::SeqCst);
    assert_eq!(send(&bank, address, &payload).await.0, 200);
    let reply = slack.next().await.json();
    let text = "Nothing was decided: approvals cannot be decided now; try again.";
    assert_eq!(reply["text"], text);
    bank.is_away.store(false, Ordering::SeqCst);
    assert_eq!(bank.request(id).await.revision(), 0);
}

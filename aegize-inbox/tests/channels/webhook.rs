//! What webhooks are told, when, and how often.

use std::fmt::Write as _;
use std::future::pending;

use aegize_core::{RiskLevel, ToolCall};
use aegize_store::{DeliveryKind, DeliveryState};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{ASK, Answer, Bank, Got, Receiver, SECRET, alice, in_time, refund};

fn webhook(receiver: &Receiver) -> String {
    format!(
        "url: https://approvals.acme.com/
channels:
  - {{name: hook, type: webhook, url: 'http://{}/in', secret_file: DIR/webhook}}
",
        receiver.address
    )
}

fn kinds(got: &[Got]) -> Vec<String> {
    let kinds = got.iter().map(|got| got.json()["type"].clone());
    kinds
        .map(|kind| kind.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_request_is_told_once_signed_as_others_verify() {
    let bank = Bank::new(ASK).await;
    let mut receiver = Receiver::willing().await;
    let notifier = bank.notifier(&bank.channels(&webhook(&receiver)));
    let request = bank.ask(refund(50)).await;
    assert_eq!(notifier.tell_due().await.unwrap(), 1);
    assert_eq!(notifier.tell_due().await.unwrap(), 0);

    let got = receiver.next().await;
    assert!(receiver.rest().is_empty());
    assert_eq!(got.path, "/in");
    assert_eq!(got.headers["content-type"], "application/json");
    let theirs = standardwebhooks::Webhook::new(SECRET).unwrap();
    theirs.verify(&got.body, &got.headers).unwrap();
    let mut other = got.body.to_vec();
    other[10] ^= 1;
    theirs.verify(&other, &got.headers).unwrap_err();

    let id = request.id();
    let told = got.json();
    assert_eq!(told["type"], "approval.requested");
    let data = &told["data"];
    assert_eq!(data["request_id"], json!(id));
    assert_eq!(data["state"], "requested");
    assert_eq!(data["agent"], "bot");
    assert_eq!(data["tool"], "payments");
    assert_eq!(data["operation"], "refund");
    assert_eq!(data["risk_level"], "high");
    assert_eq!(data["environment"], "prod");
    assert_eq!(
        data["arguments"],
        json!({"amount": 50, "to": "ann@example.com"})
    );
    assert!(
        data["reason"]
            .as_str()
            .unwrap()
            .contains("money leaves the company")
    );
    assert_eq!(
        data["terms"],
        json!([{
            "approvers": ["alice@acme.com", "group:ops"],
            "quorum": 1,
            "escalate_to": [],
        }])
    );
    let expires_at = request.expires_at();
    let format = &time::format_description::well_known::Rfc3339;
    assert_eq!(data["expires_at"], expires_at.format(format).unwrap());
    let link = format!("https://approvals.acme.com/requests/{id}");
    assert_eq!(data["link"], link);
}

#[tokio::test]
async fn each_step_of_a_request_is_told_to_those_who_were_asked() {
    let bank = Bank::new(ASK).await;
    let mut receiver = Receiver::willing().await;
    let notifier = bank.notifier(&bank.channels(&webhook(&receiver)));
    let desk = bank.desk();
    let request = bank.ask(refund(1)).await;
    notifier.tell_due().await.unwrap();
    desk.approve(request.id(), &alice(), Some("fine"))
        .await
        .unwrap();
    notifier.tell_due().await.unwrap();
    desk.revoke(request.id(), &alice(), Some("not fine"))
        .await
        .unwrap();
    notifier.tell_due().await.unwrap();
    notifier.tell_due().await.unwrap();

    let got = receiver.rest();
    let steps = ["approval.requested", "approval.granted", "approval.ended"];
    assert_eq!(kinds(&got), steps);
    let data = &got[1].json()["data"];
    assert_eq!(data["state"], "granted");
    assert_eq!(data["approvals"][0]["approver"], "alice@acme.com");
    assert_eq!(data["approvals"][0]["reason"], "fine");
    let data = &got[2].json()["data"];
    assert_eq!(data["state"], "revoked");
    assert_eq!(data["refusal"]["reason"], "not fine");
    let ids: Vec<_> = got.iter().map(|got| &got.headers["webhook-id"]).collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);

    // One that ends before anyone is told is told to nobody.
    let request = bank.ask(refund(2)).await;
    desk.reject(request.id(), &alice(), None).await.unwrap();
    notifier.tell_due().await.unwrap();
    assert!(receiver.rest().is_empty());
    assert!(bank.deliveries(request.id()).await.is_empty());

    // One that expires unseen is told, too.
    bank.ask(refund(3)).await;
    notifier.tell_due().await.unwrap();
    bank.clock.turn(24 * 60 * 60);
    notifier.tell_due().await.unwrap();
    let got = receiver.rest();
    assert_eq!(kinds(&got), ["approval.requested", "approval.ended"]);
    assert_eq!(got[1].json()["data"]["state"], "expired");
}

#[tokio::test]
async fn people_are_reminded_once_and_then_others_are_told() {
    let policy = "
agents:
  bot:
    require_approval:
      - tool: payments
        approvers: [alice@acme.com]
        remind_after: 10m
        escalate_to: [oscar@acme.com, 'group:managers']
      - {tool: mail, remind_after: 30m}
      - {tool: files}
    allow: [{tool: '*'}]
";
    let bank = Bank::new(policy).await;
    let mut receiver = Receiver::willing().await;
    let notifier = bank.notifier(&bank.channels(&webhook(&receiver)));
    let payment = bank.ask(refund(1)).await;
    bank.ask(ToolCall::new("mail", "send")).await;
    bank.ask(ToolCall::new("files", "delete")).await;
    let answered = bank.ask(refund(2)).await;
    bank.desk()
        .reject(answered.id(), &alice(), None)
        .await
        .unwrap();
    notifier.tell_due().await.unwrap();
    assert_eq!(kinds(&receiver.rest()), ["approval.requested"; 3]);

    bank.clock.turn(10 * 60 - 1);
    notifier.tell_due().await.unwrap();
    assert!(receiver.rest().is_empty());
    bank.clock.turn(1);
    notifier.tell_due().await.unwrap();
    let mut got = receiver.rest();
    got.sort_by_key(|got| got.json()["type"].to_string());
    assert_eq!(kinds(&got), ["approval.escalated", "approval.reminded"]);
    for got in &got {
        assert_eq!(got.json()["data"]["request_id"], json!(payment.id()));
        assert_eq!(
            got.json()["data"]["terms"][0]["escalate_to"],
            json!(["oscar@acme.com", "group:managers"])
        );
    }
    notifier.tell_due().await.unwrap();
    assert!(receiver.rest().is_empty());

    // The other rule's time, and no more for what was reminded of before.
    bank.clock.turn(20 * 60);
    notifier.tell_due().await.unwrap();
    let got = receiver.rest();
    assert_eq!(kinds(&got), ["approval.reminded"]);
    assert_eq!(got[0].json()["data"]["tool"], "mail");
}

#[tokio::test]
async fn filters_select_by_tool_risk_and_environment() {
    let bank = Bank::new(ASK).await;
    let rows = [
        ("tools: ['pay*', 'mail']", true),
        ("tools: ['mail']", false),
        ("risk_level_min: high", true),
        ("risk_level_min: critical", false),
        ("environments: [staging, prod]", true),
        ("environments: [dev]", false),
        (
            "tools: ['*'], risk_level_min: low, environments: [prod]",
            true,
        ),
        (
            "tools: ['*'], risk_level_min: low, environments: [dev]",
            false,
        ),
    ];
    let mut receiver = Receiver::willing().await;
    let mut text = "channels:\n".to_owned();
    for (index, (filter, _)) in rows.iter().enumerate() {
        writeln!(
            text,
            "  - {{name: hook{index}, type: webhook, url: 'http://{}/{index}', \
             secret_file: DIR/webhook, {filter}}}",
            receiver.address
        )
        .unwrap();
    }
    let notifier = bank.notifier(&bank.channels(&text));
    bank.ask(refund(1)).await;
    notifier.tell_due().await.unwrap();
    let mut told: Vec<_> = receiver.rest().into_iter().map(|got| got.path).collect();
    told.sort();
    let wanted = rows.iter().enumerate().filter(|(_, row)| row.1);
    let wanted: Vec<_> = wanted.map(|(index, _)| format!("/{index}")).collect();
    assert_eq!(told, wanted);
}

#[tokio::test]
async fn secrets_never_leave() {
    const CANARY: &str = "sk-canary-4f9a8b7c6d5e4f3a2b1c";
    let bank = Bank::new(ASK).await;
    let mut receiver = Receiver::willing().await;
    let command = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())";
    let text = format!(
        "{}  - {{name: slack, type: slack, channel: C0FINANCE, bot_token_file: DIR/token, \
         signing_secret_file: DIR/signing, api_url: 'http://{}/api'}}
  - {{name: program, type: command, command: [python3, -c, \"{command}\", DIR/told]}}
",
        webhook(&receiver),
        receiver.address
    );
    let notifier = bank.notifier(&bank.channels(&text));
    let arguments = json!({
        "amount": 5,
        "password": CANARY,
        "nested": {"api_key": CANARY, "list": [{"token": CANARY}]},
        "header": format!("Bearer {CANARY}"),
    });
    let call = ToolCall::new("payments", "refund")
        .arguments(arguments)
        .metadata(json!({"secret": CANARY, "ticket": "OPS-12"}));
    let request = bank.ask(call).await;
    assert_eq!(notifier.tell_due().await.unwrap(), 3);
    bank.desk()
        .reject(request.id(), &alice(), Some(&format!("password={CANARY}")))
        .await
        .unwrap();
    assert_eq!(notifier.tell_due().await.unwrap(), 3);
    let got = receiver.rest();
    assert_eq!(got.len(), 4);
    let mut texts: Vec<_> = got
        .iter()
        .map(|got| String::from_utf8(got.body.to_vec()).unwrap())
        .collect();
    texts.push(std::fs::read_to_string(bank.path("told")).unwrap());
    for text in texts {
        assert!(!text.contains(CANARY), "{text}");
        assert!(text.contains("[redacted]"), "{text}");
    }
}

#[tokio::test]
async fn what_fails_is_told_again_and_shown_until_it_is_delivered() {
    let nothing = || json!(null);
    let answers = [
        Answer::Says(500, &[], nothing()),
        Answer::Says(429, &[("retry-after", "0")], nothing()),
        Answer::Says(200, &[], nothing()),
    ];
    let bank = Bank::new(ASK).await;
    let mut receiver = Receiver::new(answers).await;
    let notifier = bank.notifier(&bank.channels(&webhook(&receiver)));
    let request = bank.ask(refund(1)).await;

    assert_eq!(notifier.tell_due().await.unwrap(), 0);
    let first = receiver.next().await;
    let problems = bank.outbox().problems(10).await.unwrap();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].request_id, request.id());
    assert_eq!(problems[0].attempts, 1);
    assert_eq!(problems[0].state, DeliveryState::Pending);
    let origin = format!("http://{}", receiver.address);
    let error = format!("{origin} answers with status 500");
    assert_eq!(problems[0].error.as_deref(), Some(&*error));

    let running = tokio::spawn(async move { notifier.run_until(pending()).await });
    let mut repeated = Vec::new();
    for _ in 0..2 {
        repeated.push(receiver.next().await);
    }
    for got in &repeated {
        assert_eq!(got.headers["webhook-id"], first.headers["webhook-id"]);
        assert_eq!(got.json()["data"], first.json()["data"]);
    }
    in_time(async {
        while bank.deliveries(request.id()).await[0].state != DeliveryState::Delivered {
            tokio::task::yield_now().await;
        }
    })
    .await;
    running.abort();
    assert!(receiver.rest().is_empty());
    assert!(bank.outbox().problems(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn nothing_but_success_is_delivered() {
    let bank = Bank::new(ASK).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = closed.local_addr().unwrap();
    drop(closed);
    let rows = [
        (
            301,
            "redirects (status 301); give the URL that it redirects to",
        ),
        (
            307,
            "redirects (status 307); give the URL that it redirects to",
        ),
        (400, "answers with status 400"),
        (404, "answers with status 404"),
        (410, "answers with status 410"),
        (503, "answers with status 503"),
        (0, "cannot be reached: "),
    ];
    for (status, expected) in rows {
        let location = [("location", "http://127.0.0.1:1/")].as_slice();
        let mut receiver =
            Receiver::new([Answer::Says(status.max(200), location, json!(null))]).await;
        if status == 0 {
            receiver.address = nowhere;
        }
        let notifier = bank.notifier(&bank.channels(&webhook(&receiver)));
        let id = bank.ask(refund(status.into())).await.id();
        assert_eq!(notifier.tell_due().await.unwrap(), 0);
        let delivery = bank.deliveries(id).await.remove(0);
        assert_eq!(delivery.state, DeliveryState::Pending);
        let error = delivery.error.unwrap();
        let origin = format!("http://{} {expected}", receiver.address);
        assert!(error.starts_with(&origin), "{error}");
    }
}

#[tokio::test]
async fn a_channel_that_hangs_keeps_no_other_waiting() {
    let bank = Bank::new(ASK).await;
    let mut hanging = Receiver::new([Answer::Hangs]).await;
    let mut willing = Receiver::willing().await;
    let text = format!(
        "channels:
  - {{name: a, type: webhook, url: 'http://{}', secret_file: DIR/webhook}}
  - {{name: b, type: webhook, url: 'http://{}', secret_file: DIR/webhook}}
",
        hanging.address, willing.address
    );
    let notifier = bank.notifier(&bank.channels(&text));
    let running = tokio::spawn(async move { notifier.run_until(pending()).await });
    for amount in 0..20 {
        let request = bank.ask(refund(amount)).await;
        let got = willing.next().await;
        assert_eq!(got.json()["data"]["request_id"], json!(request.id()));
        if amount == 0 {
            hanging.next().await;
        }
    }
    running.abort();
}

#[tokio::test]
async fn what_nobody_has_to_know_any_more_is_given_up() {
    let bank = Bank::new(ASK).await;
    let mut receiver = Receiver::new([Answer::Says(503, &[], json!(null))]).await;
    let channels = bank.channels(&webhook(&receiver));
    let notifier = bank.notifier(&channels);
    let request = bank.ask(refund(1)).await;
    notifier.tell_due().await.unwrap();
    receiver.next().await;
    bank.desk()
        .reject(request.id(), &alice(), None)
        .await
        .unwrap();
    let running = tokio::spawn(async move { notifier.run_until(pending()).await });
    let delivery = in_time(async {
        loop {
            let delivery = bank.deliveries(request.id()).await.remove(0);
            if delivery.state != DeliveryState::Pending {
                break delivery;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    running.abort();
    assert_eq!(delivery.state, DeliveryState::GivenUp);
    assert_eq!(delivery.kind, DeliveryKind::Asked);
    // What went wrong is told as well as why it is no longer tried.
    let error = delivery.error.unwrap();
    assert!(
        error.contains("answers with status 503; not told"),
        "{error}"
    );
    assert!(
        error.ends_with("not told: the request is rejected by now"),
        "{error}"
    );
    assert!(receiver.rest().is_empty());
}

#[tokio::test]
async fn many_requests_are_told_each_once() {
    let bank = Bank::new(ASK).await;
    let mut receiver = Receiver::willing().await;
    let notifier = bank.notifier(&bank.channels(&webhook(&receiver)));
    let mut asked = Vec::new();
    for amount in 0..600 {
        let call = refund(amount).risk_level(RiskLevel::Critical);
        asked.push(json!(bank.ask(call).await.id()));
    }
    assert_eq!(notifier.tell_due().await.unwrap(), 600);
    let mut told: Vec<Value> = receiver
        .rest()
        .iter()
        .map(|got| got.json()["data"]["request_id"].clone())
        .collect();
    told.sort_by_key(ToString::to_string);
    asked.sort_by_key(ToString::to_string);
    assert_eq!(told, asked);
}

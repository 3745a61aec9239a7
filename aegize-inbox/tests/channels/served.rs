//! Channels of an inbox that is served.

use std::net::TcpListener;

use aegize_core::ApprovalState;
use aegize_inbox::Inbox;
use serde_json::json;
use tokio::sync::oneshot;

use crate::support::{ASK, Bank, CALLBACK_SECRET, Receiver, post, refund};

#[tokio::test]
async fn an_inbox_tells_takes_answers_by_any_name_and_stops() {
    let bank = Bank::new(ASK).await;
    let mut receiver = Receiver::willing().await;
    let channels = bank.channels(&format!(
        "channels: [{{name: hook, type: webhook, url: 'http://{}', secret_file: DIR/webhook, \
         callback_secret_file: DIR/callback}}]",
        receiver.address
    ));
    let log = bank.context.audit_log();
    let inbox = Inbox::new(&bank.approvals, &bank.store, bank.people(), log).channels(channels);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { stopped.await.unwrap() };
    let serving = tokio::spawn(inbox.serve_until(listener, None, stopped));

    let request = bank.ask(refund(1)).await;
    let told = receiver.next().await.json();
    assert_eq!(told["data"]["request_id"], json!(request.id()));

    let body = json!({
        "request_id": request.id(),
        "decision": "approve",
        "approver": "alice@acme.com",
    });
    let body = body.to_string().into_bytes();
    let seconds = bank.clock.now().unix_timestamp();
    let theirs = standardwebhooks::Webhook::new(CALLBACK_SECRET).unwrap();
    let headers = [
        ("host", "approvals.acme.com".to_owned()),
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        (
            "webhook-signature",
            theirs.sign("msg_1", seconds, &body).unwrap(),
        ),
    ];
    let path = "/callbacks/webhook/hook";
    let (status, text) = post(address, path, &headers[..2], body.clone()).await;
    assert_eq!((status, text.contains("not signed")), (401, true), "{text}");
    let (status, text) = post(address, path, &headers, body).await;
    assert_eq!(status, 200, "{text}");
    assert_eq!(
        bank.request(request.id()).await.state(),
        ApprovalState::Granted
    );
    let told = receiver.next().await.json();
    assert_eq!(told["type"], "approval.granted");

    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    bank.ask(refund(2)).await;
    assert!(receiver.rest().is_empty());
}

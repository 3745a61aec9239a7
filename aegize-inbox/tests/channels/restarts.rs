//! Servers that come, go, and share a store.

use std::collections::HashSet;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use tokio::sync::mpsc;

use crate::support::{ASK, Answer, Bank, Receiver, alice, refund};

fn webhook(receiver: &Receiver) -> String {
    format!(
        "channels: [{{name: hook, type: webhook, url: 'http://{}', secret_file: DIR/webhook}}]",
        receiver.address
    )
}

#[tokio::test]
async fn what_happened_while_no_server_ran_is_told() {
    let bank = Bank::new(ASK).await;
    let mut receiver = Receiver::willing().await;
    let channels = bank.channels(&webhook(&receiver));
    let before = bank.ask(refund(1)).await;
    let ended = bank.ask(refund(2)).await;
    let notifier = bank.notifier(&channels);
    assert_eq!(notifier.tell_due().await.unwrap(), 2);
    drop(notifier);
    receiver.rest();

    bank.desk()
        .reject(ended.id(), &alice(), None)
        .await
        .unwrap();
    let new = bank.ask(refund(3)).await;
    let gone = bank.ask(refund(4)).await;
    bank.desk().reject(gone.id(), &alice(), None).await.unwrap();

    // Nothing but the store is left of the server before.
    let store = bank.reopen().await;
    let notifier = channels.notifier(bank.desk(), store.outbox());
    assert_eq!(notifier.tell_due().await.unwrap(), 2);
    let mut told: Vec<_> = receiver
        .rest()
        .iter()
        .map(|got| {
            let told = got.json();
            (told["type"].clone(), told["data"]["request_id"].clone())
        })
        .collect();
    told.sort_by_key(|told| told.0.to_string());
    let expected = [
        (json!("approval.ended"), json!(ended.id())),
        (json!("approval.requested"), json!(new.id())),
    ];
    assert_eq!(told, expected);
    let open = bank.request(before.id()).await;
    assert_eq!(open.revision(), 0);
}

#[tokio::test]
async fn what_could_not_be_delivered_is_tried_by_the_next_server() {
    let bank = Bank::new(ASK).await;
    let answers = [
        Answer::Says(503, &[("retry-after", "0")], json!(null)),
        Answer::Says(200, &[], json!(null)),
    ];
    let mut receiver = Receiver::new(answers).await;
    let channels = bank.channels(&webhook(&receiver));
    bank.ask(refund(1)).await;
    let notifier = bank.notifier(&channels);
    assert_eq!(notifier.tell_due().await.unwrap(), 0);
    drop(notifier);
    let first = receiver.next().await;

    let store = bank.reopen().await;
    let notifier = channels.notifier(bank.desk(), store.outbox());
    let running = tokio::spawn(async move { notifier.run_until(pending()).await });
    let second = receiver.next().await;
    running.abort();
    assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_servers_one_tells() {
    let bank = Arc::new(Bank::new(ASK).await);
    let mut receiver = Receiver::willing().await;
    let channels = bank.channels(&webhook(&receiver));
    let mut asked = Vec::new();
    for amount in 0..50 {
        asked.push(json!(bank.ask(refund(amount)).await.id()));
    }
    let mut servers = Vec::new();
    for _ in 0..4 {
        let store = bank.reopen().await;
        let notifier = channels.notifier(bank.desk(), store.outbox());
        servers.push(tokio::spawn(
            async move { notifier.tell_due().await.unwrap() },
        ));
    }
    let mut delivered = 0;
    for server in servers {
        delivered += server.await.unwrap();
    }
    assert_eq!(delivered, 50);
    let mut told: Vec<_> = receiver
        .rest()
        .iter()
        .map(|got| got.json()["data"]["request_id"].clone())
        .collect();
    told.sort_by_key(ToString::to_string);
    asked.sort_by_key(ToString::to_string);
    assert_eq!(told, asked);
}

#[tokio::test]
async fn a_store_that_is_away_is_told_once_and_waited_for() {
    let bank = Bank::new(ASK).await;
    let mut receiver = Receiver::willing().await;
    let (sender, mut troubles) = mpsc::unbounded_channel();
    let channels = bank
        .channels(&webhook(&receiver))
        .on_trouble(move |trouble| sender.send(trouble.to_owned()).unwrap());
    let request = bank.ask(refund(1)).await;
    bank.is_away.store(true, Ordering::SeqCst);
    let notifier = bank.notifier(&channels);
    notifier.tell_due().await.unwrap_err();
    let running = tokio::spawn(async move { notifier.run_until(pending()).await });
    assert_eq!(troubles.recv().await.unwrap(), "the store is away");
    bank.is_away.store(false, Ordering::SeqCst);
    let told = receiver.next().await.json();
    assert_eq!(told["data"]["request_id"], json!(request.id()));
    running.abort();
    assert!(troubles.try_recv().is_err());
}

#[tokio::test]
async fn a_request_that_cannot_be_read_keeps_no_other_from_being_told() {
    let bank = Bank::new(ASK).await;
    let mut receiver = Receiver::willing().await;
    let (sender, mut troubles) = mpsc::unbounded_channel();
    let channels = bank
        .channels(&webhook(&receiver))
        .on_trouble(move |trouble| sender.send(trouble.to_owned()).unwrap());
    let notifier = bank.notifier(&channels);
    let (told, ended) = (bank.ask(refund(1)).await, bank.ask(refund(2)).await);
    assert_eq!(notifier.tell_due().await.unwrap(), 2);
    receiver.rest();

    let untold = bank.ask(refund(3)).await;
    bank.desk()
        .reject(ended.id(), &alice(), None)
        .await
        .unwrap();
    bank.damaged
        .lock()
        .unwrap()
        .extend([told.id(), untold.id()]);
    let healthy = bank.ask(refund(4)).await;
    assert_eq!(notifier.tell_due().await.unwrap(), 2);
    let got = receiver.rest();
    let ids: HashSet<_> = got
        .iter()
        .map(|got| got.json()["data"]["request_id"].clone())
        .collect();
    assert_eq!(ids, HashSet::from([json!(ended.id()), json!(healthy.id())]));
    let trouble = format!(
        "approval requests that cannot be read, and of which nobody is told: {}, {}",
        told.id(),
        untold.id()
    );
    assert_eq!(troubles.recv().await.unwrap(), trouble);

    // Nor one whose end cannot be read.
    bank.damaged.lock().unwrap().clear();
    let last = bank.ask(refund(5)).await;
    notifier.tell_due().await.unwrap();
    receiver.rest();
    for id in [told.id(), last.id()] {
        bank.desk().reject(id, &alice(), None).await.unwrap();
    }
    bank.damaged.lock().unwrap().insert(told.id());
    assert_eq!(notifier.tell_due().await.unwrap(), 1);
    assert_eq!(
        receiver.next().await.json()["data"]["request_id"],
        json!(last.id())
    );
    assert!(
        troubles
            .recv()
            .await
            .unwrap()
            .ends_with(&told.id().to_string())
    );
}

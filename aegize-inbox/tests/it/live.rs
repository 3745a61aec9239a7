//! What is told while it happens, health, counters, and stopping.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use aegize_core::{
    ApprovalError, ApprovalErrorKind, ApprovalList, ApprovalQuery, ApprovalRequest, ApprovalState,
    ApprovalStore, Approvals, Binding, BindingKey, Seen, StoreFuture,
};
use uuid::Uuid;

use crate::support::{Client, Served, payment};

/// A stream of events, and its lines.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(client: &Client<'_>, served: &Served, path: &str) -> Self {
        let mut stream = TcpStream::connect(served.address).unwrap();
        // Longer than a stream is ever silent.
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        let cookie = client.cookie.as_deref().unwrap();
        let host = served.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n"
        )
        .unwrap();
        Self(BufReader::new(stream))
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap();
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Reads until there is news, and returns its number.
    fn news(&mut self) -> Option<u64> {
        loop {
            if let Some(number) = self.line()?.strip_prefix("data: ") {
                return Some(number.parse().unwrap());
            }
        }
    }
}

#[test]
fn pages_are_told_of_news_and_nobody_else_is() {
    let served = Served::new();
    assert_eq!(Client::new(&served).get("/events").status, 401);
    let alice = Client::signed_in(&served, &served.alice);
    let page = alice.get("/").text;
    let known = page.split("data-news=\"").nth(1).unwrap();
    let known = known.split('"').next().unwrap();
    let mut stream = Stream::open(&alice, &served, &format!("/events?after={known}"));
    assert_eq!(stream.line().as_deref(), Some("HTTP/1.1 200 OK"));
    let id = served.ask(payment(10));
    let first = stream.news().unwrap();
    assert_ne!(first.to_string(), known);
    pollster::block_on(
        served
            .desk()
            .approve(id, &crate::support::person("bob"), None),
    )
    .unwrap();
    assert_ne!(stream.news().unwrap(), first);
    // The stream ends with the token.
    served.revoke(&served.alice);
    served.ask(payment(20));
    while stream.news().is_some() {}
    let mut again = Client::new(&served);
    again.cookie = alice.cookie;
    assert_eq!(again.get("/events").status, 401);
}

#[test]
fn streams_are_counted_and_end_with_the_server() {
    let mut served = Served::new();
    let alice = Client::signed_in(&served, &served.alice);
    let mut streams: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = Stream::open(&alice, &served, "/events");
            stream.news().unwrap();
            stream
        })
        .collect();
    assert_eq!(alice.get("/events").status, 429);
    drop(alice);
    served.stop().unwrap();
    for stream in &mut streams {
        while stream.line().is_some() {}
    }
}

/// A store that is away.
struct Away;

impl Away {
    fn fail<T: Send + 'static>() -> StoreFuture<'static, T> {
        let error = ApprovalError::new(ApprovalErrorKind::Store, "the store is <b>away</b>");
        Box::pin(async { Err(error) })
    }
}

impl ApprovalStore for Away {
    fn key(&self) -> StoreFuture<'_, BindingKey> {
        Self::fail()
    }

    fn insert(&self, _: ApprovalRequest) -> StoreFuture<'_, bool> {
        Self::fail()
    }

    fn replace(&self, _: ApprovalRequest) -> StoreFuture<'_, bool> {
        Self::fail()
    }

    fn load(&self, _: Uuid) -> StoreFuture<'_, Seen<Option<ApprovalRequest>>> {
        Self::fail()
    }

    fn find(&self, _: Binding, _: Binding) -> StoreFuture<'_, Seen<Vec<ApprovalRequest>>> {
        Self::fail()
    }

    fn list(&self, _: ApprovalQuery) -> StoreFuture<'_, Seen<ApprovalList>> {
        Self::fail()
    }

    fn count(&self, _: ApprovalState) -> StoreFuture<'_, u64> {
        Self::fail()
    }

    fn changed(&self, _: Uuid, _: u64) -> StoreFuture<'_, ()> {
        Self::fail()
    }

    fn news(&self, _: u64) -> StoreFuture<'_, u64> {
        Self::fail()
    }
}

#[test]
fn a_store_that_is_away_is_told() {
    let served = Served::with(|_| Approvals::new(Away), |inbox| inbox, None);
    let mut alice = Client::new(&served);
    let answer = alice.post("/sign-in", &[("token", &served.alice)]);
    let cookie = answer.header("set-cookie").split(';').next().unwrap();
    alice.cookie = Some(cookie.to_owned());
    let id = Uuid::nil();
    for path in ["/", "/history", &format!("/requests/{id}")] {
        let answer = alice.get(path);
        assert_eq!(answer.status, 503, "{path}");
        assert!(
            answer.text.contains("the store is &lt;b&gt;away&lt;/b&gt;"),
            "{path}"
        );
    }
    let bearer = format!("Bearer {}", served.alice);
    let api = alice.get_with("/api/v1/requests", &[("authorization", &bearer)]);
    assert_eq!(api.status, 503, "{}", api.text);
    let health = alice.get("/healthz");
    assert_eq!(health.status, 503);
    assert!(
        !health.text.contains("away"),
        "who asks for health learns no more"
    );
    assert!(!alice.get("/metrics").text.contains("pending_requests"));
}

#[test]
fn counters_tell_how_much_and_never_who() {
    let served = Served::new();
    let (first, second, _) = (
        served.ask(payment(1)),
        served.ask(payment(2)),
        served.ask(payment(3)),
    );
    let alice = Client::signed_in(&served, &served.alice);
    alice.post("/sign-in", &[("token", "agz_00_11")]);
    alice.decide(first, "approve", "");
    alice.decide(second, "reject", "");
    alice.decide(second, "reject", "");
    alice.get("/none");
    let outbox = served.store.outbox();
    pollster::block_on(async {
        let kind = aegize_store::DeliveryKind::Asked;
        outbox.enqueue(first, "finance", kind).await.unwrap();
        let claimed = outbox
            .claim("finance", 1, Duration::from_secs(9))
            .await
            .unwrap();
        outbox
            .failed(claimed[0].id, "no route", None)
            .await
            .unwrap();
    });
    let metrics = alice.get("/metrics");
    assert!(
        metrics
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    for line in [
        "aegize_inbox_pending_requests 1",
        "aegize_inbox_decisions_total{outcome=\"approved\"} 1",
        "aegize_inbox_decisions_total{outcome=\"rejected\"} 1",
        "aegize_inbox_decisions_total{outcome=\"revoked\"} 0",
        "aegize_inbox_sign_in_failures_total 1",
        "aegize_inbox_failing_deliveries 1",
        "aegize_inbox_http_responses_total{status=\"5xx\"} 0",
    ] {
        assert!(
            metrics.text.lines().any(|found| found == line),
            "{line}: {}",
            metrics.text
        );
    }
    for name in ["alice", "billing", "payments", "finance"] {
        assert!(!metrics.text.contains(name), "{name}");
    }
    let page = alice.get("/deliveries").text;
    assert!(page.contains("finance") && page.contains("no route") && page.contains("given up"));
    let page = alice.get(&format!("/requests/{first}")).text;
    assert!(page.contains("Told in channels") && page.contains("no route"));
    assert_eq!(alice.get("/healthz").text, "ok\n");
}

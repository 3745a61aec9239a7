//! A bank whose payments need approval, receivers that note what they get, and callers of our own
//! routes.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use aegize_core::{
    AgentIdentity, ApprovalDesk, ApprovalError, ApprovalErrorKind, ApprovalList, ApprovalQuery,
    ApprovalRequest, ApprovalState, ApprovalStore, Approvals, Approver, AuditLog, AuditRecord,
    Binding, BindingKey, Environment, GuardContext, GuardError, MemoryApprovals, PermissionPolicy,
    RiskLevel, Seen, StoreFuture, ToolCall,
};
use aegize_inbox::{Channels, Notifier};
use aegize_store::{Delivery, Directory, Outbox, Store};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use uuid::Uuid;

pub(crate) const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
pub(crate) const CALLBACK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const BOT_TOKEN: &str = "xoxb-17653672481-19874698323";
pub(crate) const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub(crate) const ALICE_ON_SLACK: &str = "UA8RXUSPL";

pub(crate) const ASK: &str = "
agents:
  bot:
    require_approval:
      - {tool: '*', approvers: [alice@acme.com, 'group:ops'], reason: money leaves the company}
    allow: [{tool: '*'}]
";

const APPROVERS: &str = "approvers:
  alice@acme.com:
    groups: [finance]
    slack: UA8RXUSPL
  oscar@acme.com:
    groups: [ops, night]
    slack: UOSCAR
  mallory@acme.com:
    groups: [sales]
    slack: UMALLORY
  bot:
    groups: [ops]
    slack: UBOT
";

/// A clock that stands still until it is turned.
#[derive(Clone)]
pub(crate) struct Clock {
    start: OffsetDateTime,
    offset: Arc<AtomicI64>,
}

impl Clock {
    fn new() -> Self {
        Self {
            start: OffsetDateTime::now_utc(),
            offset: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.start + time::Duration::seconds(self.offset.load(Ordering::SeqCst))
    }

    pub(crate) fn turn(&self, seconds: i64) {
        self.offset.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// A store that can be away.
pub(crate) struct Flaky {
    kept: MemoryApprovals,
    is_away: Arc<AtomicBool>,
    damaged: Damaged,
}

/// The requests that cannot be read.
pub(crate) type Damaged = Arc<Mutex<HashSet<Uuid>>>;

impl Flaky {
    fn ask<'s, T: Send + 's>(
        &'s self,
        question: impl FnOnce(&'s MemoryApprovals) -> StoreFuture<'s, T>,
    ) -> StoreFuture<'s, T> {
        if self.is_away.load(Ordering::SeqCst) {
            let error = ApprovalError::new(ApprovalErrorKind::Store, "the store is away");
            return Box::pin(std::future::ready(Err(error)));
        }
        question(&self.kept)
    }
}

impl ApprovalStore for Flaky {
    fn key(&self) -> StoreFuture<'_, BindingKey> {
        self.ask(|store| store.key())
    }

    fn insert(&self, request: ApprovalRequest) -> StoreFuture<'_, bool> {
        self.ask(|store| store.insert(request))
    }

    fn replace(&self, next: ApprovalRequest) -> StoreFuture<'_, bool> {
        self.ask(|store| store.replace(next))
    }

    fn load(&self, id: Uuid) -> StoreFuture<'_, Seen<Option<ApprovalRequest>>> {
        if self.damaged.lock().unwrap().contains(&id) {
            let error = ApprovalError::new(ApprovalErrorKind::Damaged, "the row is damaged");
            return Box::pin(std::future::ready(Err(error)));
        }
        self.ask(|store| store.load(id))
    }

    fn find(
        &self,
        binding: Binding,
        scope: Binding,
    ) -> StoreFuture<'_, Seen<Vec<ApprovalRequest>>> {
        self.ask(|store| store.find(binding, scope))
    }

    fn list(&self, query: ApprovalQuery) -> StoreFuture<'_, Seen<ApprovalList>> {
        let seen = self.ask(|store| store.list(query));
        Box::pin(async {
            let mut seen = seen.await?;
            let damaged = self.damaged.lock().unwrap();
            let is_damaged = |request: &mut ApprovalRequest| damaged.contains(&request.id());
            let unreadable = seen.value.requests.extract_if(.., is_damaged);
            seen.value.unreadable = unreadable.map(|request| request.id()).collect();
            Ok(seen)
        })
    }

    fn count(&self, state: ApprovalState) -> StoreFuture<'_, u64> {
        self.ask(|store| store.count(state))
    }

    fn changed(&self, id: Uuid, revision: u64) -> StoreFuture<'_, ()> {
        self.ask(|store| store.changed(id, revision))
    }

    fn news(&self, after: u64) -> StoreFuture<'_, u64> {
        self.ask(|store| store.news(after))
    }
}

pub(crate) struct Bank {
    pub(crate) directory: TempDir,
    pub(crate) clock: Clock,
    /// Whether the store of requests does not answer.
    pub(crate) is_away: Arc<AtomicBool>,
    pub(crate) damaged: Damaged,
    pub(crate) approvals: Approvals,
    pub(crate) context: GuardContext,
    pub(crate) store: Store,
}

impl Bank {
    pub(crate) async fn new(policy: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let clock = Clock::new();
        let is_away = Arc::<AtomicBool>::default();
        let damaged = Damaged::default();
        let approvals = {
            let clock = clock.clone();
            Approvals::new(Flaky {
                kept: MemoryApprovals::clocked_by(move || clock.now()),
                is_away: Arc::clone(&is_away),
                damaged: Arc::clone(&damaged),
            })
        };
        let context = GuardContext::new(
            AgentIdentity::new("bot", "Test Bot", "Tests")
                .unwrap()
                .environment(Environment::Prod),
            PermissionPolicy::from_yaml_str(policy).unwrap(),
            AuditLog::open(directory.path().join("audit.jsonl")).unwrap(),
        );
        let bank = Self {
            store: Self::open(&directory).await,
            context: context.approvals(approvals.clone()),
            directory,
            clock,
            is_away,
            damaged,
            approvals,
        };
        bank.write("approvers.yaml", APPROVERS);
        bank.write("webhook", SECRET);
        bank.write("callback", &format!("{CALLBACK_SECRET}\n"));
        bank.write("token", BOT_TOKEN);
        bank.write("signing", SIGNING_SECRET);
        bank
    }

    async fn open(directory: &TempDir) -> Store {
        let path = directory.path().join("approvals.db");
        Store::open(&format!("sqlite://{}", path.display()))
            .await
            .unwrap()
    }

    /// The store, as another server opens it.
    pub(crate) async fn reopen(&self) -> Store {
        Self::open(&self.directory).await
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Channels of a text in which `DIR` stands for this bank's directory.
    pub(crate) fn channels(&self, text: &str) -> Channels {
        let text = text.replace("DIR", &self.directory.path().display().to_string());
        let clock = self.clock.clone();
        Channels::from_yaml_str(&text)
            .unwrap()
            .clocked_by(move || clock.now())
    }

    pub(crate) fn desk(&self) -> ApprovalDesk {
        self.approvals.desk(self.context.audit_log())
    }

    pub(crate) fn outbox(&self) -> Outbox {
        self.store.outbox()
    }

    pub(crate) fn people(&self) -> Directory {
        Directory::from_file(self.path("approvers.yaml")).unwrap()
    }

    pub(crate) fn notifier(&self, channels: &Channels) -> Notifier {
        channels.notifier(self.desk(), self.outbox())
    }

    /// Asks for a call, and returns the request.
    pub(crate) async fn ask(&self, call: ToolCall) -> ApprovalRequest {
        let result = self
            .context
            .guard(call)
            .run(async || Ok::<_, GuardError>(()))
            .await;
        let id = match result {
            Err(GuardError::ApprovalRequired(pending)) => pending.request_id(),
            other => panic!("{other:?}"),
        };
        self.request(id).await
    }

    pub(crate) async fn request(&self, id: Uuid) -> ApprovalRequest {
        self.desk().request(id).await.unwrap()
    }

    pub(crate) async fn deliveries(&self, id: Uuid) -> Vec<Delivery> {
        self.outbox().of_request(id).await.unwrap()
    }

    pub(crate) fn records(&self) -> Vec<AuditRecord<'static>> {
        self.context.audit_log().read_all().unwrap()
    }

    /// Serves the callbacks of channels, and returns where.
    pub(crate) async fn serve(&self, channels: &Channels) -> SocketAddr {
        let router = channels.callbacks(self.desk(), self.people());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }
}

pub(crate) fn refund(amount: i64) -> ToolCall {
    ToolCall::new("payments", "refund")
        .risk_level(RiskLevel::High)
        .arguments(json!({"amount": amount, "to": "ann@example.com"}))
}

pub(crate) fn alice() -> Approver {
    Approver::new("alice@acme.com").unwrap()
}

/// What comes of something that would otherwise be waited for in vain.
pub(crate) async fn in_time<T>(coming: impl Future<Output = T>) -> T {
    let limit = std::time::Duration::from_mins(1);
    tokio::time::timeout(limit, coming).await.unwrap()
}

/// What a receiver got.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// How a receiver answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Says(u16, &'static [(&'static str, &'static str)], Value),
    /// Nothing, until it is gone.
    Hangs,
}

/// A server that notes what it gets, and answers as it was told, at last always the same.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    got: mpsc::UnboundedReceiver<Got>,
}

#[derive(Clone)]
struct Desk {
    got: mpsc::UnboundedSender<Got>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl Receiver {
    pub(crate) async fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let (sender, got) = mpsc::unbounded_channel();
        let desk = Desk {
            got: sender,
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
        };
        let router = axum::Router::new().fallback(receive).with_state(desk);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, got }
    }

    /// One that takes everything, as Slack does.
    pub(crate) async fn willing() -> Self {
        let body = json!({"ok": true, "channel": "C0FINANCE", "ts": "1503435956.000247"});
        Self::new([Answer::Says(200, &[], body)]).await
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Got {
        in_time(self.got.recv()).await.unwrap()
    }

    /// What came and was not yet looked at.
    pub(crate) fn rest(&mut self) -> Vec<Got> {
        std::iter::from_fn(|| self.got.try_recv().ok()).collect()
    }
}

async fn receive(State(desk): State<Desk>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    let got = Got {
        path,
        headers,
        body,
    };
    let answer = {
        let mut answers = desk.answers.lock().unwrap();
        let next = answers.front().cloned().unwrap();
        if answers.len() > 1 {
            answers.pop_front();
        }
        next
    };
    desk.got.send(got).unwrap();
    match answer {
        Answer::Says(status, more, body) => {
            let mut headers = HeaderMap::new();
            for (name, value) in more {
                let name: HeaderName = name.parse().unwrap();
                headers.insert(name, HeaderValue::from_static(value));
            }
            let status = StatusCode::from_u16(status).unwrap();
            (status, headers, body.to_string()).into_response()
        }
        Answer::Hangs => std::future::pending().await,
    }
}

pub(crate) type Headers = Vec<(&'static str, String)>;

/// Headers, one with another value.
pub(crate) fn with(headers: &Headers, index: usize, value: impl Into<String>) -> Headers {
    let mut headers = headers.clone();
    headers[index].1 = value.into();
    headers
}

/// Headers without one of them.
pub(crate) fn without(headers: &Headers, index: usize) -> Headers {
    let mut headers = headers.clone();
    headers.remove(index);
    headers
}

/// Headers, one of them twice.
pub(crate) fn doubled(headers: &Headers, index: usize) -> Headers {
    let mut headers = headers.clone();
    headers.push(headers[index].clone());
    headers
}

/// What is forged of a message, its headers and its body.
pub(crate) type Forged<'f> = (&'f str, Headers, &'f [u8]);

/// Posts to a server, and returns the status and the body.
pub(crate) async fn post(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, String)],
    body: impl Into<Vec<u8>>,
) -> (u16, String) {
    let url = format!("http://{address}{path}");
    let headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let body = body.into();
    let sent = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut request = agent.post(&url);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let mut response = request.send(&body).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), text)
    });
    sent.await.unwrap()
}

//! An inbox that is served, agents that ask, and clients that answer.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use aegize_core::{
    AgentIdentity, ApprovalDesk, ApprovalState, Approvals, Approver, AuditLog, AuditRecord,
    Environment, GuardContext, GuardError, PermissionPolicy, ToolCall,
};
use aegize_inbox::{Inbox, InboxError, Tls};
use aegize_store::{Directory, Store};
use serde_json::json;
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::oneshot;
use ureq::http::{Response, StatusCode};
use uuid::Uuid;

/// The agents of the tests, and what they have to ask for.
pub(crate) const POLICY: &str = "
agents:
  billing_bot:
    allow: [{tool: '*'}]
    require_approval:
      - tool: payments
        reason: money leaves the company
";

/// A served inbox over a store in a file.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) approvals: Approvals,
    pub(crate) directory: Directory,
    pub(crate) log: AuditLog,
    /// The token of `alice@acme.com`.
    pub(crate) alice: String,
    /// The token of `bob@acme.com`, who is in the group `ops`.
    pub(crate) bob: String,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<Result<(), InboxError>>>,
    files: TempDir,
}

impl Served {
    pub(crate) fn new() -> Self {
        Self::adapted(|inbox| inbox)
    }

    pub(crate) fn adapted(adapt: impl FnOnce(Inbox) -> Inbox) -> Self {
        Self::with(|store| Approvals::new(store.clone()), adapt, None)
    }

    pub(crate) fn with(
        approvals: impl FnOnce(&Store) -> Approvals,
        adapt: impl FnOnce(Inbox) -> Inbox,
        tls: Option<Tls>,
    ) -> Self {
        let files = TempDir::new().unwrap();
        let log = AuditLog::open(files.path().join("audit.jsonl")).unwrap();
        let url = format!("sqlite://{}", files.path().join("approvals.db").display());
        let store = pollster::block_on(Store::open(&url)).unwrap();
        let approvals = approvals(&store);
        let directory = store.directory();
        let token = |approver: &Approver| {
            let token = pollster::block_on(directory.create_token(approver, None)).unwrap();
            token.text().to_owned()
        };
        let alice = token(&person("alice@acme.com"));
        let bob = token(&person("bob@acme.com").group("ops").unwrap());
        let inbox = adapt(Inbox::new(&approvals, &store, directory.clone(), &log));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = thread::spawn(move || {
            let stopped = async { stopped.await.unwrap_or_default() };
            runtime().block_on(inbox.serve_until(listener, tls, stopped))
        });
        Self {
            address,
            store,
            approvals,
            directory,
            log,
            alice,
            bob,
            stop: Some(stop),
            server: Some(server),
            files,
        }
    }

    /// Does something to the database behind the store.
    pub(crate) fn tamper(&self, sql: &str) {
        let url = format!(
            "sqlite://{}",
            self.files.path().join("approvals.db").display()
        );
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let tampered = runtime().block_on(async {
            let mut connection = SqliteConnection::connect(&url).await?;
            connection.execute(sqlx::raw_sql(sql)).await?;
            connection.close().await
        });
        tampered.unwrap();
    }

    pub(crate) fn revoke(&self, token: &str) {
        let id = Directory::token_id(token).unwrap();
        let revoked = pollster::block_on(self.directory.revoke_token(id));
        assert!(revoked.unwrap().is_some());
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn desk(&self) -> ApprovalDesk {
        self.approvals.desk(&self.log)
    }

    pub(crate) fn context(&self, policy: &str) -> GuardContext {
        let agent = AgentIdentity::new("billing_bot", "Billing", "Tests").unwrap();
        let policy = PermissionPolicy::from_yaml_str(policy).unwrap();
        GuardContext::new(
            agent.environment(Environment::Prod),
            policy,
            self.log.clone(),
        )
        .approvals(self.approvals.clone())
    }

    /// Asks for a call, and returns the request.
    pub(crate) fn ask(&self, call: ToolCall) -> Uuid {
        ask(&self.context(POLICY), call)
    }

    pub(crate) fn state(&self, id: Uuid) -> ApprovalState {
        pollster::block_on(self.desk().request(id)).unwrap().state()
    }

    pub(crate) fn records(&self) -> Vec<AuditRecord<'static>> {
        self.log.read_all().unwrap()
    }

    /// Stops the server, and returns how it ended.
    pub(crate) fn stop(&mut self) -> Result<(), InboxError> {
        drop(self.stop.take());
        match self.server.take() {
            Some(server) => server.join().unwrap(),
            None => Ok(()),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let stopped = self.stop();
        if !thread::panicking() {
            stopped.unwrap();
        }
    }
}

pub(crate) fn person(name: &str) -> Approver {
    Approver::new(name).unwrap()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

pub(crate) fn ask(context: &GuardContext, call: ToolCall) -> Uuid {
    match context.guard(call).run_blocking(|| Ok(())) {
        Err(GuardError::ApprovalRequired(pending)) if pending.is_asked() => pending.request_id(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn payment(amount: u64) -> ToolCall {
    ToolCall::new("payments", "refund")
        .risk_level(aegize_core::RiskLevel::Critical)
        .arguments(json!({
            "amount": amount,
            "currency": "EUR",
            "to": {"name": "Ana Núñez", "iban": "ES91 2100 0418 4502 0005 1332"},
            "invoice": "INV-2041",
            "note": "Refund for the order that arrived broken, as agreed by phone."
        }))
}

/// A browser without pages: it keeps one cookie.
pub(crate) struct Client<'s> {
    served: &'s Served,
    agent: ureq::Agent,
    pub(crate) cookie: Option<String>,
    pub(crate) form_token: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) response: Response<ureq::Body>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    fn new(mut response: Response<ureq::Body>) -> Self {
        let mut text = String::new();
        response
            .body_mut()
            .as_reader()
            .read_to_string(&mut text)
            .unwrap();
        Self {
            status: response.status(),
            response,
            text,
        }
    }
}

pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .into()
}

impl<'s> Client<'s> {
    pub(crate) fn new(served: &'s Served) -> Self {
        Self {
            served,
            agent: agent(),
            cookie: None,
            form_token: String::new(),
        }
    }

    /// A client that has signed in.
    pub(crate) fn signed_in(served: &'s Served, token: &str) -> Self {
        let mut client = Self::new(served);
        let answer = client.post("/sign-in", &[("token", token)]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        let cookie = answer.header("set-cookie").split(';').next().unwrap();
        client.cookie = Some(cookie.to_owned());
        let page = client.get("/");
        assert_eq!(page.status, 200, "{}", page.text);
        let (_, rest) = page
            .text
            .split_once("name=\"form_token\" value=\"")
            .unwrap();
        rest.split_once('"')
            .unwrap()
            .0
            .clone_into(&mut client.form_token);
        client
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(self.served.url(path));
        for (name, value) in headers.iter().copied().chain(self.cookie_header()) {
            request = request.header(name, value);
        }
        Answer::new(request.call().unwrap())
    }

    /// Sends a form as a page of the inbox would.
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = self.served.url("");
        self.post_with(path, fields, &[("origin", &origin)])
    }

    pub(crate) fn decide(&self, id: Uuid, what: &str, reason: &str) -> Answer {
        let fields = [("form_token", &*self.form_token), ("reason", reason)];
        self.post(&format!("/requests/{id}/{what}"), &fields)
    }

    pub(crate) fn post_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.agent.post(self.served.url(path));
        for (name, value) in headers.iter().copied().chain(self.cookie_header()) {
            request = request.header(name, value);
        }
        Answer::new(request.send_form(fields.iter().copied()).unwrap())
    }

    /// Sends a body of JSON.
    pub(crate) fn send(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.post(self.served.url(path));
        for (name, value) in headers.iter().copied().chain(self.cookie_header()) {
            request = request.header(name, value);
        }
        let request = request.header("content-type", "application/json");
        Answer::new(request.send(body).unwrap())
    }

    fn cookie_header(&self) -> Option<(&str, &str)> {
        self.cookie.as_deref().map(|cookie| ("cookie", cookie))
    }
}

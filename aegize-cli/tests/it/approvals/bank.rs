//! An agent that pays, in this process, and the command beside it.

use std::path::Path;
use std::process::Command;

use aegize::{
    AgentIdentity, ApprovalRequest, Approvals, Approver, AuditEvent, AuditLog, AuditRecord,
    GuardContext, GuardError, PermissionPolicy, ToolCall,
};
use aegize_store::Store;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{Ran, aegize};

/// Any one person decides.
pub(super) const ANYONE: &str =
    "agents: {bot: {require_approval: [{tool: pay, reason: money leaves}], allow: [{tool: '*'}]}}";

/// A directory with the store and the log at the places that are looked at by default.
pub(super) struct Bank {
    pub(super) directory: TempDir,
    pub(super) context: GuardContext,
    pub(super) store: Store,
}

impl Bank {
    pub(super) fn new(policy: &str) -> Self {
        Self::in_directory(TempDir::new().unwrap(), policy)
    }

    /// The same agent in a directory as another process left it.
    pub(super) fn in_directory(directory: TempDir, policy: &str) -> Self {
        Self::of("bot", directory, policy)
    }

    pub(super) fn of(agent: &str, directory: TempDir, policy: &str) -> Self {
        let file = directory.path().join("approvals.db");
        let url = format!("sqlite://{}", file.display());
        let store = pollster::block_on(Store::open(&url)).unwrap();
        let context = GuardContext::new(
            AgentIdentity::new(agent, "Test Bot", "Tests").unwrap(),
            PermissionPolicy::from_yaml_str(policy).unwrap(),
            AuditLog::open(directory.path().join("audit.jsonl")).unwrap(),
        );
        let context = context.approvals(Approvals::new(store.clone()));
        Self {
            directory,
            context,
            store,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn call(&self, call: ToolCall) -> Result<&'static str, GuardError> {
        self.context.guard(call).run_blocking(|| Ok("paid"))
    }

    pub(super) fn pay(&self, amount: u32) -> Result<&'static str, GuardError> {
        self.call(payment(amount))
    }

    /// The request that a call leaves.
    pub(super) fn asked_for(&self, call: ToolCall) -> Uuid {
        asked(self.call(call))
    }

    pub(super) fn asked(&self, amount: u32) -> Uuid {
        asked(self.pay(amount))
    }

    pub(super) fn request(&self, id: Uuid) -> ApprovalRequest {
        let desk = Approvals::new(self.store.clone()).desk(self.context.audit_log());
        pollster::block_on(desk.request(id)).unwrap()
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = approvals(self.path());
        command.args(arguments);
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// What a successful run prints.
    #[track_caller]
    pub(super) fn told(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(
            (ran.code, &*ran.stderr),
            (Some(0), ""),
            "{arguments:?}\n{}",
            ran.stdout
        );
        ran.stdout
    }

    #[track_caller]
    pub(super) fn json(&self, arguments: &[&str]) -> Value {
        let told = self.told(&[arguments, &["--json"]].concat());
        serde_json::from_str(&told).unwrap()
    }

    /// Makes a request one that cannot be read.
    pub(super) fn damage(&self, id: Uuid) {
        let url = format!("sqlite://{}", self.path().join("approvals.db").display());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let damaged = runtime.unwrap().block_on(async {
            let mut connection = SqliteConnection::connect(&url).await?;
            let damaged = sqlx::query("UPDATE aegize_requests SET body = '{}' WHERE id = $1");
            damaged.bind(id).execute(&mut connection).await?;
            connection.close().await
        });
        damaged.unwrap();
    }

    pub(super) fn records(&self) -> Vec<AuditRecord<'static>> {
        self.context.audit_log().read_all().unwrap()
    }

    pub(super) fn events(&self) -> Vec<AuditEvent> {
        self.records().iter().map(|record| record.event).collect()
    }
}

/// `aegize approvals` in a directory, with nothing of ours in its environment.
pub(super) fn approvals(directory: &Path) -> Command {
    let mut command = aegize(directory);
    for variable in [
        "AEGIZE_STORE",
        "AEGIZE_AUDIT_LOG",
        "AEGIZE_APPROVERS",
        "AEGIZE_TOKEN",
    ] {
        command.env_remove(variable);
    }
    command.arg("approvals");
    command
}

pub(super) fn payment(amount: u32) -> ToolCall {
    ToolCall::new("pay", "refund").arguments(json!({"amount": amount, "to": "a-customer"}))
}

#[track_caller]
pub(super) fn asked(result: Result<&'static str, GuardError>) -> Uuid {
    match result {
        Err(GuardError::ApprovalRequired(pending)) if pending.is_asked() => pending.request_id(),
        other => panic!("{other:?}"),
    }
}

/// The person that these tests run as.
pub(super) fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(super) fn person(name: &str) -> Approver {
    Approver::new(name).unwrap()
}

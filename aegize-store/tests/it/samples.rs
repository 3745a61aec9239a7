//! Requests as the guard makes them, with what a test wants to be different.

use aegize_core::{
    AgentIdentity, ApprovalQuery, ApprovalRequest, Approvals, AuditLog, GuardContext, GuardError,
    PermissionPolicy, ToolCall,
};
use pollster::block_on;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

pub(crate) const ASK: &str =
    "agents: {bot: {require_approval: [{tool: pay}], allow: [{tool: '*'}]}}";

/// The agent `bot` under a policy, with a log in a directory.
pub(crate) fn context(policy: &str, directory: &TempDir, approvals: Approvals) -> GuardContext {
    let log = AuditLog::open(directory.path().join("audit.jsonl")).unwrap();
    GuardContext::new(
        AgentIdentity::new("bot", "Test Bot", "Tests").unwrap(),
        PermissionPolicy::from_yaml_str(policy).unwrap(),
        log,
    )
    .approvals(approvals)
}

/// The request that a refused call left.
pub(crate) fn asked(result: Result<(), GuardError>) -> Uuid {
    match result {
        Err(GuardError::ApprovalRequired(pending)) if pending.is_asked() => pending.request_id(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn pay(context: &GuardContext, amount: i64) -> Result<(), GuardError> {
    let call = ToolCall::new("pay", "refund").arguments(json!({"amount": amount}));
    context.guard(call).run_blocking(|| Ok(()))
}

/// What requests are made from.
pub(crate) struct Samples(Value);

impl Samples {
    pub(crate) fn new() -> Self {
        Self::with_policy(ASK)
    }

    /// Requests that a policy asks for.
    pub(crate) fn with_policy(policy: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let approvals = Approvals::in_memory();
        let context = context(policy, &directory, approvals.clone());
        asked(pay(&context, 5));
        let desk = approvals.desk(context.audit_log());
        let requests = block_on(desk.requests(&ApprovalQuery::newest(1))).unwrap();
        Self(serde_json::to_value(&requests.requests[0]).unwrap())
    }

    /// A new request, bound to a number.
    pub(crate) fn bound(&self, binding: u64) -> ApprovalRequest {
        self.edited(binding, |_| ())
    }

    /// The same, with something different in its JSON.
    pub(crate) fn edited(&self, binding: u64, edit: impl FnOnce(&mut Value)) -> ApprovalRequest {
        let mut value = self.0.clone();
        value["id"] = json!(Uuid::now_v7());
        value["binding"] = json!(format!("{binding:064x}"));
        let now = OffsetDateTime::now_utc();
        // The clock of a store may be a little behind.
        at(&mut value, "created_at", now, -5);
        at(&mut value, "updated_at", now, -5);
        at(&mut value, "expires_at", now, 3600);
        edit(&mut value);
        serde_json::from_value(value).unwrap()
    }
}

/// Sets a time of a request, so many seconds from another.
pub(crate) fn at(value: &mut Value, key: &str, from: OffsetDateTime, seconds: i64) {
    let time = from + time::Duration::seconds(seconds);
    let time = time.replace_nanosecond(0).unwrap();
    value[key] = json!(time.format(&Rfc3339).unwrap());
}

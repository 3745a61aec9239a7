//! What a store costs with 10 000 requests that wait: a page of the list, and the use of a grant,
//! beside a bare `UPDATE` that is as durable, in the same run.
//!
//! On SQLite, and on PostgreSQL if `AEGIZE_TEST_POSTGRES` has the URL of an empty database
//! (`tests/postgres.sh cargo bench -p aegize-store`).

use std::env;
use std::time::{Duration, Instant};

use aegize_core::{
    AgentIdentity, ApprovalQuery, ApprovalRequest, ApprovalState, ApprovalStore as _, Approvals,
    Approver, AuditLog, GuardContext, GuardError, PermissionPolicy, ToolCall,
};
use aegize_store::Store;
use pollster::block_on;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use time::OffsetDateTime;
use uuid::Uuid;

const WAITING: u64 = 10_000;
const SAMPLES: usize = 300;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let template = template();
    let url = format!("sqlite://{}", folder.path().join("approvals.db").display());
    println!("SQLite");
    let store = block_on(Store::open(&url)).expect("the store opens");
    let granted = fill(&store, &template);
    pages(&store);
    let ours = uses(&store, granted);
    let theirs = bare_updates(folder.path());
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("  a use of a grant takes {ratio:.2} times as long as a bare update");
    match env::var("AEGIZE_TEST_POSTGRES") {
        Ok(url) => {
            println!("PostgreSQL");
            let store = block_on(Store::open(&url)).expect("the store opens");
            let granted = fill(&store, &template);
            pages(&store);
            uses(&store, granted);
        }
        Err(_) => println!("PostgreSQL: not measured; AEGIZE_TEST_POSTGRES has no URL"),
    }
}

/// A request as the guard makes it.
fn template() -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = "agents: {bot: {require_approval: [{tool: pay}]}}";
    let approvals = Approvals::in_memory();
    let context = GuardContext::new(
        AgentIdentity::new("bot", "Bot", "Benches").expect("an identity"),
        PermissionPolicy::from_yaml_str(policy).expect("a policy"),
        AuditLog::open(folder.path().join("audit.jsonl")).expect("a log"),
    )
    .approvals(approvals.clone());
    let call = ToolCall::new("pay", "refund").arguments(json!({
        "amount": 4200, "currency": "EUR", "customer": "cus_9s6XKzkNRiz8i3", "reason": "damaged"
    }));
    let result = context.guard(call).run_blocking(|| Ok::<_, GuardError>(()));
    assert!(result.is_err(), "people are asked");
    let desk = approvals.desk(context.audit_log());
    let requests = block_on(desk.requests(&ApprovalQuery::newest(1))).expect("a request");
    serde_json::to_value(&requests.requests[0]).expect("JSON")
}

/// Not after what the clock of any store says, which may be coarser.
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc() - time::Duration::SECOND
}

fn request(template: &Value, number: u64) -> ApprovalRequest {
    let mut value = template.clone();
    value["id"] = json!(Uuid::now_v7());
    value["binding"] = json!(format!("{number:064x}"));
    value["question"]["action"]["agent_id"] = json!(format!("bot-{}", number % 20));
    serde_json::from_value(value).expect("a request")
}

/// As many requests as wait, and grants to use.
fn fill(store: &Store, template: &Value) -> Vec<ApprovalRequest> {
    let alice = Approver::new("alice").expect("a name");
    let begun = Instant::now();
    for number in 0..WAITING {
        let is_kept = block_on(store.insert(request(template, number)));
        assert!(is_kept.expect("it is kept"));
    }
    let each = begun.elapsed() / u32::try_from(WAITING).expect("a number");
    println!("  {WAITING} requests wait; each took {each:?}");
    let grants = (WAITING..).take(SAMPLES).map(|number| {
        let request = request(template, number);
        let granted = request.approve(&alice, None, None, now()).expect("granted");
        assert!(block_on(store.insert(granted.clone())).expect("it is kept"));
        granted
    });
    grants.collect()
}

fn pages(store: &Store) {
    let mut query = ApprovalQuery::newest(50);
    query.states = vec![ApprovalState::Requested];
    let list = |query: &ApprovalQuery| {
        let listed = block_on(store.list(query.clone())).expect("a list");
        assert_eq!(listed.value.requests.len(), 50);
        listed.value.requests
    };
    measure("a page of 50 that wait", || drop(list(&query)));
    query.before = Some(list(&query)[49].id());
    measure("the next page", || drop(list(&query)));
    query.agent_id = Some("bot-7".to_owned());
    query.before = None;
    measure("a page of one agent's", || drop(list(&query)));
    measure("how many wait", || {
        let waiting = block_on(store.count(ApprovalState::Requested)).expect("a number");
        assert_eq!(waiting, WAITING);
    });
}

/// Finds each grant and uses it, as the guard does.
fn uses(store: &Store, mut granted: Vec<ApprovalRequest>) -> Duration {
    let mut uses = granted.clone().into_iter();
    measure("what may answer a call is found", || {
        let grant = uses.next().expect("a grant");
        let found = block_on(store.find(grant.binding(), grant.scope()));
        assert_eq!(found.expect("found").value.len(), 1);
    });
    measure("a grant is used", || {
        let grant = granted.pop().expect("a grant");
        let next = grant.consume(Uuid::now_v7(), now());
        assert!(block_on(store.replace(next.expect("used"))).expect("it is kept"));
    })
}

/// What SQLite itself takes for one small change that is on the disk.
fn bare_updates(folder: &std::path::Path) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let options = SqliteConnectOptions::new()
        .filename(folder.join("bare.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let mut connection = runtime.block_on(options.connect()).expect("a database");
    let made = "CREATE TABLE bare (id INTEGER PRIMARY KEY, used INTEGER NOT NULL);\
                INSERT INTO bare VALUES (1, 0)";
    runtime.block_on(connection.execute(made)).expect("a table");
    let median = measure("a bare update of SQLite", || {
        let update = connection.execute("UPDATE bare SET used = used + 1 WHERE id = 1");
        runtime.block_on(update).expect("it is kept");
    });
    runtime.block_on(connection.close()).expect("it closes");
    median
}

/// Prints the median and the worst but three of some runs, and returns the median.
fn measure(what: &str, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..SAMPLES)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    times.sort();
    let (median, worst) = (times[SAMPLES / 2], times[SAMPLES - 4]);
    println!("  {what}: {median:.1?}, at worst {worst:.1?}");
    median
}

//! Guarded calls, in threads and in tasks.

use std::path::Path;
use std::time::Instant;

use aegize::{
    AgentIdentity, AuditLog, AuditRecord, Durability, GuardContext, GuardError,
    GuardFutureExt as _, PermissionPolicy, guarded_tool, with_context,
};

use super::{Round, Subject, threads};

#[guarded_tool(tool_name = "web_search", operation = "search")]
fn search(query: &str) -> Result<usize, GuardError> {
    Ok(query.len())
}

#[guarded_tool(tool_name = "web_search", operation = "search")]
async fn search_async(query: &str) -> Result<usize, GuardError> {
    Ok(query.len())
}

fn context(directory: &Path, name: &str, durability: Durability) -> GuardContext {
    let policy = "agents: {bot: {allow: [{tool: web_search, operations: [search]}]}}";
    let log = AuditLog::options()
        .durability(durability)
        .open(directory.join(format!("{name}-{durability:?}.jsonl")));
    GuardContext::new(
        AgentIdentity::new("bot", "Bench", "Bench").expect("an identity"),
        PermissionPolicy::from_yaml_str(policy).expect("a policy"),
        log.expect("a log"),
    )
}

/// A record such as each call writes two of.
pub(super) fn record() -> AuditRecord<'static> {
    let directory = tempfile::tempdir().expect("a directory");
    let context = context(directory.path(), "one", Durability::Written);
    with_context(&context, || search("Aegize runtime")).expect("an allowed call");
    context.audit_log().read_all().expect("records").remove(0)
}

/// Callers are threads.
pub(super) struct Threads(GuardContext);

impl Threads {
    pub(super) fn new(directory: &Path, durability: Durability) -> Self {
        Self(context(directory, "threads", durability))
    }
}

impl Subject for Threads {
    fn name(&self) -> &'static str {
        "aegize, whole calls in threads"
    }

    fn round(&self, callers: usize, calls: usize) -> Round {
        threads(callers, calls, || {
            with_context(&self.0, || search("Aegize runtime")).expect("an allowed call");
        })
    }
}

/// Callers are tasks of a runtime with two threads.
pub(super) struct Tasks {
    context: GuardContext,
    runtime: tokio::runtime::Runtime,
}

impl Tasks {
    pub(super) fn new(directory: &Path, durability: Durability) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build();
        Self {
            context: context(directory, "tasks", durability),
            runtime: runtime.expect("a runtime"),
        }
    }
}

impl Subject for Tasks {
    fn name(&self) -> &'static str {
        "aegize, whole calls in tasks"
    }

    fn round(&self, callers: usize, calls: usize) -> Round {
        let start = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let work = async move {
                    let mut taken = Vec::with_capacity(calls);
                    for _ in 0..calls {
                        let start = Instant::now();
                        search_async("Aegize runtime")
                            .await
                            .expect("an allowed call");
                        taken.push(start.elapsed());
                    }
                    taken
                };
                self.runtime.spawn(work.with_context(&self.context))
            })
            .collect();
        let calls = tasks
            .into_iter()
            .flat_map(|task| self.runtime.block_on(task).expect("a task"))
            .collect();
        let whole = start.elapsed();
        Round { calls, whole }
    }
}

//! What an observer is told, and that nothing depends on it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use aegize::{
    AuditLog, Counter, Durability, GuardContext, GuardError, GuardFutureExt, Histogram, Label,
    Observer, guarded_tool, with_context,
};

use crate::support::context;

const POLICY: &str = "
agents:
  bot:
    allow: [{tool: notes}]
    deny: [{tool: notes, operations: [burn]}]
";

#[guarded_tool(tool_name = "notes", operation = "add")]
fn add(note: &str) -> Result<usize, String> {
    if note.is_empty() {
        return Err("no note".to_owned());
    }
    Ok(note.len())
}

#[guarded_tool(tool_name = "notes", operation = "burn")]
async fn burn() -> Result<(), GuardError> {
    Ok(())
}

#[guarded_tool(tool_name = "notes", operation = "wait")]
async fn wait_forever() -> Result<(), GuardError> {
    std::future::pending().await
}

/// Writes down what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn push(&self, name: &str, value: &str, labels: &[Label<'_>]) {
        let labels: Vec<_> = labels.iter().map(|(_, value)| *value).collect();
        let line = format!("{name} {value} {}", labels.join(" "));
        self.0.lock().unwrap().push(line);
    }
}

impl Observer for Told {
    fn add(&self, counter: Counter, value: u64, labels: &[Label<'_>]) {
        self.push(counter.name(), &value.to_string(), labels);
    }

    fn record(&self, histogram: Histogram, value: f64, labels: &[Label<'_>]) {
        assert!((0.0..60.0).contains(&value), "{value}");
        self.push(histogram.name(), histogram.unit(), labels);
    }
}

fn observed(path: &Path, observer: Arc<dyn Observer>) -> GuardContext {
    let log = AuditLog::options().observer(observer).open(path);
    context("bot", POLICY, log.unwrap())
}

#[test]
fn calls_and_executions_are_counted_and_measured() {
    let directory = tempfile::tempdir().unwrap();
    let told = Arc::new(Told::default());
    let context = observed(&directory.path().join("audit.jsonl"), told.clone());

    assert_eq!(with_context(&context, || add("secret")), Ok(6));
    assert!(with_context(&context, || add("")).is_err());
    assert!(pollster::block_on(burn().with_context(&context)).is_err());
    let mut pending = Box::pin(wait_forever().with_context(&context));
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(pending.as_mut().poll(&mut task).is_pending());
    drop(pending);

    let call = |operation: &str, decision: &str| {
        [
            format!("aegize.calls 1 bot notes {operation} {decision}"),
            format!("aegize.decision.duration s notes {operation} {decision}"),
        ]
    };
    let execution = |operation: &str, outcome: &str| {
        [
            format!("aegize.executions 1 bot notes {operation} {outcome}"),
            format!("aegize.execution.duration s notes {operation} {outcome}"),
        ]
    };
    let expected = [
        call("add", "allow"),
        execution("add", "succeeded"),
        call("add", "allow"),
        execution("add", "failed"),
        call("burn", "deny"),
        call("wait", "allow"),
        execution("wait", "abandoned"),
    ];
    assert_eq!(told.take(), expected.concat());
}

#[test]
fn what_the_ledger_cannot_do_is_counted_and_its_health_tells_why() {
    let told = Arc::new(Told::default());
    let context = observed(Path::new("/dev/full"), told.clone());
    assert!(context.audit_log().health().is_ok());
    let refused = with_context(&context, || add("a")).unwrap_err();
    assert!(refused.contains("No space left on device"), "{refused}");
    assert_eq!(told.take(), ["aegize.audit.failures 1 decision"]);
}

#[test]
fn an_observer_that_panics_disturbs_no_call() {
    struct Panics;

    impl Observer for Panics {
        fn add(&self, _: Counter, _: u64, _: &[Label<'_>]) {
            // Without a word on the terminal.
            std::panic::resume_unwind(Box::new("meant"));
        }
    }

    let directory = tempfile::tempdir().unwrap();
    let context = observed(&directory.path().join("audit.jsonl"), Arc::new(Panics));
    assert_eq!(with_context(&context, || add("a")), Ok(1));
    assert_eq!(context.audit_log().read_all().unwrap().len(), 2);
}

#[test]
fn every_metric_has_a_name_of_its_own() {
    let counters = Counter::ALL.map(Counter::name);
    let histograms = Histogram::ALL.map(Histogram::name);
    let mut names: Vec<_> = counters.iter().chain(&histograms).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), counters.len() + histograms.len());
    assert!(names.iter().all(|name| name.starts_with("aegize.")));
    assert!(
        Counter::ALL
            .iter()
            .all(|counter| counter.unit().starts_with('{'))
    );
}

#[test]
fn calls_of_every_durability_are_recorded_alike() {
    for durability in [
        Durability::Written,
        Durability::Synced,
        Durability::Buffered,
    ] {
        let directory = tempfile::tempdir().unwrap();
        let log = AuditLog::options().durability(durability);
        let log = log.open(directory.path().join("audit.jsonl")).unwrap();
        let context = context("bot", POLICY, log);
        assert_eq!(with_context(&context, || add("a")), Ok(1));
        assert!(pollster::block_on(burn().with_context(&context)).is_err());
        let records = context.audit_log().read_all().unwrap();
        let events: Vec<_> = records.iter().map(|record| record.event.as_str()).collect();
        assert_eq!(events, ["allowed", "execution_succeeded", "denied"]);
        context.audit_log().sync().unwrap();
    }
}

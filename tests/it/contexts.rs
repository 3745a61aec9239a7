//! Whose call is it: scopes of threads and of futures.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use aegize::{
    AuditEvent, AuditLog, GuardContext, GuardError, GuardFutureExt, guarded_tool, with_context,
    with_metadata,
};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{self, World};

#[guarded_tool(tool_name = "clock", operation = "read")]
fn read_clock() -> Result<String, GuardError> {
    Ok(agent())
}

#[guarded_tool(tool_name = "clock", operation = "wait")]
async fn wait_clock(times: usize) -> Result<String, GuardError> {
    for _ in 0..times {
        yield_now().await;
    }
    read_clock()
}

#[guarded_tool(tool_name = "clock", operation = "later")]
async fn read_clock_later() -> Result<String, GuardError> {
    Ok(agent())
}

#[guarded_tool(tool_name = "clock", operation = "break")]
fn break_clock() -> Result<(), GuardError> {
    panic!("broken")
}

fn agent() -> String {
    GuardContext::current().map_or_else(String::new, |context| context.agent().agent_id.clone())
}

/// Pending once.
async fn yield_now() {
    let mut is_first = true;
    poll_fn(|context| {
        if std::mem::take(&mut is_first) {
            context.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

/// Two agents on one log; each is recorded under its own name.
struct Two {
    a: GuardContext,
    b: GuardContext,
    log: AuditLog,
    _directory: TempDir,
}

fn two() -> Two {
    let directory = TempDir::new().unwrap();
    let log = AuditLog::open(directory.path().join("audit.jsonl")).unwrap();
    let policy = "agents: {a: {allow: [{tool: clock}]}, b: {allow: [{tool: clock}]}}";
    Two {
        a: support::context("a", policy, log.clone()),
        b: support::context("b", policy, log.clone()),
        log,
        _directory: directory,
    }
}

/// The process default is one: tests that use it, or need its absence, take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn no_context_is_a_refusal() {
    let _turn = alone();
    let refused = read_clock().unwrap_err();
    assert!(matches!(&refused, GuardError::NoContext(call) if call.tool_name() == "clock"));
    assert_eq!(
        refused.to_string(),
        "no guard context for tool 'clock' operation 'read': call it within `with_context`, or activate a default"
    );
    assert!(matches!(
        pollster::block_on(wait_clock(1)),
        Err(GuardError::NoContext(_))
    ));
}

#[test]
fn the_default_serves_calls_outside_of_every_scope() {
    let _turn = alone();
    let two = two();
    two.a.activate();
    assert_eq!(read_clock().unwrap(), "a");
    assert_eq!(std::thread::spawn(read_clock).join().unwrap().unwrap(), "a");
    assert_eq!(with_context(&two.b, read_clock).unwrap(), "b");
    two.b.activate();
    assert_eq!(read_clock().unwrap(), "b");
    GuardContext::deactivate();
    assert!(matches!(read_clock(), Err(GuardError::NoContext(_))));
}

#[test]
fn scopes_nest_and_end_also_on_panic() {
    let _turn = alone();
    let two = two();
    with_context(&two.a, || {
        assert_eq!(read_clock().unwrap(), "a");
        with_context(&two.b, || assert_eq!(read_clock().unwrap(), "b"));
        assert_eq!(read_clock().unwrap(), "a");
        let panicked = catch_unwind(AssertUnwindSafe(|| with_context(&two.b, break_clock)));
        assert!(panicked.is_err());
        assert_eq!(read_clock().unwrap(), "a");
    });
    assert!(matches!(read_clock(), Err(GuardError::NoContext(_))));
    let last = two.log.read_all().unwrap();
    let broken: Vec<_> = last
        .iter()
        .filter(|record| record.operation == "break")
        .collect();
    assert_eq!(broken.len(), 2);
    assert_eq!(broken[1].event, AuditEvent::ExecutionFailed);
    assert_eq!(broken[1].error.as_deref(), Some("panicked"));
    assert_eq!(broken[1].agent_id, "b");
}

#[test]
fn tasks_interleaved_on_one_thread_keep_their_own() {
    let _turn = alone();
    let two = two();
    let mut a = pin!(wait_clock(3).with_context(&two.a));
    let mut b = pin!(wait_clock(3).with_context(&two.b));
    for _ in 0..3 {
        assert!(poll(a.as_mut()).is_pending());
        assert!(poll(b.as_mut()).is_pending());
        assert!(
            GuardContext::current().is_none(),
            "a scope leaked out of its future"
        );
    }
    assert!(matches!(poll(b.as_mut()), Poll::Ready(Ok(name)) if name == "b"));
    assert!(matches!(poll(a.as_mut()), Poll::Ready(Ok(name)) if name == "a"));
    for record in two.log.read_all().unwrap() {
        let same = two.log.read_all().unwrap();
        let agents: Vec<_> = same
            .iter()
            .filter(|other| other.action_id == record.action_id)
            .map(|other| other.agent_id.clone())
            .collect();
        assert_eq!(agents, [record.agent_id.clone(), record.agent_id]);
    }
}

#[test]
fn a_task_that_moves_between_threads_keeps_its_own() {
    let _turn = alone();
    let two = two();
    let mut task = Box::pin(wait_clock(4).with_context(&two.a));
    for _ in 0..4 {
        task = std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    with_context(&two.b, || assert!(poll(task.as_mut()).is_pending()));
                    task
                })
                .join()
                .unwrap()
        });
    }
    assert!(matches!(poll(task.as_mut()), Poll::Ready(Ok(name)) if name == "a"));
}

#[test]
fn many_tasks_on_many_threads_are_judged_under_their_own() {
    let _turn = alone();
    let two = two();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..200)
            .map(|index| {
                let (context, name) = if index % 2 == 0 {
                    (&two.a, "a")
                } else {
                    (&two.b, "b")
                };
                let task = wait_clock(index % 7).with_context(context);
                (name, tokio::spawn(task))
            })
            .collect();
        for (name, task) in tasks {
            assert_eq!(task.await.unwrap().unwrap(), name);
        }
    });
    assert_eq!(two.log.read_all().unwrap().len(), 200 * 4);
}

#[test]
fn a_spawned_task_starts_without_a_scope_unless_it_is_handed_over() {
    let _turn = alone();
    let two = two();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(
        async {
            let orphan = tokio::spawn(wait_clock(1)).await.unwrap();
            assert!(matches!(orphan, Err(GuardError::NoContext(_))));
            let heir = tokio::spawn(wait_clock(1).in_current_context())
                .await
                .unwrap();
            assert_eq!(heir.unwrap(), "a");
        }
        .with_context(&two.a),
    );
}

#[test]
fn a_cancelled_future_leaves_its_outcome_and_cleans_up_in_its_scope() {
    struct CleanUp;

    impl Drop for CleanUp {
        fn drop(&mut self) {
            assert_eq!(read_clock().unwrap(), "a");
        }
    }

    #[guarded_tool(tool_name = "clock", operation = "hold")]
    async fn hold() -> Result<(), GuardError> {
        let _clean_up = CleanUp;
        std::future::pending().await
    }

    let _turn = alone();
    let two = two();
    {
        let mut held = pin!(hold().with_context(&two.a));
        assert!(poll(held.as_mut()).is_pending());
        with_context(&two.b, || {
            let never_polled = hold().with_context(&two.a);
            drop(never_polled);
        });
    }
    let events: Vec<_> = two
        .log
        .read_all()
        .unwrap()
        .into_iter()
        .map(|record| (record.operation.into_owned(), record.event))
        .collect();
    let expected = [
        ("hold", AuditEvent::Allowed),
        ("hold", AuditEvent::ExecutionAbandoned),
        ("read", AuditEvent::Allowed),
        ("read", AuditEvent::ExecutionSucceeded),
    ];
    assert_eq!(
        events,
        expected.map(|(name, event)| (name.to_owned(), event))
    );
}

#[test]
fn a_future_that_panics_is_recorded_as_failed() {
    #[guarded_tool(tool_name = "clock", operation = "explode")]
    async fn explode() -> Result<(), GuardError> {
        yield_now().await;
        panic!("exploded")
    }

    let two = two();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        pollster::block_on(explode().with_context(&two.a))
    }));
    assert!(panicked.is_err());
    let last = two.log.read_all().unwrap().pop().unwrap();
    assert_eq!(last.event, AuditEvent::ExecutionFailed);
    assert_eq!(last.error.as_deref(), Some("panicked"));
}

#[test]
fn a_call_waiting_in_a_dropped_future_is_abandoned_even_while_the_thread_panics() {
    let two = two();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut waiting = pin!(wait_clock(5).with_context(&two.a));
        assert!(poll(waiting.as_mut()).is_pending());
        panic!("elsewhere");
    }));
    assert!(panicked.is_err());
    let last = two.log.read_all().unwrap().pop().unwrap();
    assert_eq!(last.event, AuditEvent::ExecutionAbandoned);
    assert_eq!(last.error.as_deref(), Some("dropped before it finished"));
}

#[test]
fn metadata_belongs_to_the_first_call_and_to_no_other() {
    let world = World::permissive();
    let two_calls = || {
        read_clock()?;
        read_clock()
    };
    with_context(&world.context, || {
        with_metadata(json!({"ticket": "OPS-1"}), two_calls).unwrap();
        // A nested call does not inherit it.
        pollster::block_on(wait_clock(1).with_metadata(json!({"ticket": "OPS-2"}))).unwrap();
        // Scopes add up, and are used up together.
        with_metadata(json!({"ticket": "OPS-3"}), || {
            with_metadata(json!({"by": "hand"}), read_clock).unwrap();
            read_clock().unwrap();
        });
        let twice = read_clock_later().with_metadata(json!({"ticket": "OPS-4"}));
        pollster::block_on(twice.with_metadata(json!({"by": "hand"}))).unwrap();
    });
    let tickets: Vec<_> = world
        .records()
        .iter()
        .filter(|record| record.event == AuditEvent::Allowed)
        .map(|record| {
            let ticket = record
                .metadata
                .get("ticket")
                .map_or("-", |t| t.as_str().unwrap());
            (record.operation.clone().into_owned(), ticket.to_owned())
        })
        .collect();
    let expected = [
        ("read", "OPS-1"),
        ("read", "-"),
        ("wait", "OPS-2"),
        ("read", "-"),
        ("read", "OPS-3"),
        ("read", "-"),
        ("later", "OPS-4"),
    ];
    assert_eq!(tickets, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[test]
fn metadata_that_is_no_object_or_takes_anothers_place_is_a_refusal() {
    #[guarded_tool(tool_name = "clock", operation = "set", metadata(team = "time"))]
    fn set_clock() -> Result<(), GuardError> {
        Ok(())
    }

    let world = World::permissive();
    let refusal = |metadata: serde_json::Value| {
        let call = || with_metadata(metadata, set_clock);
        with_context(&world.context, call).unwrap_err().to_string()
    };
    for (metadata, expected) in [
        (json!("x"), "its metadata is not a JSON object"),
        (
            json!({"environment": "prod"}),
            "its metadata key `environment` is set by the tool, the agent or another scope; choose another",
        ),
        (
            json!({"team": "mail"}),
            "its metadata key `team` is set by the tool, the agent or another scope; choose another",
        ),
        (
            json!({"big": "x".repeat(70_000)}),
            "its metadata is 70044 bytes long as JSON; at most 65536 are recorded",
        ),
    ] {
        let expected =
            format!("tool 'clock' operation 'set' cannot be called like this: {expected}");
        assert_eq!(refusal(metadata), expected);
    }
    let nested = || {
        with_metadata(json!({"a": 1}), || {
            with_metadata(json!({"a": 2}), set_clock)
        })
    };
    assert!(with_context(&world.context, nested).is_err());
    // Each refusal is an attempt, and recorded.
    assert_eq!(world.events(), [AuditEvent::Denied; 5]);
    assert!(
        world.records()[0]
            .reason
            .as_deref()
            .unwrap()
            .ends_with("is not a JSON object")
    );
    with_context(&world.context, || with_metadata(json!({"a": 1}), set_clock)).unwrap();
    assert_eq!(
        serde_json::to_value(&world.records()[5].metadata).unwrap(),
        json!({"environment": "dev", "team": "time", "a": 1})
    );
}

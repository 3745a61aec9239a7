//! How guarded calls end within each other: dropped, panicking, nested.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aegize::{AuditEvent, GuardError, GuardFutureExt, guarded_tool, with_context};

use crate::support::World;

#[guarded_tool(tool_name = "e", operation = "outer")]
fn outer(panics: bool) -> Result<u8, GuardError> {
    inner(panics)
}

#[guarded_tool(tool_name = "e", operation = "inner")]
fn inner(panics: bool) -> Result<u8, GuardError> {
    assert!(!panics, "inner gives up");
    Ok(1)
}

#[guarded_tool(tool_name = "e", operation = "outer")]
async fn outer_async(panics: bool) -> Result<u8, GuardError> {
    inner_async(panics).await
}

#[guarded_tool(tool_name = "e", operation = "inner")]
async fn inner_async(panics: bool) -> Result<u8, GuardError> {
    assert!(!panics, "inner gives up");
    std::future::pending::<()>().await;
    Ok(1)
}

#[guarded_tool(tool_name = "e", operation = "mapped", refuse_with = drop)]
async fn mapped(panics: bool) {
    assert!(!panics, "mapped gives up");
    std::future::pending::<()>().await;
}

/// Operation and event of each record.
fn story(world: &World) -> Vec<(String, AuditEvent)> {
    let records = world.records();
    let told = records
        .iter()
        .map(|record| (record.operation.clone().into_owned(), record.event));
    told.collect()
}

fn told<const N: usize>(story: [(&str, AuditEvent); N]) -> Vec<(String, AuditEvent)> {
    story
        .map(|(operation, event)| (operation.to_owned(), event))
        .into()
}

#[test]
fn a_panic_ends_every_call_that_it_leaves() {
    let world = World::permissive();
    with_context(&world.context, || {
        assert_eq!(outer(false).unwrap(), 1);
        catch_unwind(|| outer(true)).unwrap_err();
    });
    let asynchronous = outer_async(true).with_context(&world.context);
    catch_unwind(AssertUnwindSafe(|| pollster::block_on(asynchronous))).unwrap_err();
    let mapped = mapped(true).with_context(&world.context);
    catch_unwind(AssertUnwindSafe(|| pollster::block_on(mapped))).unwrap_err();
    let panicked = [
        ("outer", AuditEvent::Allowed),
        ("inner", AuditEvent::Allowed),
        ("inner", AuditEvent::ExecutionFailed),
        ("outer", AuditEvent::ExecutionFailed),
    ];
    let mut expected = told([
        ("outer", AuditEvent::Allowed),
        ("inner", AuditEvent::Allowed),
        ("inner", AuditEvent::ExecutionSucceeded),
        ("outer", AuditEvent::ExecutionSucceeded),
    ]);
    expected.extend(told(panicked));
    expected.extend(told(panicked));
    expected.extend(told([
        ("mapped", AuditEvent::Allowed),
        ("mapped", AuditEvent::ExecutionFailed),
    ]));
    assert_eq!(story(&world), expected);
}

#[test]
fn a_panic_that_is_caught_is_recorded_before_the_future_is_dropped() {
    let world = World::permissive();
    let mut context = Context::from_waker(Waker::noop());
    let mut call = pin!(outer_async(true).with_context(&world.context));
    let mut poll = || {
        let poll = AssertUnwindSafe(|| call.as_mut().poll(&mut context).is_pending());
        catch_unwind(poll)
    };
    poll().unwrap_err();
    let panicked = told([
        ("outer", AuditEvent::Allowed),
        ("inner", AuditEvent::Allowed),
        ("inner", AuditEvent::ExecutionFailed),
        ("outer", AuditEvent::ExecutionFailed),
    ]);
    assert_eq!(story(&world), panicked);
    assert!(poll().unwrap(), "the body is not run again");
    assert_eq!(story(&world), panicked);
}

#[test]
fn a_dropped_future_abandons_every_call_within() {
    let world = World::permissive();
    let mut context = Context::from_waker(Waker::noop());
    drop(outer_async(false).with_context(&world.context));
    assert_eq!(story(&world), [], "it never began");
    {
        let mut call = pin!(outer_async(false).with_context(&world.context));
        assert!(matches!(call.as_mut().poll(&mut context), Poll::Pending));
        let mut mapped = pin!(mapped(false).with_context(&world.context));
        assert!(matches!(mapped.as_mut().poll(&mut context), Poll::Pending));
    }
    let mut found = story(&world);
    let begun = told([
        ("outer", AuditEvent::Allowed),
        ("inner", AuditEvent::Allowed),
        ("mapped", AuditEvent::Allowed),
    ]);
    let ended = found.split_off(3);
    assert_eq!(found, begun);
    assert_eq!(ended.len(), 3);
    assert!(
        ended
            .iter()
            .all(|(_, event)| *event == AuditEvent::ExecutionAbandoned)
    );
}

#[test]
fn an_inner_refusal_is_the_outer_call_s_failure() {
    let policy = "agents: {bot: {allow: [{tool: e, operations: [outer]}]}}";
    let expected = told([
        ("outer", AuditEvent::Allowed),
        ("inner", AuditEvent::Denied),
        ("outer", AuditEvent::ExecutionFailed),
    ]);
    let world = World::new(policy);
    with_context(&world.context, || {
        assert!(matches!(outer(false), Err(GuardError::PolicyDenied(_))));
    });
    assert_eq!(story(&world), expected);

    let world = World::new(policy);
    let refused = pollster::block_on(outer_async(false).with_context(&world.context));
    assert!(matches!(refused, Err(GuardError::PolicyDenied(_))));
    assert_eq!(story(&world), expected);
}

#[test]
fn a_future_that_ended_stays_pending_and_leaves_other_calls_alone() {
    let world = World::permissive();
    let mut context = Context::from_waker(Waker::noop());
    let mut panicked = pin!(outer_async(true).with_context(&world.context));
    let first = catch_unwind(AssertUnwindSafe(|| panicked.as_mut().poll(&mut context)));
    assert!(first.is_err());
    assert_eq!(story(&world).len(), 4, "both ended with the panic");
    assert!(panicked.as_mut().poll(&mut context).is_pending());
    with_context(&world.context, || outer(false)).unwrap();
    assert_eq!(story(&world).len(), 8);
}

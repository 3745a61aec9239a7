//! Calls that wait for people, and what ends their waiting.

use super::*;

#[test]
fn a_policy_that_turns_to_deny_while_a_call_waits_refuses_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.yaml");
    std::fs::write(&path, ASK).unwrap();
    let source = PolicySource::watch(&path).unwrap();
    let approvals = Approvals::in_memory();
    let world = World::new(ASK);
    let log = world.context.audit_log();
    let agent = AgentIdentity::new("bot", "Bot", "Tests").unwrap();
    let context = GuardContext::new(agent, source.clone(), log.clone())
        .approvals(approvals.clone())
        .wait_until_answered();
    let call = context.guard(payment(5));
    let mut call = Box::pin(call.run(async || Ok::<_, GuardError>(())));
    let mut task = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut task).is_pending());

    std::fs::write(&path, ASK.replace("allow:", "deny: [{tool: pay}], allow:")).unwrap();
    source.reload().unwrap();
    let desk = approvals.desk(log);
    let id = pollster::block_on(desk.requests(&ApprovalQuery::newest(1)))
        .unwrap()
        .requests[0]
        .id();
    pollster::block_on(desk.approve(id, &person("alice"), None)).unwrap();
    assert!(matches!(
        pollster::block_on(call),
        Err(GuardError::PolicyDenied(_))
    ));
    let request = pollster::block_on(desk.request(id)).unwrap();
    assert!(request.consumed_by().is_empty());
}

#[test]
fn a_call_that_waits_resumes_by_itself() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let context = bank.context.wait_until_answered();
    let desk = bank.approvals.desk(context.audit_log());
    let newest = || {
        pollster::block_on(desk.requests(&ApprovalQuery::newest(1)))
            .unwrap()
            .requests[0]
            .id()
    };

    // Polled by hand: asynchronous, it holds no thread.
    let mut call = Box::pin(
        context
            .guard(payment(5))
            .run(async || Ok::<_, GuardError>(7)),
    );
    let mut task = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut task).is_pending());
    bank.approve(newest()).unwrap();
    assert_eq!(pollster::block_on(call).unwrap(), 7);

    // On a thread.
    std::thread::scope(|scope| {
        let call = scope.spawn(|| pay(&context, payment(6)));
        let id = loop {
            let mut requested = ApprovalQuery::newest(1);
            requested.states = vec![ApprovalState::Requested];
            if let [request] = &pollster::block_on(desk.requests(&requested))
                .unwrap()
                .requests[..]
            {
                break request.id();
            }
            std::thread::yield_now();
        };
        pollster::block_on(desk.reject(id, &person("alice"), None)).unwrap();
        assert!(matches!(
            call.join().unwrap(),
            Err(GuardError::ApprovalRefused(_))
        ));
    });
}

#[test]
fn a_call_waits_no_longer_than_it_may() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let context = bank.context.wait_for_approval(Duration::from_millis(1));
    let id = asked(pay(&context, payment(5)));
    bank.approve(id).unwrap();
    pay(&context, payment(5)).unwrap();
}

#[test]
fn a_call_that_goes_away_withdraws_its_request() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let context = bank.context.wait_until_answered();
    let desk = bank.approvals.desk(context.audit_log());
    let state = || {
        pollster::block_on(desk.requests(&ApprovalQuery::newest(1)))
            .unwrap()
            .requests[0]
            .state()
    };
    let mut task = Context::from_waker(Waker::noop());
    let mut calls: Vec<_> = (0..2)
        .map(|_| {
            Box::pin(
                context
                    .guard(payment(5))
                    .run(async || Ok::<_, GuardError>(())),
            )
        })
        .collect();
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut task).is_pending());
    }
    drop(calls.pop());
    assert_eq!(state(), ApprovalState::Requested, "another call still asks");
    drop(calls);
    assert_eq!(state(), ApprovalState::Withdrawn);
    assert_eq!(
        bank.world.events().last(),
        Some(&AuditEvent::ApprovalWithdrawn)
    );
}

#[test]
fn what_a_call_asks_on_other_terms_it_asks_no_longer() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.yaml");
    let policy = "agents: {bot: {require_approval: [{tool: pay, remember: 1h}]}}";
    std::fs::write(&path, policy).unwrap();
    let source = PolicySource::watch(&path).unwrap();
    let approvals = Approvals::in_memory();
    let world = World::new(ASK);
    let log = world.context.audit_log();
    let agent = AgentIdentity::new("bot", "Bot", "Tests").unwrap();
    let context =
        GuardContext::new(agent, source.clone(), log.clone()).approvals(approvals.clone());
    let waiting = context.wait_until_answered();
    let call = waiting.guard(payment(5));
    let mut call = Box::pin(call.run(async || Ok::<_, GuardError>(())));
    let mut task = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut task).is_pending());
    let desk = approvals.desk(log);
    let newest = || {
        pollster::block_on(desk.requests(&ApprovalQuery::newest(1)))
            .unwrap()
            .requests[0]
            .id()
    };
    let first = newest();

    std::fs::write(&path, policy.replace("pay,", "pay, approvers: [bob],")).unwrap();
    source.reload().unwrap();
    asked(pay(&context, payment(6)));
    assert!(call.as_mut().poll(&mut task).is_pending());
    let second = newest();
    assert_ne!(second, first);
    let state = |id| pollster::block_on(desk.request(id)).unwrap().state();
    assert_eq!(state(first), ApprovalState::Withdrawn);
    pollster::block_on(desk.approve(second, &person("bob"), None)).unwrap();
    pollster::block_on(call).unwrap();
    assert_eq!(state(second), ApprovalState::Consumed);
}

/// A task of an executor with a mistake.
struct Panicking;

impl Wake for Panicking {
    fn wake(self: Arc<Self>) {
        panic!("on being woken");
    }
}

#[test]
fn a_waker_that_panics_is_no_reason_for_others_to_wait_or_fail() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let context = bank.context.wait_until_answered();
    let call = context.guard(payment(5));
    let mut call = Box::pin(call.run(async || Ok::<_, GuardError>(())));
    let waker = Waker::from(Arc::new(Panicking));
    let mut task = Context::from_waker(&waker);
    assert!(call.as_mut().poll(&mut task).is_pending());

    let desk = bank.approvals.desk(context.audit_log());
    let id = pollster::block_on(desk.requests(&ApprovalQuery::newest(1)))
        .unwrap()
        .requests[0]
        .id();
    bank.approve(id).unwrap();
    assert_eq!(
        bank.world.events().last(),
        Some(&AuditEvent::ApprovalGranted)
    );
    pollster::block_on(call).unwrap();
}

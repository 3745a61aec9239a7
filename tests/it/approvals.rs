//! A person in the loop: what was approved is exactly what runs, once.

mod remembered;

use std::future::pending;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Waker};
use std::time::Duration;

use aegize::{
    AgentIdentity, ApprovalError, ApprovalErrorKind, ApprovalQuery, ApprovalRequest, ApprovalState,
    ApprovalStore, Approvals, Approver, AuditEvent, Binding, BindingKey, GuardContext, GuardError,
    MemoryApprovals, PermissionPolicy, PolicySource, RiskLevel, Seen, StoreFuture, ToolCall,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::support::World;

const ASK: &str = "agents: {bot: {require_approval: [{tool: pay}], allow: [{tool: '*'}]}}";

/// A clock that stands still until it is moved.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn turn(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn store(&self) -> MemoryApprovals {
        let offset = Arc::clone(&self.0);
        let start = OffsetDateTime::now_utc();
        MemoryApprovals::clocked_by(move || {
            start + time::Duration::seconds(offset.load(Ordering::SeqCst))
        })
    }
}

struct Bank {
    world: World,
    approvals: Approvals,
    context: GuardContext,
}

impl Bank {
    fn new(policy: &str, approvals: Approvals) -> Self {
        let world = World::new(policy);
        let context = world.context.approvals(approvals.clone());
        Self {
            world,
            approvals,
            context,
        }
    }

    fn approve(&self, id: Uuid) -> Result<ApprovalRequest, ApprovalError> {
        self.approve_by(id, &person("alice"))
    }

    fn approve_by(&self, id: Uuid, who: &Approver) -> Result<ApprovalRequest, ApprovalError> {
        let desk = self.approvals.desk(self.context.audit_log());
        pollster::block_on(desk.approve(id, who, Some("fine")))
    }
}

fn person(name: &str) -> Approver {
    Approver::new(name).unwrap()
}

fn payment(amount: impl Into<Value>) -> ToolCall {
    ToolCall::new("pay", "refund").arguments(json!({"amount": amount.into(), "to": "é"}))
}

fn pay(context: &GuardContext, call: ToolCall) -> Result<(), GuardError> {
    context.guard(call).run_blocking(|| Ok(()))
}

/// The request that a refused call left.
fn asked(result: Result<(), GuardError>) -> Uuid {
    match result {
        Err(GuardError::ApprovalRequired(pending)) if pending.is_asked() => pending.request_id(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_approved_call_runs_once_and_every_step_is_on_record() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let id = asked(pay(&bank.context, payment(5)));
    assert_eq!(
        asked(pay(&bank.context, payment(5))),
        id,
        "people are asked once"
    );
    let request = bank.approve(id).unwrap();
    assert_eq!(request.state(), ApprovalState::Granted);
    assert_eq!(request.asked(), 2);
    pay(&bank.context, payment(5)).unwrap();
    assert_ne!(asked(pay(&bank.context, payment(5))), id);

    use AuditEvent::{
        Allowed, ApprovalConsumed, ApprovalGranted, ApprovalRequired, ExecutionSucceeded,
    };
    let events = [
        ApprovalRequired,
        ApprovalRequired,
        ApprovalGranted,
        ApprovalConsumed,
        Allowed,
        ExecutionSucceeded,
        ApprovalRequired,
    ];
    assert_eq!(bank.world.events(), events);
    let records = bank.world.records();
    for record in &records[..5] {
        assert_eq!(record.request_id, Some(id), "{record:?}");
    }
    assert_eq!(records[2].approvers, ["alice"]);
    assert_eq!(records[2].reason.as_deref(), Some("fine"));
    assert_eq!(records[3].approvers, ["alice"]);
    assert_eq!(records[3].action_id, records[5].action_id);
}

#[test]
fn without_approvals_a_call_is_refused_and_nobody_is_asked() {
    let world = World::new(ASK);
    match pay(&world.context, payment(5)) {
        Err(GuardError::ApprovalRequired(pending)) => {
            assert!(!pending.is_asked());
            assert_eq!(pending.request_id(), pending.action().action_id);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_many_calls_one_uses_the_grant() {
    const CALLS: usize = 64;
    let bank = Bank::new(ASK, Approvals::in_memory());
    for _ in 0..20 {
        let id = asked(pay(&bank.context, payment(5)));
        bank.approve(id).unwrap();
        let ran = AtomicUsize::new(0);
        let barrier = Barrier::new(CALLS);
        std::thread::scope(|scope| {
            for _ in 0..CALLS {
                scope.spawn(|| {
                    barrier.wait();
                    let result = bank.context.guard(payment(5)).run_blocking(|| {
                        ran.fetch_add(1, Ordering::SeqCst);
                        Ok::<_, GuardError>(())
                    });
                    assert!(matches!(
                        result,
                        Ok(()) | Err(GuardError::ApprovalRequired(_))
                    ));
                });
            }
        });
        assert_eq!(ran.into_inner(), 1);
        // What the others asked is not left for the next round.
        let left = asked(pay(&bank.context, payment(5)));
        bank.approve(left).unwrap();
        pay(&bank.context, payment(5)).unwrap();
    }
}

#[test]
fn another_call_is_another_request() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let first = asked(pay(&bank.context, payment(5)));
    bank.approve(first).unwrap();
    let arguments = |arguments: Value| ToolCall::new("pay", "refund").arguments(arguments);
    let others = [
        payment(6),
        payment(5.0),
        payment("5"),
        payment(json!([5])),
        arguments(json!({"amount": 5, "to": "e\u{301}"})),
        arguments(json!({"amount": 5, "to": "é", "more": null})),
        arguments(json!({"amount": 5})),
        payment(5).risk_level(RiskLevel::High),
        payment(5).path_argument("to"),
        payment(5).metadata(json!({"path": "a"})),
        payment(5).metadata(json!({"paths": ["a"]})),
        ToolCall::new("pay", "charge").arguments(json!({"amount": 5, "to": "é"})),
    ];
    let mut seen = vec![first];
    for call in others {
        let id = asked(pay(&bank.context, call));
        assert!(!seen.contains(&id));
        seen.push(id);
    }
    let principal = AgentIdentity::new("bot", "Other", "Tests").unwrap();
    let id = asked(pay(&bank.context.acting_for(principal), payment(5)));
    assert!(!seen.contains(&id));

    // Neither the order of keys nor what no policy reads makes another call of it.
    let same = arguments(json!({"to": "é", "amount": 5})).metadata(json!({"ticket": "OPS-1"}));
    pay(&bank.context, same).unwrap();
}

#[test]
fn bindings_are_equal_exactly_when_calls_are() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let values = [
        json!(null),
        json!(false),
        json!(0),
        json!(0.0),
        json!(-0.0),
        json!("0"),
        json!("#0"),
        json!("##0"),
        json!(1),
        json!(1.0),
        json!("#1.0"),
        json!(9_007_199_254_740_991_u64),
        json!(9_007_199_254_740_992_u64),
        json!(9_007_199_254_740_993_u64),
        json!(9_007_199_254_740_992.0),
        json!("9007199254740993"),
        json!("#9007199254740993"),
        json!(-9_007_199_254_740_993_i64),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e23),
        json!(1e300),
        json!(0.1),
        json!(0.1 + f64::EPSILON),
        json!([]),
        json!({}),
        json!([[]]),
        json!([1, 2]),
        json!([2, 1]),
        json!([12]),
        json!({"a": 1}),
        json!({"b": 1}),
        json!({"a": {"b": 1}}),
        json!({"a\",\"b": 1}),
        json!("\u{0}"),
        json!("é"),
        json!("e\u{301}"),
        json!(""),
        json!([""]),
        json!({"": null}),
        deep.clone(),
        json!([deep]),
    ];
    let mut ids = Vec::new();
    for value in &values {
        let id = asked(pay(&bank.context, payment(value.clone())));
        assert!(!ids.contains(&id), "{value}");
        assert_eq!(
            asked(pay(&bank.context, payment(value.clone()))),
            id,
            "{value}"
        );
        ids.push(id);
    }
}

#[test]
fn what_cannot_be_read_exactly_cannot_be_approved() {
    struct Opaque;

    struct Twice;

    impl serde::Serialize for Twice {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([("a", 1), ("a", 2)])
        }
    }

    #[aegize::guarded_tool(tool_name = "pay", operation = "opaque")]
    fn opaque(handle: Opaque) -> Result<(), GuardError> {
        let Opaque = handle;
        Ok(())
    }

    #[aegize::guarded_tool(tool_name = "pay", operation = "twice")]
    fn with_twice(value: Twice) -> Result<(), GuardError> {
        let Twice = value;
        Ok(())
    }

    let bank = Bank::new(ASK, Approvals::in_memory());
    let large = payment("x".repeat(300_000));
    let mut deep = json!(1);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    let refusals = [
        aegize::with_context(&bank.context, || opaque(Opaque)),
        aegize::with_context(&bank.context, || with_twice(Twice)),
        pay(&bank.context, large),
        pay(&bank.context, payment(deep)),
    ];
    let texts = [
        "cannot be read",
        "has a key twice",
        "is larger",
        "nests too deep",
    ];
    for (refusal, text) in refusals.into_iter().zip(texts) {
        match refusal {
            Err(GuardError::ApprovalUnavailable(refused)) => {
                assert_eq!(refused.kind(), ApprovalErrorKind::Inexact);
                assert!(refused.to_string().contains(text), "{refused}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    let desk = bank.approvals.desk(bank.context.audit_log());
    assert!(
        pollster::block_on(desk.requests(&ApprovalQuery::newest(9)))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_grant_does_not_outlive_the_consent_of_the_policy() {
    let directory = tempfile::tempdir().unwrap();
    let log = aegize::AuditLog::open(directory.path().join("audit.jsonl")).unwrap();
    let approvals = Approvals::in_memory();
    let under = |policy: &str| {
        let agent = AgentIdentity::new("bot", "Bot", "Tests").unwrap();
        let policy = PolicySource::from(PermissionPolicy::from_yaml_str(policy).unwrap());
        GuardContext::new(agent, policy, log.clone()).approvals(approvals.clone())
    };
    let desk = approvals.desk(&log);
    let id = asked(pay(&under(ASK), payment(5)));
    pollster::block_on(desk.approve(id, &person("alice"), None)).unwrap();

    let denies = under("agents: {bot: {deny: [{tool: pay}], require_approval: [{tool: pay}]}}");
    assert!(matches!(
        pay(&denies, payment(5)),
        Err(GuardError::PolicyDenied(_))
    ));
    let others = "agents: {bot: {require_approval: [{tool: pay}, {tool: pay, approvers: [bob]}]}}";
    assert_ne!(
        asked(pay(&under(others), payment(5))),
        id,
        "not on bob's word"
    );
    let two = "agents: {bot: {require_approval: [{tool: pay, quorum: 2}]}}";
    assert_ne!(
        asked(pay(&under(two), payment(5))),
        id,
        "not on the word of two"
    );
    // A context that is made anew, as after a restart, finds the grant.
    pay(&under(ASK), payment(5)).unwrap();
}

#[test]
fn only_others_approve_and_each_counts_once() {
    let policy = "agents: {bot: {require_approval: [
        {tool: pay, approvers: [alice, 'group:ops'], quorum: 2}]}}";
    let bank = Bank::new(policy, Approvals::in_memory());
    let boss = AgentIdentity::new("boss", "Boss", "Tests").unwrap();
    let policy = PermissionPolicy::from_yaml_str(
        "agents: {bot: {allow: [{tool: pay}]}, boss: {require_approval: [
            {tool: pay, approvers: [alice, 'group:ops', bot, boss], quorum: 2}]}}",
    )
    .unwrap();
    let context = GuardContext::new(
        AgentIdentity::new("bot", "Bot", "Tests").unwrap(),
        policy,
        bank.context.audit_log().clone(),
    )
    .acting_for(boss)
    .approvals(bank.approvals.clone());
    let id = asked(pay(&context, payment(5)));
    for (name, kind) in [
        ("bot", ApprovalErrorKind::NotEntitled),
        ("Bot", ApprovalErrorKind::NotEntitled),
        ("boss", ApprovalErrorKind::NotEntitled),
        ("mallory", ApprovalErrorKind::NotEntitled),
    ] {
        let refused = bank.approve_by(id, &person(name)).unwrap_err();
        assert_eq!(refused.kind(), kind, "{refused}");
    }
    let ops = |name: &str| person(name).group("ops").unwrap();
    let first = bank.approve_by(id, &ops("alice")).unwrap();
    assert_eq!(first.state(), ApprovalState::Requested);
    let again = bank.approve_by(id, &ops("ALICE")).unwrap_err();
    assert_eq!(again.kind(), ApprovalErrorKind::State, "{again}");
    asked(pay(&context, payment(5)));
    let second = bank.approve_by(id, &ops("carol")).unwrap();
    assert_eq!(second.state(), ApprovalState::Granted);
    pay(&context, payment(5)).unwrap();
}

#[test]
fn what_is_over_is_over() {
    // What happens after a grant, and what the request then is.
    type Turn = fn(&Bank, &Clock, Uuid);
    let rows: [(Turn, ApprovalState); 3] = [
        (|_, clock, _| clock.turn(15 * 60), ApprovalState::Expired),
        (|_, clock, _| clock.turn(-1), ApprovalState::Expired),
        (
            |bank, _, id| {
                let desk = bank.approvals.desk(bank.context.audit_log());
                pollster::block_on(desk.revoke(id, &person("bob"), None)).unwrap();
            },
            ApprovalState::Revoked,
        ),
    ];
    for (turn, state) in rows {
        let clock = Clock::default();
        let bank = Bank::new(ASK, Approvals::new(clock.store()));
        let id = asked(pay(&bank.context, payment(5)));
        bank.approve(id).unwrap();
        turn(&bank, &clock, id);
        assert_ne!(asked(pay(&bank.context, payment(5))), id);
        // Nothing revives it.
        clock.turn(1);
        assert!(bank.approve(id).is_err());
        let desk = bank.approvals.desk(bank.context.audit_log());
        assert_eq!(pollster::block_on(desk.request(id)).unwrap().state(), state);
        let events = bank.world.events();
        assert!(!events.contains(&AuditEvent::Allowed));
        let expired = events
            .iter()
            .filter(|event| **event == AuditEvent::ApprovalExpired);
        assert_eq!(
            expired.count(),
            usize::from(state == ApprovalState::Expired)
        );
    }
}

#[test]
fn a_rejection_answers_the_same_call() {
    let clock = Clock::default();
    let bank = Bank::new(ASK, Approvals::new(clock.store()));
    let id = asked(pay(&bank.context, payment(5)));
    let desk = bank.approvals.desk(bank.context.audit_log());
    pollster::block_on(desk.reject(id, &person("alice"), Some("too much"))).unwrap();
    match pay(&bank.context, payment(5)) {
        Err(GuardError::ApprovalRefused(refused)) => {
            let text = "approval for tool 'pay' operation 'refund' was rejected by alice: too much";
            assert_eq!(refused.to_string(), text);
        }
        other => panic!("{other:?}"),
    }
    asked(pay(&bank.context, payment(6)));
    clock.turn(24 * 60 * 60);
    asked(pay(&bank.context, payment(5)));
}

#[test]
fn a_call_that_waits_resumes_by_itself() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let context = bank.context.wait_until_answered();
    let desk = bank.approvals.desk(context.audit_log());
    let newest = || pollster::block_on(desk.requests(&ApprovalQuery::newest(1))).unwrap()[0].id();

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
            if let [request] = &pollster::block_on(desk.requests(&requested)).unwrap()[..] {
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
    let state = || pollster::block_on(desk.requests(&ApprovalQuery::newest(1))).unwrap()[0].state();
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

/// A store that does everything wrong in one way.
struct Broken(fn() -> StoreFuture<'static, ()>);

impl Broken {
    fn fail<T: Send + 'static>(&self) -> StoreFuture<'_, T> {
        let failing = (self.0)();
        Box::pin(async move {
            failing.await?;
            Err(ApprovalError::new(
                ApprovalErrorKind::Store,
                "the disk is full",
            ))
        })
    }
}

impl ApprovalStore for Broken {
    fn key(&self) -> StoreFuture<'_, BindingKey> {
        self.fail()
    }

    fn insert(&self, _: ApprovalRequest) -> StoreFuture<'_, bool> {
        self.fail()
    }

    fn replace(&self, _: ApprovalRequest) -> StoreFuture<'_, bool> {
        self.fail()
    }

    fn load(&self, _: Uuid) -> StoreFuture<'_, Seen<Option<ApprovalRequest>>> {
        self.fail()
    }

    fn find(&self, _: Binding, _: Binding) -> StoreFuture<'_, Seen<Vec<ApprovalRequest>>> {
        self.fail()
    }

    fn list(&self, _: ApprovalQuery) -> StoreFuture<'_, Seen<Vec<ApprovalRequest>>> {
        self.fail()
    }

    fn count(&self, _: ApprovalState) -> StoreFuture<'_, u64> {
        self.fail()
    }

    fn changed(&self, _: Uuid, _: u64) -> StoreFuture<'_, ()> {
        self.fail()
    }

    fn news(&self, _: u64) -> StoreFuture<'_, u64> {
        self.fail()
    }
}

#[test]
fn a_store_that_does_not_answer_is_a_refusal() {
    let rows: [(Broken, &str); 4] = [
        (Broken(|| Box::pin(async { Ok(()) })), "the disk is full"),
        (Broken(|| Box::pin(pending())), "did not answer within 1ms"),
        (
            Broken(|| panic!("on the way")),
            "the approval store panicked",
        ),
        (
            Broken(|| Box::pin(async { panic!("later") })),
            "the approval store panicked",
        ),
    ];
    for (store, text) in rows {
        let approvals = Approvals::new(store).answers_within(Duration::from_millis(1));
        let bank = Bank::new(ASK, approvals);
        let refusals = [
            pay(&bank.context, payment(5)),
            pollster::block_on(bank.context.guard(payment(5)).run(async || Ok(()))),
        ];
        for refusal in refusals {
            match refusal {
                Err(GuardError::ApprovalUnavailable(refused)) => {
                    assert!(refused.to_string().contains(text), "{refused}");
                }
                other => panic!("{other:?}"),
            }
        }
        let records = bank.world.records();
        assert_eq!(bank.world.events(), [AuditEvent::ApprovalRequired; 2]);
        assert!(records[0].reason.as_deref().unwrap().contains(text));
    }
}

#[test]
fn people_see_no_secret_and_the_binding_knows_it() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let call = |secret: &str| ToolCall::new("pay", "x").arguments(json!({"password": secret}));
    let id = asked(pay(&bank.context, call("canary-1")));
    assert_ne!(asked(pay(&bank.context, call("canary-2"))), id);
    let request = bank.approve(id).unwrap();
    let kept = serde_json::to_string(&request).unwrap();
    assert!(!kept.contains("canary"), "{kept}");
    let read: ApprovalRequest = serde_json::from_str(&kept).unwrap();
    assert_eq!(read, request);
    // What is no state that the transitions lead to is not read.
    for (from, to) in [
        ("alice", "bot"),
        ("granted", "consumed"),
        ("\"quorum\":1", "\"quorum\":2"),
    ] {
        let forged = kept.replacen(from, to, 1);
        assert_ne!(forged, kept);
        assert!(
            serde_json::from_str::<ApprovalRequest>(&forged).is_err(),
            "{from}"
        );
    }
}

#[test]
fn terms_are_read_strictly() {
    let rule = |terms: &str| {
        let text = format!("agents: {{bot: {{require_approval: [{{tool: pay, {terms}}}]}}}}");
        PermissionPolicy::from_yaml_str(&text)
    };
    let terms = "approvers: [alice, 'group:ops'], quorum: 2, expires_in: 10m, remember: 1h, remind_after: 90s, escalate_to: [boss]";
    let policy = rule(terms).unwrap();
    let terms = policy.rules().next().unwrap().approval_terms().unwrap();
    assert_eq!(
        terms.to_string(),
        "2 of alice, group:ops within 10m, remembered up to 1h, reminded after 90s, escalated to boss"
    );
    assert_eq!(terms.expires_in(), Some(Duration::from_secs(600)));

    let rows = [
        (
            "approvers: alice",
            "expected a list of approvers, found a string",
        ),
        ("approvers: []", "an empty list lets nobody approve"),
        (
            "approvers: ['group:']",
            "an approver's name is one that people can see",
        ),
        (
            "approvers: ['alice ']",
            "an approver's name is one that people can see",
        ),
        (
            "approvers: [alice, alice]",
            "approver `alice` is listed twice",
        ),
        ("quorum: 0", "expected how many people have to approve"),
        ("quorum: two", "expected how many people have to approve"),
        (
            "approvers: [alice], quorum: 2",
            "a quorum of 2 cannot be met by 1 approvers",
        ),
        (
            "expires_in: 10",
            "expected a time such as 10m or 24h, found a number",
        ),
        ("expires_in: 10 minutes", "`10 minutes` is no time"),
        ("expires_in: 0s", "`0s` is no time"),
        ("expires_in: 366d", "`366d` is no time"),
        ("expires_in: é", "`é` is no time"),
        ("remember: 1.5h", "`1.5h` is no time"),
        ("remind_after: true", "a time such as 10m or 24h"),
        (
            "remind_after: 1h, escalate_to: []",
            "an empty list lets nobody approve",
        ),
        ("escalate_to: [boss]", "write which: `remind_after`"),
        (
            "approvers: [alice], escalate_to: [alice], remind_after: 1m, quorum: 2",
            "a quorum of 2 cannot be met by 1 approvers",
        ),
        ("approver: [alice]", "unknown key `approver`"),
    ];
    for (terms, expected) in rows {
        let error = rule(terms).unwrap_err().to_string();
        assert!(error.contains(expected), "{terms}: {error}");
    }
    for section in ["allow", "deny"] {
        for key in [
            "approvers: [a]",
            "quorum: 2",
            "expires_in: 1h",
            "remember: 1h",
            "remind_after: 1h",
        ] {
            let text = format!("agents: {{bot: {{{section}: [{{tool: pay, {key}}}]}}}}");
            assert!(PermissionPolicy::from_yaml_str(&text).is_err(), "{text}");
        }
    }
}

#[test]
fn a_rule_may_say_how_long_an_approval_counts() {
    let policy = "agents: {bot: {require_approval: [{tool: pay, expires_in: 2m}, {tool: pay, expires_in: 1h}]}}";
    let clock = Clock::default();
    let bank = Bank::new(policy, Approvals::new(clock.store()));
    let id = asked(pay(&bank.context, payment(5)));
    clock.turn(119);
    bank.approve(id).unwrap();
    clock.turn(119);
    pay(&bank.context, payment(5)).unwrap();
    let id = asked(pay(&bank.context, payment(5)));
    clock.turn(120);
    assert_eq!(
        bank.approve(id).unwrap_err().kind(),
        ApprovalErrorKind::State
    );
}

#[test]
fn no_tool_for_policies_ignores_terms() {
    let policy = |rules: &str| {
        let text = format!("agents: {{bot: {{require_approval: [{rules}]}}}}");
        PermissionPolicy::from_yaml_str(&text).unwrap()
    };
    let plain = policy("{tool: pay}");
    for rules in [
        "{tool: pay, approvers: [cfo]}",
        "{tool: pay, quorum: 2}",
        "{tool: pay, expires_in: 1h}",
        "{tool: pay}, {tool: pay, args: {amount: {above: 100}}, approvers: [cfo]}",
    ] {
        let with_terms = policy(rules);
        for (old, new) in [(&plain, &with_terms), (&with_terms, &plain)] {
            let diff = old.diff(new);
            assert!(!diff.is_exhaustive(), "{rules}");
            assert!(diff.limits()[0].contains("on whose word"), "{rules}");
        }
        assert!(with_terms.diff(&policy(rules)).is_exhaustive());
        assert!(
            with_terms.lint(&[]).is_empty(),
            "{rules}: {:?}",
            with_terms.lint(&[])
        );
    }
    let hidden = policy("{tool: pay, approvers: [cfo]}, {tool: pay}");
    assert_eq!(hidden.lint(&[])[0].code().as_str(), "shadowed-rule");
}

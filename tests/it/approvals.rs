//! A person in the loop: what was approved is exactly what runs, once.

mod bound;
mod failing;
mod remembered;
mod terms;
mod waiting;

use std::future::pending;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use aegize::{
    AgentIdentity, ApprovalError, ApprovalErrorKind, ApprovalList, ApprovalQuery, ApprovalRequest,
    ApprovalState, ApprovalStore, Approvals, Approver, AuditEvent, Binding, BindingKey,
    GuardContext, GuardError, MemoryApprovals, PermissionPolicy, PolicySource, RiskLevel, Seen,
    StoreFuture, ToolCall,
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
        ApprovalRequired,
        ApprovalConsumed,
        Allowed,
        ExecutionSucceeded,
        ApprovalRequired,
    ];
    assert_eq!(bank.world.events(), events);
    let records = bank.world.records();
    for record in &records[..6] {
        assert_eq!(record.request_id, Some(id), "{record:?}");
    }
    assert_eq!(records[2].approvers, ["alice"]);
    assert_eq!(records[2].reason.as_deref(), Some("fine"));
    assert_eq!(records[4].approvers, ["alice"]);
    for record in &records[3..6] {
        assert_eq!(record.action_id, records[6].action_id);
    }
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
fn names_that_look_the_same_are_one_person() {
    let policy =
        "agents: {bot: {allow: [{tool: pay}]}, \"jose\\u0301@acme.com\": {require_approval: [
            {tool: pay, quorum: 2}]}}";
    let bank = Bank::new(policy, Approvals::in_memory());
    let jose = AgentIdentity::new("jose\u{301}@acme.com", "José", "Tests").unwrap();
    let id = asked(pay(&bank.context.acting_for(jose), payment(5)));
    for name in ["josé@acme.com", "jose\u{301}@acme.com", "ＪＯＳÉ@acme.com"] {
        let refused = bank.approve_by(id, &person(name)).unwrap_err();
        assert_eq!(refused.kind(), ApprovalErrorKind::NotEntitled, "{name}");
    }
    bank.approve_by(id, &person("zoë.i@acme.com")).unwrap();
    for name in [
        "zoe\u{308}.i@acme.com",
        "zoë.i@\u{430}cme.com",
        "ZOË.I@acme.com\u{fe0f}",
    ] {
        let again = bank.approve_by(id, &person(name)).unwrap_err();
        assert_eq!(again.kind(), ApprovalErrorKind::State, "{name}: {again}");
    }
    let granted = bank.approve_by(id, &person("zoe.i@acme.com")).unwrap();
    assert_eq!(granted.state(), ApprovalState::Granted);
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
fn a_reason_that_is_blank_is_none() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let id = asked(pay(&bank.context, payment(5)));
    let desk = bank.approvals.desk(bank.context.audit_log());
    let rejected = pollster::block_on(desk.reject(id, &person("alice"), Some(" \n"))).unwrap();
    assert_eq!(rejected.refusal().unwrap().reason, None);
}

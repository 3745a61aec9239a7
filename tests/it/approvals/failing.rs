//! A store that fails is a refusal.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::*;

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

    fn list(&self, _: ApprovalQuery) -> StoreFuture<'_, Seen<ApprovalList>> {
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

/// A store in memory that does what it is asked to, and answers to a change in its own way.
struct Odd(MemoryApprovals, Answering);

type Answering = for<'s> fn(ApprovalState, StoreFuture<'s, bool>) -> StoreFuture<'s, bool>;

impl Odd {
    /// One that does not answer when a grant is used, or a call is rejected.
    fn mute() -> Self {
        Self(MemoryApprovals::new(), |state, answer| {
            if matches!(state, ApprovalState::Consumed | ApprovalState::Rejected) {
                Box::pin(pending())
            } else {
                answer
            }
        })
    }

    /// One that tells what was decided when it is asked for the second time.
    fn slow() -> Self {
        Self(MemoryApprovals::new(), |state, answer| match state {
            ApprovalState::Requested => answer,
            _ => late(answer),
        })
    }

    /// One that tells that people are asked when it is asked for the second time.
    fn slow_to_ask() -> Self {
        Self(MemoryApprovals::new(), |state, answer| match state {
            ApprovalState::Requested => late(answer),
            _ => answer,
        })
    }
}

fn late(answer: StoreFuture<'_, bool>) -> StoreFuture<'_, bool> {
    Box::pin(async move {
        let mut is_first = true;
        poll_fn(|_| {
            if std::mem::take(&mut is_first) {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
        answer.await
    })
}

impl ApprovalStore for Odd {
    fn key(&self) -> StoreFuture<'_, BindingKey> {
        self.0.key()
    }

    fn insert(&self, request: ApprovalRequest) -> StoreFuture<'_, bool> {
        self.1(request.state(), self.0.insert(request))
    }

    fn replace(&self, next: ApprovalRequest) -> StoreFuture<'_, bool> {
        self.1(next.state(), self.0.replace(next))
    }

    fn load(&self, id: Uuid) -> StoreFuture<'_, Seen<Option<ApprovalRequest>>> {
        self.0.load(id)
    }

    fn find(
        &self,
        binding: Binding,
        scope: Binding,
    ) -> StoreFuture<'_, Seen<Vec<ApprovalRequest>>> {
        self.0.find(binding, scope)
    }

    fn list(&self, query: ApprovalQuery) -> StoreFuture<'_, Seen<ApprovalList>> {
        self.0.list(query)
    }

    fn count(&self, state: ApprovalState) -> StoreFuture<'_, u64> {
        self.0.count(state)
    }

    fn changed(&self, id: Uuid, revision: u64) -> StoreFuture<'_, ()> {
        self.0.changed(id, revision)
    }

    fn news(&self, after: u64) -> StoreFuture<'_, u64> {
        self.0.news(after)
    }
}

#[test]
fn a_grant_that_is_used_up_without_an_answer_is_told_and_runs_nothing() {
    let approvals = Approvals::new(Odd::mute()).answers_within(Duration::from_millis(1));
    let bank = Bank::new(ASK, approvals.clone());
    let id = asked(pay(&bank.context, payment(5)));
    bank.approve(id).unwrap();
    let refused = bank
        .context
        .guard(payment(5))
        .run_blocking(|| -> Result<(), GuardError> { panic!("the body ran") });
    assert!(matches!(refused, Err(GuardError::ApprovalUnavailable(_))));

    // The log tells which attempt was about to use it, as it would had the process ended there.
    let desk = approvals.desk(bank.context.audit_log());
    let request = pollster::block_on(desk.request(id)).unwrap();
    assert_eq!(request.state(), ApprovalState::Consumed);
    let records = bank.world.records();
    let of_it: Vec<_> = records
        .iter()
        .filter(|record| record.action_id == request.consumed_by()[0])
        .collect();
    assert_eq!(of_it[0].event, AuditEvent::ApprovalRequired);
    assert_eq!(of_it[0].request_id, Some(id));
    assert!(
        of_it
            .iter()
            .all(|record| record.event == AuditEvent::ApprovalRequired)
    );
    // It is not found again.
    assert_ne!(asked(pay(&bank.context, payment(5))), id);
}

/// Polls a future once, which is not ready then, and drops it.
fn begin<T>(future: impl Future<Output = T>) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(future).poll(&mut context).is_pending());
}

#[test]
fn what_has_begun_is_recorded_though_whoever_began_it_goes_away() {
    let approvals = Approvals::new(Odd::slow());
    let bank = Bank::new(ASK, approvals.clone());
    let desk = approvals.desk(bank.context.audit_log());
    let alice = person("alice");
    let ids = [4, 5, 6].map(|amount| asked(pay(&bank.context, payment(amount))));
    let before = bank.world.events().len();

    begin(desk.reject(ids[0], &alice, None));
    begin(desk.approve(ids[1], &alice, None));
    begin(desk.revoke(ids[1], &alice, None));
    begin(desk.approve(ids[2], &alice, None));
    let body = async || -> Result<(), GuardError> { panic!("the body ran") };
    begin(bank.context.guard(payment(6)).run(body));

    let states = ids.map(|id| pollster::block_on(desk.request(id)).unwrap().state());
    use ApprovalState::{Consumed, Rejected, Revoked};
    assert_eq!(states, [Rejected, Revoked, Consumed]);
    use AuditEvent::{
        ApprovalConsumed, ApprovalGranted, ApprovalRejected, ApprovalRequired, ApprovalRevoked,
    };
    let events = [
        ApprovalRejected,
        ApprovalGranted,
        ApprovalRevoked,
        ApprovalGranted,
        ApprovalRequired,
        ApprovalConsumed,
    ];
    assert_eq!(bank.world.events()[before..], events);
}

#[test]
fn a_decision_that_the_store_has_counts_and_is_recorded_though_it_does_not_say_so() {
    let approvals = Approvals::new(Odd::mute()).answers_within(Duration::from_millis(1));
    let bank = Bank::new(ASK, approvals.clone());
    let id = asked(pay(&bank.context, payment(5)));
    let desk = approvals.desk(bank.context.audit_log());
    let rejected = pollster::block_on(desk.reject(id, &person("alice"), None)).unwrap();
    assert_eq!(rejected.state(), ApprovalState::Rejected);
    assert_eq!(
        bank.world.events().last(),
        Some(&AuditEvent::ApprovalRejected)
    );
}

#[test]
fn a_call_that_goes_away_while_it_asks_asks_no_longer() {
    let bank = Bank::new(ASK, Approvals::new(Odd::slow_to_ask()));
    let context = bank.context.wait_until_answered();
    let call = || {
        let call = context.guard(payment(5));
        Box::pin(call.run(async || Ok::<_, GuardError>(())))
    };
    let desk = bank.approvals.desk(context.audit_log());
    let newest = || pollster::block_on(desk.requests(&ApprovalQuery::newest(1))).unwrap();
    let mut task = Context::from_waker(Waker::noop());
    let mut gone = call();
    assert!(gone.as_mut().poll(&mut task).is_pending());
    drop(gone);
    assert_eq!(newest().requests[0].state(), ApprovalState::Withdrawn);

    let mut waiting = call();
    let mut gone = call();
    assert!(waiting.as_mut().poll(&mut task).is_pending());
    assert!(waiting.as_mut().poll(&mut task).is_pending());
    assert!(gone.as_mut().poll(&mut task).is_pending());
    drop(gone);
    assert_eq!(newest().requests[0].state(), ApprovalState::Requested);
    drop(waiting);
    assert_eq!(newest().requests[0].state(), ApprovalState::Withdrawn);
}

//! A store that fails is a refusal.

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

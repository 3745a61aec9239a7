//! A grant that is remembered: for whom, how long, how often, and against what it does not help.

use super::*;
use aegize::Remember;

const REMEMBER: &str = "agents: {bot: {require_approval: [{tool: pay, remember: 1h}]}}";

fn remember(uses: u32) -> Remember {
    Remember::new(Duration::from_secs(1800), uses).unwrap()
}

fn up_to_100(uses: u32) -> Remember {
    let conditions = "args: {amount: {max: 100}}";
    remember(uses).conditions(conditions).unwrap()
}

impl Bank {
    fn remember(&self, id: Uuid, remember: &Remember) -> Result<ApprovalRequest, ApprovalError> {
        self.remember_by(id, "alice", remember)
    }

    fn remember_by(
        &self,
        id: Uuid,
        who: &str,
        remember: &Remember,
    ) -> Result<ApprovalRequest, ApprovalError> {
        let desk = self.approvals.desk(self.context.audit_log());
        let who = person(who);
        pollster::block_on(desk.approve_and_remember(id, &who, Some("fine"), remember))
    }

    /// The same approvals and log under another policy.
    fn under(&self, policy: &str) -> GuardContext {
        self.by("bot", policy)
    }

    fn by(&self, agent: &str, policy: &str) -> GuardContext {
        let agent = AgentIdentity::new(agent, "Bot", "Tests").unwrap();
        let policy = PermissionPolicy::from_yaml_str(policy).unwrap();
        GuardContext::new(agent, policy, self.context.audit_log().clone())
            .approvals(self.approvals.clone())
    }
}

#[test]
fn the_same_call_runs_as_often_as_it_may() {
    let bank = Bank::new(REMEMBER, Approvals::in_memory());
    let id = asked(pay(&bank.context, payment(5)));
    let granted = bank.remember(id, &remember(3)).unwrap();
    assert_eq!((granted.uses(), granted.is_standing()), (3, false));
    for _ in 0..3 {
        pay(&bank.context, payment(5)).unwrap();
        assert_ne!(asked(pay(&bank.context, payment(6))), id);
    }
    assert_ne!(asked(pay(&bank.context, payment(5))), id);
    let desk = bank.approvals.desk(bank.context.audit_log());
    let request = pollster::block_on(desk.request(id)).unwrap();
    assert_eq!(request.state(), ApprovalState::Consumed);
    assert_eq!(request.consumed_by().len(), 3);
}

#[test]
fn calls_run_whose_arguments_meet_the_conditions() {
    let bank = Bank::new(REMEMBER, Approvals::in_memory());
    // What was approved runs itself, whatever the conditions say of it.
    let id = asked(pay(&bank.context, payment(500)));
    let granted = bank.remember(id, &up_to_100(5)).unwrap();
    assert!(granted.is_standing());
    pay(&bank.context, payment(500)).unwrap();
    pay(&bank.context, payment(100)).unwrap();
    let other = ToolCall::new("pay", "refund").arguments(json!({"amount": 7, "to": "anyone"}));
    pay(&bank.context, other).unwrap();

    let elsewhere = || ToolCall::new("pay", "charge").arguments(json!({"amount": 5}));
    let refused = [
        payment(101),
        // What cannot be read is not proved.
        payment("5"),
        payment(Value::Null),
        ToolCall::new("pay", "refund"),
        elsewhere(),
        payment(5).risk_level(RiskLevel::High),
    ];
    for call in refused {
        let text = format!("{call:?}");
        assert_ne!(asked(pay(&bank.context, call)), id, "{text}");
    }
    let others = REMEMBER.replace("bot", "ghost");
    assert_ne!(asked(pay(&bank.by("ghost", &others), payment(5))), id);

    // The record of a use is about the call that uses it.
    let records = bank.world.records();
    let used: Vec<_> = records
        .iter()
        .filter(|record| record.event == AuditEvent::ApprovalConsumed)
        .map(|record| record.input_summary.as_ref())
        .collect();
    assert_eq!(
        used,
        [
            "amount=500, to=\"é\"",
            "amount=100, to=\"é\"",
            "amount=7, to=\"anyone\""
        ]
    );
    let granted = records
        .iter()
        .find(|record| record.event == AuditEvent::ApprovalGranted);
    assert_eq!(
        granted.unwrap().reason.as_deref(),
        Some(
            "fine (remembered: up to 5 calls within 30m: this one, or any where args: {amount: {max: 100}})"
        )
    );
}

#[test]
fn what_ends_a_grant_ends_one_that_is_remembered() {
    type End = fn(&Bank, &Clock, Uuid) -> GuardContext;
    let rows: [(&str, End); 6] = [
        ("its time", |bank, clock, _| {
            clock.turn(1800);
            bank.under(REMEMBER)
        }),
        ("a clock that is set back", |bank, clock, _| {
            clock.turn(-1);
            bank.under(REMEMBER)
        }),
        ("revocation", |bank, _, id| {
            let desk = bank.approvals.desk(bank.context.audit_log());
            pollster::block_on(desk.revoke(id, &person("bob"), None)).unwrap();
            bank.under(REMEMBER)
        }),
        ("a rule that no longer remembers", |bank, _, _| {
            bank.under(ASK)
        }),
        ("a rule that remembers for less", |bank, clock, _| {
            clock.turn(60);
            bank.under(&REMEMBER.replace("1h", "1m"))
        }),
        ("a second rule that does not remember", |bank, _, _| {
            bank.under(
                "agents: {bot: {require_approval: [{tool: pay, remember: 1h}, {tool: '*'}]}}",
            )
        }),
    ];
    for (what, end) in rows {
        for amount in [5, 6] {
            let clock = Clock::default();
            let bank = Bank::new(REMEMBER, Approvals::new(clock.store()));
            let id = asked(pay(&bank.context, payment(5)));
            bank.remember(id, &up_to_100(9)).unwrap();
            pay(&bank.context, payment(5)).unwrap();
            pay(&bank.context, payment(6)).unwrap();
            let context = end(&bank, &clock, id);
            assert_ne!(asked(pay(&context, payment(amount))), id, "{what}");
        }
    }
}

#[test]
fn a_deny_rule_wins_over_what_is_remembered() {
    let bank = Bank::new(REMEMBER, Approvals::in_memory());
    let id = asked(pay(&bank.context, payment(5)));
    bank.remember(id, &up_to_100(9)).unwrap();
    let policy = "agents: {bot: {
        deny: [{tool: pay, args: {amount: {equals: 6}}}], require_approval: [{tool: pay, remember: 1h}]}}";
    let context = bank.under(policy);
    pay(&context, payment(5)).unwrap();
    assert!(matches!(
        pay(&context, payment(6)),
        Err(GuardError::PolicyDenied(_))
    ));
}

#[test]
fn of_many_calls_as_many_run_as_are_remembered() {
    const USES: usize = 5;
    let bank = Bank::new(REMEMBER, Approvals::in_memory());
    let id = asked(pay(&bank.context, payment(5)));
    bank.remember(id, &up_to_100(5)).unwrap();
    let together = Barrier::new(32);
    let ran = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for amount in 0..32 {
            let (bank, together, ran) = (&bank, &together, &ran);
            scope.spawn(move || {
                together.wait();
                if pay(&bank.context, payment(amount)).is_ok() {
                    ran.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(ran.load(Ordering::SeqCst), USES);
}

#[test]
fn everyone_who_approves_has_to_agree() {
    let policy = "agents: {bot: {require_approval: [{tool: pay, remember: 1h, quorum: 2}]}}";
    let rows = [
        (Some(remember(3)), Some(remember(2)), 2),
        (Some(up_to_100(3)), Some(up_to_100(9)), 3),
        (Some(up_to_100(3)), Some(remember(3)), 1),
        (Some(remember(3)), None, 1),
        (None, Some(remember(3)), 1),
    ];
    for (one, other, uses) in rows {
        let bank = Bank::new(policy, Approvals::in_memory());
        let id = asked(pay(&bank.context, payment(5)));
        let approve = |who: &str, what: &Option<Remember>| match what {
            Some(remember) => bank.remember_by(id, who, remember).unwrap(),
            None => bank.approve_by(id, &person(who)).unwrap(),
        };
        approve("alice", &one);
        let granted = approve("bob", &other);
        assert_eq!(granted.uses(), uses, "{one:?} {other:?}");
    }
}

#[test]
fn a_rule_has_to_let_it_be_remembered() {
    for (policy, expected) in [
        (ASK, "has no `remember`; approve the one call"),
        (
            "agents: {bot: {require_approval: [{tool: pay, remember: 29m}]}}",
            "remembered for at most 29m",
        ),
        (
            "agents: {bot: {require_approval: [{tool: pay, remember: 1h}, {tool: pay, quorum: 1}]}}",
            "has no `remember`",
        ),
    ] {
        let bank = Bank::new(policy, Approvals::in_memory());
        let id = asked(pay(&bank.context, payment(5)));
        let error = bank.remember(id, &remember(2)).unwrap_err();
        assert_eq!(error.kind(), ApprovalErrorKind::NotEntitled);
        assert!(error.to_string().contains(expected), "{error}");
        bank.approve(id).unwrap();
    }
}

#[test]
fn conditions_are_read_strictly() {
    let rows = [
        ("", "expected conditions: a mapping with `args`"),
        ("{}", "without a condition"),
        (
            "nonsense",
            "found a string; write them as in policies, such as `args: {amount: {max: 100}}`",
        ),
        ("args: {}", "a"),
        ("args: {amount: {mx: 5}}", "unknown key `mx`"),
        ("arg: {amount: {max: 5}}", "unknown key `arg`"),
        (
            "args: {amount: {max: 5}}\ntool: other",
            "unknown key `tool`",
        ),
        ("args: {amount: {max: 5}}\n---\nagents: {}", ""),
        ("}\n    allow: [{tool: pay}]", ""),
        (
            "args: {amount: {max: 5}}\r    allow: []",
            "control characters",
        ),
        ("args: &a {amount: {max: 5}, b: *a}", ""),
    ];
    for (text, expected) in rows {
        let error = remember(1).conditions(text).expect_err(text);
        assert_eq!(error.kind(), ApprovalErrorKind::Malformed);
        assert!(error.to_string().contains(expected), "{text:?}: {error}");
    }
    for uses in [0, 1001] {
        assert!(Remember::new(Duration::from_secs(1), uses).is_err());
    }
    assert!(Remember::new(Duration::ZERO, 1).is_err());
    assert!(
        remember(1)
            .conditions(&format!("args: {{a: {{equals: {}}}}}", "x".repeat(4096)))
            .is_err()
    );
    // In JSON, as a list of alternatives, over several lines.
    for text in [
        r#"{"args": {"amount": {"max": 5}}}"#,
        "[{args: {amount: {max: 5}}}, {args: {amount: {equals: 7}}}]",
        "args:\n  amount:\n    max: 5\npaths: [./safe/**]",
    ] {
        remember(1).conditions(text).expect(text);
    }
}

#[test]
fn calls_that_wait_are_answered_by_what_is_remembered_meanwhile() {
    let bank = Bank::new(REMEMBER, Approvals::in_memory());
    let context = bank.context.wait_until_answered();
    let call = |amount| {
        let call = context.guard(payment(amount));
        Box::pin(call.run(async || Ok::<_, GuardError>(())))
    };
    let mut task = Context::from_waker(Waker::noop());
    let mut waiting = [call(5), call(6), call(600)];
    for call in &mut waiting {
        assert!(call.as_mut().poll(&mut task).is_pending());
    }
    let desk = bank.approvals.desk(bank.context.audit_log());
    let requests = pollster::block_on(desk.requests(&ApprovalQuery::newest(9))).unwrap();
    let [large, six, five] = &requests.requests[..] else {
        panic!("{requests:?}");
    };
    bank.remember(five.id(), &up_to_100(2)).unwrap();
    let [one, other, mut third] = waiting;
    pollster::block_on(one).unwrap();
    pollster::block_on(other).unwrap();
    assert!(third.as_mut().poll(&mut task).is_pending());
    let state = |request: &ApprovalRequest| {
        pollster::block_on(desk.request(request.id()))
            .unwrap()
            .state()
    };
    assert_eq!(state(five), ApprovalState::Consumed);
    assert_eq!(state(six), ApprovalState::Withdrawn, "nobody asks any more");
    assert_eq!(state(large), ApprovalState::Requested);
}

//! The guard over each store: what was approved runs once, whichever process approved and which
//! one runs.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use aegize_core::{
    ApprovalQuery, ApprovalState, Approver, AuditEvent, GuardContext, GuardError, ToolCall,
};
use pollster::block_on;
use serde_json::json;
use tempfile::TempDir;

use crate::places::Place;
use crate::samples::{ASK, asked, context, pay};

of_every_store!(
    another_approves_and_the_call_runs_once,
    a_call_that_waits_is_woken_by_another,
    of_many_calls_one_uses_the_grant,
    a_waiting_call_that_goes_away_withdraws_its_request,
    a_grant_outlives_its_process,
    what_is_kept_can_be_read,
);

const LONG: Duration = Duration::from_mins(10);

fn alice() -> Approver {
    Approver::new("alice").unwrap()
}

fn another_approves_and_the_call_runs_once(place: &Place) {
    let folder = TempDir::new().unwrap();
    let agent = context(ASK, &folder, place.approvals());
    let desk = place.approvals().desk(agent.audit_log());
    let id = asked(pay(&agent, 5));
    assert_eq!(asked(pay(&agent, 5)), id);
    let granted = block_on(desk.approve(id, &alice(), Some("fine"))).unwrap();
    assert_eq!(granted.state(), ApprovalState::Granted);
    asked(pay(&agent, 6));
    pay(&agent, 5).unwrap();
    let used = block_on(desk.request(id)).unwrap();
    assert_eq!(used.state(), ApprovalState::Consumed);

    let id = asked(pay(&agent, 5));
    block_on(desk.reject(id, &alice(), None)).unwrap();
    assert!(matches!(
        pay(&agent, 5),
        Err(GuardError::ApprovalRefused(_))
    ));

    let id = asked(pay(&agent, 7));
    block_on(desk.approve(id, &alice(), None)).unwrap();
    block_on(desk.revoke(id, &alice(), None)).unwrap();
    assert_ne!(asked(pay(&agent, 7)), id);
}

/// One call that nobody could read would keep people from all others.
fn what_is_kept_can_be_read(place: &Place) {
    let folder = TempDir::new().unwrap();
    let agent = context(ASK, &folder, place.approvals());
    let desk = place.approvals().desk(agent.audit_log());
    for depth in [1, 100, 109, 110, 123, 124, 127, 128, 129] {
        let nested = (0..depth).fold(json!(1), |inner, _| json!([inner]));
        let call = ToolCall::new("pay", "refund").arguments(json!({"amount": nested}));
        match agent.guard(call).run_blocking(|| Ok(())) {
            Err(GuardError::ApprovalRequired(pending)) => {
                let read = block_on(desk.request(pending.request_id()));
                assert!(read.is_ok(), "{depth}: {read:?}");
            }
            Err(GuardError::ApprovalUnavailable(error)) => {
                assert!(depth > 100, "{depth}: {error}");
                assert!(error.to_string().contains("nests too deep"), "{error}");
            }
            other => panic!("{depth}: {other:?}"),
        }
    }
    assert!(block_on(desk.requests(&ApprovalQuery::newest(100))).is_ok());
}

fn a_grant_outlives_its_process(place: &Place) {
    let folder = TempDir::new().unwrap();
    let id = {
        let agent = context(ASK, &folder, place.approvals());
        asked(pay(&agent, 5))
    };
    {
        let agent = context(ASK, &folder, place.approvals());
        assert_eq!(asked(pay(&agent, 5)), id);
        let desk = place.approvals().desk(agent.audit_log());
        block_on(desk.approve(id, &alice(), None)).unwrap();
    }
    let agent = context(ASK, &folder, place.approvals());
    pay(&agent, 5).unwrap();
    drop(agent);
    let agent = context(ASK, &folder, place.approvals());
    assert_ne!(asked(pay(&agent, 5)), id);
}

fn a_call_that_waits_is_woken_by_another(place: &Place) {
    let folder = TempDir::new().unwrap();
    let agent = context(ASK, &folder, place.approvals()).wait_for_approval(LONG);
    let desk = place.approvals().desk(agent.audit_log());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pay(&agent, 5));
        let mut news = 0;
        let request = loop {
            let query = ApprovalQuery::newest(1);
            if let Some(request) = block_on(desk.requests(&query)).unwrap().requests.pop() {
                break request;
            }
            news = block_on(desk.news(news, LONG)).unwrap();
        };
        block_on(desk.approve(request.id(), &alice(), None)).unwrap();
        waiting.join().unwrap().unwrap();
    });
}

fn of_many_calls_one_uses_the_grant(place: &Place) {
    const CALLS: usize = 16;
    let folder = TempDir::new().unwrap();
    let agents: Vec<_> = (0..2)
        .map(|_| context(ASK, &folder, place.approvals()))
        .collect();
    let desk = place.approvals().desk(agents[0].audit_log());
    for amount in 0..5 {
        let id = asked(pay(&agents[0], amount));
        block_on(desk.approve(id, &alice(), None)).unwrap();
        let ran = AtomicUsize::new(0);
        let barrier = Barrier::new(CALLS);
        thread::scope(|scope| {
            for call in 0..CALLS {
                let (agent, ran, barrier) = (&agents[call % 2], &ran, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let call = ToolCall::new("pay", "refund").arguments(json!({"amount": amount}));
                    let result = agent.guard(call).run_blocking(|| {
                        ran.fetch_add(1, Ordering::SeqCst);
                        Ok::<_, GuardError>(())
                    });
                    let is_refused = matches!(result, Err(GuardError::ApprovalRequired(_)));
                    assert!(result.is_ok() || is_refused, "{result:?}");
                });
            }
        });
        assert_eq!(ran.into_inner(), 1);
        assert_ne!(asked(pay(&agents[1], amount)), id);
    }
}

fn a_waiting_call_that_goes_away_withdraws_its_request(place: &Place) {
    let folder = TempDir::new().unwrap();
    let agent = context(ASK, &folder, place.approvals()).wait_for_approval(LONG);
    let desk = place.approvals().desk(agent.audit_log());
    let mut call = Box::pin(waits(&agent));
    let mut news = block_on(desk.news(0, LONG)).unwrap();
    let id = loop {
        let polled = block_on(std::future::poll_fn(|context| {
            std::task::Poll::Ready(call.as_mut().poll(context))
        }));
        assert!(polled.is_pending());
        let records = agent.audit_log().read_all().unwrap();
        let asked = records
            .iter()
            .find(|r| r.event == AuditEvent::ApprovalRequired);
        if let Some(asked) = asked {
            break asked.request_id.unwrap();
        }
    };
    drop(call);
    while block_on(desk.request(id)).unwrap().state() == ApprovalState::Requested {
        news = block_on(desk.news(news, LONG)).unwrap();
    }
    let state = block_on(desk.request(id)).unwrap().state();
    assert_eq!(state, ApprovalState::Withdrawn);
}

async fn waits(agent: &GuardContext) -> Result<(), GuardError> {
    let call = ToolCall::new("pay", "refund").arguments(json!({"amount": 5}));
    agent.guard(call).run(|| async { Ok(()) }).await
}

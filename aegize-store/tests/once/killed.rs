//! All are killed at some moment: nothing runs twice, and the log tells what became of each grant.

use std::sync::mpsc;

use aegize_core::{ApprovalState, ApprovalStore as _, Approver, GuardError};
use aegize_store::Store;
use pollster::block_on;
use uuid::Uuid;

use crate::database::Scratch;
use crate::ledger::Ledger;
use crate::worker::{CALLS, Worker, agent, call};

const WORKERS: usize = 2;

pub(crate) fn at_any_moment(scratch: &Scratch, rounds: u32) -> String {
    let alice = Approver::new("alice").expect("a name");
    let (mut ran, mut lost, mut unused, mut unallowed) = (0, 0, 0, 0);
    for round in 0..rounds {
        let id = {
            let (context, approvals) = agent(scratch.url(), scratch.folder());
            let asked = call(&context, scratch.folder(), round);
            let Err(GuardError::ApprovalRequired(pending)) = asked else {
                panic!("{asked:?}");
            };
            let desk = approvals.desk(context.audit_log());
            let approved = block_on(desk.approve(pending.request_id(), &alice, None));
            approved.expect("it is approved").id()
        };
        kill_some_while_they_call(scratch, round, id);

        // Whoever opens the log closes what the dead left open.
        let (context, approvals) = agent(scratch.url(), scratch.folder());
        let ledger = Ledger::read(scratch.folder());
        let desk = approvals.desk(context.audit_log());
        let grant = block_on(desk.request(id)).expect("it is there");
        let effects = scratch.effects(round);
        match grant.state() {
            ApprovalState::Granted => {
                assert_eq!(effects, 0, "round {round}: it ran and was not used up");
                unused += 1;
            }
            ApprovalState::Consumed => {
                assert!(effects <= 1, "round {round}: it ran {effects} times");
                let attempt = grant.consumed_by()[0];
                assert!(ledger.has_asked(attempt, id), "round {round}: no record");
                let recorded = ledger.consumed(id);
                assert!(recorded.is_none_or(|recorded| recorded == attempt));
                assert_eq!(
                    recorded.is_some(),
                    ledger.has_ended(attempt),
                    "round {round}: open"
                );
                if ledger.is_allowed(attempt) {
                    assert_eq!(recorded, Some(attempt), "round {round}: it ran unrecorded");
                } else {
                    // Killed between the store and the last record before the body.
                    assert_eq!(effects, 0, "round {round}: it ran and was not allowed");
                    unallowed += 1;
                }
                ran += effects;
                lost += 1 - effects;
            }
            state => panic!("round {round}: {state}"),
        }
        // The same call once more: it runs if the grant is unused, and then never again.
        let is_unused = grant.state() == ApprovalState::Granted;
        for expected in [is_unused, false] {
            let result = call(&context, scratch.folder(), round);
            assert_eq!(result.is_ok(), expected, "round {round}: {result:?}");
        }
        assert_eq!(scratch.effects(round), effects + usize::from(is_unused));
    }
    format!(
        "{rounds} kills of {WORKERS} processes: {ran} had run, {lost} were used and had not \
         ({unallowed} of them before they were allowed), {unused} were unused"
    )
}

/// Calls are made, and all who make them are killed: at the first word of a body, as soon as the
/// store says that the grant is used, or before that.
fn kill_some_while_they_call(scratch: &Scratch, round: u32, id: Uuid) {
    let store = block_on(Store::open(scratch.url())).expect("the store opens");
    let (said, hear) = mpsc::channel();
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|number| Worker::start(scratch.url(), scratch.folder(), number, said.clone()))
        .collect();
    drop(said);
    let is_word = |word: &str| {
        let (_, line) = hear.recv().expect("workers live");
        line.expect("no worker ends") == word
    };
    (0..WORKERS).for_each(|_| assert!(is_word("ready")));
    for worker in &mut workers {
        worker.say(&round.to_string());
    }
    let is_used = || {
        let grant = block_on(store.load(id)).expect("an answer").value;
        grant.expect("a grant").state() == ApprovalState::Consumed
    };
    match round % 4 {
        0 => while !is_word("body") {},
        1 | 2 => while !is_used() {},
        _ => {
            let some = usize::try_from(round).expect("a number") * 7 % (CALLS * WORKERS);
            for _ in 0..=some {
                is_word("begun");
            }
        }
    }
    workers.iter_mut().for_each(Worker::kill);
    workers.into_iter().for_each(Worker::end);
}

//! All are killed at some moment: nothing runs twice, and the log tells what became of each grant.

use std::sync::mpsc;

use aegize_core::{ApprovalState, Approver, GuardError};
use pollster::block_on;

use crate::database::Scratch;
use crate::ledger::Ledger;
use crate::worker::{CALLS, Worker, agent, call};

const WORKERS: usize = 2;

pub(crate) fn at_any_moment(scratch: &Scratch, rounds: u32) -> String {
    let alice = Approver::new("alice").expect("a name");
    let (mut ran, mut lost, mut unused, mut unrecorded) = (0, 0, 0, 0);
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
        kill_some_while_they_call(scratch, round);

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
                if let Some(recorded) = ledger.consumed(id) {
                    assert_eq!(attempt, recorded);
                    assert!(ledger.has_ended(attempt), "round {round}: open");
                } else {
                    // Killed between the store and the log: before the body, and so without it.
                    assert_eq!(effects, 0, "round {round}: it ran unrecorded");
                    unrecorded += 1;
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
         ({unrecorded} of them before that was recorded), {unused} were unused"
    )
}

/// Calls are made, and all who make them are killed: at the first word of a body every other time,
/// and otherwise after any number of words.
fn kill_some_while_they_call(scratch: &Scratch, round: u32) {
    let (said, hear) = mpsc::channel();
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|number| Worker::start(scratch.url(), scratch.folder(), number, said.clone()))
        .collect();
    drop(said);
    let words = |word: &str| {
        let (_, line) = hear.recv().expect("workers live");
        line.expect("no worker ends") == word
    };
    (0..WORKERS).for_each(|_| assert!(words("ready")));
    for worker in &mut workers {
        worker.say(&round.to_string());
    }
    if round.is_multiple_of(2) {
        while !words("body") {}
    } else {
        // Somewhere in the first half of all calls, where the grant is taken.
        let calls = CALLS * WORKERS / 2;
        let some = usize::try_from(round).expect("a number") * 7 % calls;
        for _ in 0..=some {
            words("begun");
        }
    }
    workers.iter_mut().for_each(Worker::kill);
    workers.into_iter().for_each(Worker::end);
}

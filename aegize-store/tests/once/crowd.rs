//! Nobody is killed: of all calls that are made at once, exactly one runs for each grant.

use std::sync::mpsc;

use aegize_core::{ApprovalState, Approver, GuardError};
use pollster::block_on;

use crate::database::Scratch;
use crate::ledger::Ledger;
use crate::worker::{CALLS, Worker, agent, call};

const WORKERS: usize = 4;

pub(crate) fn four_processes(scratch: &Scratch, rounds: u32) -> String {
    let (context, approvals) = agent(scratch.url(), scratch.folder());
    let desk = approvals.desk(context.audit_log());
    let alice = Approver::new("alice").expect("a name");
    let (said, hear) = mpsc::channel();
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|number| Worker::start(scratch.url(), scratch.folder(), number, said.clone()))
        .collect();
    // What they say in a round, but for what is said of single calls.
    let all = |word: &str| -> Vec<String> {
        let mut lines = Vec::new();
        while lines.len() < WORKERS {
            let (_, line) = hear.recv().expect("workers live");
            let line = line.expect("no worker ends");
            lines.extend(line.strip_prefix(word).map(str::to_owned));
        }
        lines
    };
    all("ready");
    let mut grants = Vec::new();
    for round in 0..rounds {
        let asked = call(&context, scratch.folder(), round);
        let Err(GuardError::ApprovalRequired(pending)) = asked else {
            panic!("{asked:?}");
        };
        let id = pending.request_id();
        block_on(desk.approve(id, &alice, None)).expect("it is approved");
        for worker in &mut workers {
            worker.say(&round.to_string());
        }
        let mut sums = [0; 3];
        for line in all("done") {
            for (sum, number) in sums.iter_mut().zip(line.split_whitespace()) {
                *sum += number.parse::<usize>().expect("a number");
            }
        }
        // On a busy machine the store may be late for some, which is a refusal, too.
        let [ran, refused, failed] = sums;
        assert_eq!(
            (ran, refused + failed),
            (1, WORKERS * CALLS - 1),
            "round {round}"
        );
        assert_eq!(scratch.effects(round), 1, "round {round}");
        let used = block_on(desk.request(id)).expect("it is there");
        assert_eq!(used.state(), ApprovalState::Consumed);
        grants.push(used);
    }
    workers.into_iter().for_each(Worker::end);
    let ledger = Ledger::read(scratch.folder());
    for grant in &grants {
        let attempt = ledger.consumed(grant.id()).expect("it is on record");
        assert_eq!(grant.consumed_by(), [attempt]);
        assert!(ledger.has_succeeded(attempt));
    }
    let calls = grants.len() * WORKERS * CALLS;
    format!("{} grants, {calls} calls", grants.len())
}

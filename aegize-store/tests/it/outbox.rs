//! What channels are told is told, and nobody tells it beside another.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use aegize_core::ApprovalStore as _;
use aegize_store::{Delivery, DeliveryKind, DeliveryState, Outbox};
use pollster::block_on;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::places::Place;
use crate::samples::Samples;

of_every_database!(
    a_delivery_is_there_once_and_outlives_its_process,
    what_one_has_claimed_no_other_gets,
    what_fails_is_due_again_or_given_up,
    whoever_was_told_is_told_of_the_end,
    what_failed_counts_while_people_are_asked,
);

const LONG: Duration = Duration::from_hours(1);

fn claim(outbox: &Outbox, channel: &str, lease: Duration) -> Vec<Delivery> {
    block_on(outbox.claim(channel, 100, lease)).unwrap()
}

fn a_delivery_is_there_once_and_outlives_its_process(place: &Place) {
    let (request, other) = (Uuid::now_v7(), Uuid::now_v7());
    let outbox = place.store().outbox();
    let enqueue =
        |request, channel, kind| block_on(outbox.enqueue(request, channel, kind)).unwrap();
    assert!(enqueue(request, "slack", DeliveryKind::Asked));
    assert!(!enqueue(request, "slack", DeliveryKind::Asked));
    assert!(enqueue(request, "slack", DeliveryKind::Reminded));
    assert!(enqueue(request, "mail", DeliveryKind::Asked));
    assert!(enqueue(other, "slack", DeliveryKind::Asked));
    let outbox = place.store().outbox();
    let all = block_on(outbox.of_request(request)).unwrap();
    let told: Vec<_> = all
        .iter()
        .map(|d| (&*d.channel, d.kind, d.state, d.attempts))
        .collect();
    let pending = DeliveryState::Pending;
    assert_eq!(
        told,
        [
            ("slack", DeliveryKind::Asked, pending, 0),
            ("slack", DeliveryKind::Reminded, pending, 0),
            ("mail", DeliveryKind::Asked, pending, 0),
        ]
    );
    let claimed = claim(&outbox, "slack", LONG);
    assert_eq!(claimed.len(), 3);
    assert!(
        claimed
            .iter()
            .all(|d| d.channel == "slack" && d.attempts == 1)
    );
    assert_eq!(claimed[2].request_id, other);
    let receipt = Some("C1:1.2");
    block_on(outbox.delivered(claimed[0].id, receipt)).unwrap();
    let first = block_on(outbox.of_request(request)).unwrap().remove(0);
    assert_eq!(first.state, DeliveryState::Delivered);
    assert_eq!(first.receipt.as_deref(), receipt);
    // It is told once, also after that.
    assert!(!block_on(outbox.enqueue(request, "slack", DeliveryKind::Asked)).unwrap());
}

fn what_one_has_claimed_no_other_gets(place: &Place) {
    const SERVERS: usize = 4;
    const DELIVERIES: usize = 60;
    let outboxes: Vec<_> = (0..SERVERS).map(|_| place.store().outbox()).collect();
    for _ in 0..DELIVERIES {
        let enqueued = outboxes[0].enqueue(Uuid::now_v7(), "slack", DeliveryKind::Asked);
        assert!(block_on(enqueued).unwrap());
    }
    let barrier = Barrier::new(SERVERS);
    let claimed: Vec<i64> = thread::scope(|scope| {
        let servers: Vec<_> = outboxes
            .iter()
            .map(|outbox| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    let mut mine = Vec::new();
                    loop {
                        let some = block_on(outbox.claim("slack", 7, LONG)).unwrap();
                        assert!(some.len() <= 7);
                        if some.is_empty() {
                            return mine;
                        }
                        mine.extend(some.into_iter().map(|delivery| delivery.id));
                        assert!(mine.len() <= DELIVERIES, "claimed again and again");
                    }
                })
            })
            .collect();
        servers
            .into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    let different: BTreeSet<_> = claimed.iter().collect();
    assert_eq!(claimed.len(), different.len());
    // A server may have seen nothing to claim while another one held the rest.
    let left = claim(&outboxes[0], "slack", LONG).len();
    assert_eq!(claimed.len() + left, DELIVERIES);

    // A lease that is over is nobody's.
    let request = Uuid::now_v7();
    block_on(outboxes[0].enqueue(request, "slack", DeliveryKind::Asked)).unwrap();
    assert_eq!(claim(&outboxes[1], "slack", Duration::ZERO).len(), 1);
    let again = claim(&outboxes[2], "slack", LONG);
    assert_eq!((again[0].request_id, again[0].attempts), (request, 2));
}

fn what_fails_is_due_again_or_given_up(place: &Place) {
    let outbox = place.store().outbox();
    let request = Uuid::now_v7();
    block_on(outbox.enqueue(request, "slack", DeliveryKind::Asked)).unwrap();
    let id = claim(&outbox, "slack", LONG)[0].id;
    let only = || block_on(outbox.of_request(request)).unwrap().remove(0);
    let problems = || block_on(outbox.problems(10)).unwrap();
    assert_eq!(problems(), []);

    block_on(outbox.failed(id, "no answer", Some(LONG))).unwrap();
    assert_eq!(claim(&outbox, "slack", LONG), []);
    assert_eq!(problems(), [only()]);
    assert_eq!(only().error.as_deref(), Some("no answer"));
    assert_eq!(only().state, DeliveryState::Pending);

    block_on(outbox.failed(id, "still none", Some(Duration::ZERO))).unwrap();
    assert_eq!(claim(&outbox, "slack", LONG), [only()]);
    assert_eq!(only().attempts, 2);

    block_on(outbox.failed(id, "not wanted", None)).unwrap();
    assert_eq!(only().state, DeliveryState::GivenUp);
    assert_eq!(claim(&outbox, "slack", LONG), []);

    let second = Uuid::now_v7();
    block_on(outbox.enqueue(second, "mail", DeliveryKind::Asked)).unwrap();
    let other = claim(&outbox, "mail", LONG)[0].id;
    block_on(outbox.failed(other, "later", Some(Duration::MAX))).unwrap();
    let ids: Vec<_> = problems().iter().map(|problem| problem.id).collect();
    assert_eq!(ids, [other, id], "the latest failure first");
    assert_eq!(block_on(outbox.problems(1)).unwrap().len(), 1);
    block_on(outbox.delivered(other, None)).unwrap();
    assert_eq!(problems(), [only()]);
    // Whoever comes too late changes nothing.
    block_on(outbox.failed(other, "late", None)).unwrap();
    let delivered = block_on(outbox.of_request(second)).unwrap().remove(0);
    assert_eq!(delivered.state, DeliveryState::Delivered);
    assert_eq!(delivered.error, None);
}

fn whoever_was_told_is_told_of_the_end(place: &Place) {
    let outbox = place.store().outbox();
    let request = Uuid::now_v7();
    let unended = || block_on(outbox.unended()).unwrap();
    let enqueue = |channel, kind| block_on(outbox.enqueue(request, channel, kind)).unwrap();
    for channel in ["slack", "mail"] {
        assert!(enqueue(channel, DeliveryKind::Asked));
    }
    assert_eq!(unended(), [], "nobody was told yet");
    let id = claim(&outbox, "slack", LONG)[0].id;
    block_on(outbox.delivered(id, None)).unwrap();
    assert_eq!(unended(), [(request, "slack".to_owned())]);
    assert!(enqueue("slack", DeliveryKind::Reminded));
    let id = claim(&outbox, "slack", LONG)[0].id;
    block_on(outbox.delivered(id, None)).unwrap();
    assert_eq!(unended().len(), 1);
    assert!(enqueue("slack", DeliveryKind::Ended));
    assert!(!enqueue("slack", DeliveryKind::Ended));
    assert_eq!(unended(), []);
    let id = claim(&outbox, "mail", LONG)[0].id;
    block_on(outbox.delivered(id, None)).unwrap();
    assert_eq!(unended(), [(request, "mail".to_owned())]);
}

fn what_failed_counts_while_people_are_asked(place: &Place) {
    let samples = Samples::new();
    let store = place.store();
    let outbox = store.outbox();
    let requests = [samples.bound(1), samples.bound(2)];
    for request in &requests {
        assert!(block_on(store.insert(request.clone())).unwrap());
        for channel in ["slack", "mail"] {
            block_on(outbox.enqueue(request.id(), channel, DeliveryKind::Asked)).unwrap();
        }
    }
    let count = || block_on(outbox.open_problems()).unwrap();
    assert_eq!(count(), 0);
    for delivery in claim(&outbox, "slack", LONG) {
        block_on(outbox.failed(delivery.id, "no answer", None)).unwrap();
    }
    for delivery in claim(&outbox, "mail", LONG) {
        block_on(outbox.failed(delivery.id, "no answer", Some(Duration::ZERO))).unwrap();
    }
    assert_eq!(count(), 4);
    let mail = claim(&outbox, "mail", LONG);
    block_on(outbox.delivered(mail[0].id, None)).unwrap();
    assert_eq!(count(), 3);
    // Nobody waits for it any more, and it stays where it can be looked at.
    let now = OffsetDateTime::now_utc() - time::Duration::seconds(1);
    let ended = requests[1].withdraw(now).unwrap();
    assert!(block_on(store.replace(ended)).unwrap());
    assert_eq!(count(), 1);
    assert_eq!(block_on(outbox.problems(10)).unwrap().len(), 3);
}

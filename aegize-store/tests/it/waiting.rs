//! Whoever waits for a change is woken by it, whoever made it.

use std::thread;

use aegize_core::ApprovalQuery;
use pollster::block_on;
use uuid::Uuid;

use crate::places::Place;
use crate::samples::Samples;

of_every_store!(
    a_change_elsewhere_wakes_those_who_wait_for_it,
    what_changed_before_is_no_reason_to_wait,
    news_are_told_of_any_change,
);

/// Two take turns, each woken by what the other did.
fn a_change_elsewhere_wakes_those_who_wait_for_it(place: &Place) {
    const TURNS: u64 = 20;
    let stores = [place.open(), place.open()];
    let request = Samples::new().bound(1);
    let id = request.id();
    assert!(block_on(stores[0].insert(request)).unwrap());
    thread::scope(|scope| {
        for (turn, store) in stores.iter().enumerate() {
            scope.spawn(move || {
                for revision in 0..TURNS {
                    if revision % 2 == turn as u64 {
                        let seen = block_on(store.load(id)).unwrap();
                        let next = seen.value.unwrap().ask_again(seen.at).unwrap();
                        assert!(block_on(store.replace(next)).unwrap());
                    }
                    // It may be woken too early.
                    let is_there = || {
                        let now = block_on(store.load(id)).unwrap().value.unwrap();
                        now.revision() > revision
                    };
                    while !is_there() {
                        block_on(store.changed(id, revision)).unwrap();
                    }
                }
            });
        }
    });
}

fn what_changed_before_is_no_reason_to_wait(place: &Place) {
    let store = place.open();
    block_on(store.changed(Uuid::now_v7(), 0)).unwrap();
    let request = Samples::new().bound(1);
    assert!(block_on(store.insert(request.clone())).unwrap());
    block_on(store.changed(request.id(), 1)).unwrap();
}

fn news_are_told_of_any_change(place: &Place) {
    let samples = Samples::new();
    let (store, other) = (place.open(), place.open());
    let mut after = block_on(store.news(0)).unwrap();
    for number in 0..5 {
        // Between two calls, nobody waits, and nothing gets lost.
        assert!(block_on(other.insert(samples.bound(number))).unwrap());
        let mut found = 0;
        while found <= number {
            after = block_on(store.news(after)).unwrap();
            let query = ApprovalQuery::newest(100);
            found = block_on(store.list(query)).unwrap().value.requests.len() as u64;
        }
    }
    assert!(block_on(store.insert(samples.bound(9))).unwrap());
    block_on(store.news(after)).unwrap();
}

//! What is kept is there, once, for everyone.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use aegize_core::{
    ApprovalList, ApprovalQuery, ApprovalRequest, ApprovalState, Approver, Binding, Remember,
};
use pollster::block_on;
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::places::Place;
use crate::samples::{Samples, at};

of_every_store!(
    the_key_is_the_same_for_all,
    what_is_kept_is_found,
    a_standing_grant_is_found_by_its_scope,
    the_same_is_asked_once,
    a_revision_takes_the_place_of_the_one_before,
    of_many_that_replace_one_does,
    of_many_that_insert_one_does,
    what_is_over_takes_no_place,
    a_clock_that_was_set_back_ends_requests,
    lists_are_paged_from_the_newest,
    queries_select_what_they_say,
);

/// Not after what the clock of any store says, which may be coarser.
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc() - time::Duration::SECOND
}

fn binding(number: u64) -> Binding {
    format!("{number:064x}").parse().unwrap()
}

fn alice() -> Approver {
    Approver::new("alice").unwrap()
}

fn the_key_is_the_same_for_all(place: &Place) {
    const OPENED: usize = 4;
    let stores: Vec<_> = (0..OPENED).map(|_| place.open()).collect();
    let barrier = Barrier::new(OPENED);
    let keys: Vec<_> = thread::scope(|scope| {
        let asking = stores.iter().map(|store| {
            scope.spawn(|| {
                barrier.wait();
                block_on(store.key()).unwrap()
            })
        });
        let asking: Vec<_> = asking.collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
    drop(stores);
    assert!(block_on(place.open().key()).unwrap() == keys[0]);
}

fn what_is_kept_is_found(place: &Place) {
    let samples = Samples::new();
    let (store, other) = (place.open(), place.open());
    let request = samples.edited(1, |value| {
        let action = &mut value["question"]["action"];
        action["arguments"] = json!({"text": "é\u{301} \" ' \\ \u{0} 🦀", "n": 1e300, "l": [null]});
    });
    assert!(block_on(store.insert(request.clone())).unwrap());
    let before = now() - time::Duration::seconds(1);
    let seen = block_on(other.load(request.id())).unwrap();
    assert_eq!(seen.value, Some(request.clone()));
    assert!(before < seen.at && seen.at < now() + time::Duration::seconds(2));
    assert_eq!(block_on(other.load(Uuid::now_v7())).unwrap().value, None);

    let find = |number: u64, scope: u64| {
        let found = block_on(other.find(binding(number), binding(scope)));
        found.unwrap().value
    };
    assert_eq!(find(1, 0), std::slice::from_ref(&request));
    assert_eq!(find(2, 0), []);
    // Nothing stands in its scope.
    assert_eq!(
        block_on(other.find(binding(2), request.scope()))
            .unwrap()
            .value,
        []
    );

    // The oldest first, and only what may answer a call.
    let rejected = request.reject(&alice(), Some("no"), now()).unwrap();
    assert!(block_on(store.replace(rejected.clone())).unwrap());
    let again = samples.bound(1);
    assert!(block_on(store.insert(again.clone())).unwrap());
    assert_eq!(find(1, 0), [rejected.clone(), again.clone()]);
    let granted = again.approve(&alice(), None, None, now()).unwrap();
    assert!(block_on(store.replace(granted.clone())).unwrap());
    assert_eq!(find(1, 0), [rejected.clone(), granted.clone()]);
    let consumed = granted.consume(Uuid::now_v7(), now()).unwrap();
    assert!(block_on(store.replace(consumed)).unwrap());
    assert_eq!(find(1, 0), [rejected]);
}

fn a_standing_grant_is_found_by_its_scope(place: &Place) {
    let samples =
        Samples::with_policy("agents: {bot: {require_approval: [{tool: pay, remember: 1h}]}}");
    let store = place.open();
    let request = samples.bound(1);
    let scope = request.scope();
    assert!(block_on(store.insert(request.clone())).unwrap());
    let find = |number: u64, scope| block_on(store.find(binding(number), scope)).unwrap().value;
    assert_eq!(find(2, scope), []);

    let hour = Remember::new(Duration::from_hours(1), 2).unwrap();
    let to_small = hour.conditions("args: {amount: {max: 9}}").unwrap();
    let standing = request
        .approve(&alice(), None, Some(&to_small), now())
        .unwrap();
    assert!(standing.is_standing());
    assert!(block_on(store.replace(standing.clone())).unwrap());
    assert_eq!(find(2, scope), std::slice::from_ref(&standing));
    assert_eq!(find(1, scope), std::slice::from_ref(&standing));
    assert_eq!(find(2, binding(0)), []);

    let used = standing.consume(Uuid::now_v7(), now()).unwrap();
    assert_eq!(used.state(), ApprovalState::Granted);
    assert!(block_on(store.replace(used.clone())).unwrap());
    assert_eq!(find(2, scope), std::slice::from_ref(&used));
    let used_up = used.consume(Uuid::now_v7(), now()).unwrap();
    assert!(block_on(store.replace(used_up)).unwrap());
    assert_eq!(find(2, scope), []);
}

fn the_same_is_asked_once(place: &Place) {
    let samples = Samples::new();
    let store = place.open();
    let first = samples.bound(1);
    assert!(block_on(store.insert(first.clone())).unwrap());
    assert!(!block_on(store.insert(samples.bound(1))).unwrap());
    assert!(block_on(store.insert(samples.bound(2))).unwrap());
    // Other terms ask others.
    let strict = samples.edited(1, |value| {
        value["question"]["terms"][0]["quorum"] = json!(2);
    });
    assert!(block_on(store.insert(strict.clone())).unwrap());
    let half = strict.approve(&alice(), None, None, now()).unwrap();
    assert_eq!(half.state(), ApprovalState::Requested);
    assert!(block_on(store.replace(half)).unwrap());
    // Once it is answered, it may be asked again.
    let granted = first.approve(&alice(), None, None, now()).unwrap();
    assert!(block_on(store.replace(granted)).unwrap());
    assert!(block_on(store.insert(samples.bound(1))).unwrap());
}

fn a_revision_takes_the_place_of_the_one_before(place: &Place) {
    let samples = Samples::new();
    let (store, other) = (place.open(), place.open());
    let first = samples.bound(1);
    assert!(!block_on(store.replace(first.ask_again(now()).unwrap())).unwrap());
    assert!(block_on(store.insert(first.clone())).unwrap());
    assert!(!block_on(store.replace(first.clone())).unwrap());
    let second = first.ask_again(now()).unwrap();
    let third = second.ask_again(now()).unwrap();
    assert!(!block_on(store.replace(third.clone())).unwrap());
    assert!(block_on(other.replace(second.clone())).unwrap());
    assert!(!block_on(store.replace(second)).unwrap());
    assert!(block_on(store.replace(third.clone())).unwrap());
    assert_eq!(block_on(other.load(first.id())).unwrap().value, Some(third));
}

fn of_many_that_replace_one_does(place: &Place) {
    const MANY: usize = 16;
    let samples = Samples::new();
    let stores = [place.open(), place.open()];
    for round in 0..10 {
        let request = samples.bound(round);
        assert!(block_on(stores[0].insert(request.clone())).unwrap());
        let granted = request.approve(&alice(), None, None, now()).unwrap();
        assert!(block_on(stores[0].replace(granted.clone())).unwrap());
        let barrier = Barrier::new(MANY);
        let won: Vec<ApprovalRequest> = thread::scope(|scope| {
            let trying = (0..MANY).map(|index| {
                let (granted, barrier, stores) = (&granted, &barrier, &stores);
                scope.spawn(move || {
                    let consumed = granted.consume(Uuid::now_v7(), now()).unwrap();
                    barrier.wait();
                    let is_ours = block_on(stores[index % 2].replace(consumed.clone())).unwrap();
                    is_ours.then_some(consumed)
                })
            });
            let trying: Vec<_> = trying.collect();
            trying
                .into_iter()
                .filter_map(|one| one.join().unwrap())
                .collect()
        });
        assert_eq!(won.len(), 1);
        let kept = block_on(stores[1].load(request.id())).unwrap().value;
        assert_eq!(kept.as_ref(), won.first());
    }
}

fn of_many_that_insert_one_does(place: &Place) {
    const MANY: usize = 16;
    let samples = Samples::new();
    let stores = [place.open(), place.open()];
    for round in 0..10 {
        let barrier = Barrier::new(MANY);
        let inserted: usize = thread::scope(|scope| {
            let trying = (0..MANY).map(|index| {
                let (samples, barrier, stores) = (&samples, &barrier, &stores);
                scope.spawn(move || {
                    let request = samples.bound(round);
                    barrier.wait();
                    block_on(stores[index % 2].insert(request)).unwrap()
                })
            });
            let trying: Vec<_> = trying.collect();
            trying
                .into_iter()
                .map(|one| usize::from(one.join().unwrap()))
                .sum()
        });
        assert_eq!(inserted, 1);
        let found = block_on(stores[0].find(binding(round), binding(0))).unwrap();
        assert_eq!(found.value.len(), 1);
    }
}

/// The next revision was made in time, and comes to the store too late.
fn what_is_over_takes_no_place(place: &Place) {
    let samples = Samples::new();
    let store = place.open();
    let made = now() - time::Duration::seconds(60);
    let stale = |binding| {
        samples.edited(binding, |value| {
            at(value, "created_at", made, 0);
            at(value, "updated_at", made, 0);
            at(value, "expires_at", made, 30);
            value["grant_ttl"] = json!({"secs": 30, "nanos": 0});
        })
    };
    let request = stale(1);
    assert!(block_on(store.insert(request.clone())).unwrap());
    let in_time = made + time::Duration::seconds(10);
    let granted = request.approve(&alice(), None, None, in_time).unwrap();
    let again = request.ask_again(in_time).unwrap();
    assert!(!block_on(store.replace(granted)).unwrap());
    assert!(!block_on(store.replace(again)).unwrap());
    let expired = request.expire(now()).unwrap();
    assert!(block_on(store.replace(expired.clone())).unwrap());

    // What ends a request otherwise is not late.
    let request = stale(2);
    assert!(block_on(store.insert(request.clone())).unwrap());
    let withdrawn = request.withdraw(in_time).unwrap();
    assert!(block_on(store.replace(withdrawn)).unwrap());

    // A grant is used in time, or not at all.
    let granted = stale(3).approve(&alice(), None, None, in_time).unwrap();
    assert!(block_on(store.insert(granted.clone())).unwrap());
    let consumed = granted.consume(Uuid::now_v7(), in_time).unwrap();
    assert!(!block_on(store.replace(consumed)).unwrap());
    let kept = block_on(store.load(granted.id())).unwrap().value;
    assert_eq!(kept, Some(granted));
}

/// A grant of a time that has not come yet was made before the clock was set back.
fn a_clock_that_was_set_back_ends_requests(place: &Place) {
    let samples = Samples::new();
    let store = place.open();
    let made = now() + time::Duration::seconds(60);
    let request = samples.edited(1, |value| {
        at(value, "created_at", made, 0);
        at(value, "updated_at", made, 0);
        at(value, "expires_at", made, 600);
    });
    let granted = request.approve(&alice(), None, None, made).unwrap();
    assert!(block_on(store.insert(granted.clone())).unwrap());
    let seen = block_on(store.load(granted.id())).unwrap();
    assert!(granted.is_over(seen.at));
    let consumed = granted.consume(Uuid::now_v7(), made).unwrap();
    assert!(!block_on(store.replace(consumed)).unwrap());
    let expired = granted.expire(seen.at).unwrap();
    assert!(block_on(store.replace(expired)).unwrap());
}

fn lists_are_paged_from_the_newest(place: &Place) {
    let samples = Samples::new();
    let store = place.open();
    let mut requests: Vec<_> = (0..25).map(|number| samples.bound(number)).collect();
    for request in &requests {
        assert!(block_on(store.insert(request.clone())).unwrap());
    }
    requests.reverse();
    let mut query = ApprovalQuery::newest(10);
    let mut listed = Vec::new();
    for expected in [10, 10, 5, 0] {
        let page = block_on(store.list(query.clone())).unwrap().value.requests;
        assert_eq!(page.len(), expected);
        query.before = page.last().map(ApprovalRequest::id).or(query.before);
        listed.extend(page);
    }
    assert_eq!(listed, requests);
    assert_eq!(
        block_on(store.list(ApprovalQuery::newest(0)))
            .unwrap()
            .value,
        ApprovalList::default()
    );
    let all = block_on(store.list(ApprovalQuery::newest(usize::MAX))).unwrap();
    assert_eq!(all.value.requests.len(), 25);
}

fn queries_select_what_they_say(place: &Place) {
    let samples = Samples::new();
    let store = place.open();
    let mut requests = Vec::new();
    let names = ["a", "b' OR 1=1 --", "%"];
    for number in 0..27 {
        let request = samples.edited(number as u64, |value| {
            let action = &mut value["question"]["action"];
            action["agent_id"] = json!(names[number / 9]);
            action["tool_name"] = json!(names[number / 3 % 3]);
            action["operation"] = json!(names[number % 3]);
        });
        assert!(block_on(store.insert(request.clone())).unwrap());
        let next = match number % 4 {
            0 => None,
            1 => Some(request.approve(&alice(), None, None, now()).unwrap()),
            2 => Some(request.reject(&alice(), None, now()).unwrap()),
            _ => Some(request.withdraw(now()).unwrap()),
        };
        if let Some(next) = &next {
            assert!(block_on(store.replace(next.clone())).unwrap());
        }
        requests.push(next.unwrap_or(request));
    }
    requests.reverse();
    let mut states: Vec<_> = ApprovalState::ALL
        .iter()
        .map(|state| vec![*state])
        .collect();
    states.push(vec![]);
    states.push(vec![ApprovalState::Granted, ApprovalState::Requested]);
    let some = |name: &str| Some(name.to_owned());
    let wanted: Vec<_> = std::iter::once(None)
        .chain(names.iter().map(|name| some(name)))
        .collect();
    for states in states {
        for agent_id in &wanted {
            for operation in &wanted {
                for before in [None, Some(requests[9].id())] {
                    let mut query = ApprovalQuery::newest(8);
                    query.states.clone_from(&states);
                    query.agent_id.clone_from(agent_id);
                    query.tool_name.clone_from(operation);
                    query.operation.clone_from(operation);
                    query.before = before;
                    let selected = requests.iter().filter(|request| query.selects(request));
                    let expected: Vec<_> = selected.take(8).cloned().collect();
                    let listed = block_on(store.list(query)).unwrap().value;
                    assert_eq!(listed.requests, expected);
                }
            }
        }
    }
    for state in ApprovalState::ALL {
        let expected = requests.iter().filter(|request| request.state() == state);
        let count = block_on(store.count(state)).unwrap();
        assert_eq!(count, expected.count() as u64, "{state}");
    }
}

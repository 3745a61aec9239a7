//! A server that goes away refuses calls, and is used again when it is back.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use aegize_core::{ApprovalStore as _, Approvals, Approver, GuardError};
use aegize_store::{Store, StoreErrorKind};
use pollster::block_on;
use tempfile::TempDir;
use uuid::Uuid;

use crate::places::Place;
use crate::samples::{ASK, Samples, asked, context, pay};

/// What lies between a store and its server.
#[derive(Clone)]
struct Wire {
    state: Arc<Mutex<State>>,
    port: u16,
}

#[derive(Default)]
struct State {
    streams: Vec<TcpStream>,
    fault: Option<Fault>,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Connections end at once.
    Cut,
    /// Nothing comes through.
    Silent,
}

impl Wire {
    /// A wire to a server.
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let wire = Self {
            state: Arc::default(),
            port,
        };
        let accepting = wire.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                accepting.accept(client.unwrap(), &server);
            }
        });
        wire
    }

    fn accept(&self, client: TcpStream, server: &str) {
        let mut state = self.state.lock().unwrap();
        match state.fault {
            Some(Fault::Cut) => return,
            Some(Fault::Silent) => return state.streams.push(client),
            None => {}
        }
        let server = TcpStream::connect(server).unwrap();
        for (from, to) in [(&client, &server), (&server, &client)] {
            let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            thread::spawn(move || {
                // Ends when either side does.
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        state.streams.extend([client, server]);
    }

    fn fail(&self, fault: Fault) {
        let mut state = self.state.lock().unwrap();
        state.fault = Some(fault);
        for stream in state.streams.drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        *self.state.lock().unwrap() = State::default();
    }
}

/// A store behind a wire, and what it is a wire to.
fn wired() -> (Place, Wire, Store) {
    let place = Place::postgres();
    let url = place.url();
    let (start, rest) = url.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let wire = Wire::to(server.to_owned());
    let url = format!("{start}@127.0.0.1:{}/{name}", wire.port);
    let store = block_on(Store::open(&url)).unwrap();
    (place, wire, store)
}

#[test]
#[ignore = "needs PostgreSQL; .ci/run starts one and runs this"]
fn calls_are_refused_while_the_server_is_away() {
    let (_place, wire, store) = wired();
    let folder = TempDir::new().unwrap();
    let approvals = Approvals::new(store);
    let agent = context(ASK, &folder, approvals.clone());
    let alice = Approver::new("alice").unwrap();
    let desk = approvals.desk(agent.audit_log());
    for _ in 0..3 {
        let id = asked(pay(&agent, 5));
        block_on(desk.approve(id, &alice, None)).unwrap();
        wire.fail(Fault::Cut);
        let refused = pay(&agent, 5);
        assert!(
            matches!(refused, Err(GuardError::ApprovalUnavailable(_))),
            "{refused:?}"
        );
        wire.mend();
        pay(&agent, 5).unwrap();
    }
}

#[test]
#[ignore = "needs PostgreSQL; .ci/run starts one and runs this"]
fn whoever_waits_learns_that_the_server_went_away_and_what_changed_meanwhile() {
    let (place, wire, store) = wired();
    let request = Samples::new().bound(1);
    let (id, other) = (request.id(), place.store());
    assert!(block_on(store.insert(request)).unwrap());
    let after = block_on(store.news(0)).unwrap();
    thread::scope(|scope| {
        // What changes while nobody can tell it is found, or it is told that it cannot be known.
        let waiting = scope.spawn(|| block_on(store.changed(id, 0)));
        wire.fail(Fault::Cut);
        let seen = block_on(other.load(id)).unwrap();
        let next = seen.value.unwrap().ask_again(seen.at).unwrap();
        assert!(block_on(other.replace(next)).unwrap());
        wire.mend();
        if waiting.join().unwrap().is_ok() {
            let now = block_on(store.load(id)).unwrap().value.unwrap();
            assert_eq!(now.revision(), 1);
        }
    });
    while block_on(store.news(after)).is_err() {}
    assert!(block_on(other.insert(Samples::new().bound(2))).unwrap());
    let mut after = after;
    while block_on(store.count(aegize_core::ApprovalState::Requested)).unwrap() < 2 {
        after = block_on(store.news(after)).unwrap_or(after);
    }
}

#[test]
#[ignore = "needs PostgreSQL; .ci/run starts one and runs this"]
fn a_server_that_says_nothing_is_given_up() {
    let (_place, wire, store) = wired();
    wire.fail(Fault::Silent);
    let error = block_on(store.load(Uuid::now_v7())).unwrap_err();
    assert!(
        error.to_string().starts_with("the store did not"),
        "{error}"
    );
    let url = format!("postgres://aegize@127.0.0.1:{}/postgres", wire.port);
    let error = block_on(Store::open(&url)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(
        error.to_string(),
        format!(
            "the store did not answer within {:?}",
            Duration::from_secs(5)
        )
    );
    wire.mend();
    assert!(
        block_on(store.load(Uuid::now_v7()))
            .unwrap()
            .value
            .is_none()
    );
}

/// The driver has its own runtime, and none of the caller's is in its way.
#[test]
fn a_store_is_used_in_the_runtime_of_another() {
    let place = Place::sqlite();
    for threads in [1, 2] {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .build();
        let url = place.url();
        let used = runtime.unwrap().block_on(async {
            let task = tokio::spawn(async move {
                let store = Store::open(&url).await?;
                let key = store.key().await.unwrap();
                drop(store);
                Ok::<_, aegize_store::StoreError>(key)
            });
            task.await.unwrap()
        });
        used.unwrap();
    }
}

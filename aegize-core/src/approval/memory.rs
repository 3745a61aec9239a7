//! A store in the memory of this process: for tests, and for agents that live with their approver.

use std::collections::{BTreeMap, HashMap};
use std::future::{self, Future};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use time::OffsetDateTime;
use uuid::Uuid;

use super::background::shielded;
use super::binding::{Binding, BindingKey};
use super::error::ApprovalError;
use super::request::{ApprovalRequest, ApprovalState};
use super::store::{ApprovalList, ApprovalQuery, ApprovalStore, Seen, StoreFuture};

/// How many requests are kept that have come to their end.
const ENDED: usize = 10_000;

/// Requests in memory, gone with the process, and of those that have ended the newest ten thousand.
/// Cloning gives the same store.
#[derive(Clone)]
pub struct MemoryApprovals {
    state: Arc<Mutex<Kept>>,
    clock: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
}

#[derive(Default)]
struct Kept {
    key: Option<BindingKey>,
    /// By id, which is the order in which they were made.
    requests: BTreeMap<Uuid, ApprovalRequest>,
    ended: usize,
    /// How often anything has changed, from 1.
    changes: u64,
    waiting: HashMap<u64, (Awaited, Waker)>,
    next_waiting: u64,
}

/// What somebody waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Another revision of a request than this one.
    Revision(Uuid, u64),
    /// More changes than these.
    Changes(u64),
}

impl Kept {
    /// Whether there is no need to wait.
    fn has(&self, awaited: Awaited) -> bool {
        match awaited {
            Awaited::Revision(id, revision) => {
                let request = self.requests.get(&id);
                request.is_none_or(|request| request.revision() != revision)
            }
            Awaited::Changes(after) => self.changes + 1 > after,
        }
    }

    /// Keeps a request, and tells whom to wake.
    fn keep(&mut self, request: ApprovalRequest) -> Vec<Waker> {
        if request.state().is_end() {
            self.ended += 1;
        }
        self.requests.insert(request.id(), request);
        self.changes += 1;
        if self.ended > ENDED {
            let mut requests = self.requests.iter();
            let oldest = requests.find(|(_, request)| request.state().is_end());
            if let Some(id) = oldest.map(|(id, _)| *id) {
                self.requests.remove(&id);
                self.ended -= 1;
            }
        }
        let waiting = std::mem::take(&mut self.waiting);
        let (woken, others) = waiting
            .into_iter()
            .partition(|(_, (awaited, _))| self.has(*awaited));
        self.waiting = others;
        let woken: HashMap<_, (Awaited, Waker)> = woken;
        woken.into_values().map(|(_, waker)| waker).collect()
    }
}

impl MemoryApprovals {
    /// An empty store.
    pub fn new() -> Self {
        Self::clocked_by(OffsetDateTime::now_utc)
    }

    /// An empty store whose time is told by a function, for tests.
    pub fn clocked_by(clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self {
            state: Arc::default(),
            clock: Arc::new(clock),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen<T>(&self, read: impl FnOnce(&Kept) -> T) -> Seen<T> {
        let kept = self.kept();
        let value = read(&kept);
        Seen::new(value, (self.clock)())
    }

    /// Keeps what is made of what is there, if anything is.
    fn keep(
        &self,
        make: impl FnOnce(&Kept, OffsetDateTime) -> Option<ApprovalRequest>,
    ) -> StoreFuture<'_, bool> {
        let mut kept = self.kept();
        let request = make(&kept, (self.clock)());
        let is_kept = request.is_some();
        let woken = request.map_or(Vec::new(), |request| kept.keep(request));
        drop(kept);
        for waker in woken {
            shielded(|| waker.wake());
        }
        ready(Ok(is_kept))
    }

    fn when(&self, awaited: Awaited) -> When {
        When {
            store: self.clone(),
            awaited,
            place: None,
        }
    }
}

impl Default for MemoryApprovals {
    fn default() -> Self {
        Self::new()
    }
}

fn ready<'s, T: Send + 's>(answer: Result<T, ApprovalError>) -> StoreFuture<'s, T> {
    Box::pin(future::ready(answer))
}

impl ApprovalStore for MemoryApprovals {
    fn key(&self) -> StoreFuture<'_, BindingKey> {
        let mut kept = self.kept();
        ready(match &kept.key {
            Some(key) => Ok(key.clone()),
            None => BindingKey::generate().inspect(|key| kept.key = Some(key.clone())),
        })
    }

    fn insert(&self, request: ApprovalRequest) -> StoreFuture<'_, bool> {
        self.keep(|kept, _| {
            let is_asked = kept.requests.values().any(|other| {
                other.state() == ApprovalState::Requested
                    && other.binding() == request.binding()
                    && other.question().terms == request.question().terms
            });
            (!is_asked).then_some(request)
        })
    }

    fn replace(&self, next: ApprovalRequest) -> StoreFuture<'_, bool> {
        self.keep(|kept, now| {
            let before = kept.requests.get(&next.id())?;
            let is_next = before.revision().checked_add(1) == Some(next.revision());
            (is_next && next.is_timely(now)).then_some(next)
        })
    }

    fn load(&self, id: Uuid) -> StoreFuture<'_, Seen<Option<ApprovalRequest>>> {
        ready(Ok(self.seen(|kept| kept.requests.get(&id).cloned())))
    }

    fn find(
        &self,
        binding: Binding,
        scope: Binding,
    ) -> StoreFuture<'_, Seen<Vec<ApprovalRequest>>> {
        let is_found = |request: &&ApprovalRequest| {
            let state = request.state();
            let is_open = !state.is_end() || state == ApprovalState::Rejected;
            (request.binding() == binding && is_open)
                || (request.scope() == scope && request.is_standing())
        };
        ready(Ok(self.seen(|kept| {
            kept.requests.values().filter(is_found).cloned().collect()
        })))
    }

    fn list(&self, query: ApprovalQuery) -> StoreFuture<'_, Seen<ApprovalList>> {
        ready(Ok(self.seen(|kept| {
            let requests = kept.requests.values().rev();
            let selected = requests.filter(|request| query.selects(request));
            let selected = selected.take(query.most).cloned().collect();
            ApprovalList::new(selected, Vec::new())
        })))
    }

    fn count(&self, state: ApprovalState) -> StoreFuture<'_, u64> {
        let kept = self.kept();
        let requests = kept.requests.values();
        let found = requests.filter(|request| request.state() == state).count();
        ready(Ok(u64::try_from(found).unwrap_or(u64::MAX)))
    }

    fn changed(&self, id: Uuid, revision: u64) -> StoreFuture<'_, ()> {
        Box::pin(self.when(Awaited::Revision(id, revision)))
    }

    fn news(&self, after: u64) -> StoreFuture<'_, u64> {
        let when = self.when(Awaited::Changes(after));
        Box::pin(async move {
            when.await?;
            Ok(self.kept().changes + 1)
        })
    }
}

/// Ready when there is what is awaited.
struct When {
    store: MemoryApprovals,
    awaited: Awaited,
    /// Where it stands among those who wait.
    place: Option<u64>,
}

impl Future for When {
    type Output = Result<(), ApprovalError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut kept = this.store.kept();
        if kept.has(this.awaited) {
            return Poll::Ready(Ok(()));
        }
        let place = *this.place.get_or_insert_with(|| {
            kept.next_waiting += 1;
            kept.next_waiting
        });
        let waker = context.waker().clone();
        kept.waiting.insert(place, (this.awaited, waker));
        Poll::Pending
    }
}

impl Drop for When {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.store.kept().waiting.remove(&place);
        }
    }
}

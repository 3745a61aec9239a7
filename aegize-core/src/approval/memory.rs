//! A store in the memory of this process: for tests, and for agents that live with their approver.

use std::collections::BTreeMap;
use std::future::{self, Future};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use time::OffsetDateTime;
use uuid::Uuid;

use super::binding::{Binding, BindingKey};
use super::error::{ApprovalError, ApprovalErrorKind};
use super::request::{ApprovalRequest, ApprovalState};
use super::store::{ApprovalStore, Seen, StoreFuture};

/// Requests in memory, gone with the process. Cloning gives the same store.
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
    waiting: Vec<(Uuid, Waker)>,
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
        let mut kept = self.kept();
        let is_asked = kept.requests.values().any(|other| {
            other.state() == ApprovalState::Requested
                && other.binding() == request.binding()
                && other.question().terms == request.question().terms
        });
        if !is_asked {
            kept.requests.insert(request.id(), request);
        }
        ready(Ok(!is_asked))
    }

    fn replace(&self, next: ApprovalRequest) -> StoreFuture<'_, bool> {
        let mut kept = self.kept();
        let now = (self.clock)();
        let before = kept.requests.get(&next.id());
        let is_next = before.is_some_and(|before| {
            before.revision().checked_add(1) == Some(next.revision()) && next.is_timely(now)
        });
        let mut woken = Vec::new();
        if is_next {
            let id = next.id();
            kept.requests.insert(id, next);
            let (of_this, others) = std::mem::take(&mut kept.waiting)
                .into_iter()
                .partition(|(waiting_for, _)| *waiting_for == id);
            kept.waiting = others;
            woken = of_this;
        }
        drop(kept);
        for (_, waker) in woken {
            waker.wake();
        }
        ready(Ok(is_next))
    }

    fn load(&self, id: Uuid) -> StoreFuture<'_, Seen<Option<ApprovalRequest>>> {
        ready(Ok(self.seen(|kept| kept.requests.get(&id).cloned())))
    }

    fn find(&self, binding: Binding) -> StoreFuture<'_, Seen<Vec<ApprovalRequest>>> {
        let is_found = |request: &&ApprovalRequest| {
            let state = request.state();
            request.binding() == binding && (!state.is_end() || state == ApprovalState::Rejected)
        };
        ready(Ok(self.seen(|kept| {
            kept.requests.values().filter(is_found).cloned().collect()
        })))
    }

    fn list(
        &self,
        state: Option<ApprovalState>,
        before: Option<Uuid>,
        most: usize,
    ) -> StoreFuture<'_, Seen<Vec<ApprovalRequest>>> {
        ready(Ok(self.seen(|kept| {
            let requests = kept.requests.values().rev();
            requests
                .filter(|request| before.is_none_or(|before| request.id() < before))
                .filter(|request| state.is_none_or(|state| request.state() == state))
                .take(most)
                .cloned()
                .collect()
        })))
    }

    fn changed(&self, id: Uuid, revision: u64) -> StoreFuture<'_, ()> {
        let store = self.clone();
        Box::pin(Changed {
            store,
            id,
            revision,
        })
    }
}

struct Changed {
    store: MemoryApprovals,
    id: Uuid,
    revision: u64,
}

impl Future for Changed {
    type Output = Result<(), ApprovalError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut kept = self.store.kept();
        let Some(request) = kept.requests.get(&self.id) else {
            let message = format!("there is no approval request `{}`", self.id);
            let error = ApprovalError::new(ApprovalErrorKind::NotFound, message);
            return Poll::Ready(Err(error));
        };
        if request.revision() != self.revision {
            return Poll::Ready(Ok(()));
        }
        let waker = context.waker();
        let is_known = |(id, known): &(Uuid, Waker)| *id == self.id && known.will_wake(waker);
        if !kept.waiting.iter().any(is_known) {
            kept.waiting.push((self.id, waker.clone()));
        }
        Poll::Pending
    }
}

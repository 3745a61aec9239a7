//! What keeps requests: the trait that stores implement.
//!
//! A store decides nothing. It keeps what the state machine made, and replaces a revision only by
//! the next one, which is the one step that has to be atomic.

use std::future::Future;
use std::pin::Pin;

use time::OffsetDateTime;
use uuid::Uuid;

use super::binding::{Binding, BindingKey};
use super::error::ApprovalError;
use super::request::{ApprovalRequest, ApprovalState};

/// What a store answers with.
///
/// Boxed, since stores are chosen when a program runs. It is polled on whatever thread or executor
/// the call is made, also by a thread that waits for it without any: a driver that needs a runtime
/// brings its own. Dropped before it is ready, it may have done its work or not.
pub type StoreFuture<'s, T> = Pin<Box<dyn Future<Output = Result<T, ApprovalError>> + Send + 's>>;

/// What a store has, and what time it was by the store's clock right after that was read. One clock
/// counts for all hosts, that of the store.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Seen<T> {
    /// What there is.
    pub value: T,
    /// The time.
    pub at: OffsetDateTime,
}

impl<T> Seen<T> {
    /// Something that was read before this time.
    pub fn new(value: T, at: OffsetDateTime) -> Self {
        Self { value, at }
    }
}

/// Keeps requests for approval. [`Approvals`](super::Approvals) asks it, and treats what does not
/// answer, fails or panics as a refusal.
pub trait ApprovalStore: Send + Sync {
    /// The key of bindings: made once, and the same ever after.
    fn key(&self) -> StoreFuture<'_, BindingKey>;

    /// Keeps a new request, unless there is one with the same binding, for which people are asked
    /// on the same terms: then `false`, and nothing is kept. Atomic.
    fn insert(&self, request: ApprovalRequest) -> StoreFuture<'_, bool>;

    /// Keeps the next revision of a request. `false`, and nothing is kept, if the revision before
    /// is not the one that is there, or the next one is no longer [timely]. Atomic: of all that
    /// try to take one grant, one gets `true`. What was answered with `true` is there for good.
    ///
    /// [timely]: ApprovalRequest::is_timely
    fn replace(&self, next: ApprovalRequest) -> StoreFuture<'_, bool>;

    /// One request.
    fn load(&self, id: Uuid) -> StoreFuture<'_, Seen<Option<ApprovalRequest>>>;

    /// What may answer a call, the oldest first: the requests with its binding that are requested,
    /// granted or rejected, and the [standing](ApprovalRequest::is_standing) grants of its scope.
    fn find(&self, binding: Binding, scope: Binding)
    -> StoreFuture<'_, Seen<Vec<ApprovalRequest>>>;

    /// The requests that a query selects, the newest first. Those that cannot be read are told, and
    /// others take their place: there are fewer than are wanted only if those are all.
    fn list(&self, query: ApprovalQuery) -> StoreFuture<'_, Seen<ApprovalList>>;

    /// How many requests are in a state.
    fn count(&self, state: ApprovalState) -> StoreFuture<'_, u64>;

    /// Waits until a request may have another revision than this one. It may take as long as it
    /// takes, and may be ready too early.
    fn changed(&self, id: Uuid, revision: u64) -> StoreFuture<'_, ()>;

    /// Waits until anything may have changed since this call returned `after`, and returns what to
    /// give the next time; of 0, at once. It may be ready too early.
    fn news(&self, after: u64) -> StoreFuture<'_, u64>;
}

/// Requests that a query selects.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ApprovalList {
    /// The requests, the newest first.
    pub requests: Vec<ApprovalRequest>,
    /// Requests that were met among them and cannot be read, by their ids: what the store has is not
    /// what was kept. To look at one of them tells why.
    pub unreadable: Vec<Uuid>,
}

impl ApprovalList {
    /// Requests, and the ids of those that cannot be read.
    pub fn new(requests: Vec<ApprovalRequest>, unreadable: Vec<Uuid>) -> Self {
        Self {
            requests,
            unreadable,
        }
    }
}

/// Which requests are wanted.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ApprovalQuery {
    /// In one of these states; empty for any.
    pub states: Vec<ApprovalState>,
    /// Of one agent.
    pub agent_id: Option<String>,
    /// For one tool.
    pub tool_name: Option<String>,
    /// For one of its operations.
    pub operation: Option<String>,
    /// Made before this one.
    pub before: Option<Uuid>,
    /// At most so many.
    pub most: usize,
}

impl ApprovalQuery {
    /// The newest requests in any state, at most so many.
    pub fn newest(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// Whether it wants a request, wherever that stands among others.
    pub fn selects(&self, request: &ApprovalRequest) -> bool {
        let action = &request.question().action;
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        (self.states.is_empty() || self.states.contains(&request.state()))
            && is(&self.agent_id, &action.agent_id)
            && is(&self.tool_name, &action.tool_name)
            && is(&self.operation, &action.operation)
            && self.before.is_none_or(|before| request.id() < before)
    }
}

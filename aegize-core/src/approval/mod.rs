//! A person in the loop: a request asks people about one call, a grant lets that call run once.
//!
//! States, binding, rules and the traits of stores; no driver and no runtime. Each arrow of the
//! state machine is an atomic step of a store and a record of the log. The invariant: what a
//! person approved is exactly what runs, once, or nothing runs.

mod approvals;
mod approver;
mod background;
mod binding;
mod canonical;
mod desk;
mod error;
mod memory;
mod remember;
mod request;
mod store;
mod transition;

pub use self::approvals::Approvals;
pub use self::approver::Approver;
pub(crate) use self::background::{block_on, finish, to_its_end};
pub use self::binding::{Binding, BindingKey};
pub(crate) use self::binding::{Bindings, BoundCall, BoundMetadata};
pub use self::desk::ApprovalDesk;
pub use self::error::{ApprovalError, ApprovalErrorKind};
pub use self::memory::MemoryApprovals;
pub use self::remember::Remember;
pub use self::request::{ApprovalRequest, ApprovalState, ApprovalVote, Question};
pub use self::store::{ApprovalList, ApprovalQuery, ApprovalStore, Seen, StoreFuture};

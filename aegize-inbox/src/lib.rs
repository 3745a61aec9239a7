//! Where people decide about the approvals of Aegize: an inbox in the browser, an API for
//! programs, and channels that tell of them.
//!
//! Every page is rendered here and works without JavaScript; every decision is made at an
//! [`ApprovalDesk`](aegize_core::ApprovalDesk), which records it. The invariant: nobody decides whom
//! the directory does not know at that moment, and what is decided is the request that was shown.

mod api;
mod app;
mod assets;
mod barrier;
mod channel;
mod events;
mod forms;
mod hosts;
mod inbox;
mod metrics;
mod notifier;
mod pages;
mod random;
mod routes;
mod selection;
mod serve;
mod session;
mod shown;
mod throttle;
mod tokens;
mod viewer;
mod words;

pub use self::api::request_view;
pub use self::channel::{Channels, ChannelsError};
pub use self::inbox::Inbox;
pub use self::notifier::{Notifier, NotifierError};
pub use self::serve::{InboxError, Tls};

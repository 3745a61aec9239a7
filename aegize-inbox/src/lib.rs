#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::todo
    )
)]

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
mod object;
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

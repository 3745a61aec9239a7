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

#[doc(hidden)]
pub mod __yaml;
mod database;
mod directory;
mod error;
mod outbox;
mod requests;
mod row;
mod runtime;
mod store;
mod watch;

pub use self::directory::{Directory, NewToken, TokenInfo};
pub use self::error::{StoreError, StoreErrorKind};
pub use self::outbox::{Delivery, DeliveryKind, DeliveryState, Outbox};
pub use self::store::Store;

//! Where the approvals of Aegize are kept: SQLite for one host, PostgreSQL for several.

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

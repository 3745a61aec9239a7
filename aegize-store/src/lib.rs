//! Where the approvals of Aegize are kept: SQLite for one host, PostgreSQL for several.

mod database;
mod error;
mod requests;
mod row;
mod runtime;
mod store;
mod watch;

pub use self::error::{StoreError, StoreErrorKind};
pub use self::store::Store;

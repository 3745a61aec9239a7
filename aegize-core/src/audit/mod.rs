//! What happened: an append-only log of every attempt and its outcome.
//!
//! One line is one record, in JSON. The log is written inline under a lock that threads and
//! processes share; a line is on its way to storage before the append returns. The invariant:
//! lines are never torn, interleaved or dropped in silence; whatever goes wrong is an error
//! that makes the guard refuse.

mod abandoned;
mod chain;
mod checkpoint;
mod consistency;
mod error;
mod inclusion;
mod key;
mod log;
mod note;
mod ocsf;
mod proof;
mod read;
mod record;
mod recover;
mod sink;
pub mod tlog;
mod tlog_error;
mod writer;

pub use self::error::AuditError;
pub use self::log::AuditLog;
pub use self::read::AuditRecords;
pub use self::record::{AuditEvent, AuditRecord};
pub use self::sink::{AuditSink, Batch, BatchLimits, SinkError, SinkErrorKind};

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
mod files;
mod inclusion;
mod keeper;
mod key;
mod lock;
mod log;
mod notary;
mod note;
mod ocsf;
mod old;
mod opening;
mod options;
mod proof;
mod queue;
mod read;
mod record;
mod recover;
mod shared;
mod sink;
mod sync;
pub mod tlog;
mod tlog_error;
mod verify;
mod writer;

pub use self::error::AuditError;
pub use self::log::AuditLog;
pub use self::options::{AuditLogOptions, Durability, Rotation};
pub use self::read::AuditRecords;
pub use self::record::{AuditEvent, AuditRecord};
pub(crate) use self::shared::Written;
pub use self::sink::{
    AuditSink, Batch, BatchLimits, ShipError, ShipErrorKind, Shipper, SinkError, SinkErrorKind,
    SinkState, SinkStatus,
};
pub use self::verify::{
    CheckedCheckpoint, IntactLog, LogFlaw, LogFlawKind, LogVerdict, LogVerifier,
};

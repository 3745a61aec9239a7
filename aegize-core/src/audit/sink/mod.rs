//! Where records also go: what a receiver has to be able to do.
//!
//! The log on disk is the queue. A sink is handed whole lines of it, in order, by a thread of its
//! own, and says what became of them. The invariant: a sink never holds up or weakens the log.

mod backoff;
mod batch;
mod board;
mod cursor;
mod delivery;
mod error;
mod look;
mod pending;
mod published;
mod rejected;
mod ship;
mod status;
mod trouble;

pub use self::batch::{Batch, BatchLimits};
pub use self::error::{SinkError, SinkErrorKind};
pub use self::ship::Shipper;
pub use self::status::{ShipError, ShipErrorKind, SinkState, SinkStatus};

/// A receiver of the records of a log, beside the file.
///
/// Its calls come one at a time, from a thread that does nothing else, and may block. They should
/// have time limits of their own: until one returns, nothing more is delivered to this sink.
pub trait AuditSink: Send {
    /// How much is delivered at a time. Asked once, before the first delivery.
    fn limits(&self) -> BatchLimits {
        BatchLimits::default()
    }

    /// Delivers a batch, whole. When it returns, the receiver has it.
    ///
    /// A batch that failed is delivered again, and so is one whose delivery was not yet noted when
    /// the process ended: the same one, byte for byte, with the same [`id`](Batch::id). Batches
    /// never come out of order. A panic counts as [`Unavailable`](SinkErrorKind::Unavailable).
    ///
    /// # Errors
    ///
    /// If the receiver does not have all of it, and whether it is worth to try again.
    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError>;

    /// Delivers a signed checkpoint of the log's first `size` records, which have been delivered
    /// before. It may come again if the process ended before that was noted. Receivers that have
    /// no use for checkpoints leave this as it is.
    ///
    /// # Errors
    ///
    /// If the receiver does not have it, and whether it is worth to try again.
    fn publish(&mut self, size: u64, checkpoint: &str) -> Result<(), SinkError> {
        let _ = (size, checkpoint);
        Ok(())
    }
}

impl<S: AuditSink + ?Sized> AuditSink for Box<S> {
    fn limits(&self) -> BatchLimits {
        (**self).limits()
    }

    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        (**self).deliver(batch)
    }

    fn publish(&mut self, size: u64, checkpoint: &str) -> Result<(), SinkError> {
        (**self).publish(size, checkpoint)
    }
}

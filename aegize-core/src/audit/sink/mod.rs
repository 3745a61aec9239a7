//! Where records also go: what a receiver has to be able to do.
//!
//! The log on disk is the queue. A sink is handed whole lines of it, in order, by a thread of its
//! own, and says what became of them. The invariant: a sink never holds up or weakens the log.

mod batch;
mod error;

pub use self::batch::{Batch, BatchLimits};
pub use self::error::{SinkError, SinkErrorKind};

/// A receiver of the records of a log, beside the file.
///
/// Its calls come one at a time, from a thread that does nothing else, and may block. They should
/// have time limits of their own: until one returns, nothing more is delivered to this sink.
pub trait AuditSink: Send {
    /// How much is delivered at a time.
    fn limits(&self) -> BatchLimits {
        BatchLimits::default()
    }

    /// Delivers a batch, whole. When it returns, the receiver has it.
    ///
    /// A batch that failed is delivered again, and so is one whose delivery was not yet noted when
    /// the process ended: then it begins with the same record, and may have more of them. Batches
    /// never come out of order.
    ///
    /// # Errors
    ///
    /// If the receiver does not have all of it, and whether it is worth to try again.
    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError>;

    /// Delivers a signed checkpoint of the log's first `size` records, which have been delivered
    /// before. Receivers that have no use for checkpoints leave this as it is.
    ///
    /// # Errors
    ///
    /// If the receiver does not have it, and whether it is worth to try again.
    fn publish(&mut self, size: u64, checkpoint: &str) -> Result<(), SinkError> {
        let _ = (size, checkpoint);
        Ok(())
    }
}

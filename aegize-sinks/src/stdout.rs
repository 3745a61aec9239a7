//! Standard output, for programs whose output somebody collects.
//!
//! The invariant: a line is never torn by a failed write. What was written of a batch is not
//! written again when it is delivered again.

use std::io::{self, Write as _};

use aegize_core::{AuditSink, Batch, SinkError};

use crate::LineFormat;

/// Writes records to standard output, one JSON object a line.
///
/// A batch is written under the lock of [`io::Stdout`], so that lines do not mix with those of
/// the program itself. A reader that stopped reading holds up this sink, and nothing else.
///
/// ```
/// use aegize_sinks::{LineFormat, StdoutSink};
///
/// let sink = StdoutSink::new().format(LineFormat::Ocsf);
/// ```
#[derive(Debug, Default)]
pub struct StdoutSink {
    format: LineFormat,
    /// The batch that was begun, by its first record, and how many bytes of it are written.
    begun: (u64, usize),
}

impl StdoutSink {
    /// Lines as they are in the log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lines in another format.
    #[must_use]
    pub fn format(mut self, format: LineFormat) -> Self {
        self.format = format;
        self
    }
}

impl AuditSink for StdoutSink {
    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        let text = self.format.batch(batch)?;
        let (first_seq, written) = &mut self.begun;
        if *first_seq != batch.first_seq() {
            (*first_seq, *written) = (batch.first_seq(), 0);
        }
        let failed = |error: io::Error| {
            SinkError::unavailable(format!("standard output cannot be written: {error}"))
        };
        let mut output = io::stdout().lock();
        while let Some(rest) = text.get(*written..).filter(|rest| !rest.is_empty()) {
            // What is taken here, if only into the buffer, comes out before anything later.
            match output.write(rest) {
                Ok(0) => return Err(failed(io::ErrorKind::WriteZero.into())),
                Ok(count) => *written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        output.flush().map_err(failed)?;
        self.begun = (batch.first_seq(), 0);
        Ok(())
    }
}

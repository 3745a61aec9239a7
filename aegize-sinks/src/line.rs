//! Lines of a log as records, and as what a receiver wants to read.
//!
//! The invariant: the bytes of a line reach the receiver, as they are or as `raw_data`.

#[cfg(any(feature = "http", feature = "stdout", feature = "syslog"))]
use std::borrow::Cow;

#[cfg(any(feature = "http", feature = "stdout"))]
use aegize_core::Batch;
use aegize_core::{AuditRecord, SinkError};

/// What becomes of a line of the log on its way to a receiver.
#[cfg(any(feature = "http", feature = "stdout", feature = "syslog"))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineFormat {
    /// It stays as it is.
    #[default]
    Json,
    /// An event of OCSF 1.5.0, for SIEMs, with the line as its `raw_data`. A line that is no
    /// record is rejected.
    Ocsf,
}

#[cfg(any(feature = "http", feature = "stdout", feature = "syslog"))]
impl LineFormat {
    /// A batch, each line with its line break.
    #[cfg(any(feature = "http", feature = "stdout"))]
    pub(crate) fn batch<'a>(self, batch: &Batch<'a>) -> Result<Cow<'a, [u8]>, SinkError> {
        if self == Self::Json {
            return Ok(Cow::Borrowed(batch.bytes()));
        }
        let mut text = Vec::with_capacity(batch.bytes().len() * 3);
        for (seq, line) in (batch.first_seq()..).zip(batch.lines()) {
            text.extend_from_slice(&self.line(line, &record(seq, line)?));
            text.push(b'\n');
        }
        Ok(Cow::Owned(text))
    }

    /// A line and the record that it is, without a line break.
    pub(crate) fn line<'a>(self, line: &'a [u8], record: &AuditRecord<'_>) -> Cow<'a, [u8]> {
        match self {
            Self::Json => Cow::Borrowed(line),
            Self::Ocsf => {
                let mut event = record.to_ocsf();
                if let Some(event) = event.as_object_mut() {
                    let line = String::from_utf8_lossy(line).into_owned();
                    event.insert("raw_data".to_owned(), line.into());
                }
                Cow::Owned(event.to_string().into_bytes())
            }
        }
    }
}

/// The record that a line is.
pub(crate) fn record(seq: u64, line: &[u8]) -> Result<AuditRecord<'static>, SinkError> {
    serde_json::from_slice(line)
        .map_err(|error| SinkError::rejected(format!("line {seq} is no record: {error}")))
}

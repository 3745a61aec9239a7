//! Object storage: segments of the log, and its checkpoints, under stable keys.
//!
//! The invariant: no object is ever written over. All segments, joined in the order of their
//! keys, are the log, however batches were cut and wherever a process ended.

mod place;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aegize_core::{AuditSink, Batch, BatchLimits, SinkError};
use object_store::ObjectStore;
use object_store::path::Path;
use url::Url;

use self::place::{Place, Put};
use crate::ConfigError;
use crate::runtime::Blocking;

/// At most so many records are in a segment: so far back a segment may begin that holds a record.
const RECORDS: usize = 20_000;

const MIB: usize = 1024 * 1024;

/// Keeps a log as objects: `segments/<position of the first record>.jsonl` and
/// `checkpoints/<size>`, the numbers with twenty digits.
///
/// An object is made only if there is none under its key, and none is ever written over or
/// removed, so that the store may forbid both. A batch that is delivered again is compared with
/// what is there, and only what is missing is added, under the key of its first record. A store
/// that holds other records there is an error: one place is for one log.
///
/// ```
/// use aegize_sinks::ObjectStoreSink;
///
/// let settings = [("aws_region", "eu-central-1")];
/// let sink = ObjectStoreSink::from_url("s3://audit/payments", settings)?;
/// # Ok::<(), aegize_sinks::ConfigError>(())
/// ```
pub struct ObjectStoreSink {
    place: Place,
    limits: BatchLimits,
    blocking: Blocking,
    /// Records that the store has beyond the last batch, and the position of the first of them.
    /// `None` if that has to be looked up.
    ahead: Option<(u64, Vec<u8>)>,
}

impl ObjectStoreSink {
    /// To a store, under a prefix, which may be empty.
    ///
    /// # Errors
    ///
    /// If the prefix cannot be one.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> Result<Self, ConfigError> {
        let prefix = Path::parse(prefix).map_err(|_| {
            ConfigError::new(format!(
                "`{}` cannot be a prefix of keys; write names with `/` between them",
                prefix.escape_debug()
            ))
        })?;
        Ok(Self::of(store, prefix))
    }

    /// To the store and prefix of a URL: `s3://bucket/prefix`, `gs://…`, `az://…`, `file:///…`,
    /// and others that [`object_store::parse_url_opts`] knows, with its settings. Those of the
    /// environment are `std::env::vars()`. Settings that are none are ignored.
    ///
    /// # Errors
    ///
    /// If the URL is unusable, has a user name or password, or the store cannot be made with these
    /// settings.
    pub fn from_url<N: AsRef<str>, V: Into<String>>(
        url: &str,
        settings: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConfigError> {
        let url = Url::parse(url).map_err(|error| {
            ConfigError::new(format!(
                "the URL of the object store is unusable: {error}; write such as `s3://bucket/prefix`"
            ))
        })?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(ConfigError::new(
                "the URL of the object store has credentials or a query; give them as settings",
            ));
        }
        // The clients of stores take the process's choice, and panic if there is none.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Fails only if another thread was faster.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let (store, prefix) = object_store::parse_url_opts(&url, settings).map_err(|error| {
            let error = place::told(&error);
            ConfigError::new(format!("the object store cannot be made: {error}"))
        })?;
        Ok(Self::of(store.into(), prefix))
    }

    fn of(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self {
            place: Place { store, prefix },
            limits: BatchLimits {
                records: RECORDS,
                bytes: 8 * MIB,
                linger: Duration::from_secs(30),
            },
            blocking: Blocking::new(Duration::from_secs(60)),
            ahead: None,
        }
    }

    /// How large a segment may be, instead of 8 MiB; at most 32.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes.min(32 * MIB);
        self
    }

    /// How long records wait for a segment to be full, instead of thirty seconds.
    #[must_use]
    pub fn linger(mut self, linger: Duration) -> Self {
        self.limits.linger = linger;
        self
    }

    /// How long a delivery may take, instead of sixty seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.blocking.timeout = timeout;
        self
    }
}

impl AuditSink for ObjectStoreSink {
    fn limits(&self) -> BatchLimits {
        self.limits
    }

    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        // Until all went well, it is not known what the store has.
        let ahead = self.ahead.take();
        let place = &self.place;
        let ahead = self.blocking.run(async {
            let stored = match ahead {
                Some((seq, stored)) if seq == batch.first_seq() => stored,
                _ => place.stored_from(batch.first_seq(), RECORDS as u64).await?,
            };
            store(place, batch, stored).await
        })?;
        self.ahead = Some(ahead);
        Ok(())
    }

    fn publish(&mut self, size: u64, checkpoint: &str) -> Result<(), SinkError> {
        let place = &self.place;
        self.blocking.run(async {
            let key = place.checkpoint(size);
            match place.put(&key, checkpoint.as_bytes()).await? {
                Put::Made => Ok(()),
                Put::Found(stored) if stored == checkpoint.as_bytes() => Ok(()),
                Put::Found(_) => Err(SinkError::rejected(format!(
                    "the object store has another checkpoint at `{key}`, which stays; compare them"
                ))),
            }
        })
    }
}

/// Adds what the store does not have of a batch, and gives what it has beyond it.
async fn store(
    place: &Place,
    batch: &Batch<'_>,
    mut stored: Vec<u8>,
) -> Result<(u64, Vec<u8>), SinkError> {
    let mut seq = batch.first_seq();
    let mut missing = batch.bytes();
    while !missing.is_empty() {
        if stored.is_empty() {
            match place.put(&place.segment(seq), missing).await? {
                Put::Made => return Ok((seq + lines(missing), Vec::new())),
                Put::Found(found) => stored = found,
            }
        }
        let common = missing.len().min(stored.len());
        let (Some(same), Some(rest)) = (missing.get(..common), missing.get(common..)) else {
            break;
        };
        if !stored.starts_with(same) || !same.ends_with(b"\n") {
            return Err(SinkError::unavailable(format!(
                "the object store has other records from {seq} on, at `{}`; \
                 give each log a place of its own",
                place.prefix
            )));
        }
        seq += lines(same);
        missing = rest;
        stored = stored.split_off(common);
    }
    Ok((seq, stored))
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

impl fmt::Debug for ObjectStoreSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStoreSink")
            .field("prefix", &self.place.prefix.as_ref())
            .field("limits", &self.limits)
            .field("timeout", &self.blocking.timeout)
            .finish_non_exhaustive()
    }
}

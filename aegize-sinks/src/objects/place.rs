//! A place in an object store: its keys, and the few things that are done there.
//!
//! The invariant: what is written is made only if there is nothing under its key.

use std::sync::Arc;

use aegize_core::SinkError;
use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions};

/// No segment is as long, in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;

pub(super) struct Place {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) prefix: Path,
}

/// What became of an object that was to be made.
pub(super) enum Put {
    Made,
    /// There is one, with these bytes.
    Found(Vec<u8>),
}

impl Place {
    pub(super) fn segment(&self, first_seq: u64) -> Path {
        self.segments().join(format!("{first_seq:020}.jsonl"))
    }

    pub(super) fn checkpoint(&self, size: u64) -> Path {
        self.prefix
            .clone()
            .join("checkpoints")
            .join(format!("{size:020}"))
    }

    fn segments(&self) -> Path {
        self.prefix.clone().join("segments")
    }

    pub(super) async fn put(&self, key: &Path, bytes: &[u8]) -> Result<Put, SinkError> {
        let options = PutOptions::from(PutMode::Create);
        let made = self
            .store
            .put_opts(key, bytes.to_vec().into(), options)
            .await;
        match made {
            Ok(_) => Ok(Put::Made),
            Err(Error::AlreadyExists { .. }) => self.bytes(key).await.map(Put::Found),
            Err(error) => Err(failed(key, &error)),
        }
    }

    /// What the segment that begins before a record has from that record on. Segments have at
    /// most `longest` records.
    pub(super) async fn stored_from(&self, seq: u64, longest: u64) -> Result<Vec<u8>, SinkError> {
        let folder = self.segments();
        // What is listed comes after it, and a number is before the key that it begins.
        let offset = folder
            .clone()
            .join(format!("{:020}", seq.saturating_sub(longest)));
        let listed = self.store.list_with_offset(Some(&folder), &offset);
        let before = listed
            .try_filter_map(async |object| {
                let name = object.location.filename().unwrap_or_default();
                let first = name
                    .strip_suffix(".jsonl")
                    .and_then(|name| name.parse().ok());
                let is_before =
                    |first: &u64| *first < seq && self.segment(*first) == object.location;
                Ok(first.filter(is_before))
            })
            .try_fold(None, async |last, first| Ok(last.max(Some(first))))
            .await
            .map_err(|error| failed(&folder, &error))?;
        let Some(first) = before else {
            return Ok(Vec::new());
        };
        let bytes = self.bytes(&self.segment(first)).await?;
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let skipped: usize = (first..seq)
            .map_while(|_| lines.next())
            .map(<[u8]>::len)
            .sum();
        Ok(bytes.get(skipped..).unwrap_or_default().to_vec())
    }

    async fn bytes(&self, key: &Path) -> Result<Vec<u8>, SinkError> {
        let failed = |error| failed(key, &error);
        let object = self.store.get(key).await.map_err(failed)?;
        if object.meta.size > LONGEST {
            return Err(SinkError::unavailable(format!(
                "`{key}` in the object store is longer than any segment; give the log another place"
            )));
        }
        Ok(object.bytes().await.map_err(failed)?.into())
    }
}

fn failed(key: &Path, error: &Error) -> SinkError {
    let error = told(error);
    SinkError::unavailable(format!("the object store failed at `{key}`: {error}"))
}

/// An error without what a server may have made of it.
pub(super) fn told(error: &Error) -> String {
    crate::told::told(&error.to_string(), [])
}

//! The proof of one record, made from a log and a checkpoint of it.
//!
//! The invariant: a proof that is made verifies for whoever trusts the checkpoint's key.

use super::super::chain::leaf;
use super::super::checkpoint::Checkpoint;
use super::super::error::{AuditError, Problem};
use super::super::inclusion::InclusionProver;
use super::super::proof::TlogProof;
use super::LogVerifier;
use super::chunks::Chunks;
use super::outline::lines;

impl LogVerifier {
    /// Makes the proof of the record at a position, in the tree that a checkpoint was signed for.
    /// The record's line goes along as the proof's [extra data](TlogProof::extra), so that the proof
    /// needs nothing but the public key.
    ///
    /// The signature of the checkpoint is not looked at: whoever verifies the proof does that.
    ///
    /// # Errors
    ///
    /// If the log cannot be read, the checkpoint is none or does not cover the record, or the log
    /// is not the one that it was signed for.
    pub fn prove(&self, seq: u64, checkpoint: &str) -> Result<TlogProof, AuditError> {
        let unproved = |what: String| Problem::Unproved { seq, what }.of(&self.log);
        let head = Checkpoint::claimed(checkpoint).map_err(|error| unproved(error.to_string()))?;
        let mut prover = InclusionProver::new(seq);
        let mut record = None;
        let (chunks, ..) = Chunks::open(&self.log)?;
        'read: for chunk in chunks {
            for line in lines(&chunk?.lines) {
                let position = prover.tree().size();
                if position == head.size {
                    break 'read;
                }
                if position == seq {
                    record = Some(line.to_vec());
                }
                prover.push(leaf(line));
            }
        }
        let size = prover.tree().size();
        if prover.tree().head() != head {
            let what = if size < head.size {
                format!(
                    "it has {size}, and the checkpoint was signed for {}",
                    head.size
                )
            } else {
                "it is not the log that the checkpoint was signed for; verify it".to_owned()
            };
            return Err(unproved(what));
        }
        match (prover.finish(), record) {
            (Some(inclusion), Some(record)) => {
                Ok(TlogProof::new(inclusion, checkpoint.to_owned()).with_extra(record))
            }
            _ => Err(unproved(format!(
                "the checkpoint was signed for {size}, from 0 on"
            ))),
        }
    }
}

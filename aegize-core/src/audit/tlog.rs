//! The log as others verify it: RFC 6962 trees, and signed checkpoints and proofs in the formats
//! of C2SP ([`signed-note`], [`tlog-checkpoint`], [`tlog-proof`]).
//!
//! Nothing in here reads a file or a clock. A log's lines, without their line breaks, are the
//! [`leaf`] hashes of a [`Tree`]; a [`Checkpoint`] is the tree's head, signed with a
//! [`SigningKey`] and kept where the log's own host cannot reach it. Whoever has the
//! [`VerifierKey`] can then check that one record is in the log ([`TlogProof`]), and that a later
//! checkpoint only adds to an earlier one ([`ConsistencyProof`]).
//!
//! [`signed-note`]: https://c2sp.org/signed-note
//! [`tlog-checkpoint`]: https://c2sp.org/tlog-checkpoint
//! [`tlog-proof`]: https://c2sp.org/tlog-proof

pub use super::chain::{Hash, Tree, TreeHead, leaf};
pub use super::checkpoint::Checkpoint;
pub use super::consistency::{ConsistencyProof, ConsistencyProver};
pub use super::inclusion::{InclusionProof, InclusionProver};
pub use super::key::{SigningKey, VerifierKey};
pub use super::note::Note;
pub use super::proof::TlogProof;
pub use super::tlog_error::{TlogError, TlogErrorKind};

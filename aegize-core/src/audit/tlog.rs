//! The mathematics of the log, for those who check it from outside.

pub use super::chain::{Hash, Tree, TreeHead, leaf};
pub use super::consistency::{ConsistencyProof, ConsistencyProver};
pub use super::inclusion::{InclusionProof, InclusionProver};
pub use super::tlog_error::{TlogError, TlogErrorKind};

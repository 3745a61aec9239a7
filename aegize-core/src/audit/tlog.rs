//! The mathematics of the log, for those who check it from outside.

pub use super::chain::{Hash, Tree, TreeHead, leaf};
pub use super::tlog_error::{TlogError, TlogErrorKind};

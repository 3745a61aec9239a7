//! What keeps records from being delivered.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Why there is no progress.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) message: String,
    /// Whether log and cursor do not fit each other, so that somebody has to look.
    pub(super) is_broken: bool,
    /// How long the receiver asks to be left alone.
    pub(super) wait: Option<Duration>,
}

impl Trouble {
    /// May pass by itself.
    pub(super) fn passing(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_broken: false,
            wait: None,
        }
    }

    /// Something was done to the log or to a file beside it.
    pub(super) fn broken(message: impl Into<String>) -> Self {
        Self {
            is_broken: true,
            ..Self::passing(message)
        }
    }

    /// A file that cannot be used now.
    pub(super) fn with_file(path: &Path, problem: &str) -> impl FnOnce(io::Error) -> Self {
        let start = format!("`{}` cannot be {problem}", path.display());
        move |error| Self::passing(format!("{start}: {error}"))
    }

    pub(super) fn about(path: &Path, problem: impl Display) -> Self {
        Self::broken(format!("`{}` {problem}", path.display()))
    }
}

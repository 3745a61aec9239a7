//! Why a file of channels has no meaning. The invariant: what is told holds no secret, not even
//! one that stands where none belongs.

use std::fmt;
use std::path::{Path, PathBuf};

use aegize_store::__yaml::Flaw;
use serde_saphyr::Location;

/// Why there are no channels. It displays the file, the place and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelsError {
    file: Option<PathBuf>,
    place: Option<(u64, u64)>,
    message: String,
}

impl ChannelsError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            file: None,
            place: None,
            message: message.into(),
        }
    }

    pub(super) fn at(mut self, place: Location) -> Self {
        self.place = (place.line() > 0).then(|| (place.line(), place.column()));
        self
    }

    pub(super) fn in_file(mut self, file: &Path) -> Self {
        self.file = Some(file.to_owned());
        self
    }

    /// The line and the column, counted from 1.
    pub fn place(&self) -> Option<(u64, u64)> {
        self.place
    }
}

impl fmt::Display for ChannelsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.message;
        match (&self.file, self.place) {
            (Some(file), Some((line, column))) => {
                write!(f, "{}:{line}:{column}: {message}", file.display())
            }
            (Some(file), None) => write!(f, "{}: {message}", file.display()),
            (None, Some((line, column))) => write!(f, "line {line}, column {column}: {message}"),
            (None, None) => f.write_str(message),
        }
    }
}

impl std::error::Error for ChannelsError {}

impl From<Flaw> for ChannelsError {
    fn from(flaw: Flaw) -> Self {
        Self::new(flaw.message).at(flaw.place)
    }
}

//! How a command ends: the exit codes, which scripts and CI rely on, and why there is no result.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use aegize::{ApprovalError, ApprovalErrorKind, AuditError, LoadError};
use aegize_store::StoreError;

/// What the exit code tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done, and nothing is wrong.
    Done,
    /// 1: done, and something is not as expected.
    Mismatch,
    /// 2: not done; standard error says why.
    Unusable,
    /// 3: not done; this person may not decide.
    NotEntitled,
    /// 4: not done; there is no such request.
    NotFound,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Mismatch => 1,
            Exit::Unusable => 2,
            Exit::NotEntitled => 3,
            Exit::NotFound => 4,
        })
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments make no sense.
    Arguments(clap::Error),
    /// Files that could not be loaded, all of them.
    Load(Vec<LoadError>),
    /// A file could not be written.
    File(PathBuf, io::Error),
    /// A log that could not be read, or is none.
    Log(AuditError),
    /// A file that could not be read, and what is wrong with it.
    Input(PathBuf, String),
    /// Nothing was decided, or not as it should be, and how that ends.
    Refused(Exit, String),
    /// The result could not be written.
    Output(io::Error),
}

impl Failure {
    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Refused(exit, _) => *exit,
            _ => Exit::Unusable,
        }
    }
}

impl From<ApprovalError> for Failure {
    fn from(error: ApprovalError) -> Self {
        let exit = match error.kind() {
            ApprovalErrorKind::State => Exit::Mismatch,
            ApprovalErrorKind::NotEntitled => Exit::NotEntitled,
            ApprovalErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Unusable,
        };
        Self::Refused(exit, error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(Exit::Unusable, error.to_string())
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        Self::Log(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

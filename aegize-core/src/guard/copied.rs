//! What of a call outlives those who lent it: a copy that is exact, or an error that says why there
//! is none.

use crate::approval::{ApprovalError, ApprovalErrorKind, BoundMetadata};
use crate::arguments::{Call, ExactArgument, Inexact, exact_arguments};

/// About how many bytes the arguments and metadata of a call may have that people are asked about.
const LARGEST: usize = 256 * 1024;

/// What is bound of a call.
pub(super) struct Copied {
    pub(super) arguments: Vec<ExactArgument>,
    pub(super) metadata: BoundMetadata,
}

impl Copied {
    /// A copy of a call's values.
    pub(super) fn of(call: &Call<'_>) -> Result<Self, ApprovalError> {
        let mut budget = LARGEST;
        let arguments = exact_arguments(call.arguments, &mut budget)
            .map_err(|(name, problem)| inexact("argument", &name, problem))?;
        let metadata = BoundMetadata::new(call.metadata, &mut budget)
            .map_err(|(name, problem)| inexact("metadata", &name, problem))?;
        Ok(Self {
            arguments,
            metadata,
        })
    }
}

fn inexact(what: &str, name: &str, problem: Inexact) -> ApprovalError {
    let name = name.escape_debug();
    let problem = match problem {
        Inexact::Opaque => {
            "cannot be read; derive `Serialize` for its type, or keep a handle out with `#[guard(skip)]`"
        }
        Inexact::Unserializable => "does not serialize, or nests too deep; flatten it",
        Inexact::Twice => "has a key twice; give each key once",
        Inexact::Bytes => "holds bytes that nobody can read; pass text",
        Inexact::Number => "holds a number that JSON does not have; pass text",
        Inexact::TooLarge => {
            "is larger than people are asked about; pass less than 256 KiB, of which each value takes 32 bytes"
        }
    };
    let message = format!("{what} `{name}` {problem}");
    ApprovalError::new(ApprovalErrorKind::Inexact, message)
}

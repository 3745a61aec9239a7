//! A receiver that asks to be left alone. The invariant: it is believed for an hour at most.

use std::time::Duration;

use aegize_core::SinkError;

const LONGEST: Duration = Duration::from_secs(3600);

/// The error, with the time that the receiver asks for, if it does.
pub(crate) fn after(error: SinkError, asked: Option<Duration>) -> SinkError {
    match asked {
        Some(wait) => error.retry_after(wait.min(LONGEST)),
        None => error,
    }
}

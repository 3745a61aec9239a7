//! What an answer means for the batch, by the OTLP specification's table of failures.

use aegize_core::SinkError;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::retry;
use crate::told::told;

/// Judges an answer to a request that was sent with these headers.
pub(super) fn judge(
    answer: Result<ExportLogsServiceResponse, Status>,
    headers: &MetadataMap,
) -> Result<(), SinkError> {
    let told = |text: &str| told(text, headers.iter().filter_map(|header| value(&header)));
    match answer {
        Ok(answer) => {
            let partial = answer.partial_success.unwrap_or_default();
            if partial.rejected_log_records <= 0 {
                return Ok(());
            }
            Err(SinkError::rejected(format!(
                "the OTLP receiver rejects {} log records: {}",
                partial.rejected_log_records,
                told(&partial.error_message)
            )))
        }
        Err(status) => Err(failure(&status, &told(status.message()))),
    }
}

fn failure(status: &Status, told: &str) -> SinkError {
    let wait = status
        .get_details_retry_info()
        .and_then(|info| info.retry_delay);
    let message = format!("the OTLP receiver failed with {:?}: {told}", status.code());
    let is_about_content = match status.code() {
        Code::InvalidArgument => true,
        // A receiver that is only busy says when to come back.
        Code::ResourceExhausted => wait.is_none(),
        _ => false,
    };
    if is_about_content {
        SinkError::rejected(message)
    } else {
        retry::after(SinkError::unavailable(message), wait)
    }
}

fn value<'h>(header: &KeyAndValueRef<'h>) -> Option<&'h str> {
    match header {
        KeyAndValueRef::Ascii(_, value) => value.to_str().ok(),
        KeyAndValueRef::Binary(..) => None,
    }
}

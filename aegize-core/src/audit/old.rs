//! Lines of the Python package, which know no positions.
//!
//! What they lack besides, by its version: attempt, summary and metadata. The invariant: what such
//! a line does say stands in the record as it was written, and a line that says its position is
//! not one of them.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::record::AuditRecord;

/// What tells such a line, and whether it has the rest.
#[derive(Deserialize)]
struct Present {
    seq: Option<IgnoredAny>,
    action_id: Option<IgnoredAny>,
    input_summary: Option<IgnoredAny>,
    metadata: Option<IgnoredAny>,
}

/// Reads a line that has no position as the record at that one; `None` if it is another line.
pub(super) fn record(
    line: &[u8],
    position: u64,
) -> Option<Result<AuditRecord<'static>, serde_json::Error>> {
    let present: Present = serde_json::from_slice(line).ok()?;
    if present.seq.is_some() {
        return None;
    }
    let mut completed = line.trim_ascii_end().strip_suffix(b"}")?.to_owned();
    let nil = r#","action_id":"00000000-0000-0000-0000-000000000000""#;
    let lacking = [
        (present.action_id.is_none(), nil),
        (present.input_summary.is_none(), r#","input_summary":"""#),
        (present.metadata.is_none(), r#","metadata":{}"#),
    ];
    for (_, field) in lacking.into_iter().filter(|(is_lacking, _)| *is_lacking) {
        completed.extend_from_slice(field.as_bytes());
    }
    completed.extend_from_slice(format!(",\"seq\":{position}}}").as_bytes());
    Some(serde_json::from_slice(&completed))
}

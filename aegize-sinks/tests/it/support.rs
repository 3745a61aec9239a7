//! Lines as a log has them.

use std::ops::Range;

use aegize_core::{AuditSink, Batch, SinkError, SinkErrorKind};
use serde_json::json;

/// What every sink is given in confidence by some test, and no text may show.
pub(crate) const CANARY: &str = "Zm9yIG5vYm9keSdzIGV5ZXMh";

/// The events, in the order in which records of [`lines`] have them.
pub(crate) const EVENTS: [&str; 9] = [
    "allowed",
    "execution_succeeded",
    "denied",
    "approval_required",
    "execution_failed",
    "execution_abandoned",
    "log_recovered",
    "token_created",
    "reversed",
];

/// A record's line, without its line break, with an input of the given length.
pub(crate) fn line(seq: u64, length: usize) -> String {
    let event = EVENTS[usize::try_from(seq).unwrap() % EVENTS.len()];
    let agent = if seq.is_multiple_of(3) {
        r#"b]o"t\ é"#
    } else {
        "bot"
    };
    json!({
        "timestamp": format!("2026-06-27T18:00:{:02}.000123Z", seq % 60),
        "seq": seq,
        "event": event,
        "action_id": "01970b8e-4c2d-7d3e-9f10-2b6a5c8d1e4f",
        "agent_id": agent,
        "tool_name": "shell",
        "operation": "run",
        "risk_level": "high",
        "input_summary": "x".repeat(length),
        "metadata": {"environment": "dev"},
        "prev": "0".repeat(64),
    })
    .to_string()
}

/// Records, each with its line break.
pub(crate) fn lines(seqs: Range<u64>) -> String {
    seqs.map(|seq| line(seq, 10) + "\n").collect()
}

/// Delivers records of [`lines`].
pub(crate) fn deliver(sink: &mut impl AuditSink, seqs: Range<u64>) -> Result<(), SinkError> {
    sink.deliver(&Batch::new(seqs.start, lines(seqs).as_bytes()))
}

/// That an error is of a kind, names what it should, and shows no secret.
pub(crate) fn assert_error(error: &SinkError, kind: SinkErrorKind, what: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(what), "`{error}` lacks `{what}`");
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
    assert!(error.to_string().len() < 1000, "{error}");
}

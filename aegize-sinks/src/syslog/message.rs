//! A record as a message of RFC 5424. Pure, but for the names of host and process.

use aegize_core::AuditRecord;

use super::Facility;
use crate::severity::Severity;

/// The name of the structured data. The number is the one that RFC 5612 keeps for those who have
/// none of their own.
const SD_ID: &str = "aegize@32473";

#[derive(Debug)]
pub(super) struct Header {
    pub(super) facility: Facility,
    pub(super) app_name: String,
    host: String,
    process: u32,
}

impl Default for Header {
    fn default() -> Self {
        let host = gethostname::gethostname().into_string().unwrap_or_default();
        Self {
            facility: Facility::default(),
            app_name: "aegize".to_owned(),
            host: Some(host)
                .filter(|host| is_field(host, 255))
                .unwrap_or_else(|| "-".to_owned()),
            process: std::process::id(),
        }
    }
}

/// Whether a text can stand in the header, where spaces part the fields.
pub(super) fn is_field(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Header {
    /// The message of a record.
    pub(super) fn message(&self, record: &AuditRecord<'_>, text: &[u8]) -> Vec<u8> {
        let priority = self.facility as u32 * 8 + severity(record);
        let Self {
            app_name,
            host,
            process,
            ..
        } = self;
        let timestamp = timestamp(record);
        let event = record.event;
        let mut message =
            format!("<{priority}>1 {timestamp} {host} {app_name} {process} {event} [{SD_ID}");
        let seq = record.seq.to_string();
        let action_id = record.action_id.to_string();
        for (name, value) in [
            ("seq", &*seq),
            ("actionId", &*action_id),
            ("agent", &*record.agent_id),
            ("tool", &*record.tool_name),
            ("operation", &*record.operation),
        ] {
            message.extend([" ", name, "=\""]);
            for c in value.chars() {
                if matches!(c, '"' | '\\' | ']') {
                    message.push('\\');
                }
                message.push(c);
            }
            message.push('"');
        }
        message.push_str("] ");
        let mut message = message.into_bytes();
        // Of ASCII, a receiver need not be told that it is UTF-8; and one that parses the text
        // is spared the mark.
        if !text.is_ascii() {
            message.extend_from_slice("\u{feff}".as_bytes());
        }
        message.extend_from_slice(text);
        message
    }
}

fn severity(record: &AuditRecord<'_>) -> u32 {
    match Severity::from(record.event) {
        Severity::Error => 3,
        Severity::Warning => 4,
        Severity::Notice => 5,
        Severity::Information => 6,
    }
}

fn timestamp(record: &AuditRecord<'_>) -> String {
    let time = record.timestamp;
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.microsecond()
    )
}

//! Records as log records of OpenTelemetry. Pure.

use aegize_core::{AuditRecord, Batch, SinkError};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::line::record;
use crate::severity::Severity;

/// A request that exports a batch.
pub(super) fn logs(
    batch: &Batch<'_>,
    resource: &[KeyValue],
) -> Result<ExportLogsServiceRequest, SinkError> {
    let mut log_records = Vec::new();
    for (seq, line) in (batch.first_seq()..).zip(batch.lines()) {
        log_records.push(log_record(line, &record(seq, line)?));
    }
    let scope = InstrumentationScope {
        name: "aegize".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let resource = Resource {
        attributes: resource.to_vec(),
        ..Resource::default()
    };
    Ok(ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope),
                log_records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    })
}

fn log_record(line: &[u8], record: &AuditRecord<'_>) -> LogRecord {
    // Times before 1970 or after 2554 have no place in the protocol, and are told as unknown.
    let nanoseconds = record
        .timestamp
        .unix_timestamp_nanos()
        .try_into()
        .unwrap_or(0);
    let (severity, severity_text) = severity(record);
    let seq = i64::try_from(record.seq).unwrap_or(i64::MAX);
    LogRecord {
        time_unix_nano: nanoseconds,
        observed_time_unix_nano: nanoseconds,
        severity_number: severity.into(),
        severity_text: severity_text.to_owned(),
        body: Some(text(&String::from_utf8_lossy(line))),
        event_name: format!("aegize.{}", record.event),
        attributes: vec![
            attribute("aegize.event", record.event.as_str()),
            KeyValue {
                key: "aegize.seq".to_owned(),
                value: Some(AnyValue {
                    value: Some(Value::IntValue(seq)),
                }),
                ..KeyValue::default()
            },
            attribute("aegize.action_id", &record.action_id.to_string()),
            attribute("gen_ai.agent.id", &record.agent_id),
            attribute("gen_ai.tool.name", &record.tool_name),
            attribute("aegize.operation", &record.operation),
            attribute("aegize.risk_level", record.risk_level.as_str()),
        ],
        ..LogRecord::default()
    }
}

fn severity(record: &AuditRecord<'_>) -> (SeverityNumber, &'static str) {
    match Severity::from(record.event) {
        Severity::Information => (SeverityNumber::Info, "INFO"),
        Severity::Notice => (SeverityNumber::Info2, "INFO2"),
        Severity::Warning => (SeverityNumber::Warn, "WARN"),
        Severity::Error => (SeverityNumber::Error, "ERROR"),
    }
}

pub(super) fn attribute(name: &str, value: &str) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(text(value)),
        ..KeyValue::default()
    }
}

fn text(text: &str) -> AnyValue {
    AnyValue {
        value: Some(Value::StringValue(text.to_owned())),
    }
}

//! A record as an event of the Open Cybersecurity Schema Framework, for SIEMs: class API Activity
//! (6003) with the profile `security_control`, version 1.5.0 of the schema.
//!
//! The invariant: every attribute that the class requires is there for every record, and nothing
//! of a record is left out. What the schema has no place for is under `unmapped`.

use serde_json::{Map, Value, json};

use super::record::{AuditEvent, AuditRecord};
use crate::action::RiskLevel;

const SCHEMA: &str = "1.5.0";
const CATEGORY: u32 = 6;
const CLASS: u32 = 6003;

impl AuditRecord<'_> {
    /// The record as an OCSF event, of the class API Activity in version 1.5.0.
    ///
    /// The agent is the actor, the tool the service, and its operation that of the API. Pure: the
    /// same record gives the same event. It has no `raw_data`, since only who read the line has
    /// its bytes.
    ///
    /// ```
    /// # extern crate aegize_core as aegize;
    /// # let line = r#"{"timestamp":"2026-06-27T18:00:00.123456Z","seq":4,"event":"denied","action_id":"01970b8e-4c2d-7d3e-9f10-2b6a5c8d1e4f","agent_id":"bot","tool_name":"shell","operation":"run","risk_level":"high","input_summary":"","reason":"denied by rule for tool 'shell'","metadata":{}}"#;
    /// let record: aegize::AuditRecord<'_> = serde_json::from_str(line)?;
    /// let event = record.to_ocsf();
    /// assert_eq!(event["class_uid"], 6003);
    /// assert_eq!(event["actor"]["user"]["uid"], "bot");
    /// assert_eq!(event["action"], "Denied");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn to_ocsf(&self) -> Value {
        let kind = Kind::of(self.event);
        let (activity, activity_name) = activity(&self.operation);
        let (risk, risk_name) = risk(self.risk_level);
        let mut fields = self.fields();
        let written = fields.shift_remove("timestamp");
        let mut event = Map::new();
        let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
        put("activity_id", activity.into());
        put("activity_name", activity_name.into());
        put("category_uid", CATEGORY.into());
        put("category_name", "Application Activity".into());
        put("class_uid", CLASS.into());
        put("class_name", "API Activity".into());
        put("type_uid", (CLASS * 100 + activity).into());
        put("time", self.milliseconds().into());
        put("severity_id", kind.severity.0.into());
        put("severity", kind.severity.1.into());
        put("message", self.message().into());
        put("status_id", kind.status.0.into());
        put("status", kind.status.1.into());
        if let Some(detail) = self.error.as_ref().or(self.reason.as_ref()) {
            put("status_detail", detail.as_ref().into());
        }
        put("action_id", kind.action.0.into());
        put("action", kind.action.1.into());
        put("disposition_id", kind.disposition.0.into());
        put("disposition", kind.disposition.1.into());
        put("risk_level_id", risk.into());
        put("risk_level", risk_name.into());
        if let Some(micros) = self.duration_us {
            put("duration", (micros / 1000).into());
        }
        put("metadata", self.provenance(written.as_ref()));
        put("actor", self.actor());
        put("api", self.api());
        put("src_endpoint", json!({ "svc_name": self.agent_id }));
        put("dst_endpoint", json!({ "svc_name": self.tool_name }));
        if let Some(digest) = &self.policy {
            put("policy", json!({ "uid": digest, "is_applied": true }));
        }
        put("unmapped", self.unmapped(fields));
        Value::Object(event)
    }

    /// The fields as they are in the line.
    fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            // Only a year out of RFC 3339's range, which no line can hold.
            _ => Map::new(),
        }
    }

    fn milliseconds(&self) -> i64 {
        let millisecond = i64::from(self.timestamp.millisecond());
        self.timestamp.unix_timestamp() * 1000 + millisecond
    }

    fn message(&self) -> String {
        let Self {
            agent_id,
            tool_name,
            operation,
            event,
            ..
        } = self;
        let told = format!("{agent_id}: {tool_name} {operation}: {event}");
        match self.reason.as_ref().or(self.error.as_ref()) {
            Some(why) => format!("{told}: {why}"),
            None => told,
        }
    }

    fn provenance(&self, written: Option<&Value>) -> Value {
        json!({
            "version": SCHEMA,
            "profiles": ["security_control"],
            "product": {
                "name": "Aegize",
                "vendor_name": "Aegize",
                "version": env!("CARGO_PKG_VERSION"),
            },
            "original_time": written,
            "event_code": self.event.as_str(),
            "sequence": self.seq,
            "correlation_uid": self.action_id,
        })
    }

    fn actor(&self) -> Value {
        let (kind, kind_name) = if self.event.is_about_a_call() {
            (99, "Agent")
        } else {
            (3, "System")
        };
        json!({ "user": { "uid": self.agent_id, "type_id": kind, "type": kind_name } })
    }

    fn api(&self) -> Value {
        let mut api = json!({
            "operation": self.operation,
            "service": { "name": self.tool_name },
            "request": {
                "uid": self.action_id,
                "data": { "input_summary": self.input_summary },
            },
        });
        let response = match (&self.error, &self.result_summary) {
            (Some(error), _) => json!({ "error": self.event.as_str(), "error_message": error }),
            (None, Some(result)) => json!({ "message": result }),
            (None, None) => return api,
        };
        if let Some(api) = api.as_object_mut() {
            api.insert("response".to_owned(), response);
        }
        api
    }

    /// What has no place in the schema, and what later versions add to records.
    fn unmapped(&self, mut fields: Map<String, Value>) -> Value {
        const MAPPED: [&str; 10] = [
            "seq",
            "event",
            "action_id",
            "agent_id",
            "tool_name",
            "operation",
            "risk_level",
            "input_summary",
            "policy",
            "error",
        ];
        fields.retain(|name, _| !MAPPED.contains(&name.as_str()));
        // The one place for details is the error's if there is one, and the one for what came
        // back, too.
        if self.error.is_none() {
            fields.shift_remove("reason");
            fields.shift_remove("result_summary");
        }
        Value::Object(fields)
    }
}

/// An identifier of the schema with its caption.
type Id = (u32, &'static str);

const SUCCESS: Id = (1, "Success");
const FAILURE: Id = (2, "Failure");
const ALLOWED: Id = (1, "Allowed");
const DENIED: Id = (2, "Denied");
const OBSERVED: Id = (3, "Observed");
const LOGGED: Id = (17, "Logged");
const INFORMATIONAL: Id = (1, "Informational");
const LOW: Id = (2, "Low");
const MEDIUM: Id = (3, "Medium");
const HIGH: Id = (4, "High");

/// What an event means to the schema.
struct Kind {
    severity: Id,
    status: Id,
    action: Id,
    disposition: Id,
}

impl Kind {
    fn of(event: AuditEvent) -> Self {
        let kind = |severity, status, action, disposition| Self {
            severity,
            status,
            action,
            disposition,
        };
        // A call that is about to run has neither succeeded nor failed, and one that waits for an
        // approval has not run.
        let own = (99, event.as_str());
        match event {
            AuditEvent::Allowed => kind(INFORMATIONAL, own, ALLOWED, (1, "Allowed")),
            AuditEvent::Denied => kind(MEDIUM, FAILURE, DENIED, (2, "Blocked")),
            AuditEvent::ApprovalRequired => kind(LOW, own, DENIED, (2, "Blocked")),
            AuditEvent::ApprovalGranted | AuditEvent::ApprovalConsumed => {
                kind(INFORMATIONAL, own, ALLOWED, (1, "Allowed"))
            }
            AuditEvent::ApprovalRejected | AuditEvent::ApprovalRevoked => {
                kind(MEDIUM, FAILURE, DENIED, (2, "Blocked"))
            }
            AuditEvent::ApprovalExpired | AuditEvent::ApprovalWithdrawn => {
                kind(LOW, own, DENIED, (2, "Blocked"))
            }
            AuditEvent::ExecutionSucceeded => kind(INFORMATIONAL, SUCCESS, ALLOWED, (1, "Allowed")),
            AuditEvent::ExecutionFailed | AuditEvent::ExecutionAbandoned => {
                kind(MEDIUM, FAILURE, ALLOWED, (27, "Error"))
            }
            AuditEvent::LogRecovered => kind(HIGH, own, OBSERVED, LOGGED),
            AuditEvent::TokenCreated | AuditEvent::TokenRevoked => kind(LOW, own, OBSERVED, LOGGED),
            AuditEvent::Other => {
                let unknown = (0, "Unknown");
                kind((0, "Unknown"), unknown, unknown, unknown)
            }
        }
    }
}

/// What the operation does, as far as its name is one of the schema's.
fn activity(operation: &str) -> (u32, &str) {
    match operation {
        "create" => (1, "Create"),
        "read" => (2, "Read"),
        "update" => (3, "Update"),
        "delete" => (4, "Delete"),
        other => (99, other),
    }
}

fn risk(level: RiskLevel) -> Id {
    match level {
        RiskLevel::Low => (1, "Low"),
        RiskLevel::Medium => (2, "Medium"),
        RiskLevel::High => (3, "High"),
        RiskLevel::Critical => (4, "Critical"),
    }
}

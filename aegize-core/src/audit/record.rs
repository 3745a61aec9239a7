//! A record, and its one encoding in bytes.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::chain::Hash;
use crate::action::RiskLevel;

/// One line of an audit log.
///
/// Serializes to the line's JSON, fields in the order they have here, those that do not apply
/// left out. Reading ignores fields it does not know: later versions only add.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditRecord<'a> {
    /// When the record was written: UTC, to the microsecond.
    #[serde(with = "rfc3339_micros")]
    pub timestamp: OffsetDateTime,
    /// Its position in the log, from 0.
    pub seq: u64,
    /// What happened.
    pub event: AuditEvent,
    /// The attempt it is about; the same in every record of one. A UUID of version 7, but in
    /// lines of the Python package.
    pub action_id: Uuid,
    /// Who attempted it.
    pub agent_id: Cow<'a, str>,
    /// For whom it was attempted, the nearest first; left out if for nobody else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acting_for: Vec<Cow<'a, str>>,
    /// The tool.
    pub tool_name: Cow<'a, str>,
    /// The tool's operation.
    pub operation: Cow<'a, str>,
    /// How much harm it could do.
    pub risk_level: RiskLevel,
    /// `name=value, …` of the arguments, redacted, at most 200 characters.
    pub input_summary: Cow<'a, str>,
    /// Of a decision: why. Of what is not about a call: what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
    /// Of a decision: by which rule; left out if the call was denied by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Cow<'a, str>>,
    /// Of a decision: the digest of the policy that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Cow<'a, str>>,
    /// Of a failed or abandoned execution: what went wrong, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    /// Of a successful execution: its value, at most 200 characters; left out if the tool asks
    /// so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_summary: Option<Cow<'a, str>>,
    /// Of an outcome: how long the execution took, in microseconds, by a monotonic clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<u64>,
    /// Of what is about an approval: the id of its request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// Of an approval, its rejection or revocation: who decided; of its use, all who approved. Of a
    /// token that was made or revoked: who did that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<Cow<'a, str>>,
    /// What was redacted in this record, in its order: the names of arguments and keys whose
    /// values were replaced, and of the rules by which parts of values were; left out if nothing
    /// was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<Cow<'a, str>>,
    /// The agent's environment, and what the tool and the call attached, redacted. Of a token: its
    /// id in `token`, whose it is in `approver`, and, as far as they were given with it, their
    /// `groups` and their user in `slack`.
    pub metadata: Cow<'a, Map<String, Value>>,
    /// The [leaf hash](crate::tlog::leaf) of the line before, or zeros in the first line. `None`
    /// only in records that were written before version 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Hash>,
}

impl<'a> AuditRecord<'a> {
    /// A record without what only some events have. The log fills in time and position.
    pub(crate) fn new(
        event: AuditEvent,
        action_id: Uuid,
        metadata: &'a Map<String, Value>,
    ) -> Self {
        Self {
            timestamp: OffsetDateTime::UNIX_EPOCH,
            seq: 0,
            event,
            action_id,
            agent_id: Cow::Borrowed(""),
            acting_for: Vec::new(),
            tool_name: Cow::Borrowed(""),
            operation: Cow::Borrowed(""),
            risk_level: RiskLevel::Low,
            input_summary: Cow::Borrowed(""),
            reason: None,
            rule: None,
            policy: None,
            error: None,
            result_summary: None,
            duration_us: None,
            request_id: None,
            approvers: Vec::new(),
            redacted: Vec::new(),
            metadata: Cow::Borrowed(metadata),
            prev: None,
        }
    }

    /// The same record, owning its text.
    pub fn into_owned(self) -> AuditRecord<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        AuditRecord {
            timestamp: self.timestamp,
            seq: self.seq,
            event: self.event,
            action_id: self.action_id,
            agent_id: own(self.agent_id),
            acting_for: self.acting_for.into_iter().map(own).collect(),
            tool_name: own(self.tool_name),
            operation: own(self.operation),
            risk_level: self.risk_level,
            input_summary: own(self.input_summary),
            reason: self.reason.map(own),
            rule: self.rule.map(own),
            policy: self.policy.map(own),
            error: self.error.map(own),
            result_summary: self.result_summary.map(own),
            duration_us: self.duration_us,
            request_id: self.request_id,
            approvers: self.approvers.into_iter().map(own).collect(),
            redacted: self.redacted.into_iter().map(own).collect(),
            metadata: Cow::Owned(self.metadata.into_owned()),
            prev: self.prev,
        }
    }

    /// What of the record's line does not depend on where and when it is written.
    pub(super) fn body(&self) -> Result<Body, serde_json::Error> {
        let mut line = Vec::with_capacity(1024);
        serde_json::to_writer(&mut line, self)?;
        Ok(Body(line))
    }
}

/// The line of a record without a place: at time 0, at position 0, and linked to nothing.
#[derive(Debug)]
pub(super) struct Body(Vec<u8>);

impl Body {
    const HEAD: &'static str = r#"{"timestamp":"1970-01-01T00:00:00.000000Z","seq":0"#;
    const TAIL: &'static str = "}";

    /// Adds the record's line, with its line break, to a buffer. It is what serializing the record
    /// gives with these three fields set: so what takes longest can be done before the place is
    /// known.
    pub(super) fn place(
        &self,
        timestamp: OffsetDateTime,
        seq: u64,
        prev: Hash,
        line: &mut Vec<u8>,
    ) {
        let middle = self
            .0
            .get(Self::HEAD.len()..self.0.len() - Self::TAIL.len());
        line.extend_from_slice(br#"{"timestamp":""#);
        line.extend_from_slice(&rfc3339_micros::text(timestamp));
        line.extend_from_slice(br#"","seq":"#);
        // Writing to a buffer does not fail.
        let _ = write!(line, "{seq}");
        line.extend_from_slice(middle.unwrap_or_default());
        line.extend_from_slice(br#","prev":""#);
        line.extend_from_slice(&prev.hex());
        line.extend_from_slice(b"\"}\n");
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What a record says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuditEvent {
    /// The call was allowed, and is about to run.
    Allowed,
    /// The call was denied, and did not run.
    Denied,
    /// The call needs an approval, and did not run.
    ApprovalRequired,
    /// A person approved the call.
    ApprovalGranted,
    /// A person rejected the call.
    ApprovalRejected,
    /// Nobody decided about the call, or made it again, in time.
    ApprovalExpired,
    /// A person took an approval back.
    ApprovalRevoked,
    /// Nobody waits for the approval any more.
    ApprovalWithdrawn,
    /// The call uses up its approval, and is about to run.
    ApprovalConsumed,
    /// The call ran and returned a value.
    ExecutionSucceeded,
    /// The call ran and returned an error, or panicked.
    ExecutionFailed,
    /// The call began to run and was dropped before it ended.
    ExecutionAbandoned,
    /// The log was found with a torn last line, which was set aside. Not about a call: agent,
    /// tool and operation are the log's own.
    LogRecovered,
    /// A token of an approver is about to count. Not about a call, either.
    TokenCreated,
    /// A token of an approver no longer counts. Not about a call, either.
    TokenRevoked,
    /// An event that a later version writes.
    #[serde(other)]
    Other,
}

impl AuditEvent {
    /// Every event, in the order of an attempt.
    pub const ALL: [Self; 16] = [
        Self::Allowed,
        Self::Denied,
        Self::ApprovalRequired,
        Self::ApprovalGranted,
        Self::ApprovalRejected,
        Self::ApprovalExpired,
        Self::ApprovalRevoked,
        Self::ApprovalWithdrawn,
        Self::ApprovalConsumed,
        Self::ExecutionSucceeded,
        Self::ExecutionFailed,
        Self::ExecutionAbandoned,
        Self::LogRecovered,
        Self::TokenCreated,
        Self::TokenRevoked,
        Self::Other,
    ];

    /// The name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::ApprovalRequired => "approval_required",
            Self::ApprovalGranted => "approval_granted",
            Self::ApprovalRejected => "approval_rejected",
            Self::ApprovalExpired => "approval_expired",
            Self::ApprovalRevoked => "approval_revoked",
            Self::ApprovalWithdrawn => "approval_withdrawn",
            Self::ApprovalConsumed => "approval_consumed",
            Self::ExecutionSucceeded => "execution_succeeded",
            Self::ExecutionFailed => "execution_failed",
            Self::ExecutionAbandoned => "execution_abandoned",
            Self::LogRecovered => "log_recovered",
            Self::TokenCreated => "token_created",
            Self::TokenRevoked => "token_revoked",
            Self::Other => "other",
        }
    }

    /// Whether it is about a call; of others, agent, tool and operation are the log's own.
    pub const fn is_about_a_call(self) -> bool {
        !matches!(
            self,
            Self::LogRecovered | Self::TokenCreated | Self::TokenRevoked
        )
    }
}

impl fmt::Display for AuditEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// RFC 3339 in UTC with exactly six digits of a second.
mod rfc3339_micros {
    use std::str;

    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};
    use time::format_description::well_known::Rfc3339;
    use time::{OffsetDateTime, UtcOffset};

    const OUT_OF_RANGE: &str = "the year is out of RFC 3339's range";

    pub(super) fn serialize<S: Serializer>(
        time: &OffsetDateTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let utc = utc(*time).ok_or_else(|| S::Error::custom(OUT_OF_RANGE))?;
        serializer.serialize_str(str::from_utf8(&text(utc)).map_err(S::Error::custom)?)
    }

    /// A time in UTC whose year has four digits.
    pub(super) fn text(utc: OffsetDateTime) -> [u8; 27] {
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut put = |place: std::ops::Range<usize>, mut number: u32| {
            for digit in text.get_mut(place).unwrap_or_default().iter_mut().rev() {
                *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
            }
        };
        put(0..4, utc.year().unsigned_abs());
        put(5..7, u8::from(utc.month()).into());
        put(8..10, utc.day().into());
        put(11..13, utc.hour().into());
        put(14..16, utc.minute().into());
        put(17..19, utc.second().into());
        put(20..26, utc.microsecond());
        text
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<OffsetDateTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(D::Error::custom)?;
        utc(time).ok_or_else(|| D::Error::custom(OUT_OF_RANGE))
    }

    /// The same time in UTC. `None` if its year is another there, and no longer one of four digits.
    fn utc(time: OffsetDateTime) -> Option<OffsetDateTime> {
        let utc = time.checked_to_offset(UtcOffset::UTC)?;
        (0..=9999).contains(&utc.year()).then_some(utc)
    }
}

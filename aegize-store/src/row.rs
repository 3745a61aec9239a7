//! A request as a row: its body, and what columns say again of it.
//!
//! The atomic steps go by columns, and people by the body. The invariant: what is read says the
//! same in both, so that neither was changed behind the store.

use aegize_core::ApprovalRequest;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::StoreError;

/// What is selected: the columns, and then the body.
pub(crate) const SELECTED: &str = "id, revision, state, binding, scope, standing, terms, agent_id, \
     tool_name, operation, updated_at, expires_at, body";

/// A row of these.
pub(crate) type Row = (
    Uuid,
    i64,
    String,
    Vec<u8>,
    Vec<u8>,
    bool,
    Vec<u8>,
    String,
    String,
    String,
    i64,
    i64,
    String,
);

/// What the columns say of a request.
#[derive(PartialEq)]
pub(crate) struct Columns {
    pub(crate) id: Uuid,
    pub(crate) revision: i64,
    pub(crate) state: String,
    pub(crate) binding: Vec<u8>,
    pub(crate) scope: Vec<u8>,
    pub(crate) standing: bool,
    /// A hash of the terms.
    pub(crate) terms: Vec<u8>,
    pub(crate) agent_id: String,
    pub(crate) tool_name: String,
    pub(crate) operation: String,
    pub(crate) updated_at: i64,
    pub(crate) expires_at: i64,
}

impl Columns {
    fn new(request: &ApprovalRequest) -> Result<Self, StoreError> {
        let question = request.question();
        let action = &question.action;
        let terms = serde_json::to_vec(&question.terms).map_err(|error| unwritable(&error))?;
        Ok(Self {
            id: request.id(),
            revision: number(request.revision()),
            state: request.state().as_str().to_owned(),
            binding: request.binding().as_bytes().to_vec(),
            scope: request.scope().as_bytes().to_vec(),
            standing: request.is_standing(),
            terms: Sha256::digest(terms).to_vec(),
            agent_id: action.agent_id.to_string(),
            tool_name: action.tool_name.to_string(),
            operation: action.operation.to_string(),
            updated_at: micros(request.updated_at()),
            expires_at: micros(request.expires_at()),
        })
    }
}

/// A request, ready to be written.
pub(crate) struct Written {
    pub(crate) columns: Columns,
    pub(crate) body: String,
    /// Whether it may be written whatever the time is.
    pub(crate) is_timeless: bool,
}

impl Written {
    pub(crate) fn new(request: &ApprovalRequest) -> Result<Self, StoreError> {
        let body = serde_json::to_string(request).map_err(|error| unwritable(&error))?;
        // A row that cannot be read keeps its calls refused, and people cannot decide about it.
        let read = serde_json::from_str::<ApprovalRequest>(&body);
        if read.map_err(|error| unwritable(&error))? != *request {
            return Err(StoreError::malformed(
                "the request would not be read as it is",
            ));
        }
        Ok(Self {
            columns: Columns::new(request)?,
            body,
            is_timeless: request.is_timely(request.expires_at()),
        })
    }
}

/// The request of a row.
pub(crate) fn read(
    (
        id,
        revision,
        state,
        binding,
        scope,
        standing,
        terms,
        agent_id,
        tool_name,
        operation,
        updated_at,
        expires_at,
        body,
    ): Row,
) -> Result<ApprovalRequest, StoreError> {
    let columns = Columns {
        id,
        revision,
        state,
        binding,
        scope,
        standing,
        terms,
        agent_id,
        tool_name,
        operation,
        updated_at,
        expires_at,
    };
    let parsed: Result<ApprovalRequest, _> = serde_json::from_str(&body);
    let request = parsed.map_err(|error| {
        StoreError::damaged(format!("approval request `{id}` cannot be read: {error}"))
    })?;
    if Columns::new(&request)? == columns {
        return Ok(request);
    }
    let message = format!("approval request `{id}` was changed: its columns and its body differ");
    Err(StoreError::damaged(message))
}

fn unwritable(error: &serde_json::Error) -> StoreError {
    StoreError::malformed(format!("the request cannot be written: {error}"))
}

/// A number as databases have it; the largest for all that are larger.
pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Microseconds since 1970.
pub(crate) fn micros(time: OffsetDateTime) -> i64 {
    let micros = time.unix_timestamp_nanos().div_euclid(1000);
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// The time that is so many microseconds after 1970.
pub(crate) fn time(micros: i64) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000)
        .map_err(|_| StoreError::damaged(format!("the store tells a time that is none: {micros}")))
}

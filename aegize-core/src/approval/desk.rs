//! Where people decide, and what is recorded of it.
//!
//! The store is the arbiter: what it has accepted is recorded right after, and whoever approved is
//! recorded again when a call uses that, before its body runs. The invariant: no body runs whose
//! approvers are not on record. Approvers' tokens are kept elsewhere; here it is recorded that they
//! are made and revoked.

use std::borrow::Cow;
use std::future;
use std::time::Duration;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::approvals::Approvals;
use super::approver::Approver;
use super::background::to_its_end;
use super::error::{ApprovalError, ApprovalErrorKind};
use super::remember::Remember;
use super::request::{ApprovalRequest, ApprovalState, ApprovalVote};
use super::store::{ApprovalList, ApprovalQuery};
use crate::audit::{AuditError, AuditEvent, AuditLog, AuditRecord};
use crate::secrets::BUILT_IN;
use crate::text::one_line;
use time::OffsetDateTime;

/// Where people look at requests and decide about them; made by [`Approvals::desk`].
///
/// What it returns runs on any executor. All that is done here is in the log.
#[derive(Debug, Clone)]
pub struct ApprovalDesk {
    approvals: Approvals,
    audit_log: AuditLog,
}

impl ApprovalDesk {
    pub(super) fn new(approvals: Approvals, audit_log: AuditLog) -> Self {
        Self {
            approvals,
            audit_log,
        }
    }

    /// One request, as it stands now.
    ///
    /// # Errors
    ///
    /// If there is none with that id, or the store or the log fails.
    pub async fn request(&self, id: Uuid) -> Result<ApprovalRequest, ApprovalError> {
        let (request, _) = self.load(id).await?;
        Ok(request)
    }

    /// The requests that a query selects, as they stand now, the newest first, and which could not
    /// be read. Fewer than it wants are all that there are.
    ///
    /// # Errors
    ///
    /// If the store or the log fails.
    pub async fn requests(&self, query: &ApprovalQuery) -> Result<ApprovalList, ApprovalError> {
        let mut found = ApprovalList::default();
        let mut query = query.clone();
        loop {
            let list = self.approvals.ask(|store| store.list(query.clone()));
            let seen = list.await?;
            let ApprovalList {
                requests,
                unreadable,
            } = seen.value;
            let is_last = requests.len() < query.most;
            query.before = requests.last().map(ApprovalRequest::id).or(query.before);
            found.unreadable.extend(unreadable);
            for request in requests {
                let request = match request.expire(seen.at) {
                    Some(_) => self.request(request.id()).await?,
                    None => request,
                };
                let is_selected =
                    query.states.is_empty() || query.states.contains(&request.state());
                if is_selected {
                    query.most -= 1;
                    found.requests.push(request);
                }
            }
            if is_last || query.most == 0 {
                return Ok(found);
            }
        }
    }

    /// How many requests are in a state; of those that ask people, some may have expired.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn count(&self, state: ApprovalState) -> Result<u64, ApprovalError> {
        self.approvals.ask(|store| store.count(state)).await
    }

    /// Waits until anything may have changed since this returned `after`, or for some time, and
    /// returns what to give the next time. Of 0, at once.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn news(&self, after: u64, limit: Duration) -> Result<u64, ApprovalError> {
        let news = self
            .approvals
            .within(limit, |store| store.news(after))
            .await?;
        Ok(news.unwrap_or(after))
    }

    /// Approves a call, and returns the request: it is granted, or still asks others.
    ///
    /// # Errors
    ///
    /// If people are no longer asked, this one may not decide or already did, or the store or the
    /// log fails.
    pub async fn approve(
        &self,
        id: Uuid,
        approver: &Approver,
        reason: Option<&str>,
    ) -> Result<ApprovalRequest, ApprovalError> {
        self.decide(id, AuditEvent::ApprovalGranted, |request, now| {
            request.approve(approver, reason, None, now)
        })
        .await
    }

    /// Approves a call, and extends the grant to further ones, if everyone who has to approve does
    /// and all rules that ask let that be: never against a deny rule, nor for another agent.
    ///
    /// # Errors
    ///
    /// As [`approve`](Self::approve), and if a rule does not let the grant be remembered so long.
    pub async fn approve_and_remember(
        &self,
        id: Uuid,
        approver: &Approver,
        reason: Option<&str>,
        remember: &Remember,
    ) -> Result<ApprovalRequest, ApprovalError> {
        self.decide(id, AuditEvent::ApprovalGranted, |request, now| {
            request.approve(approver, reason, Some(remember), now)
        })
        .await
    }

    /// Rejects a call. The rejection answers the same call until the request would have expired.
    ///
    /// # Errors
    ///
    /// As [`approve`](Self::approve).
    pub async fn reject(
        &self,
        id: Uuid,
        approver: &Approver,
        reason: Option<&str>,
    ) -> Result<ApprovalRequest, ApprovalError> {
        self.decide(id, AuditEvent::ApprovalRejected, |request, now| {
            request.reject(approver, reason, now)
        })
        .await
    }

    /// Takes a grant back that no call has used.
    ///
    /// # Errors
    ///
    /// If it is not granted, or no longer, this person may not decide, or the store or the log
    /// fails.
    pub async fn revoke(
        &self,
        id: Uuid,
        approver: &Approver,
        reason: Option<&str>,
    ) -> Result<ApprovalRequest, ApprovalError> {
        self.decide(id, AuditEvent::ApprovalRevoked, |request, now| {
            request.revoke(approver, reason, now)
        })
        .await
    }

    /// Records that a token is made for a person, who is in their groups from then on. `id` is the
    /// token's, which is no secret; `slack` the user in Slack who they are said to be; and `by` who
    /// makes it.
    ///
    /// To be called before the token counts: none does whose making is not on record.
    ///
    /// # Errors
    ///
    /// If the log fails.
    pub async fn record_token_created(
        &self,
        id: &str,
        approver: &Approver,
        slack: Option<&str>,
        by: &str,
    ) -> Result<(), AuditError> {
        let (name, groups) = (approver.name(), approver.groups());
        let mut metadata = token_metadata(id, name);
        let mut what = match groups {
            [] => format!("token {id} of {name}, in no group"),
            groups => format!("token {id} of {name}, in {}", groups.join(", ")),
        };
        if !groups.is_empty() {
            metadata.insert("groups".to_owned(), groups.into());
        }
        if let Some(user) = slack {
            what.extend([", ", user, " in Slack"]);
            metadata.insert("slack".to_owned(), user.into());
        }
        let event = AuditEvent::TokenCreated;
        self.write(&token_record(event, "create", what, by, &metadata))
            .await
    }

    /// Records that a token was revoked, and whose it was; the rest is as for
    /// [`record_token_created`](Self::record_token_created).
    ///
    /// To be called afterwards: what is wrong with a log is no reason to go on accepting a token.
    ///
    /// # Errors
    ///
    /// If the log fails.
    pub async fn record_token_revoked(
        &self,
        id: &str,
        approver: &str,
        by: &str,
    ) -> Result<(), AuditError> {
        let metadata = token_metadata(id, approver);
        let what = format!("token {id} of {approver}");
        let event = AuditEvent::TokenRevoked;
        self.write(&token_record(event, "revoke", what, by, &metadata))
            .await
    }

    /// One call that asks has gone away.
    pub(crate) async fn withdraw(&self, id: Uuid) -> Result<ApprovalRequest, ApprovalError> {
        self.decide(id, AuditEvent::ApprovalWithdrawn, |request, now| {
            request.withdraw(now)
        })
        .await
    }

    /// One request as it stands now, and when that is.
    pub(crate) async fn load(
        &self,
        id: Uuid,
    ) -> Result<(ApprovalRequest, OffsetDateTime), ApprovalError> {
        loop {
            let seen = self.approvals.ask(|store| store.load(id)).await?;
            let Some(request) = seen.value else {
                let message = format!("there is no approval request `{id}`");
                return Err(ApprovalError::new(ApprovalErrorKind::NotFound, message));
            };
            match request.expire(seen.at) {
                None => return Ok((request, seen.at)),
                Some(expired) => {
                    let event = Some(AuditEvent::ApprovalExpired);
                    if self.keep(&expired, event).await? {
                        return Ok((expired, seen.at));
                    }
                }
            }
        }
    }

    async fn decide(
        &self,
        id: Uuid,
        event: AuditEvent,
        next: impl Fn(&ApprovalRequest, OffsetDateTime) -> Result<ApprovalRequest, ApprovalError>,
    ) -> Result<ApprovalRequest, ApprovalError> {
        loop {
            let (request, now) = self.load(id).await?;
            let next = next(&request, now)?;
            let is_arrow = event != AuditEvent::ApprovalWithdrawn || next.state().is_end();
            // Somebody else may have been faster: what that leaves is asked again.
            if self.keep(&next, is_arrow.then_some(event)).await? {
                return Ok(next);
            }
        }
    }

    /// Keeps what became of a request and records it: both, even if whoever decided goes away.
    async fn keep(
        &self,
        next: &ApprovalRequest,
        event: Option<AuditEvent>,
    ) -> Result<bool, ApprovalError> {
        let (desk, next) = (self.clone(), next.clone());
        to_its_end(async move {
            let kept = desk.approvals.ask(|store| store.replace(next.clone()));
            let is_kept = match kept.await {
                Ok(is_kept) => is_kept,
                // The answer may be lost, and what it tells of done.
                Err(error) => desk.has_kept(&next).await.ok_or(error)?,
            };
            if let Some(event) = event.filter(|_| is_kept) {
                desk.record(event, &next).await?;
            }
            Ok(is_kept)
        })
        .await
    }

    /// Whether the store has exactly this, as far as it can be told.
    async fn has_kept(&self, next: &ApprovalRequest) -> Option<bool> {
        let seen = self.approvals.ask(|store| store.load(next.id())).await;
        (seen.ok()?.value? == *next).then_some(true)
    }

    /// Records what became of a request, as durably as the log promises.
    async fn record(
        &self,
        event: AuditEvent,
        request: &ApprovalRequest,
    ) -> Result<(), ApprovalError> {
        let not_recorded = |error| {
            let id = request.id();
            let state = request.state();
            let message = format!("approval request `{id}` is {state}, but unrecorded: {error}");
            ApprovalError::new(ApprovalErrorKind::NotRecorded, message)
        };
        let record = event_record(event, request);
        self.write(&record).await.map_err(not_recorded)
    }

    async fn write(&self, record: &AuditRecord<'_>) -> Result<(), AuditError> {
        let written = self.audit_log.append_anew(record)?;
        future::poll_fn(|context| self.audit_log.poll_for(written, context.waker())).await
    }
}

/// Why somebody decided, and what they extended a grant to.
fn reason(vote: &ApprovalVote) -> Option<Cow<'_, str>> {
    let reason = vote.reason.as_deref();
    let Some(remember) = &vote.remember else {
        return reason.map(Cow::Borrowed);
    };
    let remember = BUILT_IN
        .redact(&one_line(&remember.to_string()))
        .into_owned();
    Some(Cow::Owned(match reason {
        Some(reason) => format!("{reason} (remembered: {remember})"),
        None => format!("remembered: {remember}"),
    }))
}

/// The record of what became of a request, in the attempt that asked first.
fn event_record(event: AuditEvent, request: &ApprovalRequest) -> AuditRecord<'_> {
    let question = request.question();
    let action = &question.action;
    let mut record = AuditRecord::new(event, action.action_id, &action.metadata);
    record.agent_id = Cow::Borrowed(&action.agent_id);
    record.acting_for = question.acting_for.iter().map(Cow::from).collect();
    record.tool_name = Cow::Borrowed(&action.tool_name);
    record.operation = Cow::Borrowed(&action.operation);
    record.risk_level = action.risk_level;
    record.input_summary = Cow::Borrowed(&question.input_summary);
    record.rule = Some(Cow::Borrowed(&question.rule));
    record.policy = Some(Cow::Borrowed(&question.policy));
    record.redacted = question.redacted.iter().map(Cow::from).collect();
    record.request_id = Some(request.id());
    let deciding = match event {
        AuditEvent::ApprovalGranted => request.approvals().last(),
        AuditEvent::ApprovalRejected | AuditEvent::ApprovalRevoked => request.refusal(),
        _ => None,
    };
    if let Some(vote) = deciding {
        record.approvers = vec![vote.approver.name().into()];
        record.reason = reason(vote);
    }
    record
}

/// What programs are told of a token.
fn token_metadata(id: &str, approver: &str) -> Map<String, Value> {
    Map::from_iter([
        ("token".to_owned(), id.into()),
        ("approver".to_owned(), approver.into()),
    ])
}

/// The record of what became of a token, which is nobody's attempt.
fn token_record<'a>(
    event: AuditEvent,
    operation: &'a str,
    what: String,
    by: &'a str,
    metadata: &'a Map<String, Value>,
) -> AuditRecord<'a> {
    let mut record = AuditRecord::new(event, Uuid::now_v7(), metadata);
    record.agent_id = "aegize".into();
    record.tool_name = "approver_tokens".into();
    record.operation = operation.into();
    record.reason = Some(what.into());
    record.approvers = vec![by.into()];
    record
}

//! A request for approval, from when it is made to its end.
//!
//! It is plain data that a store keeps as it is; what may become of it is in
//! [`transition`](super::transition). The invariant, checked when it is read back: it is in a
//! state that the transitions lead to.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::approver::Approver;
use super::binding::Binding;
use super::error::{ApprovalError, ApprovalErrorKind};
use super::remember::Remember;
use crate::action::ToolAction;
use crate::policy::ApprovalTerms;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// People are asked.
    Requested,
    /// Enough of them approved; one call may use that, or more if it is remembered.
    Granted,
    /// As many calls as may have used it. The end.
    Consumed,
    /// Somebody rejected it. The end.
    Rejected,
    /// Nobody answered, or used the grant, in time. The end.
    Expired,
    /// The grant was taken back before it was used. The end.
    Revoked,
    /// The caller went away before it was granted. The end.
    Withdrawn,
}

impl ApprovalState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::Granted,
        Self::Consumed,
        Self::Rejected,
        Self::Expired,
        Self::Revoked,
        Self::Withdrawn,
    ];

    /// The name in stores and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Granted => "granted",
            Self::Consumed => "consumed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether nothing can become of it any more.
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Requested | Self::Granted)
    }
}

impl fmt::Display for ApprovalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One person's word about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ApprovalVote {
    /// Who, and in which groups at that time.
    pub approver: Approver,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What they extended the grant to, if to anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remember: Option<Remember>,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// What is asked of people: whether one call, exactly as it is, may run once.
///
/// A store keeps it as the JSON that it serializes to. It does not change: what becomes of it is
/// another value with the next [`revision`](Self::revision).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct ApprovalRequest {
    pub(super) id: Uuid,
    pub(super) revision: u64,
    pub(super) state: ApprovalState,
    pub(super) binding: Binding,
    pub(super) scope: Binding,
    pub(super) question: Question,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) updated_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) expires_at: OffsetDateTime,
    /// How long a grant counts.
    pub(super) grant_ttl: Duration,
    /// How many calls have asked and not gone away.
    pub(super) asked: u64,
    pub(super) approvals: Vec<ApprovalVote>,
    /// The word that rejected or revoked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<ApprovalVote>,
    /// What the grant is extended to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) remember: Option<Remember>,
    /// The attempts that used it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) consumed_by: Vec<Uuid>,
}

/// The call that people are asked about, as they may see it, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Question {
    /// The call, whole but for secrets.
    pub action: ToolAction,
    /// For whom the agent acts, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acting_for: Vec<String>,
    /// The call's arguments in one line, as the log has them.
    pub input_summary: String,
    /// The names of what was redacted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<String>,
    /// Why approval is needed, in one line.
    pub reason: String,
    /// The rule that asks for it.
    pub rule: String,
    /// The digest of that rule's policy.
    pub policy: String,
    /// The terms of all rules that ask. All of them have to be met.
    pub terms: Vec<ApprovalTerms>,
}

impl ApprovalRequest {
    /// A `UUIDv7`.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// How often it has changed. A store replaces a request only by the next revision.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Where it stands. Past [`expires_at`](Self::expires_at) it is as good as expired.
    pub fn state(&self) -> ApprovalState {
        self.state
    }

    /// What it is bound to.
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// What it has in common with calls by the same agent, for the same and in the same environment,
    /// of the same operation at the same risk, whatever their arguments.
    pub fn scope(&self) -> Binding {
        self.scope
    }

    /// Whether it is a grant that calls with other arguments may use, too.
    pub fn is_standing(&self) -> bool {
        let conditions = self.remember.as_ref().and_then(Remember::stated_conditions);
        self.state == ApprovalState::Granted && conditions.is_some()
    }

    /// What the grant is extended to, if everyone who approved agreed on that.
    pub fn remember(&self) -> Option<&Remember> {
        self.remember.as_ref()
    }

    /// What is asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// When it was made.
    pub fn created_at(&self) -> OffsetDateTime {
        self.created_at
    }

    /// When it last changed.
    pub fn updated_at(&self) -> OffsetDateTime {
        self.updated_at
    }

    /// From when on it has expired: while people are asked, the request, and then the grant. Of a
    /// rejected one, until when the rejection answers the same call.
    pub fn expires_at(&self) -> OffsetDateTime {
        self.expires_at
    }

    /// How many calls ask, and have not gone away. Of many that ask at once and do not wait, some may
    /// not be counted.
    pub fn asked(&self) -> u64 {
        self.asked
    }

    /// Who approved it, in that order.
    pub fn approvals(&self) -> &[ApprovalVote] {
        &self.approvals
    }

    /// Who rejected or revoked it, and why.
    pub fn refusal(&self) -> Option<&ApprovalVote> {
        self.refusal.as_ref()
    }

    /// The ids of the attempts that used it, in that order.
    pub fn consumed_by(&self) -> &[Uuid] {
        &self.consumed_by
    }

    /// How many calls a grant lets run, of which some may have used it.
    pub fn uses(&self) -> u32 {
        self.remember.as_ref().map_or(1, Remember::uses)
    }

    /// Whether those who approved meet these terms, all of them.
    pub fn meets(&self, terms: &[ApprovalTerms]) -> bool {
        let people = || {
            self.approvals.iter().map(|vote| {
                let approver = &vote.approver;
                (approver.name(), approver.groups())
            })
        };
        !self.approvals.is_empty() && terms.iter().all(|terms| terms.are_met_by(people()))
    }

    /// What everyone who approved extends the grant to.
    pub(super) fn agreed(&self) -> Option<Remember> {
        let mut votes = self.approvals.iter().map(|vote| vote.remember.as_ref());
        let first = votes.next()??.clone();
        votes.try_fold(first, |agreed, next| agreed.and(next?))
    }

    /// Whether as many calls have used it as its state says.
    fn is_used_as_told(&self) -> bool {
        let used = u32::try_from(self.consumed_by.len()).unwrap_or(u32::MAX);
        match self.state {
            ApprovalState::Consumed => used == self.uses(),
            ApprovalState::Granted | ApprovalState::Revoked | ApprovalState::Expired => {
                used < self.uses()
            }
            _ => used == 0,
        }
    }

    /// What is not as the transitions leave it.
    fn problem(&self) -> Option<&'static str> {
        let approved = matches!(
            self.state,
            ApprovalState::Granted | ApprovalState::Consumed | ApprovalState::Revoked
        );
        let refused = matches!(self.state, ApprovalState::Rejected | ApprovalState::Revoked);
        let votes = self.approvals.iter().chain(&self.refusal);
        let is_granted_in_vain = approved && !self.meets(&self.question.terms);
        if is_granted_in_vain {
            Some("it is granted, and its approvers do not meet its terms")
        } else if votes.into_iter().any(|vote| self.is_party(&vote.approver)) {
            Some("somebody approved their own call")
        } else if refused != self.refusal.is_some() {
            Some("its state is not what its votes say")
        } else if approved && self.remember != self.agreed() {
            Some("its grant is extended to what nobody approved")
        } else if !self.is_used_as_told() {
            Some("its state is not what became of it")
        } else {
            None
        }
    }
}

/// The deserialized form, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    id: Uuid,
    revision: u64,
    state: ApprovalState,
    binding: Binding,
    scope: Binding,
    question: Question,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    grant_ttl: Duration,
    asked: u64,
    approvals: Vec<ApprovalVote>,
    #[serde(default)]
    refusal: Option<ApprovalVote>,
    #[serde(default)]
    remember: Option<Remember>,
    #[serde(default)]
    consumed_by: Vec<Uuid>,
}

impl TryFrom<Unchecked> for ApprovalRequest {
    type Error = ApprovalError;

    fn try_from(from: Unchecked) -> Result<Self, ApprovalError> {
        let request = Self {
            id: from.id,
            revision: from.revision,
            state: from.state,
            binding: from.binding,
            scope: from.scope,
            question: from.question,
            created_at: from.created_at,
            updated_at: from.updated_at,
            expires_at: from.expires_at,
            grant_ttl: from.grant_ttl,
            asked: from.asked,
            approvals: from.approvals,
            refusal: from.refusal,
            remember: from.remember,
            consumed_by: from.consumed_by,
        };
        match request.problem() {
            None => Ok(request),
            Some(problem) => {
                let message = format!("approval request `{}` was changed: {problem}", request.id);
                Err(ApprovalError::new(ApprovalErrorKind::Malformed, message))
            }
        }
    }
}

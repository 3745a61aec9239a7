//! What may become of a request: the state machine. Pure: the time is an input.
//!
//! ```text
//! requested ─► granted ─► consumed | expired | revoked
//!     └──────► rejected | expired | withdrawn
//! ```
//!
//! The invariants: no arrow leads from an end; nothing is granted or used at a time that is not
//! within its life, and a time before the last change, of a clock that was set back, is not.

use std::collections::BTreeSet;
use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::approver::Approver;
use super::binding::Bindings;
use super::error::{ApprovalError, ApprovalErrorKind};
use super::remember::Remember;
use super::request::{ApprovalRequest, ApprovalState, ApprovalVote, Question};
use crate::policy::{ApprovalTerms, Facts, Span, folded};
use crate::secrets::BUILT_IN;

/// The most characters of a reason that are kept.
const LONGEST_REASON: usize = 1000;

impl ApprovalRequest {
    /// A new request; the rules' own time to live, the shortest of them, takes the place of both.
    pub(crate) fn new(
        bindings: Bindings,
        question: Question,
        now: OffsetDateTime,
        request_ttl: Duration,
        grant_ttl: Duration,
    ) -> Self {
        let now = whole(now);
        let own = question.terms.iter();
        let own = own.filter_map(ApprovalTerms::expires_in).min();
        Self {
            id: Uuid::now_v7(),
            revision: 0,
            state: ApprovalState::Requested,
            binding: bindings.binding,
            scope: bindings.scope,
            question,
            created_at: now,
            updated_at: now,
            expires_at: later(now, own.unwrap_or(request_ttl)),
            grant_ttl: own.unwrap_or(grant_ttl),
            asked: 1,
            approvals: Vec::new(),
            refusal: None,
            remember: None,
            consumed_by: Vec::new(),
        }
    }

    /// Whether it has expired at a time, or that is before its last change.
    pub fn is_over(&self, now: OffsetDateTime) -> bool {
        let now = whole(now);
        now >= self.expires_at || now < self.updated_at
    }

    /// Whether this revision may still be stored at a time. A grant that was used in time and is
    /// stored too late was not.
    pub fn is_timely(&self, now: OffsetDateTime) -> bool {
        match self.state {
            ApprovalState::Requested | ApprovalState::Granted | ApprovalState::Consumed => {
                !self.is_over(now)
            }
            _ => true,
        }
    }

    /// The request with one more person's approval: granted, if that meets its terms. The grant is
    /// extended to what everyone who approved agrees on.
    ///
    /// # Errors
    ///
    /// If people are no longer asked, this one may not decide or already did, or a rule does not
    /// let the grant be remembered for so long.
    pub fn approve(
        &self,
        approver: &Approver,
        reason: Option<&str>,
        remember: Option<&Remember>,
        now: OffsetDateTime,
    ) -> Result<Self, ApprovalError> {
        self.expect(ApprovalState::Requested, now)?;
        self.check_entitled(approver)?;
        if let Some(remember) = remember {
            self.check_remembered(remember)?;
        }
        let person = folded(approver.name());
        let mut votes = self.approvals.iter();
        if votes.any(|vote| folded(vote.approver.name()) == person) {
            let message = format!(
                "`{}` has already approved request `{}`; another person has to",
                approver.name(),
                self.id
            );
            return Err(ApprovalError::new(ApprovalErrorKind::State, message));
        }
        let mut next = self.next(ApprovalState::Requested, now);
        let mut vote = vote(approver, reason, now);
        vote.remember = remember.cloned();
        next.approvals.push(vote);
        if next.meets(&next.question.terms) {
            next.state = ApprovalState::Granted;
            next.remember = next.agreed();
            let time = next
                .remember
                .as_ref()
                .map_or(next.grant_ttl, Remember::time);
            next.expires_at = later(next.updated_at, time);
        }
        Ok(next)
    }

    /// The rejected request.
    ///
    /// # Errors
    ///
    /// If people are no longer asked, or this one may not decide.
    pub fn reject(
        &self,
        approver: &Approver,
        reason: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Self, ApprovalError> {
        self.expect(ApprovalState::Requested, now)?;
        self.refuse(ApprovalState::Rejected, approver, reason, now)
    }

    /// The request, its grant taken back.
    ///
    /// # Errors
    ///
    /// If it is not granted, or no longer, or this person may not decide.
    pub fn revoke(
        &self,
        approver: &Approver,
        reason: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Self, ApprovalError> {
        self.expect(ApprovalState::Granted, now)?;
        self.refuse(ApprovalState::Revoked, approver, reason, now)
    }

    /// The request, its grant used by one more attempt; consumed, if it was the last that may.
    ///
    /// # Errors
    ///
    /// If it is not granted, or no longer.
    pub fn consume(&self, action_id: Uuid, now: OffsetDateTime) -> Result<Self, ApprovalError> {
        self.expect(ApprovalState::Granted, now)?;
        let mut next = self.next(ApprovalState::Granted, now);
        next.consumed_by.push(action_id);
        let used = u32::try_from(next.consumed_by.len()).unwrap_or(u32::MAX);
        if used >= next.uses() {
            next.state = ApprovalState::Consumed;
        }
        Ok(next)
    }

    /// The request, asked by one more call.
    ///
    /// # Errors
    ///
    /// If people are no longer asked.
    pub fn ask_again(&self, now: OffsetDateTime) -> Result<Self, ApprovalError> {
        self.expect(ApprovalState::Requested, now)?;
        let mut next = self.next(ApprovalState::Requested, now);
        next.asked = next.asked.saturating_add(1);
        Ok(next)
    }

    /// The request without one of the calls that ask: withdrawn, if it was the last.
    ///
    /// # Errors
    ///
    /// If people are no longer asked.
    pub fn withdraw(&self, now: OffsetDateTime) -> Result<Self, ApprovalError> {
        self.expect(ApprovalState::Requested, now)?;
        let mut next = self.next(ApprovalState::Requested, now);
        next.asked = next.asked.saturating_sub(1);
        if next.asked == 0 {
            next.state = ApprovalState::Withdrawn;
        }
        Ok(next)
    }

    /// Whether its grant lets a call run, on these terms. `facts` are of that call.
    pub(crate) fn answers(
        &self,
        bindings: Bindings,
        facts: &Facts<'_>,
        terms: &[ApprovalTerms],
        now: OffsetDateTime,
    ) -> bool {
        let granted_at = self
            .approvals
            .last()
            .map_or(self.created_at, |vote| vote.at);
        let is_within = |time: Duration| now < later(granted_at, time);
        let is_same = self.binding == bindings.binding;
        let is_first = is_same && self.consumed_by.is_empty() && is_within(self.grant_ttl);
        let is_remembered = || {
            let is_meant = |remember: &Remember| {
                is_same || (self.scope == bindings.scope && remember.holds(facts))
            };
            self.remember.as_ref().is_some_and(is_meant)
                && terms
                    .iter()
                    .all(|terms| terms.remember().is_some_and(is_within))
        };
        self.state == ApprovalState::Granted
            && !self.is_over(now)
            && self.meets(terms)
            && (is_first || is_remembered())
    }

    /// The expired request, if its time is over.
    pub fn expire(&self, now: OffsetDateTime) -> Option<Self> {
        (!self.state.is_end() && self.is_over(now)).then(|| self.next(ApprovalState::Expired, now))
    }

    /// Whether it is the agent itself, or one for whom it acts.
    pub(super) fn is_party(&self, approver: &Approver) -> bool {
        let person = folded(approver.name());
        let parties = self.question.acting_for.iter().map(String::as_str);
        std::iter::once(&*self.question.action.agent_id)
            .chain(parties)
            .any(|party| folded(party) == person)
    }

    fn refuse(
        &self,
        state: ApprovalState,
        approver: &Approver,
        reason: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Self, ApprovalError> {
        self.check_entitled(approver)?;
        let mut next = self.next(state, now);
        next.refusal = Some(vote(approver, reason, now));
        Ok(next)
    }

    fn next(&self, state: ApprovalState, now: OffsetDateTime) -> Self {
        Self {
            revision: self.revision.saturating_add(1),
            state,
            // Of a clock that was set back, the later time counts.
            updated_at: whole(now).max(self.updated_at),
            ..self.clone()
        }
    }

    fn expect(&self, state: ApprovalState, now: OffsetDateTime) -> Result<(), ApprovalError> {
        let is_over = !self.state.is_end() && self.is_over(now);
        if self.state == state && !is_over {
            return Ok(());
        }
        let found = if is_over {
            ApprovalState::Expired
        } else {
            self.state
        };
        let message = format!("approval request `{}` is {found}, not {state}", self.id);
        Err(ApprovalError::new(ApprovalErrorKind::State, message))
    }

    /// Every rule has to let a grant be remembered for so long.
    fn check_remembered(&self, remember: &Remember) -> Result<(), ApprovalError> {
        let mut times = self.question.terms.iter().map(ApprovalTerms::remember);
        let longest = times.try_fold(Duration::MAX, |longest, time| Some(longest.min(time?)));
        let message = match longest {
            Some(longest) if remember.time() <= longest => return Ok(()),
            Some(longest) => format!(
                "a grant of this call is remembered for at most {}; ask for no more",
                Span(longest)
            ),
            None => "a rule that asks for this approval has no `remember`; approve the one call"
                .to_owned(),
        };
        Err(ApprovalError::new(ApprovalErrorKind::NotEntitled, message))
    }

    /// Some rule's terms have to count this person's word.
    fn check_entitled(&self, approver: &Approver) -> Result<(), ApprovalError> {
        let name = approver.name();
        let message = if self.is_party(approver) {
            format!("`{name}` makes the call, and cannot decide about it; another person has to")
        } else if self
            .question
            .terms
            .iter()
            .any(|terms| terms.entitles(name, approver.groups()))
        {
            return Ok(());
        } else {
            let rule = &self.question.rule;
            let entitled = self.question.terms.iter().flat_map(|terms| {
                let also = terms.escalate_to().iter();
                terms.approvers().iter().chain(also)
            });
            let entitled: BTreeSet<_> = entitled.map(ToString::to_string).collect();
            let entitled = Vec::from_iter(entitled).join(", ");
            format!("`{name}` is not among the approvers of rule `{rule}`; they are {entitled}")
        };
        Err(ApprovalError::new(ApprovalErrorKind::NotEntitled, message))
    }
}

fn vote(approver: &Approver, reason: Option<&str>, now: OffsetDateTime) -> ApprovalVote {
    ApprovalVote {
        approver: approver.clone(),
        // None that is blank, which would be shown as one.
        reason: reason
            .filter(|reason| !reason.trim().is_empty())
            .map(|reason| {
                let shown = BUILT_IN.redact(reason);
                shown.chars().take(LONGEST_REASON).collect()
            }),
        remember: None,
        at: whole(now),
    }
}

/// A time as every store keeps it: to the microsecond, in UTC.
fn whole(time: OffsetDateTime) -> OffsetDateTime {
    let micros = time.microsecond();
    let time = time.to_offset(time::UtcOffset::UTC);
    time.replace_microsecond(micros).unwrap_or(time)
}

fn later(time: OffsetDateTime, by: Duration) -> OffsetDateTime {
    let by = time::Duration::try_from(by).unwrap_or(time::Duration::MAX);
    time.saturating_add(by)
}

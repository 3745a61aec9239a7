//! The pipeline: the one place where the order of stages is written.
//!
//! arguments → action → policy → approval → audit → body → audit. Every style of calling, and every
//! adapter, goes through [`admit`]. Nothing here is generic over a tool, so that three hundred
//! tools cost one pipeline. The invariant: a [`Permit`] exists only after the decision to allow
//! has been written, and a body runs only when that is as durable as the log promises.

mod approving;
mod attempt;
mod concluding;
mod copied;
mod ending;
mod entering;
mod finding;
mod future;
mod links;
mod metadata;
mod permit;
mod polls;
mod span;

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use self::approving::Held;
use self::attempt::{Attempt, Decided};
pub use self::ending::{Ending, Outcome, ResultEnding, ReturnedResult, ReturnedValue, ValueEnding};
pub use self::entering::Entering;
pub(crate) use self::entering::confirmed;
pub use self::future::{Guarded, ToolResult, lazy, refused, refused_by, run, run_async, run_or};
pub(crate) use self::metadata::{Merged, Metadata};
use self::permit::Input;
pub use self::permit::Permit;
use self::span::CallSpan;
use crate::action::{RiskLevel, ToolAction};
use crate::approval::Approvals;
use crate::arguments::{Arguments, Call, summarize_arguments};
use crate::audit::{AuditEvent, AuditLog, AuditRecord};
use crate::error::{AuditUnavailable, GuardError, InvalidCall};
use crate::identity::AgentIdentity;
use crate::observe::Counter;
use crate::policy::{Decision, Facts, PermissionPolicy, Verdict};
use crate::secrets::{Redactions, Redactor};
use crate::source::PolicySource;
use crate::text::{find_invisible, one_line};

/// The most bytes of a tool's or an operation's name. A model may make them up, and each record
/// has them whole.
const LONGEST_NAME: usize = 1024;

/// On whose behalf, by which rules, into which log.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    pub(crate) agent: AgentIdentity,
    /// For whom the agent acts, the nearest first.
    pub(crate) principals: Vec<AgentIdentity>,
    pub(crate) policy: PolicySource,
    /// What has to consent, too.
    pub(crate) narrowing: Vec<PolicySource>,
    pub(crate) audit_log: AuditLog,
    /// What keeps secrets out of the log and out of refusals.
    pub(crate) redactor: Redactor,
    /// The metadata of calls to which nothing is attached.
    pub(crate) plain: Arc<Merged>,
    /// Where people are asked, if they can be.
    pub(crate) approvals: Option<Approvals>,
    pub(crate) waiting: Waiting,
}

/// How long a call waits for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Not at all: it is made again later.
    No,
    /// At most so long.
    For(Duration),
    /// Until its request is granted, or has come to another end.
    UntilItEnds,
}

impl Authority {
    /// The agent, and all for whom it acts.
    fn parties(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.agent)
            .chain(&self.principals)
            .map(|agent| agent.agent_id.as_str())
    }

    fn acting_for(&self) -> Vec<Cow<'_, str>> {
        let principals = self.principals.iter();
        principals
            .map(|agent| agent.agent_id.as_str().into())
            .collect()
    }
}

/// What is decided, for whom, and by which policy.
#[derive(Clone, Copy)]
struct Ruling<'a> {
    agent_id: &'a str,
    policy: &'a PermissionPolicy,
    verdict: Verdict<'a>,
}

/// Asks every policy about everyone who is concerned. The strictest answer counts, and of several
/// the first.
fn judge<'r, 'f: 'r>(
    authority: &'r Authority,
    policy: &'r PermissionPolicy,
    narrowing: &'r [PermissionPolicy],
    facts: &Facts<'f>,
) -> Ruling<'r> {
    let ruling = |policy: &'r PermissionPolicy, agent_id: &'r str| Ruling {
        agent_id,
        policy,
        verdict: policy.judge(agent_id, facts),
    };
    let mut strictest = ruling(policy, &authority.agent.agent_id);
    let is_alone = narrowing.is_empty() && authority.principals.is_empty();
    if is_alone {
        return strictest;
    }
    for (policy, agent_id) in every_ruling(authority, policy, narrowing) {
        let next = ruling(policy, agent_id);
        if strictness(&next) > strictness(&strictest) {
            strictest = next;
        }
    }
    strictest
}

/// Every policy that is asked, with everyone whom it is asked about.
fn every_ruling<'r>(
    authority: &'r Authority,
    policy: &'r PermissionPolicy,
    narrowing: &'r [PermissionPolicy],
) -> impl Iterator<Item = (&'r PermissionPolicy, &'r str)> {
    let policies = std::iter::once(policy).chain(narrowing);
    policies.flat_map(|policy| authority.parties().map(move |agent_id| (policy, agent_id)))
}

fn strictness(ruling: &Ruling<'_>) -> u8 {
    match ruling.verdict.decision() {
        Decision::Allow => 0,
        Decision::RequireApproval => 1,
        Decision::Deny => 2,
    }
}

/// What is called: the coordinates that policies know.
#[derive(Debug, Clone)]
pub(crate) struct Coordinates {
    pub(crate) tool_name: Cow<'static, str>,
    pub(crate) operation: Cow<'static, str>,
    pub(crate) risk_level: RiskLevel,
}

impl Coordinates {
    /// What is wrong with the names, if no record could hold them well or no policy could mean
    /// them.
    fn problem(&self) -> Option<String> {
        let length = self.tool_name.len().max(self.operation.len());
        if length > LONGEST_NAME {
            return Some(format!(
                "a name of {length} bytes is too long; at most {LONGEST_NAME} are recorded"
            ));
        }
        if let Some(found) = find_invisible(&self.tool_name).or(find_invisible(&self.operation)) {
            return Some(format!(
                "a name holds {found:?}, which nobody sees; remove it"
            ));
        }
        let is_blank = self.tool_name.trim().is_empty() || self.operation.trim().is_empty();
        is_blank.then(|| "a name is blank; give both as the policy has them".to_owned())
    }
}

/// A name as a record may hold it.
fn shorten(name: Cow<'static, str>) -> Cow<'static, str> {
    if name.len() <= LONGEST_NAME && find_invisible(&name).is_none() {
        return name;
    }
    let mut shown: String = name.chars().take(100).collect();
    shown.push('…');
    one_line(&shown).into()
}

/// Refuses a call that makes no sense. It is an attempt like any other, and is recorded as
/// denied.
pub(crate) fn refuse(authority: &Authority, coordinates: Coordinates, problem: &str) -> Entry {
    let mut found = Redactions::default();
    let problem = authority.redactor.text(problem, &mut found).into_owned();
    let tool_name = shorten(coordinates.tool_name);
    let operation = shorten(coordinates.operation);
    let mut action = ToolAction::new(
        authority.agent.agent_id.clone(),
        tool_name.clone(),
        operation.clone(),
    )
    .risk_level(coordinates.risk_level)
    .metadata("environment", authority.agent.environment.as_str());
    action.action_id = authority.audit_log.begin(action.timestamp);
    let shown = Coordinates {
        tool_name: tool_name.clone(),
        operation: operation.clone(),
        risk_level: action.risk_level,
    };
    let span = CallSpan::new(&action.agent_id, &shown, action.action_id);
    span.decided(Decision::Deny.as_str());

    let mut record = AuditRecord::new(AuditEvent::Denied, action.action_id, &action.metadata);
    record.agent_id = action.agent_id.as_ref().into();
    record.acting_for = authority.acting_for();
    record.tool_name = tool_name.as_ref().into();
    record.operation = operation.as_ref().into();
    record.risk_level = action.risk_level;
    record.reason = Some(problem.as_str().into());
    record.redacted = found.iter().map(Cow::Borrowed).collect();
    let error = match authority.audit_log.append(&record) {
        Ok(_) => {
            count(authority, &tool_name, &operation, Decision::Deny.as_str());
            GuardError::from(Box::new(InvalidCall {
                tool_name,
                operation,
                problem,
            }))
        }
        Err(source) => GuardError::from(Box::new(AuditUnavailable { action, source })),
    };
    Err(error.into())
}

/// Tells those who watch that a call was decided.
fn count(authority: &Authority, tool_name: &str, operation: &str, decision: &str) {
    authority.audit_log.observing().tell(|observer| {
        let labels = [
            ("agent_id", authority.agent.agent_id.as_str()),
            ("tool_name", tool_name),
            ("operation", operation),
            ("decision", decision),
        ];
        observer.add(Counter::Calls, 1, &labels);
    });
}

/// A permit, or why there is none. Both are one pointer, so that each tool has it in registers.
pub(crate) type Entry = Result<Permit, Box<GuardError>>;

/// What asking for permission comes to: at once, or later.
pub(crate) enum Admission {
    /// It is decided.
    Decided(Entry),
    /// A person, or the store of approvals, has to be asked.
    Waiting(Pin<Box<dyn Future<Output = Entry> + Send>>),
}

impl From<Entry> for Admission {
    fn from(entry: Entry) -> Self {
        Self::Decided(entry)
    }
}

/// Takes a call from its arguments to a permit, or refuses it. Either way there is a record,
/// or the error that says why there could be none. Before the body runs, what was decided has to be
/// durable: that, and a person, is waited for by [`confirmed`] or by [`Entering`].
pub(crate) fn admit(
    authority: &Arc<Authority>,
    coordinates: Coordinates,
    arguments: Arguments<'_>,
    metadata: Metadata<'_>,
) -> Admission {
    if let Some(problem) = coordinates.problem() {
        return refuse(authority, coordinates, &problem).into();
    }
    let metadata = match metadata.merge(authority) {
        Ok(metadata) => metadata,
        Err(problem) => return refuse(authority, coordinates, &problem).into(),
    };
    let redactor = &authority.redactor;
    let mut redactions = Redactions::default();
    let input_summary = summarize_arguments(arguments, redactor, &mut redactions);
    redactions.extend(&metadata.redactions);
    let timestamp = OffsetDateTime::now_utc();
    let action_id = authority.audit_log.begin(timestamp);
    let started = Instant::now();
    let span = CallSpan::new(&authority.agent.agent_id, &coordinates, action_id);
    let attempt = Attempt {
        authority,
        action_id,
        timestamp,
        span: &span,
        input_summary: &input_summary,
        shown_metadata: metadata.shown(),
        redactions: &redactions,
        call: Call {
            agent_id: &authority.agent.agent_id,
            tool_name: &coordinates.tool_name,
            operation: &coordinates.operation,
            risk_level: coordinates.risk_level,
            arguments,
            metadata: &metadata.judged,
            redactor,
        },
    };

    let host = links::Host::default();
    let facts = Facts::new(attempt.call, Some(&host));
    let policy = authority.policy.current();
    let narrowing: Vec<_> = authority
        .narrowing
        .iter()
        .map(PolicySource::current)
        .collect();
    let ruling = judge(authority, &policy, &narrowing, &facts);
    let verdict = ruling.verdict;
    let decision = verdict.decision();
    if let (Decision::RequireApproval, Some(approvals)) = (decision, &authority.approvals) {
        let copy = match copied::Copied::of(&attempt.call) {
            Ok(copy) => copy,
            Err(source) => {
                let error = attempt.unanswerable(source, &ruling);
                attempt.tell(decision, Some(started));
                return Err(error.into()).into();
            }
        };
        drop(facts);
        let held = Arc::new(Held {
            authority: Arc::clone(authority),
            approvals: approvals.clone(),
            action_id,
            timestamp,
            span,
            coordinates,
            input_summary,
            metadata,
            redactions,
            copy,
        });
        return Admission::Waiting(Box::pin(held.decide()));
    }
    let written = match attempt.record(Decided::by(&ruling)) {
        Ok(written) => written,
        Err(source) => return Err(attempt.unrecorded(source).into()).into(),
    };
    attempt.tell(decision, Some(started));

    let refusal = match decision {
        Decision::Allow => {
            // They borrow what the permit keeps.
            drop(facts);
            let input = Input {
                summary: input_summary,
                metadata,
                redactions,
            };
            let permit = Permit::new(authority, action_id, coordinates, input, written, span);
            return Ok(permit).into();
        }
        Decision::RequireApproval | Decision::Deny => attempt.refusal(&ruling, &facts),
    };
    Err(refusal.into()).into()
}

//! The real thing.

use std::time::Duration;

use aegize_core::{
    AgentIdentity, ApprovalDesk, ApprovalRequest, ApprovalState, ApprovalStore, Approvals,
    Approver, AuditLog, GuardContext, GuardError, PermissionPolicy, Remember, ToolCall,
};
use serde_json::json;
use uuid::Uuid;

use super::{CONDITIONS, GRANT_TTL, Kept, Outcome, PEOPLE, POLICIES, REQUEST_TTL, Step};

/// Guards over a store, and the desk where people decide.
pub(super) struct Real {
    contexts: Vec<GuardContext>,
    desk: ApprovalDesk,
    requests: Vec<Uuid>,
    _directory: tempfile::TempDir,
}

impl Real {
    pub(super) fn new(store: impl ApprovalStore + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = AuditLog::open(directory.path().join("audit.jsonl")).unwrap();
        let approvals = Approvals::new(store)
            .request_ttl(Duration::from_secs(REQUEST_TTL.unsigned_abs()))
            .grant_ttl(Duration::from_secs(GRANT_TTL.unsigned_abs()));
        let contexts = POLICIES.iter().map(|(rules, _)| {
            let agent = AgentIdentity::new("bot", "Bot", "Tests").unwrap();
            let policy = format!("agents: {{bot: {{{rules}}}}}");
            let policy = PermissionPolicy::from_yaml_str(&policy).unwrap();
            GuardContext::new(agent, policy, log.clone()).approvals(approvals.clone())
        });
        Self {
            contexts: contexts.collect(),
            desk: approvals.desk(&log),
            requests: Vec::new(),
            _directory: directory,
        }
    }

    pub(super) fn take(&mut self, step: Step) -> Outcome {
        match step {
            Step::Turn(_) => Outcome::Nothing,
            Step::Call { policy, amount } => self.call(policy, amount),
            Step::Approve {
                request,
                person,
                kept,
            } => {
                let Some(id) = self.requests.get(request) else {
                    return Outcome::Nothing;
                };
                let who = Approver::new(PEOPLE[person]).unwrap();
                let result = match kept.map(as_remember) {
                    Some(remember) => pollster::block_on(
                        self.desk.approve_and_remember(*id, &who, None, &remember),
                    ),
                    None => pollster::block_on(self.desk.approve(*id, &who, None)),
                };
                decided(result)
            }
            Step::Reject { request, person } | Step::Revoke { request, person } => {
                let Some(id) = self.requests.get(request) else {
                    return Outcome::Nothing;
                };
                let who = Approver::new(PEOPLE[person]).unwrap();
                decided(if matches!(step, Step::Reject { .. }) {
                    pollster::block_on(self.desk.reject(*id, &who, Some("no")))
                } else {
                    pollster::block_on(self.desk.revoke(*id, &who, None))
                })
            }
        }
    }

    fn call(&mut self, policy: usize, amount: usize) -> Outcome {
        let call = ToolCall::new("pay", "refund").arguments(json!({"amount": amount}));
        let result = self.contexts[policy]
            .guard(call)
            .run_blocking(|| Ok::<_, GuardError>(()));
        match result {
            Ok(()) => Outcome::Ran,
            Err(GuardError::PolicyDenied(_)) => Outcome::Denied,
            Err(GuardError::ApprovalRequired(pending)) => {
                Outcome::Asked(self.place(pending.request_id()))
            }
            Err(GuardError::ApprovalRefused(refused)) => {
                Outcome::Refused(self.place(refused.request().id()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn place(&mut self, id: Uuid) -> usize {
        let known = self.requests.iter().position(|known| *known == id);
        known.unwrap_or_else(|| {
            self.requests.push(id);
            self.requests.len() - 1
        })
    }

    pub(super) fn look(&self) -> Vec<(ApprovalState, u64, usize)> {
        let look = |id: &Uuid| {
            let request = pollster::block_on(self.desk.request(*id)).unwrap();
            (
                request.state(),
                request.asked(),
                request.consumed_by().len(),
            )
        };
        self.requests.iter().map(look).collect()
    }
}

fn as_remember(kept: Kept) -> Remember {
    let time = Duration::from_secs(kept.time.unsigned_abs());
    let remember = Remember::new(time, kept.uses).unwrap();
    if kept.has_conditions {
        remember.conditions(CONDITIONS).unwrap()
    } else {
        remember
    }
}

fn decided(result: Result<ApprovalRequest, aegize_core::ApprovalError>) -> Outcome {
    match result {
        Ok(request) => Outcome::Now(request.state()),
        Err(error) => Outcome::Not(error.kind()),
    }
}

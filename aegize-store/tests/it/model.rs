//! Random histories: a store, with the state machine on top, against a naive model of both.
//!
//! The model knows nothing of revisions, bindings and queries. It is what `docs/approvals.md` says, in as few
//! words as possible.

mod real;

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aegize_core::{ApprovalErrorKind, ApprovalState, ApprovalStore, MemoryApprovals};
use time::OffsetDateTime;

use self::real::Real;
use crate::places::Place;

const MINUTE: i64 = 60;
const REQUEST_TTL: i64 = 60 * MINUTE;
const GRANT_TTL: i64 = 15 * MINUTE;
const REMEMBER: i64 = 40 * MINUTE;

/// What rules ask for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Terms {
    quorum: usize,
    /// Anyone but the agent, if there are none.
    approvers: &'static [&'static str],
    remember: Option<i64>,
}

const ONE: Terms = Terms {
    quorum: 1,
    approvers: &[],
    remember: None,
};
const TWO: Terms = Terms {
    quorum: 2,
    approvers: &["ann", "ben"],
    remember: None,
};
const KEPT: Terms = Terms {
    remember: Some(REMEMBER),
    ..ONE
};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    Allow,
    Deny,
    Ask(Terms),
}

const POLICIES: [(&str, Rule); 5] = [
    ("require_approval: [{tool: pay}]", Rule::Ask(ONE)),
    (
        "require_approval: [{tool: pay, quorum: 2, approvers: [ann, ben]}]",
        Rule::Ask(TWO),
    ),
    (
        "require_approval: [{tool: pay, remember: 40m}]",
        Rule::Ask(KEPT),
    ),
    ("deny: [{tool: pay}]", Rule::Deny),
    ("allow: [{tool: pay}]", Rule::Allow),
];

const PEOPLE: [&str; 4] = ["ann", "ben", "cid", "bot"];

/// The conditions that a grant is extended by, and what they say.
const CONDITIONS: &str = "args: {amount: {max: 1}}";

fn is_meant(amount: usize) -> bool {
    amount <= 1
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Kept {
    time: i64,
    uses: u32,
    has_conditions: bool,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Call {
        policy: usize,
        amount: usize,
    },
    Approve {
        request: usize,
        person: usize,
        kept: Option<Kept>,
    },
    Reject {
        request: usize,
        person: usize,
    },
    Revoke {
        request: usize,
        person: usize,
    },
    Turn(i64),
}

/// What comes of a step; requests are counted in the order in which they were made.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Ran,
    Denied,
    Asked(usize),
    Refused(usize),
    Now(ApprovalState),
    Not(ApprovalErrorKind),
    Nothing,
}

#[derive(Debug, Clone)]
struct Asked {
    amount: usize,
    terms: Terms,
    state: ApprovalState,
    votes: Vec<(usize, Option<Kept>)>,
    kept: Option<Kept>,
    used: u32,
    callers: u64,
    changed: i64,
    granted: i64,
    expires: i64,
}

#[derive(Default)]
struct Model {
    now: i64,
    requests: Vec<Asked>,
}

impl Asked {
    fn is_over(&self, now: i64) -> bool {
        now >= self.expires || now < self.changed
    }

    /// What has run out is that as soon as anybody looks at it.
    fn look(&mut self, now: i64) {
        let is_open = matches!(
            self.state,
            ApprovalState::Requested | ApprovalState::Granted
        );
        if is_open && self.is_over(now) {
            self.state = ApprovalState::Expired;
            self.changed = self.changed.max(now);
        }
    }

    fn is_standing(&self) -> bool {
        self.state == ApprovalState::Granted && self.kept.is_some_and(|kept| kept.has_conditions)
    }

    fn uses(&self) -> u32 {
        self.kept.map_or(1, |kept| kept.uses)
    }

    fn meets(&self, terms: Terms) -> bool {
        let counts =
            |person: usize| terms.approvers.is_empty() || terms.approvers.contains(&PEOPLE[person]);
        self.votes
            .iter()
            .filter(|(person, _)| counts(*person))
            .count()
            >= terms.quorum
    }

    fn answers(&self, amount: usize, terms: Terms, now: i64) -> bool {
        let is_same = self.amount == amount;
        let is_first = is_same && self.used == 0 && now < self.granted + GRANT_TTL;
        let is_kept = self.kept.is_some_and(|kept| {
            (is_same || (kept.has_conditions && is_meant(amount)))
                && terms.remember.is_some_and(|time| now < self.granted + time)
        });
        self.meets(terms) && (is_first || is_kept)
    }

    fn agreed(&self) -> Option<Kept> {
        let mut agreed = self.votes.first()?.1?;
        for (_, kept) in &self.votes {
            let kept = (*kept)?;
            if kept.has_conditions != agreed.has_conditions {
                return None;
            }
            agreed.time = agreed.time.min(kept.time);
            agreed.uses = agreed.uses.min(kept.uses);
        }
        Some(agreed)
    }
}

impl Model {
    fn look(&mut self) {
        let now = self.now;
        self.requests
            .iter_mut()
            .for_each(|request| request.look(now));
    }

    fn take(&mut self, step: Step) -> Outcome {
        match step {
            Step::Turn(seconds) => {
                self.now += seconds;
                Outcome::Nothing
            }
            Step::Call { policy, amount } => match POLICIES[policy].1 {
                Rule::Allow => Outcome::Ran,
                Rule::Deny => Outcome::Denied,
                Rule::Ask(terms) => self.call(amount, terms),
            },
            Step::Approve {
                request,
                person,
                kept,
            } => self.decide(request, person, ApprovalState::Requested, |asked, now| {
                let longest = asked.terms.remember.unwrap_or(0);
                if kept.is_some_and(|kept| kept.time > longest) {
                    return Err(ApprovalErrorKind::NotEntitled);
                }
                if asked.votes.iter().any(|(other, _)| *other == person) {
                    return Err(ApprovalErrorKind::State);
                }
                asked.votes.push((person, kept));
                if asked.meets(asked.terms) {
                    asked.state = ApprovalState::Granted;
                    asked.kept = asked.agreed();
                    asked.granted = now;
                    asked.expires = now + asked.kept.map_or(GRANT_TTL, |kept| kept.time);
                }
                Ok(())
            }),
            Step::Reject { request, person } => {
                self.decide(request, person, ApprovalState::Requested, |asked, _| {
                    asked.state = ApprovalState::Rejected;
                    Ok(())
                })
            }
            Step::Revoke { request, person } => {
                self.decide(request, person, ApprovalState::Granted, |asked, _| {
                    asked.state = ApprovalState::Revoked;
                    Ok(())
                })
            }
        }
    }

    fn call(&mut self, amount: usize, terms: Terms) -> Outcome {
        let now = self.now;
        let live = |request: &&mut Asked| !request.is_over(now);
        let mut granted = self.requests.iter_mut().filter(live);
        let grant = granted.find(|request| {
            request.state == ApprovalState::Granted && request.answers(amount, terms, now)
        });
        if let Some(grant) = grant {
            grant.used += 1;
            grant.changed = now;
            if grant.used == grant.uses() {
                grant.state = ApprovalState::Consumed;
            }
            return Outcome::Ran;
        }
        let mut same = self.requests.iter_mut().enumerate();
        let rejected = same.find(|(_, request)| {
            request.amount == amount
                && request.state == ApprovalState::Rejected
                && !request.is_over(now)
        });
        if let Some((index, _)) = rejected {
            return Outcome::Refused(index);
        }
        let mut same = self.requests.iter_mut().enumerate();
        let asked = same.find(|(_, request)| {
            request.amount == amount
                && request.state == ApprovalState::Requested
                && request.terms == terms
                && !request.is_over(now)
        });
        if let Some((index, asked)) = asked {
            asked.callers += 1;
            asked.changed = now;
            return Outcome::Asked(index);
        }
        // A new request takes the place of what has run out.
        for request in &mut self.requests {
            if request.amount == amount || request.is_standing() {
                request.look(now);
            }
        }
        self.requests.push(Asked {
            amount,
            terms,
            state: ApprovalState::Requested,
            votes: Vec::new(),
            kept: None,
            used: 0,
            callers: 1,
            changed: now,
            granted: 0,
            expires: now + REQUEST_TTL,
        });
        Outcome::Asked(self.requests.len() - 1)
    }

    fn decide(
        &mut self,
        request: usize,
        person: usize,
        from: ApprovalState,
        change: impl FnOnce(&mut Asked, i64) -> Result<(), ApprovalErrorKind>,
    ) -> Outcome {
        let now = self.now;
        let Some(asked) = self.requests.get_mut(request) else {
            return Outcome::Nothing;
        };
        asked.look(now);
        if asked.state != from {
            return Outcome::Not(ApprovalErrorKind::State);
        }
        let name = PEOPLE[person];
        let counts = asked.terms.approvers.is_empty() || asked.terms.approvers.contains(&name);
        if name == "bot" || !counts {
            return Outcome::Not(ApprovalErrorKind::NotEntitled);
        }
        match change(asked, now) {
            Ok(()) => {
                asked.changed = now;
                Outcome::Now(asked.state)
            }
            Err(kind) => Outcome::Not(kind),
        }
    }
}

/// The same numbers in every run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn step(&mut self, requests: usize, has_clock: bool) -> Step {
        // More often than not one of the latest.
        let request = requests.saturating_sub(1 + self.below(3.min(requests + 1)));
        let person = self.below(PEOPLE.len());
        match self.below(if has_clock { 11 } else { 9 }) {
            0..=3 => Step::Call {
                policy: self.below(POLICIES.len()).min(self.below(POLICIES.len())),
                amount: self.below(3),
            },
            4..=6 => Step::Approve {
                request,
                person,
                kept: (self.below(2) == 0).then(|| Kept {
                    time: [10, 30, 50][self.below(3)] * MINUTE,
                    uses: [1, 2, 3][self.below(3)],
                    has_conditions: self.below(2) == 0,
                }),
            },
            7 => Step::Reject { request, person },
            8 => Step::Revoke { request, person },
            _ => Step::Turn([-1, 1, 5 * MINUTE, 15 * MINUTE, 40 * MINUTE][self.below(5)]),
        }
    }
}

/// Runs a history, and tells it if the two do not agree.
fn run(seed: u64, steps: usize, store: impl ApprovalStore + 'static, clock: Option<&AtomicI64>) {
    let mut random = Random(seed);
    let mut model = Model::default();
    let mut real = Real::new(store);
    let mut history = Vec::new();
    for _ in 0..steps {
        let step = random.step(model.requests.len(), clock.is_some());
        if let (Step::Turn(seconds), Some(clock)) = (step, clock) {
            clock.fetch_add(seconds, Ordering::SeqCst);
        }
        history.push(step);
        let told = |what: &dyn Debug| format!("seed {seed}, {history:#?}: {what:?}");
        let expected = model.take(step);
        let outcome = real.take(step);
        assert_eq!(outcome, expected, "{}", told(&step));
        // Now and then, so that what has run out is also found by calls.
        if random.below(2) == 0 {
            model.look();
            let states: Vec<_> = model
                .requests
                .iter()
                .map(|request| (request.state, request.callers, request.used as usize))
                .collect();
            assert_eq!(real.look(), states, "{}", told(&step));
        }
    }
}

of_every_database!(is_as_the_model);

fn is_as_the_model(place: &Place) {
    for seed in 1000..1020 {
        run(seed, 60, place.another().store(), None);
    }
}

#[test]
fn memory_is_as_the_model() {
    for seed in 0..400 {
        let clock = Arc::new(AtomicI64::new(0));
        let told = Arc::clone(&clock);
        let start = OffsetDateTime::now_utc();
        let store = MemoryApprovals::clocked_by(move || {
            start + time::Duration::seconds(told.load(Ordering::SeqCst))
        });
        run(seed, 60, store, Some(&clock));
    }
}

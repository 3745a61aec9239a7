//! What is counted, in memory that does not grow with the log.

use std::collections::HashMap;
use std::hash::Hash;

use aegize::{AuditEvent, AuditRecord};
use hdrhistogram::Histogram;
use time::OffsetDateTime;
use uuid::Uuid;

/// How many agents, and how many operations, are told apart.
const LISTED: usize = 10_000;

/// How many open attempts are followed.
const FOLLOWED: usize = 100_000;

/// How many open attempts are told.
const TOLD: usize = 5;

/// What is known of a log so far.
pub(super) struct Tally {
    pub(super) bad_lines: u64,
    /// The times of the earliest and the latest record.
    pub(super) span: Option<(OffsetDateTime, OffsetDateTime)>,
    pub(super) events: Events,
    pub(super) agents: By<String>,
    /// By tool and operation.
    pub(super) tools: By<(String, String)>,
    pub(super) durations: Durations,
    pub(super) open: Open,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            bad_lines: 0,
            span: None,
            events: Events::default(),
            agents: By::new(),
            tools: By::new(),
            durations: Durations::new(),
            open: Open::default(),
        }
    }

    /// Takes note of a record. Of those that were not asked for, only that attempts have ended.
    pub(super) fn add(&mut self, record: &AuditRecord<'_>, is_counted: bool) {
        self.open.add(record, is_counted);
        if !is_counted {
            return;
        }
        let time = record.timestamp;
        self.span = Some(match self.span {
            Some((first, last)) => (first.min(time), last.max(time)),
            None => (time, time),
        });
        self.events.add(record.event);
        // What befell the log itself, or a token, is nobody's attempt.
        if record.event.is_about_a_call() {
            let tool = record.tool_name.to_string();
            self.agents.add(record.agent_id.to_string(), record.event);
            self.tools
                .add((tool, record.operation.to_string()), record.event);
        }
        if let Some(us) = record.duration_us {
            self.durations.add(us);
        }
    }
}

/// How often each event happened.
#[derive(Debug, Clone, Default)]
pub(super) struct Events([u64; AuditEvent::ALL.len()]);

impl Events {
    fn add(&mut self, event: AuditEvent) {
        let mut counts = self.0.iter_mut().zip(AuditEvent::ALL);
        if let Some((count, _)) = counts.find(|(_, counted)| *counted == event) {
            *count += 1;
        }
    }

    pub(super) fn of(&self, event: AuditEvent) -> u64 {
        let mut counts = self.0.iter().zip(AuditEvent::ALL);
        counts
            .find(|(_, counted)| *counted == event)
            .map_or(0, |(count, _)| *count)
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) fn decisions(&self) -> u64 {
        self.of(AuditEvent::Allowed)
            + self.of(AuditEvent::Denied)
            + self.of(AuditEvent::ApprovalRequired)
    }

    /// How many came to an end, of whatever kind.
    pub(super) fn executions(&self) -> u64 {
        self.of(AuditEvent::ExecutionSucceeded)
            + self.of(AuditEvent::ExecutionFailed)
            + self.of(AuditEvent::ExecutionAbandoned)
    }

    /// What part of decisions let nothing run, and what part of executions did not succeed;
    /// nothing if there were none.
    pub(super) fn rates(&self) -> [(AuditEvent, Option<f64>); 4] {
        let of = |event, whole| (event, rate(self.of(event), whole));
        [
            of(AuditEvent::Denied, self.decisions()),
            of(AuditEvent::ApprovalRequired, self.decisions()),
            of(AuditEvent::ExecutionFailed, self.executions()),
            of(AuditEvent::ExecutionAbandoned, self.executions()),
        ]
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share of so many needs no more digits"
)]
fn rate(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Events by what they have in common.
pub(super) struct By<K> {
    listed: HashMap<K, Events>,
    not_listed: u64,
}

impl<K: Eq + Hash + Ord> By<K> {
    fn new() -> Self {
        Self {
            listed: HashMap::new(),
            not_listed: 0,
        }
    }

    fn add(&mut self, key: K, event: AuditEvent) {
        if self.listed.len() < LISTED || self.listed.contains_key(&key) {
            self.listed.entry(key).or_default().add(event);
        } else {
            self.not_listed += 1;
        }
    }

    /// The most frequent first.
    pub(super) fn most_frequent(&self) -> Vec<(&K, &Events)> {
        let mut listed: Vec<_> = self.listed.iter().collect();
        listed.sort_by(|(a, of_a), (b, of_b)| of_b.total().cmp(&of_a.total()).then(a.cmp(b)));
        listed
    }

    /// How many records are about none that is listed.
    pub(super) fn not_listed(&self) -> u64 {
        self.not_listed
    }
}

/// How long executions took.
pub(super) struct Durations {
    /// Of every number there is. `None` if its bounds made no sense.
    histogram: Option<Histogram<u64>>,
    min: u64,
    max: u64,
}

/// In microseconds.
pub(super) struct Summary {
    pub(super) count: u64,
    pub(super) min: u64,
    pub(super) median: u64,
    pub(super) p95: u64,
    pub(super) p99: u64,
    pub(super) max: u64,
}

impl Durations {
    fn new() -> Self {
        Self {
            histogram: Histogram::new_with_bounds(1, u64::MAX, 3).ok(),
            min: u64::MAX,
            max: 0,
        }
    }

    fn add(&mut self, us: u64) {
        self.min = self.min.min(us);
        self.max = self.max.max(us);
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(us);
        }
    }

    /// `None` if there was no execution of which it is known.
    pub(super) fn summary(&self) -> Option<Summary> {
        let histogram = self.histogram.as_ref().filter(|all| !all.is_empty())?;
        let at = |quantile| {
            histogram
                .value_at_quantile(quantile)
                .clamp(self.min, self.max)
        };
        Some(Summary {
            count: histogram.len(),
            min: self.min,
            median: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
            max: self.max,
        })
    }
}

/// Attempts that were allowed and have no outcome.
#[derive(Default)]
pub(super) struct Open {
    attempts: HashMap<Uuid, Attempt>,
    /// Of attempts beyond those that are followed, and of those that have no id.
    not_followed: u64,
}

pub(super) struct Attempt {
    pub(super) seq: u64,
    pub(super) timestamp: OffsetDateTime,
    pub(super) action_id: Uuid,
    pub(super) agent: String,
    pub(super) tool: String,
    pub(super) operation: String,
}

impl Open {
    fn add(&mut self, record: &AuditRecord<'_>, is_counted: bool) {
        match record.event {
            AuditEvent::Allowed if !is_counted => {}
            AuditEvent::Allowed if record.action_id.is_nil() || self.attempts.len() >= FOLLOWED => {
                self.not_followed += 1;
            }
            AuditEvent::Allowed => {
                self.attempts.insert(record.action_id, Attempt::new(record));
            }
            AuditEvent::ExecutionSucceeded
            | AuditEvent::ExecutionFailed
            | AuditEvent::ExecutionAbandoned => {
                self.attempts.remove(&record.action_id);
            }
            _ => {}
        }
    }

    pub(super) fn count(&self) -> usize {
        self.attempts.len()
    }

    /// How many attempts may be open besides.
    pub(super) fn not_followed(&self) -> u64 {
        self.not_followed
    }

    /// Some of them, the oldest first.
    pub(super) fn oldest(&self) -> Vec<&Attempt> {
        let mut oldest: Vec<_> = self.attempts.values().collect();
        oldest.sort_by_key(|attempt| attempt.seq);
        oldest.truncate(TOLD);
        oldest
    }
}

impl Attempt {
    fn new(record: &AuditRecord<'_>) -> Self {
        Self {
            seq: record.seq,
            timestamp: record.timestamp,
            action_id: record.action_id,
            agent: record.agent_id.to_string(),
            tool: record.tool_name.to_string(),
            operation: record.operation.to_string(),
        }
    }
}

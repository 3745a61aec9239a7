//! What is counted and measured, for whoever keeps metrics.
//!
//! The invariant: an observer sees names and numbers, never an argument or a result, and nothing
//! depends on it.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

/// Takes what is counted and measured, as instruments of OpenTelemetry do.
///
/// It is called inline, by whoever makes a call, so it has to be quick. If it panics, the call goes
/// on.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use aegize::{AuditLog, Counter, Label, Observer};
///
/// #[derive(Default)]
/// struct Denials(AtomicU64);
///
/// impl Observer for Denials {
///     fn add(&self, counter: Counter, value: u64, labels: &[Label<'_>]) {
///         if counter == Counter::Calls && labels.contains(&("decision", "deny")) {
///             self.0.fetch_add(value, Ordering::Relaxed);
///         }
///     }
/// }
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("audit.jsonl");
///
/// let denials = Arc::new(Denials::default());
/// let log = AuditLog::options().observer(denials.clone()).open(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Observer: Send + Sync {
    /// Adds to a counter.
    fn add(&self, counter: Counter, value: u64, labels: &[Label<'_>]) {
        let _ = (counter, value, labels);
    }

    /// Records a value of a histogram.
    fn record(&self, histogram: Histogram, value: f64, labels: &[Label<'_>]) {
        let _ = (histogram, value, labels);
    }
}

/// A name and a value that tell one series of a metric from another.
pub type Label<'a> = (&'static str, &'a str);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Counter {
    /// Calls that were decided: by `agent_id`, `tool_name`, `operation` and `decision`.
    Calls,
    /// Calls that ran: by `agent_id`, `tool_name`, `operation` and `outcome`.
    Executions,
    /// What the ledger could not do: by `stage`, which is `decision`, `outcome`, `sync`
    /// or `checkpoint`.
    AuditFailures,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Histogram {
    /// How long it took until a call was decided and recorded, in seconds: by `tool_name`,
    /// `operation` and `decision`.
    DecisionDuration,
    /// How long a body took, in seconds: by `tool_name`, `operation` and `outcome`.
    ExecutionDuration,
}

impl Counter {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Calls, Self::Executions, Self::AuditFailures];

    /// The metric's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "aegize.calls",
            Self::Executions => "aegize.executions",
            Self::AuditFailures => "aegize.audit.failures",
        }
    }

    /// Its unit, in the notation of UCUM that OpenTelemetry uses.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Calls => "{call}",
            Self::Executions => "{execution}",
            Self::AuditFailures => "{failure}",
        }
    }
}

impl Histogram {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::DecisionDuration, Self::ExecutionDuration];

    /// The metric's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DecisionDuration => "aegize.decision.duration",
            Self::ExecutionDuration => "aegize.execution.duration",
        }
    }

    /// Its unit, in the notation of UCUM that OpenTelemetry uses.
    pub const fn unit(self) -> &'static str {
        "s"
    }
}

/// An observer, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Observing(Option<Arc<dyn Observer>>);

impl Observing {
    pub(crate) fn by(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    /// Tells the observer something, if there is one.
    pub(crate) fn tell(&self, tell: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &self.0 {
            // What an observer does wrong is not the call's fault.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| tell(&**observer)));
        }
    }
}

impl fmt::Debug for Observing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer" } else { "None" })
    }
}

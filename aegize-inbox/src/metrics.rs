//! What the inbox counts, as Prometheus reads it. No names of people, no arguments.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use aegize_core::ApprovalState;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;

/// The most failing deliveries that are counted.
const MOST_FAILING: usize = 1000;

/// What people did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Approved,
    Rejected,
    Revoked,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Approved, Self::Rejected, Self::Revoked];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
        }
    }
}

/// The counters of this process.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    decisions: [AtomicU64; 3],
    sign_in_failures: AtomicU64,
    /// By the first digit of the status, from 1.
    responses: [AtomicU64; 5],
}

fn count(counter: Option<&AtomicU64>) {
    if let Some(counter) = counter {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn decided(&self, outcome: Outcome) {
        let place = Outcome::ALL.iter().position(|other| *other == outcome);
        count(place.and_then(|place| self.decisions.get(place)));
    }

    pub(crate) fn sign_in_failed(&self) {
        count(Some(&self.sign_in_failures));
    }

    pub(crate) fn answered(&self, status: StatusCode) {
        let place = usize::from(status.as_u16() / 100).checked_sub(1);
        count(place.and_then(|place| self.responses.get(place)));
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        writeln!(
            text,
            "# HELP aegize_inbox_decisions_total What people decided here."
        )?;
        writeln!(text, "# TYPE aegize_inbox_decisions_total counter")?;
        for (outcome, counter) in Outcome::ALL.iter().zip(&self.decisions) {
            let (outcome, value) = (outcome.as_str(), value(counter));
            writeln!(
                text,
                "aegize_inbox_decisions_total{{outcome=\"{outcome}\"}} {value}"
            )?;
        }
        writeln!(
            text,
            "# HELP aegize_inbox_sign_in_failures_total Tokens that were not accepted."
        )?;
        writeln!(text, "# TYPE aegize_inbox_sign_in_failures_total counter")?;
        let failures = value(&self.sign_in_failures);
        writeln!(text, "aegize_inbox_sign_in_failures_total {failures}")?;
        writeln!(
            text,
            "# HELP aegize_inbox_http_responses_total Responses by status."
        )?;
        writeln!(text, "# TYPE aegize_inbox_http_responses_total counter")?;
        for (digit, counter) in (1..).zip(&self.responses) {
            let value = value(counter);
            writeln!(
                text,
                "aegize_inbox_http_responses_total{{status=\"{digit}xx\"}} {value}"
            )?;
        }
        Ok(())
    }
}

/// Whether the store answers.
pub(crate) async fn health(State(app): State<App>) -> Response {
    let answer = app.desk.count(ApprovalState::Requested).await;
    let (status, text) = match answer {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the approval store does not answer\n",
        ),
    };
    (status, text).into_response()
}

/// The counters, and how many requests wait.
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = app.metrics.write(&mut text);
    if let Ok(pending) = app.desk.count(ApprovalState::Requested).await {
        let _ = writeln!(
            text,
            "# HELP aegize_inbox_pending_requests Requests that ask people."
        );
        let _ = writeln!(text, "# TYPE aegize_inbox_pending_requests gauge");
        let _ = writeln!(text, "aegize_inbox_pending_requests {pending}");
    }
    if let Ok(failing) = app.outbox.problems(MOST_FAILING).await {
        let failing = failing.len();
        let _ = writeln!(
            text,
            "# HELP aegize_inbox_failing_deliveries Messages that channels could not be given, up to {MOST_FAILING}."
        );
        let _ = writeln!(text, "# TYPE aegize_inbox_failing_deliveries gauge");
        let _ = writeln!(text, "aegize_inbox_failing_deliveries {failing}");
    }
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

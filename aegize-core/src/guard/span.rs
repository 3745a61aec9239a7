//! A span of `tracing` around each call, if the feature of that name is on.
//!
//! It is entered whenever the body runs, on whatever thread. The invariant: what a span shows is
//! what the log shows, or less.

#[cfg(feature = "tracing")]
pub(super) use self::on::CallSpan;

/// Nothing.
#[cfg(not(feature = "tracing"))]
#[derive(Clone)]
pub(super) struct CallSpan;

#[cfg(not(feature = "tracing"))]
#[expect(
    clippy::unused_self,
    reason = "as it is where there is something to do"
)]
impl CallSpan {
    pub(super) fn new(_: &str, _: &super::Coordinates, _: uuid::Uuid) -> Self {
        Self
    }

    pub(super) fn decided(&self, _: &str) {}

    pub(super) fn ended(&self, _: &str, _: u64) {}

    pub(super) fn enter(&self) {}

    pub(super) fn exit(&self) {}
}

#[cfg(feature = "tracing")]
mod on {
    use tracing::field::Empty;
    use tracing::{Span, info_span};
    use uuid::Uuid;

    use crate::guard::Coordinates;

    /// The span of one call.
    #[derive(Clone)]
    pub(in crate::guard) struct CallSpan(Span);

    impl CallSpan {
        pub(in crate::guard) fn new(
            agent_id: &str,
            coordinates: &Coordinates,
            action_id: Uuid,
        ) -> Self {
            Self(info_span!(
                target: "aegize",
                "guarded_call",
                agent_id,
                tool_name = &*coordinates.tool_name,
                operation = &*coordinates.operation,
                %action_id,
                decision = Empty,
                outcome = Empty,
                duration_us = Empty,
            ))
        }

        pub(in crate::guard) fn decided(&self, decision: &str) {
            self.0.record("decision", decision);
        }

        pub(in crate::guard) fn ended(&self, outcome: &str, duration_us: u64) {
            self.0.record("outcome", outcome);
            self.0.record("duration_us", duration_us);
        }

        /// Enters it on this thread, until [`exit`](Self::exit). A guard of `tracing` could not be
        /// kept in a future that moves between threads.
        pub(in crate::guard) fn enter(&self) {
            self.0
                .with_subscriber(|(id, subscriber)| subscriber.enter(id));
        }

        pub(in crate::guard) fn exit(&self) {
            self.0
                .with_subscriber(|(id, subscriber)| subscriber.exit(id));
        }
    }
}

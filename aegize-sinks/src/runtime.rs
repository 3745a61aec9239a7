//! Clients that need a runtime, for callers that have none.
//!
//! A runtime of one thread is made in the thread that delivers, when it first does. The invariant:
//! no call takes longer than its time limit.

use std::fmt;
use std::time::Duration;

use aegize_core::SinkError;
use tokio::runtime::{Builder, Runtime};

pub(crate) struct Blocking {
    runtime: Option<Runtime>,
    pub(crate) timeout: Duration,
}

impl Blocking {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            runtime: None,
            timeout,
        }
    }

    /// Waits for what a future gives.
    pub(crate) fn run<T>(
        &mut self,
        future: impl Future<Output = Result<T, SinkError>>,
    ) -> Result<T, SinkError> {
        let runtime = match &self.runtime {
            Some(runtime) => runtime,
            None => self.runtime.insert(start()?),
        };
        let timeout = self.timeout;
        runtime.block_on(async {
            let late = |_| SinkError::unavailable(format!("no answer within {timeout:?}"));
            tokio::time::timeout(timeout, future).await.map_err(late)?
        })
    }
}

fn start() -> Result<Runtime, SinkError> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| SinkError::unavailable(format!("a runtime cannot be started: {error}")))
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // Also where blocking is not allowed, as in another runtime's task.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

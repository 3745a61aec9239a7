//! The runtime that the drivers need, for callers on any executor or none.
//!
//! Work runs on a thread of its own and hands its result over. The invariant: whoever waits gets
//! an answer or an error, in a child that was forked and after the runtime has ended, too.

use std::process;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::error::{StoreError, StoreErrorKind};

/// The longest that any work may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Runtime {
    threads: Option<tokio::runtime::Runtime>,
    handle: Handle,
    /// The process that has the thread: a child that was forked has none.
    process: u32,
}

impl Runtime {
    pub(crate) fn start() -> Result<Self, StoreError> {
        let built = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("aegize-store")
            .enable_all()
            .build();
        let runtime = built.map_err(|error| {
            StoreError::unavailable(format!("the store cannot start a thread: {error}"))
        })?;
        Ok(Self {
            handle: runtime.handle().clone(),
            threads: Some(runtime),
            process: process::id(),
        })
    }

    /// Does some work, to its end even if nobody waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.check_process()?;
        let (sender, receiver) = oneshot::channel();
        drop(self.handle.spawn(async move {
            let done = tokio::time::timeout(PATIENCE, work).await;
            // Nobody waits for it any more, if it cannot be handed over.
            let _ = sender.send(done.unwrap_or_else(|_| Err(StoreError::late(PATIENCE))));
        }));
        receiver.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Does some work that keeps a processor busy, beside the rest.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        self.check_process()?;
        let (sender, receiver) = oneshot::channel();
        drop(self.handle.spawn_blocking(move || {
            let _ = sender.send(work());
        }));
        receiver.await.map_err(|_| closed())
    }

    /// Starts what goes on until the runtime ends.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(work));
    }

    fn check_process(&self) -> Result<(), StoreError> {
        if self.process == process::id() {
            return Ok(());
        }
        let message = "the store was opened by another process; open it again after the fork";
        Err(StoreError::new(StoreErrorKind::Closed, message))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let Some(runtime) = self.threads.take() else {
            return;
        };
        if self.process == process::id() {
            // Also where blocking is not allowed, as in another runtime's task.
            runtime.shutdown_background();
        } else {
            // Its threads are the parent's: there is nothing here to end.
            std::mem::forget(runtime);
        }
    }
}

pub(crate) fn closed() -> StoreError {
    StoreError::new(
        StoreErrorKind::Closed,
        "the store was closed; open it again",
    )
}

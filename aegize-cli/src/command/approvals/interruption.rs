//! Being told to stop: Ctrl-C, or the end of the session.

use crate::exit::{Exit, Failure};

/// Signals that end a command which otherwise goes on.
pub(super) struct Interruption {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

impl Interruption {
    /// From now on, those signals are taken here and do not kill the process.
    ///
    /// # Errors
    ///
    /// If the operating system does not let them be taken.
    pub(super) fn new() -> Result<Self, Failure> {
        Self::taken().map_err(|error| {
            Failure::Refused(Exit::Unusable, format!("cannot wait for signals: {error}"))
        })
    }

    #[cfg(unix)]
    fn taken() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            signals: [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            ],
        })
    }

    #[cfg(not(unix))]
    fn taken() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for one of them.
    #[cfg(unix)]
    pub(super) async fn told(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(super) async fn told(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

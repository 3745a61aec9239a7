//! Listening, and stopping.
//!
//! The invariant: nothing listens beyond this host without TLS unless somebody said so.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use axum_server::{Handle, Server};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::app::App;
use crate::inbox::Inbox;
use crate::routes::routes;

/// How long a client may take for the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// The most bytes of a head.
const LARGEST_HEAD: usize = 32 * 1024;
/// How long what is under way may take when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// Why the inbox is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InboxError {
    /// It would listen beyond this host without TLS.
    #[error(
        "`{0}` is reached from other hosts, and tokens would be sent in the clear; give a certificate and \
         its key, or listen at 127.0.0.1"
    )]
    Plain(SocketAddr),
    /// The certificate or its key cannot be used.
    #[error("the certificate or its key cannot be used: {0}")]
    Tls(String),
    /// The address cannot be listened at, or no longer.
    #[error("the inbox cannot listen: {0}")]
    Listen(#[from] io::Error),
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// The certificate, with those that lead to its authority, and the key of two PEM files.
    ///
    /// # Errors
    ///
    /// If one of them cannot be read, or they do not belong together.
    pub fn from_files(
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, InboxError> {
        let (certificate, key) = (certificate.as_ref(), key.as_ref());
        let unusable = |path: &Path, error: &dyn fmt::Display| {
            InboxError::Tls(format!("`{}`: {error}", path.display()))
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unusable(certificate, &error))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                let builder = builder.with_no_client_auth();
                builder.with_single_cert(chain, private)
            })
            .map_err(|error| unusable(certificate, &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

impl Inbox {
    /// Serves until the process is told to stop, by SIGTERM or SIGINT, and what is under way is done.
    ///
    /// # Errors
    ///
    /// If it may not or cannot listen at that address.
    pub async fn serve(self, listener: TcpListener, tls: Option<Tls>) -> Result<(), InboxError> {
        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        let stop = async move {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
        };
        self.serve_until(listener, tls, stop).await
    }

    /// Serves until a future is ready, and what is under way is done.
    ///
    /// # Errors
    ///
    /// As [`serve`](Self::serve).
    pub async fn serve_until(
        self,
        listener: TcpListener,
        tls: Option<Tls>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), InboxError> {
        let address = listener.local_addr()?;
        if tls.is_none() && !address.ip().is_loopback() && !self.is_plain_allowed {
            return Err(InboxError::Plain(address));
        }
        let (stopping, is_stopping) = watch::channel(false);
        let app = App::new(self, address, tls.is_some(), is_stopping.clone());
        let telling = app.channels.as_ref().map(|channels| {
            let notifier = channels.notifier(app.desk.clone(), app.outbox.clone());
            tokio::spawn(async move { notifier.run_until(stopped(is_stopping)).await })
        });
        let handle = Handle::new();
        let service = routes(app).into_make_service_with_connect_info::<SocketAddr>();
        let stopper = tokio::spawn({
            let handle = handle.clone();
            async move {
                stop.await;
                // Whoever receives it is a stream of events; there may be none.
                let _ = stopping.send(true);
                handle.graceful_shutdown(Some(GRACE));
            }
        });
        let served = if let Some(Tls(config)) = tls {
            let config = RustlsConfig::from_config(config);
            let server = axum_server::from_tcp_rustls(listener, config)?;
            bounded(server).handle(handle).serve(service).await
        } else {
            let server = axum_server::from_tcp(listener)?;
            bounded(server).handle(handle).serve(service).await
        };
        stopper.abort();
        if let Some(mut telling) = telling {
            // Who does not finish in time tells the same again after the next start.
            if served.is_err() || tokio::time::timeout(GRACE, &mut telling).await.is_err() {
                telling.abort();
            }
        }
        Ok(served?)
    }
}

/// Waits until the server stops.
async fn stopped(mut is_stopping: watch::Receiver<bool>) {
    // An error means that whoever would tell is gone, and so is the server.
    let _ = is_stopping.wait_for(|is_stopping| *is_stopping).await;
}

/// A server that bounds what a client may send, and how long it may take.
fn bounded<A>(server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    let mut server = server.first_request_timeout(HEAD * 2).http1_only();
    let mut http = server.http_builder().http1();
    http.header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(64);
    server
}

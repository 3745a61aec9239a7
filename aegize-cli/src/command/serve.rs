//! `aegize serve`: the inbox in the browser.
//!
//! Glue: what is served, and what is refused, is the inbox's.

use std::future::ready;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use aegize_inbox::{Channels, Inbox, InboxError, Tls};
use clap::Args;

use super::approvals::{Kept, Known};
use crate::exit::{Exit, Failure};
use crate::output::{note, warn};

/// Serve an inbox for approvers, in the browser and for programs
///
/// Shows what waits for a person, lets approvers sign in with their tokens and decide, and has an API
/// under /api/v1. Goes on until it is interrupted. Beyond this host, it wants a certificate.
/// Nothing is executed: the agents make the calls.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Serve {
    /// Where to listen: an address and a port, of which 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787", value_parser = address)]
    listen: SocketAddr,

    /// A name by which browsers call it, such as approvals.acme.com, beside that address; may be
    /// given several times
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,

    /// The certificate, with those that lead to its authority, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's key, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Listen beyond this host without a certificate: behind a proxy that has one
    #[arg(long, conflicts_with = "tls_cert")]
    allow_plain_http: bool,

    /// A file of the channels that tell people of requests and take their answers: webhooks, Slack,
    /// commands
    #[arg(long, value_name = "FILE")]
    channels: Option<PathBuf>,

    #[command(flatten)]
    known: Known,

    #[command(flatten)]
    kept: Kept,
}

const EXAMPLE: &str = "\
Examples:
  aegize serve
  aegize approvals tokens create alice@acme.com --group finance
  aegize serve --listen 0.0.0.0:443 --host approvals.acme.com --tls-cert cert.pem --tls-key key.pem";

const EXIT_CODES: &str = "\
Exit codes:
  0  interrupted, and what was under way is done
  2  the store, the audit log, an argument or the address is unusable;
     standard error says why";

impl Serve {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        if self.listen.ip().is_unspecified() && self.hosts.is_empty() {
            let address = self.listen;
            let message = format!(
                "`{address}` is every address of this host, and none by which browsers call it; give that with --host"
            );
            return Err(unusable(message));
        }
        if let Some(host) = self.hosts.iter().find(|host| !is_name(host)) {
            let message = format!(
                "`{}` is no name that browsers call; give it without scheme, port and path, such as approvals.acme.com",
                host.escape_debug()
            );
            return Err(unusable(message));
        }
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(Tls::from_files(certificate, key)?),
            _ => None,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(InboxError::from)?;
        runtime.block_on(self.serve(stdout, tls))?;
        Ok(Exit::Done)
    }

    async fn serve(&self, stdout: &mut impl Write, tls: Option<Tls>) -> Result<(), Failure> {
        let channels = self.channels.as_ref().map(Channels::from_file).transpose();
        let channels = channels.map_err(|error| unusable(error.to_string()))?;
        let open = self.kept.open_or_make().await?;
        let directory = self.known.directory(&open.store)?.on_trouble(warn);
        let has_tokens = !directory.tokens().await?.is_empty();
        let mut inbox = Inbox::new(&open.approvals, &open.store, directory, &open.audit_log);
        for host in &self.hosts {
            inbox = inbox.host(host);
        }
        if self.allow_plain_http {
            inbox = inbox.allow_plain_http();
        }
        if let Some(channels) = channels {
            let channels = channels.on_trouble(warn);
            inbox = inbox.channels(channels.answered_with(self.kept.arguments()));
        }
        let listener = TcpListener::bind(self.listen)
            .map_err(|error| unusable(format!("cannot listen at `{}`: {error}", self.listen)))?;
        let address = listener.local_addr().map_err(InboxError::from)?;
        let scheme = if tls.is_some() { "https" } else { "http" };

        let mut serving = Box::pin(inbox.serve(listener, tls));
        // What is refused is refused at once, before anybody is told that they can come.
        tokio::select! {
            biased;
            ended = &mut serving => return Ok(ended?),
            () = ready(()) => {}
        }
        self.tell(stdout, scheme, address)?;
        if self.hosts.is_empty() && address.ip().is_loopback() {
            // Browsers send the cookies of a host to all its ports.
            let port = address.port();
            note(&format!(
                "in a browser, open {scheme}://aegize.localhost:{port}, a name that no other server here has"
            ));
        }
        if !has_tokens {
            let same = self.kept.arguments();
            note(&format!(
                "nobody can sign in yet: make a token with `aegize approvals tokens create NAME{same}`"
            ));
        }
        Ok(serving.await?)
    }

    fn tell(&self, stdout: &mut impl Write, scheme: &str, address: SocketAddr) -> io::Result<()> {
        let port = address.port();
        match self.hosts.first() {
            Some(host) => writeln!(stdout, "listening at {scheme}://{host}:{port}")?,
            None => writeln!(stdout, "listening at {scheme}://{address}")?,
        }
        stdout.flush()
    }
}

impl From<InboxError> for Failure {
    fn from(error: InboxError) -> Self {
        unusable(error.to_string())
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let problem = "give an address and a port, such as 127.0.0.1:8787";
    text.parse().map_err(|_| problem.to_owned())
}

/// Whether browsers may name a host so: letters, digits, `-` and `.`, or an address in brackets.
fn is_name(host: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(is_plain),
    }
}

fn unusable(message: String) -> Failure {
    Failure::Refused(Exit::Unusable, message)
}

//! Channels: where people are told that something waits for them, and how they may answer there.
//!
//! `config` reads the file, `filter` says which requests a channel is told of, `notice` what it is
//! told; one room for each way to tell, and `callback` for the answers. The invariant: a channel
//! that fails or lies grants nothing. Whoever answers is found in the directory and decides at the
//! desk, as anywhere else.

mod callback;
mod command;
mod config;
mod error;
mod filter;
mod notice;
mod post;
mod secret;
mod slack;
mod terminal;
mod text;
mod webhook;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aegize_core::{ApprovalDesk, ApprovalRequest};
use aegize_store::{DeliveryKind, Directory, Outbox};
use axum::Router;
use time::OffsetDateTime;

use self::command::Command;
use self::config::Config;
pub use self::error::ChannelsError;
use self::filter::Filter;
use self::notice::Notice;
use self::slack::Slack;
use self::terminal::Terminal;
use self::webhook::Webhook;
use crate::notifier::Notifier;

/// Where people are told of requests, from a file such as
///
/// ```yaml
/// url: https://approvals.acme.com
/// channels:
///   - name: finance
///     type: slack
///     channel: C0123ABCD
///     bot_token_env: SLACK_BOT_TOKEN
///     signing_secret_env: SLACK_SIGNING_SECRET
///     tools: ["payments.*"]
///     risk_level_min: high
///   - name: pager
///     type: webhook
///     url: https://hooks.acme.com/aegize
///     secret_file: /etc/aegize/webhook.secret
///     environments: [prod]
/// ```
///
/// Cheap to clone.
#[derive(Clone)]
pub struct Channels {
    config: Arc<Config>,
    /// What time it is.
    clock: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
    trouble: Arc<dyn Fn(&str) + Send + Sync>,
    /// What stands behind the command that answers.
    arguments: Arc<str>,
}

impl Channels {
    /// The channels of a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, says something that has no meaning, or a secret is not where it says.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ChannelsError> {
        config::read_file(path.as_ref()).map(Self::new)
    }

    /// The channels of a text.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file).
    pub fn from_yaml_str(text: &str) -> Result<Self, ChannelsError> {
        config::read(text).map(Self::new)
    }

    fn new(config: Config) -> Self {
        Self {
            config: Arc::new(config),
            clock: Arc::new(OffsetDateTime::now_utc),
            trouble: Arc::new(|_| ()),
            arguments: Arc::default(),
        }
    }

    /// The same, by another clock than the host's: for tests.
    #[must_use]
    pub fn clocked_by(
        mut self,
        clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static,
    ) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same, where that is told when the store or the log fails, so that nobody can be told
    /// anything, or a request cannot be read. What fails in a channel is in the outbox.
    #[must_use]
    pub fn on_trouble(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.trouble = Arc::new(tell);
        self
    }

    /// The same, where the command that a terminal is told to answer with has these arguments, as a
    /// shell reads them, each after a space: those by which it finds the requests.
    #[must_use]
    pub fn answered_with(mut self, arguments: impl Into<Arc<str>>) -> Self {
        self.arguments = arguments.into();
        self
    }

    /// What tells them.
    pub fn notifier(&self, desk: ApprovalDesk, outbox: Outbox) -> Notifier {
        Notifier::new(self.clone(), desk, outbox)
    }

    /// Where they answer: `POST /callbacks/slack` and `POST /callbacks/webhook/{channel}`. These
    /// routes check signatures by themselves, and need nothing around them.
    pub fn callbacks(&self, desk: ApprovalDesk, directory: Directory) -> Router {
        callback::router(self.clone(), desk, directory)
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        (self.clock)()
    }

    pub(crate) fn in_trouble(&self, message: &str) {
        (self.trouble)(message);
    }

    pub(crate) fn url(&self) -> Option<&str> {
        self.config.url.as_deref()
    }

    /// Those that can be told anything.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Channel> {
        let channels = self.config.channels.iter();
        channels.filter(|channel| channel.is_there())
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Channel> {
        let mut channels = self.config.channels.iter();
        channels.find(|channel| channel.name == name)
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.config.channels).finish()
    }
}

/// One place where people are told.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) name: String,
    filter: Filter,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Webhook(Webhook),
    Slack(Slack),
    Command(Command),
    Terminal(Terminal),
}

impl Channel {
    fn is_there(&self) -> bool {
        match &self.way {
            Way::Terminal(terminal) => terminal.is_there(),
            Way::Webhook(_) | Way::Slack(_) | Way::Command(_) => true,
        }
    }

    /// Whether it is told of a request.
    pub(crate) fn selects(&self, request: &ApprovalRequest) -> bool {
        self.filter.selects(request)
    }

    /// How much is told at once. Slack takes about one message a second.
    pub(crate) fn at_once(&self) -> usize {
        match &self.way {
            Way::Slack(_) => 1,
            Way::Webhook(_) | Way::Command(_) | Way::Terminal(_) => 8,
        }
    }

    /// How long one server has for telling one thing before another may do it.
    pub(crate) fn lease(&self) -> Duration {
        let time = match &self.way {
            Way::Command(command) => command.timeout,
            Way::Webhook(_) | Way::Slack(_) | Way::Terminal(_) => post::TIMEOUT,
        };
        time + Duration::from_secs(30)
    }

    /// Tells of a request as it is now. `first` is the receipt of what told of it first.
    pub(crate) async fn tell(
        &self,
        kind: DeliveryKind,
        request: &ApprovalRequest,
        channels: &Channels,
        first: Option<&str>,
    ) -> Result<Told, Failure> {
        let notice = Notice {
            kind,
            request,
            url: channels.url(),
            now: channels.now(),
        };
        match &self.way {
            Way::Webhook(webhook) => webhook.tell(&notice).await,
            Way::Slack(slack) => slack.tell(&notice, first).await,
            Way::Command(command) => command.tell(&notice).await,
            Way::Terminal(_) => Terminal::tell(&notice, &channels.arguments),
        }
    }
}

/// What is kept of something that was told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What it takes to change the message later.
    pub(crate) receipt: Option<String>,
}

/// Why something could not be told.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// When the receiver wants to be asked again.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the receiver wants to be left alone until then.
    pub(crate) is_busy: bool,
    /// Whether the same would fail again.
    pub(crate) is_final: bool,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retry_after: None,
            is_busy: false,
            is_final: false,
        }
    }
}

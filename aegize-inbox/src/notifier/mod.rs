//! Tells channels what has to be told, and again until it is delivered.
//!
//! What has to be told follows from the requests themselves, so that a server that was away tells
//! all the same. The outbox says what has been told, and to which server it falls to tell the
//! rest. The invariants: each channel has its own turn, and none waits for another; nothing here
//! decides about a request.

mod backoff;
mod plan;
mod survey;

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aegize_core::{ApprovalDesk, ApprovalErrorKind};
use aegize_store::{Delivery, DeliveryKind, DeliveryState, Outbox};
use futures_util::future::{join, join_all};
use time::OffsetDateTime;
use tokio::sync::watch;
use uuid::Uuid;

use self::plan::Earlier;
use self::survey::Survey;
use crate::channel::{Channel, Channels, Failure};

/// How long a channel rests at most before it looks for what other servers left behind.
const REST: Duration = Duration::from_secs(3);

/// How long requests rest at most before they are looked at again without any news.
const WATCH_REST: Duration = Duration::from_secs(15);

/// How long after one change others are waited for, to be told together: at least this, and this
/// many times as long as it takes to look at all requests.
const GATHERING: Duration = Duration::from_millis(100);
const GATHERING_SHARE: u32 = 4;

/// How long a store that failed is left alone.
const STORE_REST: Duration = Duration::from_secs(2);

/// How long a message waits for the one that it is about.
const FIRST_REST: Duration = Duration::from_secs(15);

/// Tells the channels of a file; made by [`Channels::notifier`].
///
/// There may be several over one store: each thing is told by one of them.
pub struct Notifier {
    channels: Channels,
    desk: ApprovalDesk,
    outbox: Outbox,
    /// What is in the outbox for requests that are not at their end.
    noted: Mutex<HashSet<Noted>>,
}

type Noted = (Uuid, String, DeliveryKind);

impl Notifier {
    pub(crate) fn new(channels: Channels, desk: ApprovalDesk, outbox: Outbox) -> Self {
        Self {
            channels,
            desk,
            outbox,
            noted: Mutex::default(),
        }
    }

    /// Tells whatever has to be told until a future is ready, and what is under way is told. Within
    /// a runtime of tokio.
    pub async fn run_until(&self, stop: impl Future<Output = ()>) {
        let (stopping, _) = watch::channel(false);
        let turns = self
            .channels
            .all()
            .map(|channel| self.take_turns(channel, stopping.subscribe()));
        let turns: Vec<_> = turns.collect();
        let watch = async {
            self.keep_watch(&stopping, stop).await;
            stopping.send_replace(true);
        };
        join(watch, join_all(turns)).await;
    }

    /// Tells what has to be told by now, and returns how much was delivered. What fails is due
    /// again later.
    ///
    /// # Errors
    ///
    /// If the store or the log fails.
    pub async fn tell_due(&self) -> Result<usize, NotifierError> {
        if let Some(unreadable) = self.survey().await?.unreadable {
            self.channels.in_trouble(&unreadable);
        }
        let turns = self.channels.all().map(|channel| self.take_turn(channel));
        let mut delivered = 0;
        for turn in join_all(turns).await {
            delivered += turn?;
        }
        Ok(delivered)
    }

    /// Notes in the outbox what has to be told, whenever that changes, and wakes the channels. It is
    /// stopped while it rests only, so that what has begun is recorded whole.
    async fn keep_watch(&self, channels: &watch::Sender<bool>, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut trouble = Trouble::of(&self.channels);
        let mut seen = 0;
        let mut limit = Duration::ZERO;
        let mut gathering = GATHERING;
        loop {
            let news = async {
                let news = self.desk.news(seen, limit).await;
                let rest = if news.is_ok() { gathering } else { STORE_REST };
                tokio::time::sleep(rest).await;
                news
            };
            tokio::select! {
                () = &mut stop => return,
                news = news => seen = news.unwrap_or(seen),
            }
            let start = Instant::now();
            limit = match self.survey().await {
                Ok(Survey { next, unreadable }) => {
                    match unreadable {
                        None => trouble.is_over(),
                        Some(unreadable) => trouble.tell(&unreadable),
                    }
                    next.map_or(WATCH_REST, |next| {
                        until(next, self.channels.now()).min(WATCH_REST)
                    })
                }
                Err(error) => {
                    trouble.tell(&error);
                    STORE_REST
                }
            };
            gathering = GATHERING.max(start.elapsed() * GATHERING_SHARE);
            channels.send_replace(false);
        }
    }

    /// Tells a channel what is due there, and again when there may be more, until it is stopped.
    async fn take_turns(&self, channel: &Channel, mut stopping: watch::Receiver<bool>) {
        let mut trouble = Trouble::of(&self.channels);
        loop {
            let mut turn = Turn::default();
            let rest = loop {
                let told = self.tell_some(channel, &mut turn).await;
                if *stopping.borrow_and_update() {
                    return;
                }
                match told {
                    Ok(true) => {}
                    Ok(false) => {
                        trouble.is_over();
                        break turn.next.map_or(REST, |next| next.min(REST));
                    }
                    Err(error) => {
                        trouble.tell(&error);
                        break STORE_REST;
                    }
                }
            };
            if let Some(pause) = turn.pause {
                let stopped = stopping.wait_for(|is_stopping| *is_stopping);
                let _ = tokio::time::timeout(pause, stopped).await;
            } else {
                // Whether there was news or time has passed, it is this channel's turn again.
                let _ = tokio::time::timeout(rest, stopping.changed()).await;
            }
        }
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, HashSet<Noted>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a channel all that is due there, and returns how much was delivered.
    async fn take_turn(&self, channel: &Channel) -> Result<usize, NotifierError> {
        let mut turn = Turn::default();
        while self.tell_some(channel, &mut turn).await? {}
        Ok(turn.delivered)
    }

    /// Tells a channel some of what is due there, and returns whether there was any.
    async fn tell_some(&self, channel: &Channel, turn: &mut Turn) -> Result<bool, NotifierError> {
        let (most, lease) = (channel.at_once(), channel.lease());
        let due = self.outbox.claim(&channel.name, most, lease).await?;
        let told = due.iter().map(|delivery| self.deliver(channel, delivery));
        for told in join_all(told).await {
            match told? {
                Fate::Delivered => turn.delivered += 1,
                Fate::GivenUp => {}
                Fate::Again(wait) => turn.next = turn.next.into_iter().chain([wait]).min(),
                Fate::Busy(wait) => turn.pause = turn.pause.into_iter().chain([wait]).max(),
            }
        }
        Ok(!due.is_empty() && turn.pause.is_none())
    }

    /// Tells one thing, and notes what became of it.
    async fn deliver(&self, channel: &Channel, delivery: &Delivery) -> Result<Fate, NotifierError> {
        match self.tell(channel, delivery).await {
            Ok(receipt) => {
                self.outbox
                    .delivered(delivery.id, receipt.as_deref())
                    .await?;
                Ok(Fate::Delivered)
            }
            Err(failure) => {
                let is_last = failure.is_final || delivery.attempts >= backoff::MOST_ATTEMPTS;
                // What went wrong before is not forgotten for why it is no longer tried.
                let message = match &delivery.error {
                    Some(earlier) if failure.is_final => format!("{earlier}; {}", failure.message),
                    _ => failure.message.clone(),
                };
                let wait =
                    (!is_last).then(|| backoff::wait(delivery.attempts, failure.retry_after));
                self.outbox.failed(delivery.id, &message, wait).await?;
                Ok(match wait {
                    None => Fate::GivenUp,
                    Some(wait) if failure.is_busy => Fate::Busy(wait),
                    Some(wait) => Fate::Again(wait),
                })
            }
        }
    }

    /// Tells one thing, if it still has to be told, and returns the receipt.
    async fn tell(
        &self,
        channel: &Channel,
        delivery: &Delivery,
    ) -> Result<Option<String>, Failure> {
        let request = self.desk.request(delivery.request_id).await;
        let request = request.map_err(|error| {
            let is_final = error.kind() == ApprovalErrorKind::NotFound;
            Failure {
                is_final,
                ..Failure::new(error.to_string())
            }
        })?;
        let first = match delivery.kind {
            DeliveryKind::Asked => None,
            _ => self.first(request.id(), channel).await.map_err(|error| {
                let message = error.to_string();
                Failure::new(message)
            })?,
        };
        let earlier = match (delivery.kind, &first) {
            (DeliveryKind::Asked, _) => Earlier::NotNeeded,
            (_, None) => Earlier::Lost,
            (_, Some(first)) => match first.state {
                DeliveryState::Delivered => Earlier::Told,
                DeliveryState::Pending => Earlier::Coming,
                _ => Earlier::Lost,
            },
        };
        plan::check(delivery.kind, &request, earlier)?;
        let receipt = first.as_ref().and_then(|first| first.receipt.as_deref());
        let told = channel
            .tell(delivery.kind, &request, &self.channels, receipt)
            .await?;
        Ok(told.receipt)
    }

    /// What told a channel of a request first.
    async fn first(&self, id: Uuid, channel: &Channel) -> Result<Option<Delivery>, NotifierError> {
        let deliveries = self.outbox.of_request(id).await?;
        let mut deliveries = deliveries.into_iter();
        Ok(deliveries.find(|delivery| {
            delivery.kind == DeliveryKind::Asked && delivery.channel == channel.name
        }))
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier")
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}

/// What came of telling a channel.
#[derive(Default)]
struct Turn {
    delivered: usize,
    /// When something is due again that failed.
    next: Option<Duration>,
    /// How long the receiver wants to be left alone: what waits does not use up its attempts.
    pause: Option<Duration>,
}

enum Fate {
    Delivered,
    GivenUp,
    Again(Duration),
    Busy(Duration),
}

/// What keeps things from being told, told once for as long as it is the same.
struct Trouble<'c> {
    channels: &'c Channels,
    told: Option<String>,
}

impl<'c> Trouble<'c> {
    fn of(channels: &'c Channels) -> Self {
        Self {
            channels,
            told: None,
        }
    }

    fn tell(&mut self, error: &dyn fmt::Display) {
        let message = error.to_string();
        if self.told.as_ref() != Some(&message) {
            self.channels.in_trouble(&message);
            self.told = Some(message);
        }
    }

    fn is_over(&mut self) {
        self.told = None;
    }
}

/// How long it is until a moment.
fn until(moment: OffsetDateTime, now: OffsetDateTime) -> Duration {
    Duration::try_from(moment - now).unwrap_or_default()
}

/// Why nothing can be told. It displays the reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotifierError {
    /// The store of requests or the log fails.
    #[error(transparent)]
    Approvals(#[from] aegize_core::ApprovalError),
    /// The outbox fails.
    #[error(transparent)]
    Outbox(#[from] aegize_store::StoreError),
}

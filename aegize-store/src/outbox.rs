//! What is to be told in channels, and what became of that.
//!
//! The invariant: what was put in is delivered at least once, or kept as given up with the reason.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

use crate::database::{Database, on};
use crate::error::StoreError;
use crate::row::number;
use crate::store::Store;

/// Deliveries to channels that are still to be made, and what became of the others. Cloning gives
/// the same.
#[derive(Clone)]
pub struct Outbox {
    store: Store,
}

/// Something that a channel is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Of the store, in the order in which they were put in.
    pub id: i64,
    /// About which request.
    pub request_id: Uuid,
    /// In which channel.
    pub channel: String,
    /// What is told.
    pub kind: DeliveryKind,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// What the channel answered, such as where a message is.
    pub receipt: Option<String>,
    /// Why it failed the last time.
    pub error: Option<String>,
}

/// What a channel is told about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DeliveryKind {
    /// People are asked.
    Asked,
    /// They have not answered yet.
    Reminded,
    /// They have not answered yet, and others may.
    Escalated,
    /// It is granted.
    Granted,
    /// Nothing is asked any more.
    Ended,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DeliveryState {
    /// It is still to be made.
    Pending,
    /// It was made.
    Delivered,
    /// It failed, and is not tried again.
    GivenUp,
}

impl DeliveryKind {
    const ALL: [Self; 5] = [
        Self::Asked,
        Self::Reminded,
        Self::Escalated,
        Self::Granted,
        Self::Ended,
    ];

    /// The name in stores and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Reminded => "reminded",
            Self::Escalated => "escalated",
            Self::Granted => "granted",
            Self::Ended => "ended",
        }
    }
}

impl DeliveryState {
    const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::GivenUp];

    /// The name in stores and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }
}

impl Outbox {
    pub(crate) fn of_store(store: Store) -> Self {
        Self { store }
    }

    /// Puts a delivery in. `false`, if it is or was there already.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn enqueue(
        &self,
        request_id: Uuid,
        channel: &str,
        kind: DeliveryKind,
    ) -> Result<bool, StoreError> {
        let channel = channel.to_owned();
        let enqueued = |database| enqueue(database, request_id, channel, kind);
        self.store.run(enqueued).await
    }

    /// Takes deliveries to a channel that are due, the longest due first, for some time in which
    /// nobody else gets them. What is neither delivered nor failed by then is due again.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn claim(
        &self,
        channel: &str,
        most: usize,
        lease: Duration,
    ) -> Result<Vec<Delivery>, StoreError> {
        let channel = channel.to_owned();
        let claimed = |database| claim(database, channel, most, lease);
        self.store.run(claimed).await
    }

    /// A delivery was made. The channel's receipt is kept.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn delivered(&self, id: i64, receipt: Option<&str>) -> Result<(), StoreError> {
        let receipt = receipt.map(str::to_owned);
        let delivered = |database| delivered(database, id, receipt);
        self.store.run(delivered).await
    }

    /// A delivery failed. It is due again after some time, or given up. Of one that was delivered
    /// meanwhile by somebody else, nothing changes.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn failed(
        &self,
        id: i64,
        error: &str,
        retry_after: Option<Duration>,
    ) -> Result<(), StoreError> {
        let error = error.to_owned();
        let failed = |database| failed(database, id, error, retry_after);
        self.store.run(failed).await
    }

    /// All deliveries about a request, in the order in which they were put in.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn of_request(&self, request_id: Uuid) -> Result<Vec<Delivery>, StoreError> {
        let found = |database| of_request(database, request_id);
        self.store.run(found).await
    }

    /// Deliveries that failed and were not made since, the latest failure first.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn problems(&self, most: usize) -> Result<Vec<Delivery>, StoreError> {
        self.store.run(|database| problems(database, most)).await
    }

    /// How many of those are about requests for which people are still asked: what was to be told
    /// of the others, nobody waits for any more.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn open_problems(&self) -> Result<u64, StoreError> {
        self.store.run(open_problems).await
    }

    /// Requests, and the channels that were told of them, but not yet of their end.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn unended(&self) -> Result<Vec<(Uuid, String)>, StoreError> {
        self.store.run(unended).await
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

type Row = (
    i64,
    Uuid,
    String,
    String,
    String,
    i64,
    Option<String>,
    Option<String>,
);

/// The columns of a row.
macro_rules! columns {
    () => {
        "id, request_id, channel, kind, state, attempts, receipt, error"
    };
}
pub(crate) use columns;

fn read(
    (id, request_id, channel, kind, state, attempts, receipt, error): Row,
) -> Result<Delivery, StoreError> {
    let kind = DeliveryKind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind);
    let state = DeliveryState::ALL
        .into_iter()
        .find(|known| known.as_str() == state);
    let (Some(kind), Some(state)) = (kind, state) else {
        return Err(StoreError::damaged(format!(
            "delivery {id} is none that is known"
        )));
    };
    Ok(Delivery {
        id,
        request_id,
        channel,
        kind,
        state,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        receipt,
        error,
    })
}

fn read_all(rows: Vec<Row>) -> Result<Vec<Delivery>, StoreError> {
    rows.into_iter().map(read).collect()
}

async fn enqueue(
    database: Database,
    request_id: Uuid,
    channel: String,
    kind: DeliveryKind,
) -> Result<bool, StoreError> {
    const INSERT: &str = "INSERT INTO aegize_deliveries \
         (request_id, channel, kind, state, attempts, due_at, updated_at, is_open) \
         SELECT $1, $2, $3, 'pending', 0, now, now, $3 = 'asked' FROM aegize_clock WHERE TRUE \
         ON CONFLICT (request_id, channel, kind) DO NOTHING";
    const CLOSE: &str = "UPDATE aegize_deliveries SET is_open = FALSE \
         WHERE request_id = $1 AND channel = $2 AND is_open";
    on!(&database, writes, |pool| {
        let mut transaction = pool.begin().await?;
        let inserted = sqlx::query(INSERT)
            .bind(request_id)
            .bind(&channel)
            .bind(kind.as_str());
        let inserted = inserted.execute(&mut *transaction).await?;
        let is_new = inserted.rows_affected() == 1;
        if is_new && kind == DeliveryKind::Ended {
            let closed = sqlx::query(CLOSE).bind(request_id).bind(&channel);
            closed.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(is_new)
    })
}

async fn claim(
    database: Database,
    channel: String,
    most: usize,
    lease: Duration,
) -> Result<Vec<Delivery>, StoreError> {
    let statement = database.claiming();
    on!(&database, writes, |pool| {
        let claimed = sqlx::query_as(statement)
            .bind(channel)
            .bind(limit(most))
            .bind(micros(lease));
        let mut deliveries = read_all(claimed.fetch_all(pool).await?)?;
        // A statement that changes rows returns them in any order.
        deliveries.sort_by_key(|delivery| delivery.id);
        Ok(deliveries)
    })
}

async fn delivered(database: Database, id: i64, receipt: Option<String>) -> Result<(), StoreError> {
    const UPDATE: &str = "UPDATE aegize_deliveries SET state = 'delivered', error = NULL, \
         receipt = coalesce($2, receipt), updated_at = (SELECT now FROM aegize_clock) \
         WHERE id = $1";
    on!(&database, writes, |pool| {
        let updated = sqlx::query(UPDATE).bind(id).bind(receipt);
        updated.execute(pool).await?;
        Ok(())
    })
}

async fn failed(
    database: Database,
    id: i64,
    error: String,
    retry_after: Option<Duration>,
) -> Result<(), StoreError> {
    const UPDATE: &str = "UPDATE aegize_deliveries SET state = $2, error = $3, \
         due_at = (SELECT now FROM aegize_clock) + $4, \
         updated_at = (SELECT now FROM aegize_clock) \
         WHERE id = $1 AND state = 'pending'";
    let state = match retry_after {
        Some(_) => DeliveryState::Pending,
        None => DeliveryState::GivenUp,
    };
    on!(&database, writes, |pool| {
        let updated = sqlx::query(UPDATE)
            .bind(id)
            .bind(state.as_str())
            .bind(error)
            .bind(micros(retry_after.unwrap_or_default()));
        updated.execute(pool).await?;
        Ok(())
    })
}

async fn of_request(database: Database, request_id: Uuid) -> Result<Vec<Delivery>, StoreError> {
    const FIND: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM aegize_deliveries WHERE request_id = $1 ORDER BY id"
    );
    on!(&database, reads, |pool| {
        let found = sqlx::query_as(FIND).bind(request_id);
        read_all(found.fetch_all(pool).await?)
    })
}

async fn problems(database: Database, most: usize) -> Result<Vec<Delivery>, StoreError> {
    const FIND: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM aegize_deliveries WHERE error IS NOT NULL \
         ORDER BY updated_at DESC, id DESC LIMIT $1"
    );
    on!(&database, reads, |pool| {
        let found = sqlx::query_as(FIND).bind(limit(most));
        read_all(found.fetch_all(pool).await?)
    })
}

async fn open_problems(database: Database) -> Result<u64, StoreError> {
    const COUNT: &str = "SELECT count(*) FROM aegize_deliveries \
         JOIN aegize_requests ON aegize_requests.id = aegize_deliveries.request_id \
         WHERE aegize_deliveries.error IS NOT NULL AND aegize_requests.state = 'requested'";
    on!(&database, reads, |pool| {
        let count: i64 = sqlx::query_scalar(COUNT).fetch_one(pool).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    })
}

async fn unended(database: Database) -> Result<Vec<(Uuid, String)>, StoreError> {
    const FIND: &str = "SELECT request_id, channel FROM aegize_deliveries \
         WHERE is_open AND state = 'delivered' ORDER BY id";
    on!(&database, reads, |pool| {
        Ok(sqlx::query_as(FIND).fetch_all(pool).await?)
    })
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// At most a thousand years, so that it can be added to a time.
fn micros(time: Duration) -> i64 {
    const MOST: u64 = 1000 * 365 * 24 * 60 * 60 * 1_000_000;
    number(u64::try_from(time.as_micros()).unwrap_or(MOST).min(MOST))
}

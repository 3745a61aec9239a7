//! PostgreSQL: a server that several hosts share.
//!
//! The invariant: what was committed is on the server's disk before it is said to be.

use std::net::IpAddr;
use std::pin::pin;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{
    PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions, PgSslMode,
};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::{SCHEMA, WAIT, newer, wrong_url};
use crate::error::StoreError;
use crate::outbox::columns;
use crate::watch::News;

/// How many connections a store has at most.
const CONNECTIONS: u32 = 8;

/// What the schema notifies of each change.
const CHANNEL: &str = "aegize_requests";

/// How often the server is asked, in case that a notification got lost.
const LOOK: Duration = Duration::from_secs(2);

/// How often it is tried to listen again.
const LISTEN_AGAIN: Duration = Duration::from_millis(500);

/// Whatever the server's own settings are: a commit waits for the disk, a statement sees what was
/// committed before it, and none holds a lock for long.
const SETTINGS: &str = "SET synchronous_commit = on; \
     SET default_transaction_isolation = 'read committed'; \
     SET statement_timeout = '10s'; SET client_min_messages = 'warning'";

// The row is locked before the time is read: no statement waits in between.
pub(super) const REPLACE: &str = "WITH held AS MATERIALIZED \
     (SELECT id FROM aegize_requests WHERE id = $1 AND revision = $2 - 1 FOR UPDATE) \
     UPDATE aegize_requests AS request \
     SET revision = $2, state = $3, standing = $4, updated_at = $5, expires_at = $6, body = $7 \
     FROM held WHERE request.id = held.id \
     AND ($8 OR (SELECT now >= $5 AND now < $6 FROM aegize_clock WHERE held.id IS NOT NULL))";

pub(super) const CLAIM: &str = concat!(
    "UPDATE aegize_deliveries \
     SET attempts = attempts + 1, due_at = (SELECT now FROM aegize_clock) + $3 \
     WHERE id IN (SELECT id FROM aegize_deliveries WHERE state = 'pending' AND channel = $1 \
     AND due_at <= (SELECT now FROM aegize_clock) ORDER BY due_at, id LIMIT $2 FOR UPDATE SKIP LOCKED) \
     RETURNING ",
    columns!()
);

#[derive(Debug, Clone)]
pub(crate) struct Postgres {
    pub(crate) reads: PgPool,
    pub(crate) writes: PgPool,
}

impl Postgres {
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url).map_err(|error| {
            wrong_url(format!(
                "the URL of the store cannot be read: {error}; \
                 write `postgres://USER@HOST/DATABASE`"
            ))
        })?;
        if !is_here(&options) && leaves_tls_open(&options) {
            return Err(wrong_url(
                "the URL of the store leaves it to whoever is on the way if the connection is \
                 encrypted, and to which server; end it with `?sslmode=verify-full`, and with \
                 `&sslrootcert=FILE` if the certificate's authority is your own, or with \
                 `?sslmode=disable` if nobody else is on that network",
            ));
        }
        let options = options
            .application_name("aegize")
            .disable_statement_logging();
        let connected = tokio::time::timeout(WAIT, options.connect()).await;
        let mut connection = connected
            .map_err(|_| StoreError::late(WAIT))?
            .map_err(|error| unreachable(&error))?;
        connection.execute(SETTINGS).await?;
        migrate(&mut connection).await?;
        drop(connection.close().await);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(WAIT)
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(SETTINGS).await.map(drop) })
            })
            .connect_lazy_with(options);
        Ok(Self {
            reads: pool.clone(),
            writes: pool,
        })
    }

    pub(super) async fn watch(
        self,
        news: News,
    ) -> Result<impl Future<Output = ()> + Send, StoreError> {
        let mut listener = self.listen().await?;
        let mut seen = self.latest().await?;
        Ok(async move {
            loop {
                let lost = self.hear(&mut listener, &news, &mut seen).await;
                news.fail(lost.into());
                listener = loop {
                    tokio::time::sleep(LISTEN_AGAIN).await;
                    match self.listen().await {
                        Ok(listener) => break listener,
                        Err(error) => news.fail(error.into()),
                    }
                };
                // Whatever was notified in the meantime.
                news.tell();
            }
        })
    }

    async fn listen(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.reads).await?;
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }

    /// Tells what is notified, until that fails.
    async fn hear(&self, listener: &mut PgListener, news: &News, seen: &mut i64) -> sqlx::Error {
        loop {
            let mut heard = pin!(listener.try_recv());
            let heard = loop {
                let look = async {
                    tokio::time::sleep(LOOK).await;
                    news.somebody_waits().await;
                    self.latest().await
                };
                tokio::select! {
                    heard = &mut heard => break heard,
                    latest = look => match latest {
                        Ok(latest) if latest == *seen && !news.is_failing() => {}
                        Ok(latest) => {
                            *seen = latest;
                            news.tell();
                        }
                        Err(error) => news.fail(error.into()),
                    },
                }
            };
            match heard {
                // Without a notification, the connection was lost and what it missed is unknown.
                Ok(_) => news.tell(),
                Err(error) => return error,
            }
        }
    }

    /// The time of the latest change.
    async fn latest(&self) -> Result<i64, sqlx::Error> {
        let latest = sqlx::query_scalar("SELECT coalesce(max(updated_at), 0) FROM aegize_requests");
        latest.fetch_one(&self.reads).await
    }
}

/// Whether what is sent to the server stays on this host.
fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_matches(['[', ']']);
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback())
}

/// Whether the connection is in the clear if it is so answered.
fn leaves_tls_open(options: &PgConnectOptions) -> bool {
    matches!(options.get_ssl_mode(), PgSslMode::Allow | PgSslMode::Prefer)
}

fn unreachable(error: &sqlx::Error) -> StoreError {
    let reason = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        error => error.to_string(),
    };
    StoreError::unavailable(format!("the server of the store cannot be used: {reason}"))
}

/// Brings the schema to the version that this code knows. Where it is that, nothing is locked, and
/// no right to make tables is needed.
async fn migrate(connection: &mut PgConnection) -> Result<(), StoreError> {
    if version(connection).await? == SCHEMA {
        return Ok(());
    }
    // `Agze`. One process at a time; it is given back with the connection. Not in the transaction,
    // which would not see what was made before it got the lock.
    let lock = connection.execute("SELECT pg_advisory_lock(1097300581)");
    lock.await?;
    let mut transaction = connection.begin().await?;
    match version(&mut transaction).await? {
        SCHEMA => {}
        0 => {
            let schema = sqlx::raw_sql(concat!(
                "CREATE TABLE aegize_schema (version INTEGER PRIMARY KEY);",
                include_str!("../schema/postgres_1.sql"),
                "INSERT INTO aegize_schema (version) VALUES (1);"
            ));
            schema.execute(&mut *transaction).await?;
        }
        version => return Err(newer(version)),
    }
    transaction.commit().await?;
    Ok(())
}

/// The version of the schema; 0 where there is none.
async fn version(connection: &mut PgConnection) -> Result<i32, StoreError> {
    let is_there = sqlx::query_scalar("SELECT to_regclass('aegize_schema') IS NOT NULL");
    if !is_there.fetch_one(&mut *connection).await? {
        return Ok(0);
    }
    let version = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM aegize_schema");
    Ok(version.fetch_one(connection).await?)
}

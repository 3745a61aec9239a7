//! SQLite: a file that several processes of one host share.
//!
//! The invariant: what was committed is on the disk, and a power cut takes nothing of it back.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::{SCHEMA, WAIT, newer, wrong_url};
use crate::error::{StoreError, StoreErrorKind};
use crate::outbox::columns;
use crate::watch::News;

const SCHEME: &str = "sqlite://";

/// What marks a file as a store: `Agze`.
const APPLICATION: i32 = 0x4167_7a65;

/// How often the file is looked at while somebody waits for a change.
const LOOK: Duration = Duration::from_millis(50);

/// How often, after that failed.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

// The lock for writing is there before the time is read: no statement waits in between.
pub(super) const REPLACE: &str = "UPDATE aegize_requests \
     SET revision = $2, state = $3, standing = $4, updated_at = $5, expires_at = $6, body = $7 \
     WHERE id = $1 AND revision = $2 - 1 \
     AND ($8 OR (SELECT now >= $5 AND now < $6 FROM aegize_clock))";

pub(super) const CLAIM: &str = concat!(
    "UPDATE aegize_deliveries \
     SET attempts = attempts + 1, due_at = (SELECT now FROM aegize_clock) + $3 \
     WHERE id IN (SELECT id FROM aegize_deliveries WHERE state = 'pending' AND channel = $1 \
     AND due_at <= (SELECT now FROM aegize_clock) ORDER BY due_at, id LIMIT $2) \
     RETURNING ",
    columns!()
);

#[derive(Debug, Clone)]
pub(crate) struct Sqlite {
    options: Box<SqliteConnectOptions>,
    pub(crate) reads: SqlitePool,
    /// One connection: those who write in this process stand in a queue, and need not try again
    /// and again to get the lock.
    pub(crate) writes: SqlitePool,
}

impl Sqlite {
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        let path = path(url)?;
        create(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(WAIT)
            .disable_statement_logging();
        let failed = |error: sqlx::Error| failed(&path, &error);
        let mut connection = options.connect().await.map_err(failed)?;
        check(&mut connection, &path).await?;
        log_ahead(&mut connection, &path).await?;
        migrate(&mut connection, &path).await?;
        let pool = |connections| {
            let options = options.clone();
            let pool = SqlitePoolOptions::new().acquire_timeout(WAIT);
            pool.max_connections(connections).connect_lazy_with(options)
        };
        Ok(Self {
            reads: pool(4),
            writes: pool(1),
            options: Box::new(options),
        })
    }

    pub(super) async fn watch(
        self,
        news: News,
    ) -> Result<impl Future<Output = ()> + Send, StoreError> {
        let mut connection = self.options.connect().await?;
        let mut seen = version(&mut connection).await?;
        Ok(async move {
            loop {
                news.somebody_waits().await;
                match version(&mut connection).await {
                    Ok(version) => {
                        if version != seen || news.is_failing() {
                            seen = version;
                            news.tell();
                        }
                        tokio::time::sleep(LOOK).await;
                    }
                    Err(error) => {
                        news.fail(error.into());
                        tokio::time::sleep(LOOK_AGAIN).await;
                    }
                }
            }
        })
    }
}

/// What another connection's commit changes.
async fn version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let version = sqlx::query_scalar("PRAGMA data_version");
    version.fetch_one(connection).await
}

fn path(url: &str) -> Result<PathBuf, StoreError> {
    let path = url.strip_prefix(SCHEME).unwrap_or_default();
    if path.is_empty() || path == ":memory:" {
        return Err(wrong_url(
            "the URL of the store names no file; write `sqlite://FILE`",
        ));
    }
    if path.contains(['?', '#']) {
        let message = "a store in a file has no parameters; leave out what follows `?` or `#`";
        return Err(wrong_url(message));
    }
    Ok(PathBuf::from(path))
}

/// Makes the file, for its owner alone. SQLite gives those beside it the same mode.
fn create(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let shown = path.display();
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(_) if path.is_file() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::unavailable(
            format!("the directory of the store `{shown}` does not exist; create it"),
        )),
        Err(_) if path.is_dir() => Err(StoreError::unavailable(format!(
            "the store `{shown}` is a directory; name a file in it"
        ))),
        Err(error) => Err(StoreError::unavailable(format!(
            "the store `{shown}` cannot be created: {error}"
        ))),
    }
}

/// A failure of SQLite before the store is open.
fn failed(path: &Path, error: &sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(DatabaseError::code);
    let shown = path.display();
    match code.as_deref() {
        Some("26") => foreign(format!(
            "`{shown}` is no SQLite database; name another file"
        )),
        _ => StoreError::unavailable(format!("the store `{shown}` cannot be opened: {error}")),
    }
}

fn foreign(message: String) -> StoreError {
    StoreError::new(StoreErrorKind::Foreign, message)
}

/// Refuses what other programs made, before anything is written to it.
async fn check(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let marks = sqlx::query_as(
        "SELECT (SELECT application_id FROM pragma_application_id), \
         (SELECT count(*) FROM sqlite_schema)",
    );
    let (application, tables): (i32, i64) = marks
        .fetch_one(connection)
        .await
        .map_err(|error| failed(path, &error))?;
    if application == APPLICATION || (application == 0 && tables == 0) {
        return Ok(());
    }
    let shown = path.display();
    let message = format!("`{shown}` is the database of another program; name another file");
    Err(foreign(message))
}

/// Turns the write-ahead log on: readers and the writer do not wait for each other.
async fn log_ahead(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let mut tries = 0;
    loop {
        let mode = sqlx::query_scalar("PRAGMA journal_mode = WAL");
        let mode: Result<String, _> = mode.fetch_one(&mut *connection).await;
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                let shown = path.display();
                return Err(StoreError::unavailable(format!(
                    "the store `{shown}` has journal mode `{mode}`, not `wal`; \
                     put it on a local disk"
                )));
            }
            // SQLite does not wait for others who do the same.
            Err(error) if is_busy(&error) && tries < 100 => {
                tries += 1;
                tokio::time::sleep(WAIT / 100).await;
            }
            Err(error) => return Err(failed(path, &error)),
        }
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    let code = code.and_then(|code| code.parse::<u32>().ok());
    // The lower byte; the rest says why.
    code.is_some_and(|code| code & 0xff == 5)
}

/// Brings the schema to the version that this code knows.
async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let version = sqlx::query_scalar("PRAGMA user_version");
    let version: i32 = version.fetch_one(&mut *connection).await?;
    match version {
        SCHEMA => return Ok(()),
        0 => {}
        version => return Err(newer(version)),
    }
    let failed = |error: sqlx::Error| failed(path, &error);
    let begun = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection);
    begun.await.map_err(failed)?;
    // Another process may have been faster.
    let version = sqlx::query_scalar("PRAGMA user_version");
    let version: i32 = version.fetch_one(&mut *connection).await.map_err(failed)?;
    if version == 0 {
        let schema = sqlx::raw_sql(concat!(
            include_str!("../schema/sqlite_1.sql"),
            // `APPLICATION` and the first version.
            "PRAGMA application_id = 0x41677a65; PRAGMA user_version = 1;"
        ));
        schema.execute(&mut *connection).await.map_err(failed)?;
    }
    let committed = sqlx::raw_sql("COMMIT").execute(&mut *connection);
    committed.await.map_err(failed)?;
    Ok(())
}

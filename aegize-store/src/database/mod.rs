//! The two kinds of databases, and what is said to both in the same words.

mod postgres;
mod sqlite;

use std::pin::Pin;
use std::time::Duration;

use crate::error::{StoreError, StoreErrorKind};
use crate::watch::News;

pub(crate) use self::postgres::Postgres;
pub(crate) use self::sqlite::Sqlite;

/// How long a connection, or a lock that others have, is waited for.
const WAIT: Duration = Duration::from_secs(5);

/// The version of the schema that this code knows.
const SCHEMA: i32 = 1;

#[derive(Debug, Clone)]
pub(crate) enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Does the same with a pool of either kind: for `reads`, or for `writes`.
macro_rules! on {
    ($database:expr, $side:ident, |$pool:ident| $work:expr) => {
        match $database {
            $crate::database::Database::Sqlite(database) => {
                let $pool = &database.$side;
                $work
            }
            $crate::database::Database::Postgres(database) => {
                let $pool = &database.$side;
                $work
            }
        }
    };
}
pub(crate) use on;

impl Database {
    pub(crate) async fn open(url: String) -> Result<Self, StoreError> {
        match url.split_once("://").map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite(Sqlite::open(&url).await?)),
            Some("postgres" | "postgresql") => Ok(Self::Postgres(Postgres::open(&url).await?)),
            _ => Err(wrong_url(
                "the store is no URL of a kind that is known; \
                 write `sqlite://FILE` or `postgres://USER@HOST/DATABASE`",
            )),
        }
    }

    /// Puts the next revision in the place of the one before, in one atomic step.
    pub(crate) const fn replacing(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => sqlite::REPLACE,
            Self::Postgres(_) => postgres::REPLACE,
        }
    }

    /// Takes deliveries that are due, in one atomic step.
    pub(crate) const fn claiming(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => sqlite::CLAIM,
            Self::Postgres(_) => postgres::CLAIM,
        }
    }

    /// Begins to look for changes, and goes on in the future that it returns.
    pub(crate) async fn watch(
        self,
        news: News,
    ) -> Result<Pin<Box<dyn Future<Output = ()> + Send>>, StoreError> {
        Ok(match self {
            Self::Sqlite(database) => Box::pin(database.watch(news).await?),
            Self::Postgres(database) => Box::pin(database.watch(news).await?),
        })
    }
}

fn wrong_url(message: impl std::fmt::Display) -> StoreError {
    StoreError::new(StoreErrorKind::Url, message)
}

/// A store whose schema is of a later version than this code.
fn newer(version: i32) -> StoreError {
    let message = format!(
        "the store has version {version} of the schema, and {SCHEMA} is the latest that is known; \
         use the version of aegize that made it"
    );
    StoreError::new(StoreErrorKind::Foreign, message)
}

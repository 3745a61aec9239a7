//! Where requests may be kept, and the macro that asks the same of all places.

use std::env;
use std::path::Path;
use std::sync::Arc;

use aegize_core::{ApprovalStore, Approvals, MemoryApprovals};
use aegize_store::Store;
use pollster::block_on;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// The same tests for a store in memory, in SQLite and in PostgreSQL.
macro_rules! of_every_store {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $test() { super::$test(&crate::places::Place::memory()); })+
        }
        of_every_database!($($test),+);
    };
}

/// The same tests for the stores that are there after the process.
macro_rules! of_every_database {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test(&crate::places::Place::sqlite()); })+
        }
        mod postgres {
            $(
                #[test]
                #[ignore = "needs PostgreSQL; .ci/run starts one and runs this"]
                fn $test() { super::$test(&crate::places::Place::postgres()); }
            )+
        }
    };
}

/// Somewhere to keep requests, for one test.
pub(crate) enum Place {
    Memory(MemoryApprovals),
    Sqlite(TempDir),
    Postgres(PostgresDatabase),
}

impl Place {
    pub(crate) fn memory() -> Self {
        Self::Memory(MemoryApprovals::new())
    }

    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().unwrap())
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(PostgresDatabase::new())
    }

    /// An empty one of the same kind.
    pub(crate) fn another(&self) -> Self {
        match self {
            Self::Memory(_) => Self::memory(),
            Self::Sqlite(_) => Self::sqlite(),
            Self::Postgres(_) => Self::postgres(),
        }
    }

    /// One more handle on what is kept here: of a database, as another process has it.
    pub(crate) fn open(&self) -> Arc<dyn ApprovalStore> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            _ => Arc::new(self.store()),
        }
    }

    pub(crate) fn approvals(&self) -> Approvals {
        match self {
            Self::Memory(store) => Approvals::new(store.clone()),
            _ => Approvals::new(self.store()),
        }
    }

    pub(crate) fn store(&self) -> Store {
        block_on(Store::open(&self.url())).unwrap()
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Memory(_) => panic!("memory has no URL"),
            Self::Sqlite(directory) => sqlite_url(directory.path()),
            Self::Postgres(database) => database.url(),
        }
    }

    /// Does something to the database behind the store.
    pub(crate) fn tamper(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let tampered = runtime().block_on(async {
            match self {
                Self::Memory(_) => panic!("nobody tampers with memory"),
                Self::Sqlite(_) => {
                    let mut connection = sqlx::SqliteConnection::connect(&self.url()).await?;
                    connection.execute(sqlx::raw_sql(sql)).await?;
                    connection.close().await
                }
                Self::Postgres(_) => {
                    let mut connection = PgConnection::connect(&self.url()).await?;
                    connection.execute(sqlx::raw_sql(sql)).await?;
                    connection.close().await
                }
            }
        });
        tampered.unwrap();
    }
}

pub(crate) fn sqlite_url(directory: &Path) -> String {
    format!("sqlite://{}", directory.join("approvals.db").display())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A database of its own on the server for tests.
pub(crate) struct PostgresDatabase {
    server: String,
    name: String,
}

impl PostgresDatabase {
    fn new() -> Self {
        let server = env::var("AEGIZE_TEST_POSTGRES")
            .expect("AEGIZE_TEST_POSTGRES has the URL of a server; see tests/postgres.sh");
        let name = format!("aegize_{}", Uuid::now_v7().simple());
        let database = Self { server, name };
        database.administer("CREATE DATABASE");
        database
    }

    fn administer(&self, action: &str) {
        let sql = sqlx::AssertSqlSafe(format!("{action} {}", self.name));
        let done = runtime().block_on(async {
            let mut connection = PgConnection::connect(&self.server).await?;
            connection.execute(sqlx::raw_sql(sql)).await?;
            connection.close().await
        });
        done.unwrap();
    }

    fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }
}

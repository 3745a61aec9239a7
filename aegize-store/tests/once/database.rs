//! Where a scenario keeps its requests, its log, and what its bodies did.

use std::env;
use std::fs;
use std::path::Path;

use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

pub(crate) struct Scratch {
    folder: TempDir,
    url: String,
}

impl Scratch {
    pub(crate) fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match kind {
            Kind::Sqlite => format!("sqlite://{}", folder.path().join("approvals.db").display()),
            Kind::Postgres => new_database(),
        };
        Self { folder, url }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How often the body of a payment ran.
    pub(crate) fn effects(&self, amount: u32) -> usize {
        let text = fs::read_to_string(self.folder().join("effects")).unwrap_or_default();
        let amount = amount.to_string();
        text.lines().filter(|line| *line == amount).count()
    }
}

fn new_database() -> String {
    let server = env::var("AEGIZE_TEST_POSTGRES")
        .expect("AEGIZE_TEST_POSTGRES has the URL of a server; see tests/postgres.sh");
    let name = format!("aegize_once_{}", uuid::Uuid::now_v7().simple());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let made = runtime.expect("a runtime").block_on(async {
        let mut connection = PgConnection::connect(&server).await?;
        let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        connection.execute(sqlx::raw_sql(sql)).await?;
        connection.close().await
    });
    made.expect("a database");
    let (server, _) = server.rsplit_once('/').expect("a URL");
    format!("{server}/{name}")
}

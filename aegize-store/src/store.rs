//! A store in a database.
//!
//! The invariant: each step that has to be atomic is one statement.

use std::fmt;
use std::sync::Arc;

use aegize_core::{
    ApprovalList, ApprovalQuery, ApprovalRequest, ApprovalState, ApprovalStore, Binding,
    BindingKey, Seen, StoreFuture,
};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::database::Database;
use crate::directory::Directory;
use crate::error::StoreError;
use crate::outbox::Outbox;
use crate::requests;
use crate::row::Written;
use crate::runtime::Runtime;
use crate::watch::News;

/// Requests for approval in a database. Cloning gives the same store.
///
/// It has its own thread for the driver: what it returns may be polled on any executor, or waited
/// for on a thread without any. After a fork, the child opens its own.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Runtime,
    database: Database,
    news: News,
    is_watched: OnceCell<()>,
}

impl Store {
    /// Opens the store at a URL, and makes it if it is not there: `sqlite://FILE` with a path that
    /// is taken as it is, or `postgres://USER:PASSWORD@HOST/DATABASE`. If the host is not this one, the
    /// URL has to say how it is reached: with `?sslmode=verify-full`, with `require`, by which nobody
    /// checks the certificate, or with `disable`.
    ///
    /// # Errors
    ///
    /// If that is no such URL, the database cannot be reached or used, or is not a store of this
    /// version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let runtime = Runtime::start()?;
        let database = runtime.run(Database::open(url.to_owned())).await?;
        let shared = Shared {
            runtime,
            database,
            news: News::new(),
            is_watched: OnceCell::new(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Who may decide, by what is kept here.
    pub fn directory(&self) -> Directory {
        Directory::of_store(self.clone())
    }

    /// What is to be told in channels.
    pub fn outbox(&self) -> Outbox {
        Outbox::of_store(self.clone())
    }

    /// Does some work with the database.
    pub(crate) async fn run<T: Send + 'static, W>(
        &self,
        work: impl FnOnce(Database) -> W,
    ) -> Result<T, StoreError>
    where
        W: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let database = self.shared.database.clone();
        self.shared.runtime.run(work(database)).await
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.shared.runtime
    }

    /// Does what may change a request, and tells it.
    async fn change<W>(&self, work: impl FnOnce(Database) -> W) -> Result<bool, StoreError>
    where
        W: Future<Output = Result<u64, StoreError>> + Send + 'static,
    {
        let is_changed = self.run(work).await? == 1;
        if is_changed {
            self.shared.news.tell();
        }
        Ok(is_changed)
    }

    /// From here on, changes that others make are told.
    async fn watch(&self) -> Result<(), StoreError> {
        let Shared {
            runtime,
            news,
            is_watched,
            ..
        } = &*self.shared;
        let news = news.clone();
        let begin = || async {
            let going_on = self.run(|database| database.watch(news)).await?;
            runtime.spawn(going_on);
            Ok(())
        };
        is_watched.get_or_try_init(begin).await.map(drop)
    }

    async fn wait_for_change(&self, id: Uuid, revision: u64) -> Result<(), StoreError> {
        self.watch().await?;
        let mut wait = self.shared.news.wait();
        loop {
            wait.changes();
            if self
                .run(|database| requests::revision(database, id))
                .await?
                != Some(revision)
            {
                return Ok(());
            }
            wait.more().await?;
        }
    }

    async fn wait_for_news(&self, after: u64) -> Result<u64, StoreError> {
        self.watch().await?;
        let mut wait = self.shared.news.wait();
        loop {
            let changes = wait.changes();
            if changes != after {
                return Ok(changes);
            }
            wait.more().await?;
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl ApprovalStore for Store {
    fn key(&self) -> StoreFuture<'_, BindingKey> {
        Box::pin(async { Ok(self.run(requests::key).await?) })
    }

    fn insert(&self, request: ApprovalRequest) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let written = Written::new(&request)?;
            Ok(self
                .change(|database| requests::insert(database, written))
                .await?)
        })
    }

    fn replace(&self, next: ApprovalRequest) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let written = Written::new(&next)?;
            Ok(self
                .change(|database| requests::replace(database, written))
                .await?)
        })
    }

    fn load(&self, id: Uuid) -> StoreFuture<'_, Seen<Option<ApprovalRequest>>> {
        Box::pin(async move { Ok(self.run(|database| requests::load(database, id)).await?) })
    }

    fn find(
        &self,
        binding: Binding,
        scope: Binding,
    ) -> StoreFuture<'_, Seen<Vec<ApprovalRequest>>> {
        Box::pin(async move {
            Ok(self
                .run(|database| requests::find(database, binding, scope))
                .await?)
        })
    }

    fn list(&self, query: ApprovalQuery) -> StoreFuture<'_, Seen<ApprovalList>> {
        Box::pin(async move { Ok(self.run(|database| requests::list(database, query)).await?) })
    }

    fn count(&self, state: ApprovalState) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            Ok(self
                .run(|database| requests::count(database, state))
                .await?)
        })
    }

    fn changed(&self, id: Uuid, revision: u64) -> StoreFuture<'_, ()> {
        Box::pin(async move { Ok(self.wait_for_change(id, revision).await?) })
    }

    fn news(&self, after: u64) -> StoreFuture<'_, u64> {
        Box::pin(async move { Ok(self.wait_for_news(after).await?) })
    }
}

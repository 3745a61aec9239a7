//! Who may decide, and the tokens by which they are known.
//!
//! The invariants: a token is known by its hash alone, and whoever guesses learns nothing from how
//! long an answer takes, not even which tokens there are.

mod file;
mod kept;
mod token;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use aegize_core::Approver;
use time::OffsetDateTime;
use tokio::sync::Semaphore;

use self::file::ApproversFile;
pub use self::token::NewToken;
use crate::error::{StoreError, StoreErrorKind};
use crate::runtime::{Runtime, closed};
use crate::store::Store;

/// How many tokens are checked at a time: each takes a processor and 19 MiB for some milliseconds.
const CHECKED_AT_ONCE: usize = 2;

/// Who may decide: those who have a token, of a store or of a file. Cloning gives the same.
///
/// ```
/// use aegize_core::Approver;
/// use aegize_store::Store;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let url = format!("sqlite://{}", folder.path().join("approvals.db").display());
/// # pollster::block_on(async {
/// let directory = Store::open(&url).await?.directory();
/// let alice = Approver::new("alice@acme.com")?.group("ops")?;
/// let token = directory.create_token(&alice, None).await?;
/// // To be shown once: nobody can tell it again.
/// assert_eq!(directory.authenticate(token.text()).await?, Some(alice));
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Clone)]
pub struct Directory {
    source: Source,
    checking: Arc<Semaphore>,
}

#[derive(Clone)]
enum Source {
    Store(Store),
    File(Arc<ApproversFile>, Arc<Runtime>),
}

/// A token that is accepted, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenInfo {
    /// What it is called; it is no secret.
    pub id: String,
    /// Who has it, with their groups.
    pub approver: Approver,
    /// The id of their user in Slack.
    pub slack: Option<String>,
    /// When it was made, if that is known.
    pub created_at: Option<OffsetDateTime>,
}

/// A token as it is kept.
struct KeptToken {
    info: TokenInfo,
    hash: String,
}

impl Directory {
    pub(crate) fn of_store(store: Store) -> Self {
        Self::new(Source::Store(store))
    }

    /// The approvers of a file. It is read anew when it was changed; while something is wrong with
    /// it, nobody is known.
    ///
    /// ```yaml
    /// approvers:
    ///   alice@acme.com:
    ///     groups: [ops, finance]
    ///     slack: U012AB3CD
    ///     token: "agz_…:$argon2id$…"    # `NewToken::hash`
    /// ```
    ///
    /// # Errors
    ///
    /// If it cannot be read, or something is wrong with it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let file = ApproversFile::open(path.as_ref())?;
        let runtime = Runtime::start()?;
        Ok(Self::new(Source::File(Arc::new(file), Arc::new(runtime))))
    }

    /// The same, where that is told what is wrong with the file, once for each time that it changes:
    /// whoever asks who somebody is may have no way to whoever keeps it. Of a store, nothing is told.
    #[must_use]
    pub fn on_trouble(self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        if let Source::File(file, _) = &self.source {
            file.on_trouble(tell);
        }
        self
    }

    fn new(source: Source) -> Self {
        Self {
            source,
            checking: Arc::new(Semaphore::new(CHECKED_AT_ONCE)),
        }
    }

    /// Makes a token for a person, and [keeps](Self::keep_token) it.
    ///
    /// # Errors
    ///
    /// As [`NewToken::generate`] and [`keep_token`](Self::keep_token).
    pub async fn create_token(
        &self,
        approver: &Approver,
        slack: Option<&str>,
    ) -> Result<NewToken, StoreError> {
        let token = self.compute(NewToken::generate).await??;
        self.keep_token(&token, approver, slack).await?;
        Ok(token)
    }

    /// Accepts a token from now on, as that of a person, who is in these groups and in no others.
    /// Without an id of Slack, they keep the one that they have. Nothing is recorded: that is
    /// [`ApprovalDesk::record_token_created`](aegize_core::ApprovalDesk::record_token_created),
    /// which comes before.
    ///
    /// # Errors
    ///
    /// If the approvers are those of a file, somebody else has that id of Slack, or the store
    /// fails.
    pub async fn keep_token(
        &self,
        token: &NewToken,
        approver: &Approver,
        slack: Option<&str>,
    ) -> Result<(), StoreError> {
        let store = self.store("write the hash of a new token there")?;
        let new = KeptToken {
            info: TokenInfo {
                id: token.id().to_owned(),
                approver: approver.clone(),
                slack: slack.map(str::to_owned),
                created_at: None,
            },
            hash: token.bare_hash().to_owned(),
        };
        store.run(|database| kept::keep(database, new)).await
    }

    /// The tokens that are accepted, by person and age.
    ///
    /// # Errors
    ///
    /// If the store or the file cannot be read.
    pub async fn tokens(&self) -> Result<Vec<TokenInfo>, StoreError> {
        let tokens = match &self.source {
            Source::Store(store) => store.run(kept::tokens).await?,
            Source::File(file, _) => file.tokens()?,
        };
        Ok(tokens.into_iter().map(|token| token.info).collect())
    }

    /// The token with an id, if it is accepted.
    ///
    /// # Errors
    ///
    /// If the store or the file cannot be read.
    pub async fn token(&self, id: &str) -> Result<Option<TokenInfo>, StoreError> {
        Ok(self.kept(id).await?.map(|token| token.info))
    }

    /// The id of a token, which is no secret.
    pub fn token_id(token: &str) -> Option<&str> {
        token::parts(token).map(|(id, _)| id)
    }

    /// Takes a token back, by its id, and tells whose it was; `None`, if there was none. Whoever
    /// has no other is no approver any more.
    ///
    /// # Errors
    ///
    /// If the approvers are those of a file, or the store fails.
    pub async fn revoke_token(&self, id: &str) -> Result<Option<String>, StoreError> {
        let store = self.store("remove the token there")?;
        let id = id.to_owned();
        store.run(|database| kept::remove(database, id)).await
    }

    /// The person who has a token, if it is accepted.
    ///
    /// # Errors
    ///
    /// If the store or the file cannot be read.
    pub async fn authenticate(&self, token: &str) -> Result<Option<Approver>, StoreError> {
        let Some((id, secret)) = token::parts(token) else {
            return Ok(None);
        };
        let kept = self.kept(id).await?;
        let hash = kept.as_ref().map(|token| token.hash.clone());
        let checking = token::Checking::new(secret, hash);
        let is_theirs = self.compute(move || checking.holds()).await?;
        Ok(kept.filter(|_| is_theirs).map(|token| token.info.approver))
    }

    /// The person who is a user in Slack.
    ///
    /// # Errors
    ///
    /// If the store or the file cannot be read.
    pub async fn by_slack(&self, user_id: &str) -> Result<Option<Approver>, StoreError> {
        match &self.source {
            Source::Store(store) => {
                let id = user_id.to_owned();
                store.run(|database| kept::by_slack(database, id)).await
            }
            Source::File(file, _) => file.by_slack(user_id),
        }
    }

    /// A person by name, with their groups.
    ///
    /// # Errors
    ///
    /// If the store or the file cannot be read.
    pub async fn approver(&self, name: &str) -> Result<Option<Approver>, StoreError> {
        match &self.source {
            Source::Store(store) => {
                let name = name.to_owned();
                store.run(|database| kept::by_name(database, name)).await
            }
            Source::File(file, _) => file.by_name(name),
        }
    }

    async fn kept(&self, id: &str) -> Result<Option<KeptToken>, StoreError> {
        match &self.source {
            Source::Store(store) => {
                let id = id.to_owned();
                store.run(|database| kept::token(database, id)).await
            }
            Source::File(file, _) => file.token(id),
        }
    }

    /// The store, of which something is to be changed.
    fn store(&self, remedy: &str) -> Result<&Store, StoreError> {
        match &self.source {
            Source::Store(store) => Ok(store),
            Source::File(file, _) => {
                let shown = file.path().display();
                let message = format!("the approvers are those of the file `{shown}`; {remedy}");
                Err(StoreError::new(StoreErrorKind::Malformed, message))
            }
        }
    }

    /// Keeps a processor busy, but not all of them.
    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let runtime = match &self.source {
            Source::Store(store) => store.runtime(),
            Source::File(_, runtime) => runtime,
        };
        let permit = Arc::clone(&self.checking).acquire_owned().await;
        let permit = permit.map_err(|_| closed())?;
        let work = move || {
            // Until it is done, also if nobody waits for it any more.
            let _permit = permit;
            work()
        };
        runtime.compute(work).await
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").finish_non_exhaustive()
    }
}

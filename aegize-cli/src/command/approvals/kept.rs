//! Where requests are kept, and where it is recorded what becomes of them.

use std::borrow::Cow;
use std::future::Future;
use std::path::{Path, PathBuf};

use aegize::{ApprovalDesk, Approvals, AuditLog};
use aegize_store::Store;
use clap::Args;

use crate::exit::{Exit, Failure};
use crate::output::warn;

/// Where both are looked for, unless told otherwise.
const STORE: &str = "sqlite://approvals.db";
const LOG: &str = "audit.jsonl";

#[derive(Debug, Args)]
#[command(next_help_heading = "Where approvals are kept")]
pub(in crate::command) struct Kept {
    /// The store that the agents use: `sqlite://approvals.db`, `sqlite:///var/lib/approvals.db`, or
    /// `postgres://…`
    #[arg(
        long,
        value_name = "URL",
        env = "AEGIZE_STORE",
        hide_env_values = true,
        default_value = STORE
    )]
    store: String,

    /// The audit log in which decisions are recorded, and that tokens are made and revoked; best the
    /// agents' own: a file, or a directory of segments
    #[arg(
        long,
        value_name = "LOG",
        env = "AEGIZE_AUDIT_LOG",
        hide_env_values = true,
        default_value = LOG
    )]
    audit_log: PathBuf,
}

/// A store and a log that are open.
pub(in crate::command) struct Open {
    pub(in crate::command) store: Store,
    pub(in crate::command) approvals: Approvals,
    pub(in crate::command) audit_log: AuditLog,
}

impl Kept {
    /// What makes another command find the same, as a shell reads it, each argument after a space. A
    /// URL that may hold a password is not shown: its variable stands for it.
    pub(in crate::command) fn arguments(&self) -> String {
        let mut arguments = String::new();
        if self.store != STORE {
            arguments.push_str(" --store ");
            if may_hold_password(&self.store) {
                arguments.push_str("\"$AEGIZE_STORE\"");
            } else {
                arguments.push_str(&quoted(&self.store));
            }
        }
        if self.audit_log != Path::new(LOG) {
            arguments.push_str(" --audit-log ");
            arguments.push_str(&quoted(&self.audit_log.to_string_lossy()));
        }
        arguments
    }

    /// Opens both.
    ///
    /// # Errors
    ///
    /// If there is no such store, or one of them cannot be used.
    pub(super) async fn open(&self) -> Result<Open, Failure> {
        self.with_log(self.store().await?).map_err(unusable)
    }

    /// Opens both, to look at what there is: nothing is made.
    ///
    /// # Errors
    ///
    /// If there is no such store or log, or one of them cannot be used.
    pub(super) async fn open_to_read(&self) -> Result<Open, Failure> {
        let store = self.store().await?;
        if self.audit_log.exists() {
            return self.with_log(store).map_err(unusable);
        }
        let problem = "is not there; give the agents' audit log with --audit-log, \
                       since what has expired is recorded there";
        Err(Failure::Input(self.audit_log.clone(), problem.to_owned()))
    }

    /// Opens both, and makes the store if there is none yet.
    ///
    /// # Errors
    ///
    /// If one of them cannot be used.
    pub(in crate::command) async fn open_or_make(&self) -> Result<Open, Failure> {
        self.with_log(self.store_or_new().await?).map_err(unusable)
    }

    /// Opens the log beside a store that is open.
    ///
    /// # Errors
    ///
    /// What is wrong, if it cannot be used.
    pub(super) fn with_log(&self, store: Store) -> Result<Open, String> {
        let is_new = !self.audit_log.exists();
        let folder = self.audit_log.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| is_new && !folder.exists()) {
            return Err(format!(
                "{}: is not there, and no audit log in it; give the agents' with --audit-log",
                folder.display()
            ));
        }
        let audit_log = AuditLog::open(&self.audit_log).map_err(|error| error.to_string())?;
        if is_new {
            let log = self.audit_log.display();
            warn(&format!(
                "{log}: was not there, and is begun; if the agents' log is another, give it with --audit-log"
            ));
        }
        Ok(Open {
            approvals: Approvals::new(store.clone()),
            store,
            audit_log,
        })
    }

    /// Opens the store alone.
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be used.
    pub(super) async fn store(&self) -> Result<Store, Failure> {
        // A store that is made here would have no requests, and tell nobody that it is the wrong one.
        if let Some(file) = self.missing() {
            let problem = "is not there; agents make the store when they open it, so give theirs with --store";
            return Err(Failure::Input(file.into(), problem.to_owned()));
        }
        Ok(Store::open(&self.store).await?)
    }

    /// Opens the store alone, and makes it if there is none yet.
    ///
    /// # Errors
    ///
    /// If it cannot be used.
    pub(super) async fn store_or_new(&self) -> Result<Store, Failure> {
        if let Some(file) = self.missing() {
            warn(&format!(
                "{file}: was not there, and is made; if the agents' store is another, give it with --store"
            ));
        }
        Ok(Store::open(&self.store).await?)
    }

    /// The file of the store, if there is none.
    fn missing(&self) -> Option<&str> {
        let file = self.store.strip_prefix("sqlite://")?;
        (!Path::new(file).exists()).then_some(file)
    }
}

impl Open {
    /// Where people decide.
    pub(super) fn desk(&self) -> ApprovalDesk {
        self.approvals.desk(&self.audit_log)
    }
}

fn unusable(problem: String) -> Failure {
    Failure::Refused(Exit::Unusable, problem)
}

fn may_hold_password(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return true;
    };
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
    scheme != "sqlite" && (user.contains(':') || rest.contains('?'))
}

/// A text as one word of a shell.
fn quoted(text: &str) -> Cow<'_, str> {
    // Only a null character cannot be quoted, and no argument holds one.
    shlex::try_quote(text).unwrap_or(Cow::Borrowed(text))
}

/// Runs what waits for stores and signals, on this thread.
///
/// # Errors
///
/// If that fails, or the operating system gives nothing to wait with.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build();
    let runtime = runtime.map_err(|error| {
        Failure::Refused(Exit::Unusable, format!("cannot wait for anything: {error}"))
    })?;
    runtime.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_elsewhere_is_named_and_no_password_is_shown() {
        const HIDDEN: &str = " --store \"$AEGIZE_STORE\"";
        let rows = [
            (STORE, LOG, ""),
            (
                "sqlite:///a b/it's.db",
                LOG,
                " --store \"sqlite:///a b/it's.db\"",
            ),
            (STORE, "$(log)", " --audit-log '$(log)'"),
            (
                "postgres://agents@db.acme.com/approvals",
                "log",
                " --store postgres://agents@db.acme.com/approvals --audit-log log",
            ),
            ("postgres://agents:hunter2@db/approvals", LOG, HIDDEN),
            ("postgres://agents:hunter@2@db/approvals", LOG, HIDDEN),
            ("postgres://db/approvals?password=hunter2", LOG, HIDDEN),
            ("hunter2", LOG, HIDDEN),
        ];
        for (store, log, arguments) in rows {
            let kept = Kept {
                store: store.to_owned(),
                audit_log: log.into(),
            };
            assert_eq!(kept.arguments(), arguments);
        }
    }
}

//! Who decides: whom a token authenticates, or the operating system's user.
//!
//! The invariant: no name is taken on anybody's word, neither an argument's nor the environment's.

use std::cell::OnceCell;
use std::path::PathBuf;

use aegize::Approver;
use aegize_store::{Directory, Store};
use clap::Args;

use crate::exit::{Exit, Failure};

/// The variable that may hold a token.
const TOKEN: &str = "AEGIZE_TOKEN";

#[derive(Debug, Args)]
#[command(next_help_heading = "Who decides (the operating system's user, without a token)")]
pub(super) struct Who {
    /// A file with the token of an approver; without it, the token in `AEGIZE_TOKEN`, if there is one
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// What was read of that file: a pipe is read once.
    #[arg(skip)]
    token: OnceCell<String>,

    #[command(flatten)]
    known: Known,
}

/// Where approvers are known.
#[derive(Debug, Args)]
pub(in crate::command) struct Known {
    /// A file of approvers, their groups and tokens, in place of the store's own
    #[arg(
        long,
        value_name = "FILE",
        env = "AEGIZE_APPROVERS",
        hide_env_values = true
    )]
    approvers: Option<PathBuf>,
}

impl Known {
    /// The file's approvers, or the store's.
    ///
    /// # Errors
    ///
    /// If the file is unusable.
    pub(in crate::command) fn directory(&self, store: &Store) -> Result<Directory, Failure> {
        match &self.approvers {
            Some(file) => Ok(Directory::from_file(file)?),
            None => Ok(store.directory()),
        }
    }
}

impl Who {
    /// Who decides, and in which groups they are.
    ///
    /// # Errors
    ///
    /// If a token is nobody's, or the user has no name.
    pub(super) async fn approver(&self, store: &Store) -> Result<Approver, Failure> {
        let directory = self.known.directory(store)?;
        if let Some((token, place)) = self.token()? {
            let approver = directory.authenticate(token.trim()).await?;
            return approver.ok_or_else(|| {
                let problem = "is nobody's, or was revoked; ask for another";
                Failure::Refused(Exit::NotEntitled, format!("the token in {place} {problem}"))
            });
        }
        let name = user()?;
        match directory.approver(&name).await? {
            Some(approver) => Ok(approver),
            None => Ok(Approver::new(name)?),
        }
    }

    /// The same person as they are known now: what was answered may have been asked long before.
    ///
    /// # Errors
    ///
    /// As [`approver`](Self::approver), and if it is another person now.
    pub(super) async fn still(&self, store: &Store, asked: &Approver) -> Result<Approver, Failure> {
        let now = self.approver(store).await?;
        if now.name() == asked.name() {
            return Ok(now);
        }
        let (asked, now) = (asked.name(), now.name());
        let message = format!("`{asked}` was asked, and the token is `{now}`'s now; decide again");
        Err(Failure::Refused(Exit::NotEntitled, message))
    }

    /// Whether it is not the operating system's user who decides.
    pub(super) fn has_token(&self) -> bool {
        self.token_file.is_some() || std::env::var_os(TOKEN).is_some()
    }

    /// A token, and where it was found.
    fn token(&self) -> Result<Option<(String, String)>, Failure> {
        if let Some(file) = &self.token_file {
            let token = if let Some(token) = self.token.get() {
                token
            } else {
                let read = std::fs::read_to_string(file).map_err(|error| {
                    Failure::Input(file.clone(), format!("cannot be read: {error}"))
                })?;
                self.token.get_or_init(|| read)
            };
            return Ok(Some((token.clone(), format!("`{}`", file.display()))));
        }
        match std::env::var(TOKEN) {
            Ok(token) => Ok(Some((token, TOKEN.to_owned()))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(error) => {
                let message = format!("{TOKEN}: {error}; set it to a token, or unset it");
                Err(Failure::Refused(Exit::Unusable, message))
            }
        }
    }
}

/// Who makes and revokes tokens, for the record: the operating system's user, by number if they
/// have no name.
#[cfg(unix)]
pub(super) fn operator() -> String {
    user().unwrap_or_else(|_| format!("uid {}", nix::unistd::getuid()))
}

#[cfg(not(unix))]
pub(super) fn operator() -> String {
    "unknown".to_owned()
}

/// The name of the user whose process this is, by the system's database of users.
#[cfg(unix)]
fn user() -> Result<String, Failure> {
    use nix::unistd::{User, getuid};

    let uid = getuid();
    let problem = match User::from_uid(uid) {
        Ok(Some(user)) => return Ok(user.name),
        Ok(None) => "has no name".to_owned(),
        Err(error) => format!("cannot be looked up: {error}"),
    };
    let message =
        format!("the operating system's user {uid} {problem}; give a token with --token-file");
    Err(Failure::Refused(Exit::NotEntitled, message))
}

#[cfg(not(unix))]
fn user() -> Result<String, Failure> {
    let message = "this operating system does not tell who you are; give a token with --token-file";
    Err(Failure::Refused(Exit::NotEntitled, message.to_owned()))
}

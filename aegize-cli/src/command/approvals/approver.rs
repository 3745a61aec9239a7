//! Who decides: the operating system's user.
//!
//! The invariant: no name is taken on anybody's word, neither an argument's nor the environment's.

use aegize::Approver;

use crate::exit::{Exit, Failure};

/// Who decides.
///
/// # Errors
///
/// If the user has no name.
pub(super) fn approver() -> Result<Approver, Failure> {
    Ok(Approver::new(user()?)?)
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
    let message = format!("the operating system's user {uid} {problem}");
    Err(Failure::Refused(Exit::NotEntitled, message))
}

#[cfg(not(unix))]
fn user() -> Result<String, Failure> {
    let message = "this operating system does not tell who you are";
    Err(Failure::Refused(Exit::NotEntitled, message.to_owned()))
}

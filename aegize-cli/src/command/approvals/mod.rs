//! `aegize approvals`: where people decide about calls that wait for them.
//!
//! Thin over the desk of the core, which is the only way in which anybody decides. The invariant:
//! no command decides whose act cannot be recorded, nor for a person who was not told apart from
//! others by the operating system or by a token.

mod approver;
mod decide;
mod id;
mod interruption;
mod json;
mod kept;
mod list;
mod question;
mod show;
mod table;
mod terminal;
mod tokens;

mod watch;
mod words;

use std::io::Write;

use clap::Subcommand;

pub(super) use self::approver::Known;
use self::decide::{Approve, Reject, Revoke};
pub(super) use self::kept::Kept;
use self::list::List;
use self::show::Show;
use self::tokens::TokensCommand;

use self::watch::Watch;
use crate::exit::{Exit, Failure};

/// What the exit codes mean, for every command that is about requests.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  not done: the request is in another state, or you said no
  2  no result: the store, the audit log, an argument or the output is
     unusable; standard error says why
  3  not done: the approver may not decide that, or is unknown
  4  there is no such request";

const EXAMPLE: &str = "\
Examples:
  aegize approvals list
  aegize approvals show 8d1f0c2b7a90
  aegize approvals approve 8d1f0c2b7a90 --reason 'as agreed'
  aegize approvals reject 8d1f0c2b7a90 --reason 'the invoice is paid'
  aegize approvals watch --prompt
  aegize approvals tokens create alice@acme.com --group finance > alice.token";

/// Decide about calls that wait for a person
///
/// A call that a policy's `require_approval` rule is about runs after people approved exactly that
/// call, once, or it does not run. The agent and this command share a store, in which requests are
/// kept, and an audit log, in which every decision is recorded.
///
/// You decide as the operating system's user, unless `--token-file` or `AEGIZE_TOKEN` holds the token
/// of another approver. Nothing is executed: the agent makes the call.
#[derive(Debug, Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = EXIT_CODES,
    after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}")
)]
pub(crate) enum ApprovalsCommand {
    List(List),
    Show(Show),
    Approve(Approve),
    Reject(Reject),
    Revoke(Revoke),
    Watch(Watch),
    #[command(subcommand)]
    Tokens(TokensCommand),
}

impl ApprovalsCommand {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        match self {
            Self::List(list) => list.run(stdout),
            Self::Show(show) => show.run(stdout),
            Self::Approve(approve) => approve.run(stdout),
            Self::Reject(reject) => reject.run(stdout),
            Self::Revoke(revoke) => revoke.run(stdout),
            Self::Watch(watch) => watch.run(stdout),
            Self::Tokens(command) => command.run(stdout),
        }
    }
}

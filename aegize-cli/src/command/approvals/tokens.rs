//! `aegize approvals tokens`: by what approvers are known who are not the operating system's user.
//!
//! The invariants: a token is written to standard output, once, and to no other place; and none
//! counts whose making is not in the audit log.

use std::fmt::Display;
use std::io::Write;

use aegize::Approver;
use aegize_store::{Directory, NewToken, TokenInfo};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::approver::{Known, operator};
use super::interruption::Interruption;
use super::kept::{Kept, Open, block_on};
use crate::exit::{Exit, Failure};
use crate::layout::{day, padded, rfc3339, time_of_day, width_of};
use crate::output::{self, note, one_line, strong, visible, warn};

const EXAMPLE: &str = "\
Examples:
  aegize approvals tokens create alice@acme.com --group finance > alice.token
  aegize approvals approve 8d1f0c2b7a90 --token-file alice.token
  aegize approvals tokens list
  aegize approvals tokens revoke 3f6a0c9d12e4b785";

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  2  no result: the store, the audit log, an argument or the output is
     unusable; standard error says why, and if a token was revoked all the same
  4  there is no such token";

/// Make tokens for approvers, list them, and take them back
///
/// A token tells who somebody is, to this command (`--token-file`, `AEGIZE_TOKEN`), and in the inbox that
/// `aegize serve` has. The store keeps a hash of it, and the audit log has who made and revoked it.
/// Nothing is executed.
#[derive(Debug, Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = EXIT_CODES,
    after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}")
)]
pub(crate) enum TokensCommand {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Make a token for an approver
///
/// Prints the token on standard output, once: nobody can tell it again. Everything else is told on
/// standard error. Before the token counts, it is recorded in the audit log that you made it, for whom,
/// and in which groups; if it cannot be printed, it is revoked again. Nothing is executed.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Create {
    /// The approver's name, as policies write it
    name: String,

    /// A group that they are in; may be given several times. Given once, these are all their groups,
    /// and otherwise they keep the ones that they have
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,

    /// The id of their user in Slack, such as U012AB3CD
    #[arg(long, value_name = "ID")]
    slack: Option<String>,

    /// Keep and record nothing, and print on standard error what a file of approvers has to have
    #[arg(long)]
    print_hash: bool,

    #[command(flatten)]
    kept: Kept,
}

/// List the tokens that are accepted
///
/// None of them is shown: their ids are no secret. Nothing is executed.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct List {
    /// One JSON object for programs
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    known: Known,

    #[command(flatten)]
    kept: Kept,
}

/// Take back a token
///
/// Whoever has no other is no approver any more. What they have approved stays approved. The
/// revocation is recorded in the audit log, and stands also where that fails. Nothing is executed.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Revoke {
    /// The id of the token, as `aegize approvals tokens list` shows it
    id: String,

    #[command(flatten)]
    kept: Kept,
}

impl TokensCommand {
    pub(super) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        match self {
            Self::Create(create) => create.run(stdout),
            Self::List(list) => list.run(stdout),
            Self::Revoke(revoke) => revoke.run(stdout),
        }
    }
}

impl Create {
    fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let approver = self
            .groups
            .iter()
            .try_fold(Approver::new(&self.name)?, |approver, group| {
                approver.group(group)
            })?;
        if self.print_hash {
            let token = NewToken::generate()?;
            self.tell_entry(&approver, &token);
            writeln!(stdout, "{}", token.text())?;
            return Ok(Exit::Done);
        }
        block_on(async {
            let open = self.kept.open_or_make().await?;
            let (desk, directory) = (open.desk(), open.store.directory());
            let known = directory.approver(&self.name).await?;
            let before = known.as_ref().map(|known| known.groups().to_vec());
            let approver = known.filter(|_| self.groups.is_empty()).unwrap_or(approver);
            let token = NewToken::generate()?;
            let (id, slack, by) = (token.id(), self.slack.as_deref(), operator());
            // Nothing comes between a token and its record.
            let _held = Interruption::new()?;
            desk.record_token_created(id, &approver, slack, &by).await?;
            let kept = directory.keep_token(&token, &approver, slack).await;
            let given = kept
                .map_err(|error| error.to_string())
                .and_then(|()| give(stdout, &token));
            let Err(problem) = given else {
                let groups = in_groups(approver.groups());
                note(&format!("token {id} of {}, {groups}", approver.name()));
                if let Some(before) = before.filter(|before| before != approver.groups()) {
                    let before = in_groups(&before);
                    warn(&format!("with their other tokens, too: they were {before}"));
                }
                return Ok(Exit::Done);
            };
            let outcome = take_back(&open, id, &approver, &by).await;
            let message = format!("{problem}; {outcome}");
            Err(Failure::Refused(Exit::Unusable, message))
        })
    }

    /// What a file of approvers has of a person: JSON strings are YAML, too.
    fn tell_entry(&self, approver: &Approver, token: &NewToken) {
        let quoted = |text: &str| Value::from(text).to_string();
        note("approvers:");
        note(&format!("  {}:", quoted(approver.name())));
        if !approver.groups().is_empty() {
            let groups: Vec<_> = approver
                .groups()
                .iter()
                .map(|group| quoted(group))
                .collect();
            note(&format!("    groups: [{}]", groups.join(", ")));
        }
        if let Some(slack) = &self.slack {
            note(&format!("    slack: {}", quoted(slack)));
        }
        note(&format!("    token: {}", quoted(&token.hash())));
    }
}

impl List {
    fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let tokens = block_on(async {
            let store = self.kept.store().await?;
            Ok(self.known.directory(&store)?.tokens().await?)
        })?;
        if self.json {
            let tokens: Vec<_> = tokens.iter().map(told).collect();
            output::write_json(stdout, &json!({ "tokens": tokens }))?;
        } else if tokens.is_empty() {
            writeln!(stdout, "no tokens")?;
        } else {
            write_table(stdout, &tokens)?;
        }
        Ok(Exit::Done)
    }
}

impl Revoke {
    fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        // Somebody may have the token itself at hand.
        let id = Directory::token_id(&self.id).unwrap_or(&self.id);
        block_on(async {
            let store = self.kept.store().await?;
            // Nothing comes between a revocation and its record.
            let _held = Interruption::new()?;
            let Some(name) = store.directory().revoke_token(id).await? else {
                let message = format!(
                    "there is no token `{id}`; `aegize approvals tokens list` has those that are"
                );
                return Err(Failure::Refused(Exit::NotFound, message));
            };
            // What is wrong with a log is no reason to go on accepting a token.
            let recorded = match self.kept.with_log(store) {
                Ok(open) => {
                    let (desk, by) = (open.desk(), operator());
                    let recorded = desk.record_token_revoked(id, &name, &by).await;
                    recorded.map_err(|error| error.to_string())
                }
                Err(problem) => Err(problem),
            };
            recorded
                .map_err(|problem| Failure::Refused(Exit::Unusable, unrecorded(id, problem)))?;
            writeln!(stdout, "revoked  {}", one_line(id))?;
            Ok(Exit::Done)
        })
    }
}

fn in_groups(groups: &[String]) -> String {
    match groups {
        [] => "in no group".to_owned(),
        groups => format!("in {}", groups.join(", ")),
    }
}

/// Writes a token to standard output, and makes sure that it has left.
fn give(stdout: &mut impl Write, token: &NewToken) -> Result<(), String> {
    let written = writeln!(stdout, "{}", token.text()).and_then(|()| stdout.flush());
    match written {
        Err(error) => Err(format!("cannot write to standard output: {error}")),
        Ok(()) if output::is_closed() => Err("nobody reads standard output".to_owned()),
        Ok(()) => Ok(()),
    }
}

/// Revokes a token that nobody has, and tells what became of it.
async fn take_back(open: &Open, id: &str, approver: &Approver, by: &str) -> String {
    if let Err(error) = open.store.directory().revoke_token(id).await {
        return format!(
            "token `{id}` may count all the same ({error}): revoke it with `aegize approvals tokens revoke {id}`"
        );
    }
    let desk = open.desk();
    match desk.record_token_revoked(id, approver.name(), by).await {
        Ok(()) => format!("token `{id}` is revoked again"),
        Err(error) => unrecorded(id, error),
    }
}

fn unrecorded(id: &str, problem: impl Display) -> String {
    format!("token `{id}` is revoked, but unrecorded: {problem}")
}

fn told(token: &TokenInfo) -> Value {
    json!({
        "id": token.id,
        "approver": token.approver.name(),
        "groups": token.approver.groups(),
        "slack": token.slack,
        "created_at": token.created_at.map(rfc3339),
    })
}

fn write_table(stdout: &mut impl Write, tokens: &[TokenInfo]) -> std::io::Result<()> {
    let created = |token: &TokenInfo| {
        let told = |time| format!("{} {}", day(time), time_of_day(time));
        token.created_at.map_or_else(|| "-".to_owned(), told)
    };
    let or_none = |text: String| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text
        }
    };
    let rows = tokens.iter().map(|token| {
        [
            visible(&token.id),
            visible(token.approver.name()),
            or_none(visible(&token.approver.groups().join(", "))),
            or_none(visible(token.slack.as_deref().unwrap_or_default())),
            created(token),
        ]
    });
    let headings = ["ID", "APPROVER", "GROUPS", "SLACK", "CREATED (UTC)"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(headings).chain(rows).collect();
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| width_of(cell)).max().unwrap_or(0)
    };
    let widths = [0, 1, 2, 3, 4].map(widest);
    for (index, row) in rows.iter().enumerate() {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| padded(cell, width));
        let line = cells.collect::<Vec<_>>().join("  ");
        let line = line.trim_end();
        if index == 0 {
            writeln!(stdout, "{}", strong(line))?;
        } else {
            writeln!(stdout, "{line}")?;
        }
    }
    Ok(())
}

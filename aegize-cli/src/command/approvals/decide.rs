//! `aegize approvals approve`, `reject` and `revoke`: a person's word about one request.

use std::io::Write;
use std::time::Duration;

use aegize::{
    ApprovalDesk, ApprovalError, ApprovalErrorKind, ApprovalRequest, ApprovalState, Approver,
    Remember,
};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use time::OffsetDateTime;

use super::approver::Who;
use super::id::IdPart;
use super::interruption::Interruption;
use super::kept::{Kept, Open, block_on};
use super::terminal::Terminal;
use super::{EXIT_CODES, id, json, question, show, words};
use crate::command::span;
use crate::exit::{Exit, Failure};
use crate::layout::roughly;
use crate::output::{self, note, state, visible};

/// Approve a call
///
/// Shows what is asked on the terminal, and asks whether to approve it; `--yes` does without. What is
/// approved is exactly that call, for one time; any other argument makes another request. If its
/// rule needs more people, it goes on asking them. With `--remember`, further calls may run, never
/// against a deny rule; `aegize approvals list --state granted` shows that, and `revoke` ends it.
///
/// Nothing is executed: the agent makes the call.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Approve {
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    /// Approve without being asked
    #[arg(long, short)]
    yes: bool,

    #[command(flatten)]
    request: Request,

    #[command(flatten)]
    further: Further,
}

/// What the approval is extended to, if the call's rules have `remember`.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "Further calls of the same agent and operation, if its rules let that be remembered"
)]
struct Further {
    /// For so long from the approval on, such as 30m or 8h
    #[arg(long, value_name = "TIME", value_parser = span::argument, requires = "uses")]
    remember: Option<Duration>,

    /// For so many calls, this one included
    #[arg(long, value_name = "N", requires = "remember")]
    uses: Option<u32>,

    /// Also for other arguments, if these conditions are proved: YAML with `args` and `paths`, as in
    /// policies. What they do not name may be anything
    #[arg(long, value_name = "CONDITIONS", requires = "remember")]
    when: Option<String>,
}

/// Reject a call
///
/// The caller is told, and the same call is refused until the request would have expired. Nothing is
/// executed.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Reject {
    /// Why, for the caller and for the record
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    reason: String,

    #[command(flatten)]
    request: Request,
}

/// Take back an approval that no call has used
///
/// What has run already has run. Nothing is executed.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Revoke {
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    #[command(flatten)]
    request: Request,
}

/// Which request, and who decides about it.
#[derive(Debug, Args)]
struct Request {
    /// The request's id, or at least 8 digits of its beginning or its end
    id: IdPart,

    /// The request as it is then, as one JSON object for programs
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    who: Who,

    #[command(flatten)]
    kept: Kept,
}

const EXAMPLE: &str = "\
Examples:
  aegize approvals approve 8d1f0c2b7a90 --reason 'as agreed'
  aegize approvals approve 8d1f0c2b7a90 --remember 1h --uses 5 --when 'args: {amount: {max: 100}}'
  aegize approvals approve 8d1f0c2b7a90 --yes --json";

impl Approve {
    pub(super) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        block_on(async {
            let (open, mut approver, request) = self.request.open().await?;
            let desk = open.desk();
            let remember = self.further.remember()?;
            let confirmed = async || {
                let remember = remember.as_ref();
                is_confirmed(&desk, &approver, &request, remember).await
            };
            if !self.yes {
                if !confirmed().await? {
                    note("not approved");
                    return Ok(Exit::Mismatch);
                }
                approver = self.request.who.still(&open.store, &approver).await?;
            }
            // Nothing comes between a decision and its record.
            let _held = Interruption::new()?;
            let (id, reason) = (request.id(), self.reason.as_deref());
            let decided = match &remember {
                Some(remember) => {
                    desk.approve_and_remember(id, &approver, reason, remember)
                        .await
                }
                None => desk.approve(id, &approver, reason).await,
            };
            self.request.tell(stdout, decided, &request, &approver)
        })
    }
}

impl Further {
    fn remember(&self) -> Result<Option<Remember>, Failure> {
        let (Some(time), Some(uses)) = (self.remember, self.uses) else {
            return Ok(None);
        };
        let remember = Remember::new(time, uses)?;
        match &self.when {
            Some(conditions) => Ok(Some(remember.conditions(conditions)?)),
            None => Ok(Some(remember)),
        }
    }
}

/// Shows what is asked on the terminal; whether the answer is yes.
async fn is_confirmed(
    desk: &ApprovalDesk,
    approver: &Approver,
    request: &ApprovalRequest,
    remember: Option<&Remember>,
) -> Result<bool, Failure> {
    let mut terminal = Terminal::open("look at the request, and approve it with --yes")?;
    let earlier = show::earlier(desk, request).await?;
    let (now, width) = (OffsetDateTime::now_utc(), Some(terminal.width()));
    question::write(&mut terminal, request, now, width)?;
    show::write_earlier(&mut terminal, &earlier, now, width)?;
    let what = match remember {
        Some(remember) => format!("this call, and in all {remember},"),
        None => "this call".to_owned(),
    };
    let asking = format!("Approve {what} as {}? [y/N] ", approver.name());
    let answer = terminal.ask(&format!("\n{}", visible(&asking)))?;
    Ok(answer.is_some_and(|answer| is_yes(&answer)))
}

impl Reject {
    pub(super) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        block_on(async {
            let (open, approver, request) = self.request.open().await?;
            let desk = open.desk();
            // Nothing comes between a decision and its record.
            let _held = Interruption::new()?;
            let decided = desk
                .reject(request.id(), &approver, Some(&self.reason))
                .await;
            self.request.tell(stdout, decided, &request, &approver)
        })
    }
}

impl Revoke {
    pub(super) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        block_on(async {
            let (open, approver, request) = self.request.open().await?;
            let desk = open.desk();
            // Nothing comes between a decision and its record.
            let _held = Interruption::new()?;
            let decided = desk
                .revoke(request.id(), &approver, self.reason.as_deref())
                .await;
            self.request.tell(stdout, decided, &request, &approver)
        })
    }
}

impl Request {
    /// Where it is decided, by whom, and about what.
    async fn open(&self) -> Result<(Open, Approver, ApprovalRequest), Failure> {
        let open = self.kept.open().await?;
        let approver = self.who.approver(&open.store).await?;
        let request = self.id.find(&open.desk()).await?;
        Ok((open, approver, request))
    }

    /// Why nothing was decided; to whom no rule listens as the operating system's user, also how to
    /// decide as somebody else.
    fn refused(
        &self,
        error: ApprovalError,
        request: &ApprovalRequest,
        approver: &Approver,
    ) -> Failure {
        let (name, groups) = (approver.name(), approver.groups());
        let mut terms = request.question().terms.iter();
        let is_entitled = terms.any(|terms| terms.entitles(name, groups));
        if error.kind() != ApprovalErrorKind::NotEntitled || is_entitled || self.who.has_token() {
            return error.into();
        }
        let message = format!(
            "{error}; `{name}` is the operating system's user, in the groups that `--approvers` or a token \
             gave that name: to decide as another, give their token with --token-file"
        );
        Failure::Refused(Exit::NotEntitled, message)
    }

    fn tell(
        &self,
        stdout: &mut impl Write,
        decided: Result<ApprovalRequest, ApprovalError>,
        request: &ApprovalRequest,
        approver: &Approver,
    ) -> Result<Exit, Failure> {
        let decided = decided.map_err(|error| self.refused(error, request, approver))?;
        if self.json {
            output::write_json(stdout, &json::request(&decided)?)?;
        } else {
            write_outcome(stdout, &decided)?;
        }
        Ok(Exit::Done)
    }
}

/// What became of a request, in a line.
pub(super) fn write_outcome(
    out: &mut impl Write,
    request: &ApprovalRequest,
) -> std::io::Result<()> {
    let action = &request.question().action;
    let call = visible(&format!("{} {}", action.tool_name, action.operation));
    let left = roughly(request.expires_at() - OffsetDateTime::now_utc());
    let told = match request.state() {
        ApprovalState::Granted => match request.remember() {
            Some(remember) => format!(", {remember}"),
            None => format!(", {left} left to make the call"),
        },
        ApprovalState::Requested => {
            let missing = words::missing(request).join(" and ");
            format!(", your approval counts, and it lacks {missing}")
        }
        _ => String::new(),
    };
    writeln!(
        out,
        "{}  {}  {call}{}",
        state(request.state(), request.state()),
        id::short(request.id()),
        visible(&told)
    )
}

/// Whether an answer is yes, in so many words.
pub(super) fn is_yes(answer: &str) -> bool {
    ["y", "yes"]
        .iter()
        .any(|yes| answer.eq_ignore_ascii_case(yes))
}

//! `aegize approvals watch`: requests as they come, change and end.

mod changes;
mod prompt;

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use aegize::{ApprovalDesk, ApprovalRequest, ApprovalState};
use clap::Args;

use self::changes::Changes;
use self::prompt::{Prompt, Prompted};
use super::approver::Who;
use super::interruption::Interruption;
use super::kept::{Kept, block_on};
use super::{id, json, table, words};
use crate::exit::{Exit, Failure};
use crate::layout::{folded, roughly, time_of_day};
use crate::output::{self, faint, state, visible};

/// How long to wait at most before looking whether something has expired, or nobody reads any more.
const PAUSE: Duration = Duration::from_secs(1);

/// The column of what is told after the time, the state and the id.
const TOLD_AT: usize = 35;

/// Show requests as they come, change and end
///
/// Begins with those that people are asked about, or that are approved and not used. Goes on until it is
/// interrupted or nobody reads its output any more. Times are UTC.
///
/// With `--prompt`, it shows each call that you may decide about on the terminal, and asks: yes, no or
/// skip, and why. An answer is about the call above it only. Nothing is executed.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Watch {
    /// Ask on the terminal about each call that waits
    #[arg(long)]
    prompt: bool,

    /// JSON Lines for programs: at each change, the request as `aegize approvals show --json` has it
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    who: Who,

    #[command(flatten)]
    kept: Kept,
}

const EXAMPLE: &str = "\
Examples:
  aegize approvals watch --prompt
  aegize approvals watch --json | jq -c 'select(.state == \"requested\") | [.id, .reason]'";

const EXIT_CODES: &str = "\
Exit codes:
  0  interrupted, or nobody reads the output any more
  2  the store, the audit log, an argument or the output is unusable;
     standard error says why
  3  the approver is unknown";

impl Watch {
    pub(super) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        block_on(async {
            let open = if self.prompt {
                self.kept.open().await?
            } else {
                self.kept.open_to_read().await?
            };
            let desk = open.desk();
            let mut prompt = if self.prompt {
                Some(Prompt::open(&self.who, &open.store).await?)
            } else {
                None
            };
            let mut interruption = Interruption::new()?;
            self.watch(stdout, &desk, prompt.as_mut(), &mut interruption)
                .await?;
            Ok(Exit::Done)
        })
    }

    async fn watch(
        &self,
        stdout: &mut impl Write,
        desk: &ApprovalDesk,
        mut prompt: Option<&mut Prompt<'_>>,
        interruption: &mut Interruption,
    ) -> Result<(), Failure> {
        let mut after = desk.news(0, PAUSE).await?;
        let mut changes = Changes::default();
        loop {
            for request in changes.look(desk).await? {
                self.tell(stdout, &request)?;
                if let Some(prompt) = &mut prompt {
                    prompt.add(request);
                }
            }
            stdout.flush()?;
            if let Some(prompt) = &mut prompt
                && let Some(prompted) = prompt.ask_next(desk, interruption).await?
            {
                match prompted {
                    Prompted::Answered => continue,
                    Prompted::Ended => return Ok(()),
                }
            }
            // Only waiting is cut short: what was decided is recorded first.
            loop {
                if output::is_closed_after(Duration::ZERO) {
                    return Ok(());
                }
                let news = tokio::select! {
                    news = desk.news(after, PAUSE) => news?,
                    () = interruption.told() => return Ok(()),
                };
                if news != after || changes.has_expired() {
                    after = news;
                    break;
                }
            }
        }
    }

    fn tell(&self, stdout: &mut impl Write, request: &ApprovalRequest) -> io::Result<()> {
        if self.json {
            let line = json::request(request)?.to_string();
            return output::write_json_line(stdout, line.as_bytes());
        }
        let action = &request.question().action;
        let left = if request.state() == ApprovalState::Requested {
            let left = request.expires_at() - request.updated_at();
            format!("  {} to decide", roughly(left))
        } else {
            String::new()
        };
        let (id, agent) = (id::short(request.id()), words::agent(request));
        let call = format!("{} {}", action.tool_name, action.operation);
        let details = table::details(request);
        // What is piped has a line for each.
        let is_terminal = io::stdout().is_terminal();
        let width = output::width().filter(|_| is_terminal);
        let told = visible(&format!(
            "{agent}  {call}  {} risk{left}  {details}",
            action.risk_level
        ));
        writeln!(
            stdout,
            "{}  {}  {}  {}",
            faint(time_of_day(request.updated_at())),
            state(request.state(), format!("{:<9}", request.state().as_str())),
            faint(id),
            folded(&told, TOLD_AT, TOLD_AT, width),
        )
    }
}

//! Questions on the terminal, one call after the other.
//!
//! The invariant: an answer decides about the call that was shown right before it, and about no other.

use std::collections::{HashSet, VecDeque};
use std::io::Write as _;
use std::thread;

use aegize::{ApprovalDesk, ApprovalErrorKind, ApprovalRequest, ApprovalState, Approver};
use aegize_store::Store;
use time::OffsetDateTime;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::super::approver::Who;
use super::super::decide::{is_yes, write_outcome};
use super::super::interruption::Interruption;
use super::super::terminal::Terminal;
use super::super::{question, show};
use crate::exit::{Exit, Failure};
use crate::output::visible;

pub(super) struct Prompt<'w> {
    who: &'w Who,
    store: &'w Store,
    approver: Approver,
    /// Away while it waits for a line.
    terminal: Option<Terminal>,
    waiting: VecDeque<ApprovalRequest>,
    /// Everything that has been asked about.
    seen: HashSet<Uuid>,
}

/// How a question ended.
pub(super) enum Prompted {
    /// With an answer, whatever it is.
    Answered,
    /// Whoever was asked is gone.
    Ended,
}

impl<'w> Prompt<'w> {
    /// Questions to an approver.
    ///
    /// # Errors
    ///
    /// If it is not known who that is, or there is no terminal.
    pub(super) async fn open(who: &'w Who, store: &'w Store) -> Result<Self, Failure> {
        Ok(Self {
            who,
            store,
            approver: who.approver(store).await?,
            terminal: Some(Terminal::open("leave out --prompt")?),
            waiting: VecDeque::new(),
            seen: HashSet::new(),
        })
    }

    /// Takes a request that is to be asked about, if this person may decide and was not asked.
    pub(super) fn add(&mut self, request: ApprovalRequest) {
        let (name, groups) = (self.approver.name(), self.approver.groups());
        let mut terms = request.question().terms.iter();
        let may_decide = terms.any(|terms| terms.entitles(name, groups));
        let mut votes = request.approvals().iter();
        let has_approved = votes.any(|vote| vote.approver.name() == name);
        if request.state() == ApprovalState::Requested
            && may_decide
            && !has_approved
            && self.seen.insert(request.id())
        {
            self.waiting.push_back(request);
        }
    }

    /// Asks about the next request, if one waits.
    ///
    /// # Errors
    ///
    /// If the store, the log or the terminal fails.
    pub(super) async fn ask_next(
        &mut self,
        desk: &ApprovalDesk,
        interruption: &mut Interruption,
    ) -> Result<Option<Prompted>, Failure> {
        let Some(request) = self.waiting.pop_front() else {
            return Ok(None);
        };
        // It may have waited for the answers before it.
        let request = desk.request(request.id()).await?;
        if request.state() != ApprovalState::Requested {
            return Ok(Some(Prompted::Answered));
        }
        let earlier = show::earlier(desk, &request).await?;
        let Some(terminal) = &mut self.terminal else {
            return Ok(Some(Prompted::Ended));
        };
        let (now, width) = (OffsetDateTime::now_utc(), Some(terminal.width()));
        writeln!(terminal)?;
        question::write(terminal, &request, now, width)?;
        show::write_earlier(terminal, &earlier, now, width)?;

        let name = visible(self.approver.name());
        let asking = format!("\nApprove this call as {name}? [y]es, [n]o, [s]kip: ");
        let is_approved = loop {
            let Some(answer) = self.ask(&asking, interruption).await? else {
                return Ok(Some(Prompted::Ended));
            };
            match &*answer.to_ascii_lowercase() {
                "s" | "skip" => return Ok(Some(Prompted::Answered)),
                "n" | "no" => break false,
                answer if is_yes(answer) => break true,
                _ => {}
            }
        };
        let asking = if is_approved {
            "Why? (recorded; may be left out): "
        } else {
            "Why? (recorded, and told to the caller; may be left out): "
        };
        let Some(reason) = self.ask(asking, interruption).await? else {
            return Ok(Some(Prompted::Ended));
        };
        let reason = (!reason.is_empty()).then_some(&*reason);
        self.approver = self.who.still(self.store, &self.approver).await?;
        let decided = if is_approved {
            desk.approve(request.id(), &self.approver, reason).await
        } else {
            desk.reject(request.id(), &self.approver, reason).await
        };
        self.tell(decided)?;
        Ok(Some(Prompted::Answered))
    }

    /// What became of an answer. Of one that came too late, the reason is told, and others follow.
    fn tell(
        &mut self,
        decided: Result<ApprovalRequest, aegize::ApprovalError>,
    ) -> Result<(), Failure> {
        let Some(terminal) = &mut self.terminal else {
            return Ok(());
        };
        match decided {
            Ok(request) => write_outcome(terminal, &request)?,
            Err(error) => match error.kind() {
                ApprovalErrorKind::State | ApprovalErrorKind::NotEntitled => {
                    writeln!(terminal, "not decided: {}", visible(&error.to_string()))?;
                }
                _ => return Err(error.into()),
            },
        }
        Ok(())
    }

    /// A line that was typed after the question; `None` if nobody will type any more.
    async fn ask(
        &mut self,
        question: &str,
        interruption: &mut Interruption,
    ) -> Result<Option<String>, Failure> {
        let Some(mut terminal) = self.terminal.take() else {
            return Ok(None);
        };
        let (sender, answer) = oneshot::channel();
        let question = question.to_owned();
        // A terminal is read by a thread that nothing waits for: the process may end meanwhile.
        thread::spawn(move || {
            let line = terminal.ask(&question);
            let _ = sender.send((terminal, line));
        });
        let (terminal, line) = tokio::select! {
            answered = answer => match answered {
                Ok(answered) => answered,
                Err(_) => return Ok(None),
            },
            () = interruption.told() => return Ok(None),
        };
        self.terminal = Some(terminal);
        line.map_err(|error| {
            let message = format!("cannot read from the terminal: {error}");
            Failure::Refused(Exit::Unusable, message)
        })
    }
}

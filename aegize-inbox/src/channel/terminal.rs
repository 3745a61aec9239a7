//! A line on the terminal that the server runs on. The invariant: one request is one line,
//! whatever its texts hold.

use std::io::{IsTerminal as _, Write as _};

use aegize_store::DeliveryKind;

use super::notice::Notice;
use super::text::one_line;
use super::{Failure, Told};

#[derive(Debug)]
pub(super) struct Terminal {
    is_there: bool,
}

impl Terminal {
    /// Standard error, if somebody may be reading there.
    pub(super) fn of_this_process() -> Self {
        Self {
            is_there: std::io::stderr().is_terminal(),
        }
    }

    /// Whether there is anyone to tell.
    pub(super) fn is_there(&self) -> bool {
        self.is_there
    }

    pub(super) fn tell(notice: &Notice<'_>, arguments: &str) -> Result<Told, Failure> {
        let line = line(notice, arguments);
        writeln!(std::io::stderr().lock(), "{line}")
            .map(|()| Told::default())
            .map_err(|error| Failure::new(format!("the terminal cannot be written to: {error}")))
    }
}

fn line(notice: &Notice<'_>, arguments: &str) -> String {
    let request = notice.request;
    let id = request.id();
    let question = request.question();
    let action = &question.action;
    let call = format!(
        "{} of `{}` by `{}` ({} risk)",
        action.operation, action.tool_name, action.agent_id, action.risk_level
    );
    let answer = format!("answer with `aegize approvals approve {id}{arguments}` or `reject`");
    let line = match notice.kind {
        DeliveryKind::Asked => format!(
            "approval asked: {call} {}; {}; {answer}",
            question.input_summary, question.reason
        ),
        DeliveryKind::Reminded => format!("still waiting: {call}; {answer}"),
        DeliveryKind::Escalated => {
            format!("still waiting, and escalated: {call}; {answer}")
        }
        _ => {
            format!("{}: {call}; request {id}", request.state())
        }
    };
    one_line(&line)
}

//! `aegize approvals show`: one request in full.

use std::io::{self, Write};

use aegize::{ApprovalDesk, ApprovalQuery, ApprovalRequest, ApprovalState};
use clap::Args;
use serde_json::Value;
use time::OffsetDateTime;

use super::id::IdPart;
use super::kept::{Kept, block_on};
use super::list::warn_unreadable;
use super::{EXIT_CODES, json, question, table};
use crate::exit::{Exit, Failure};
use crate::output::{self, faint, strong};

/// How many calls of the same operation are looked at for earlier decisions.
const LOOKED_AT: usize = 200;

/// How many earlier decisions are shown.
const SHOWN: usize = 5;

/// Show one request in full
///
/// Shows the call with all its arguments, of which secrets are redacted and marked, the rule that
/// asks and why, the digest of its policy, whose word is needed, who has spoken, how long there is
/// left, and what was decided about the last similar calls: by the same agent, for the same and in
/// the same environment, of the same operation at the same risk. Nothing is executed.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Show {
    /// The request's id, or at least 8 digits of its beginning or its end
    id: IdPart,

    /// One JSON object for programs
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    kept: Kept,
}

const EXAMPLE: &str = "\
A request as JSON, here shortened; the API of the inbox has the same:

  {\"id\": \"01970000-0000-7000-8000-8d1f0c2b7a90\", \"state\": \"requested\",
   \"created_at\": \"…\", \"updated_at\": \"…\", \"expires_at\": \"…\", \"asked\": 1,
   \"agent\": \"support_bot\", \"acting_for\": [], \"tool\": \"payments\",
   \"operation\": \"refund\", \"risk\": \"high\", \"action_id\": \"…\",
   \"arguments\": {\"amount\": 500, \"api_key\": \"[redacted]\"}, \"path_arguments\": [],
   \"metadata\": {\"environment\": \"prod\"}, \"redacted\": [\"api_key\"],
   \"reason\": \"…\", \"rule\": \"…\", \"policy\": \"sha256:…\",
   \"terms\": [{\"approvers\": [\"group:ops\"], \"quorum\": 2, …}],
   \"approvals\": [{\"by\": {\"name\": \"alice\", \"groups\": [\"ops\"]}, \"at\": \"…\",
     \"reason\": null, \"remember\": null}],
   \"refusal\": null, \"remember\": null, \"consumed_by\": [],
   \"earlier\": [{\"id\": \"…\", \"state\": \"consumed\", …}]}";

impl Show {
    pub(super) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let (request, earlier) = block_on(async {
            let desk = self.kept.open_to_read().await?.desk();
            let request = self.id.find(&desk).await?;
            let earlier = earlier(&desk, &request).await?;
            Ok((request, earlier))
        })?;
        if self.json {
            let mut told = json::request(&request)?;
            let earlier = json::requests(&earlier)?;
            if let Value::Object(told) = &mut told {
                told.insert("earlier".to_owned(), earlier.into());
            }
            output::write_json(stdout, &told)?;
        } else {
            let now = OffsetDateTime::now_utc();
            let width = output::width();
            question::write(stdout, &request, now, width)?;
            write_earlier(stdout, &earlier, now, width)?;
        }
        Ok(Exit::Done)
    }
}

/// What was decided about calls like this one, the newest first.
pub(super) async fn earlier(
    desk: &ApprovalDesk,
    request: &ApprovalRequest,
) -> Result<Vec<ApprovalRequest>, Failure> {
    let action = &request.question().action;
    let mut query = ApprovalQuery::newest(LOOKED_AT);
    query.agent_id = Some(action.agent_id.to_string());
    query.tool_name = Some(action.tool_name.to_string());
    query.operation = Some(action.operation.to_string());
    query.before = Some(request.id());
    query.states = vec![
        ApprovalState::Granted,
        ApprovalState::Consumed,
        ApprovalState::Rejected,
        ApprovalState::Revoked,
    ];
    let found = desk.requests(&query).await?;
    warn_unreadable(&found.unreadable);
    let mut earlier = found.requests;
    earlier.retain(|other| other.scope() == request.scope());
    Ok(earlier)
}

pub(super) fn write_earlier(
    out: &mut impl Write,
    earlier: &[ApprovalRequest],
    now: OffsetDateTime,
    terminal: Option<usize>,
) -> io::Result<()> {
    writeln!(out)?;
    let refused = |request: &&ApprovalRequest| request.refusal().is_some();
    let refused = earlier.iter().filter(refused).count();
    let approved = earlier.len() - refused;
    let Some(shown) = earlier.get(..earlier.len().min(SHOWN)) else {
        return Ok(());
    };
    if shown.is_empty() {
        return writeln!(out, "{}", faint("no similar call was decided before"));
    }
    let told = format!("similar calls before: {approved} approved, {refused} refused");
    writeln!(out, "{}", strong(told))?;
    table::write(out, shown, now, terminal)
}

//! `aegize approvals list`: what waits for people.

use std::io::Write;

use aegize::{ApprovalList, ApprovalQuery, ApprovalState};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::kept::{Kept, block_on};
use super::{json, table};
use crate::exit::{Exit, Failure};
use crate::output::{self, warn};

/// List requests, the newest first
///
/// Shows those for which people are asked, unless `--state` or `--all` says otherwise. In the
/// table, ids are shown by their last twelve digits, which every command takes. Nothing is executed.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct List {
    /// Requests in a state; may be given several times [default: requested]
    #[arg(long = "state", value_name = "STATE", value_parser = state())]
    states: Vec<ApprovalState>,

    /// Requests in any state
    #[arg(long, conflicts_with = "states")]
    all: bool,

    /// Calls of an agent
    #[arg(long, value_name = "ID")]
    agent: Option<String>,

    /// Calls of a tool
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,

    /// Calls of an operation
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,

    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,

    /// One JSON object for programs
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    kept: Kept,
}

const EXAMPLE: &str = "\
Examples:
  aegize approvals list --agent support_bot
  aegize approvals list --state granted
  aegize approvals list --all --json | jq -r '.requests[] | [.id, .state] | @tsv'

As JSON, `requests` is a list of what `aegize approvals show --json` prints, `has_more` tells whether
there are others, and `unreadable` has the ids of those that cannot be read.";

const EXIT_CODES: &str = "\
Exit codes:
  0  listed, whether or not there are any
  2  no result: the store, the audit log, an argument or the output is
     unusable; standard error says why";

fn state() -> impl TypedValueParser<Value = ApprovalState> {
    let names = ApprovalState::ALL.map(ApprovalState::as_str);
    PossibleValuesParser::new(names).map(|name| {
        let mut states = ApprovalState::ALL.into_iter();
        // One of them, or it would have been refused.
        states
            .find(|state| state.as_str() == name)
            .unwrap_or(ApprovalState::Requested)
    })
}

impl List {
    pub(super) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let ApprovalList {
            mut requests,
            unreadable,
            ..
        } = block_on(async {
            let open = self.kept.open_to_read().await?;
            Ok(open.desk().requests(&self.query(limit)).await?)
        })?;
        warn_unreadable(&unreadable);
        let has_more = requests.len() > limit;
        requests.truncate(limit);
        if self.json {
            let told = json::requests(&requests)?;
            let told = json!({"requests": told, "has_more": has_more, "unreadable": unreadable});
            output::write_json(stdout, &told)?;
            return Ok(Exit::Done);
        }
        if requests.is_empty() {
            writeln!(stdout, "no requests")?;
            return Ok(Exit::Done);
        }
        let now = OffsetDateTime::now_utc();
        table::write(stdout, &requests, now, output::width())?;
        if has_more {
            writeln!(stdout, "and others; --limit shows more than {limit}")?;
        }
        Ok(Exit::Done)
    }

    /// One more than are shown, to tell whether there are others.
    fn query(&self, limit: usize) -> ApprovalQuery {
        let mut query = ApprovalQuery::newest(limit + 1);
        query.states = match (&*self.states, self.all) {
            (_, true) => Vec::new(),
            ([], false) => vec![ApprovalState::Requested],
            (states, false) => states.to_vec(),
        };
        query.agent_id.clone_from(&self.agent);
        query.tool_name.clone_from(&self.tool);
        query.operation.clone_from(&self.operation);
        query
    }
}

/// Tells which requests are left out of what is shown, since they cannot be read.
pub(super) fn warn_unreadable(ids: &[Uuid]) {
    let Some(first) = ids.first() else { return };
    let listed: Vec<_> = ids.iter().map(Uuid::to_string).collect();
    let count = match ids.len() {
        1 => "1 request".to_owned(),
        many => format!("{many} requests"),
    };
    warn(&format!(
        "{count} cannot be read: {}; `aegize approvals show {first}` tells why",
        listed.join(", ")
    ));
}

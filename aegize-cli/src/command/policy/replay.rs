//! `aegize policy replay`: what a policy would have decided about the calls on record.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use aegize::{AuditRecord, Decision, PermissionPolicy, Replay, RiskLevel};
use clap::Args;
use serde_json::{Value, json};

use crate::command::Format;
use crate::exit::{Exit, Failure};
use crate::logs;
use crate::output::{decision, faint, one_line, strong, write_json};

/// Judge recorded calls by a policy, and show what would have been decided otherwise
///
/// Reads audit logs, judges every attempt in them by POLICY, and groups those whose decision
/// would be another. Nothing is executed. Use it before a changed policy goes live: the log is
/// what agents really do.
///
/// A record is not the call itself: it has a short summary of the arguments, in which some are
/// redacted or cut, and it does not tell which of them the tool declares to be paths. If the
/// decision hangs on that, it is shown as one that cannot be told, with all that is possible.
///
/// Paths are judged by their text: symbolic links, which belong to the host and the time of the
/// recording, are not resolved again. Policies that narrowed a call are not on record; calls are
/// judged by POLICY alone, for the agent and for everyone it acted for. A decision that POLICY
/// itself made stands as it was recorded.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct ReplayLog {
    /// The policy, a YAML file
    policy: PathBuf,

    /// The audit logs: files of JSON Lines, directories of such files, or /dev/stdin
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,

    /// How the result is told
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

const EXAMPLE: &str = "\
Example:
  aegize policy replay changed.yaml audit.jsonl

  deny -> allow  12 calls  research_bot  file_reader read, low risk
      by research_bot.allow[1] (changed.yaml:9)
      such as seq 41 of audit.jsonl, 2026-06-27T18:00:00.123456Z
  allow -> allow or require_approval?  3 calls  research_bot  email send, medium risk
      cannot be told: argument `to` was redacted
      by research_bot.require_approval[0] (changed.yaml:15), or
         research_bot.allow[2] (changed.yaml:12)
      such as seq 77 of audit.jsonl, 2026-06-28T09:30:00.500000Z

  250 calls: 235 as recorded, 12 decided otherwise (12 widened, 0 tightened),
  3 cannot be told";

const EXIT_CODES: &str = "\
Exit codes:
  0  every decision is as it was recorded
  1  a decision is or may be another, or a line is no record
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

/// What calls of one group have in common. The order is that of the output.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    is_certain: Reverse<bool>,
    agent: String,
    tool: String,
    operation: String,
    risk: RiskLevel,
    acting_for: Vec<String>,
    recorded: Judged,
    outcomes: Vec<Outcome>,
    doubts: Vec<String>,
}

/// A decision, ordered by strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Judged(Decision);

impl Ord for Judged {
    fn cmp(&self, other: &Self) -> Ordering {
        strictness(self.0).cmp(&strictness(other.0))
    }
}

impl PartialOrd for Judged {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    decision: Judged,
    rule: Option<(String, String)>,
}

/// How many calls are in a group, and the first of them.
#[derive(Debug)]
struct Calls {
    count: u64,
    log: String,
    seq: u64,
    timestamp: String,
}

#[derive(Debug, Default)]
struct Totals {
    unchanged: u64,
    widened: u64,
    tightened: u64,
    unknown: u64,
    bad_lines: u64,
}

impl ReplayLog {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let policy = PermissionPolicy::from_yaml_file(&self.policy)
            .map_err(|error| Failure::Load(vec![error]))?;
        let mut groups = BTreeMap::new();
        let mut totals = Totals::default();
        totals.bad_lines = logs::read(&self.logs, |log, record| {
            let Some(replay) = policy.replay(record) else {
                return;
            };
            if totals.count(&replay) {
                groups
                    .entry(Group::new(record, &replay))
                    .or_insert_with(|| Calls::first(log, record))
                    .count += 1;
            }
        })?;
        match self.format {
            Format::Human => write_human(stdout, &groups, &totals)?,
            Format::Json => write_json(stdout, &as_json(&groups, &totals))?,
        }
        Ok(if groups.is_empty() && totals.bad_lines == 0 {
            Exit::Done
        } else {
            Exit::Mismatch
        })
    }
}

impl Totals {
    /// Counts an attempt; whether there is something to tell of it.
    fn count(&mut self, replay: &Replay<'_>) -> bool {
        let recorded = replay.recorded();
        let total = match replay.decision() {
            Some(decision) if decision == recorded => &mut self.unchanged,
            Some(decision) if strictness(decision) < strictness(recorded) => &mut self.widened,
            Some(_) => &mut self.tightened,
            None => &mut self.unknown,
        };
        *total += 1;
        replay.decision() != Some(recorded)
    }

    fn changed(&self) -> u64 {
        self.widened + self.tightened
    }

    fn calls(&self) -> u64 {
        self.unchanged + self.changed() + self.unknown
    }
}

fn strictness(decision: Decision) -> u8 {
    match decision {
        Decision::Allow => 0,
        Decision::RequireApproval => 1,
        Decision::Deny => 2,
    }
}

impl Group {
    fn new(record: &AuditRecord<'_>, replay: &Replay<'_>) -> Self {
        let mut outcomes: Vec<Outcome> = Vec::new();
        for outcome in replay.outcomes() {
            let place = outcome.place().map(ToString::to_string).unwrap_or_default();
            let outcome = Outcome {
                decision: Judged(outcome.decision()),
                rule: outcome.rule().map(|rule| (rule.to_owned(), place)),
            };
            if !outcomes.contains(&outcome) {
                outcomes.push(outcome);
            }
        }
        Self {
            is_certain: Reverse(replay.decision().is_some()),
            agent: record.agent_id.to_string(),
            tool: record.tool_name.to_string(),
            operation: record.operation.to_string(),
            risk: record.risk_level,
            acting_for: record.acting_for.iter().map(ToString::to_string).collect(),
            recorded: Judged(replay.recorded()),
            outcomes,
            doubts: replay.doubts().iter().map(ToString::to_string).collect(),
        }
    }

    /// The decisions that are possible, each once.
    fn decisions(&self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        for outcome in &self.outcomes {
            if !decisions.contains(&outcome.decision.0) {
                decisions.push(outcome.decision.0);
            }
        }
        decisions
    }
}

impl Calls {
    fn first(log: &Path, record: &AuditRecord<'_>) -> Self {
        // The log's own spelling of the time.
        let timestamp = serde_json::to_value(record)
            .ok()
            .and_then(|record| Some(record.get("timestamp")?.as_str()?.to_owned()));
        Self {
            count: 0,
            log: log.display().to_string(),
            seq: record.seq,
            timestamp: timestamp.unwrap_or_default(),
        }
    }
}

fn write_human(
    stdout: &mut impl Write,
    groups: &BTreeMap<Group, Calls>,
    totals: &Totals,
) -> std::io::Result<()> {
    for (group, calls) in groups {
        let decisions: Vec<String> = group
            .decisions()
            .into_iter()
            .map(|possible| decision(possible).to_string())
            .collect();
        let is_certain = group.is_certain.0;
        writeln!(
            stdout,
            "{} -> {}{}  {}  {}  {} {}, {} risk{}",
            decision(group.recorded.0),
            decisions.join(" or "),
            if is_certain { "" } else { "?" },
            strong(counted(calls.count, "call")),
            one_line(&group.agent),
            one_line(&group.tool),
            one_line(&group.operation),
            group.risk,
            if group.acting_for.is_empty() {
                String::new()
            } else {
                format!(", for {}", one_line(&group.acting_for.join(", ")))
            },
        )?;
        if !is_certain {
            writeln!(
                stdout,
                "    cannot be told: {}",
                one_line(&group.doubts.join("; "))
            )?;
        }
        let rules: Vec<String> = group.outcomes.iter().map(Outcome::rule).collect();
        writeln!(stdout, "    by {}", rules.join(", or\n       "))?;
        let example = format!(
            "such as seq {} of {}, {}",
            calls.seq,
            one_line(&calls.log),
            calls.timestamp
        );
        writeln!(stdout, "    {}", faint(example))?;
    }
    if !groups.is_empty() {
        writeln!(stdout)?;
    }
    writeln!(
        stdout,
        "{}: {} as recorded, {} decided otherwise ({} widened, {} tightened), {} cannot be told",
        counted(totals.calls(), "call"),
        totals.unchanged,
        totals.changed(),
        totals.widened,
        totals.tightened,
        totals.unknown,
    )?;
    if let Some(left_out) = logs::left_out(totals.bad_lines) {
        writeln!(stdout, "{left_out}")?;
    }
    Ok(())
}

impl Outcome {
    /// The rule and where it is, for people.
    fn rule(&self) -> String {
        match &self.rule {
            Some((rule, place)) => one_line(&format!("{rule} ({place})")),
            None => "no rule, which denies".to_owned(),
        }
    }
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn as_json(groups: &BTreeMap<Group, Calls>, totals: &Totals) -> Value {
    let groups: Vec<Value> = groups
        .iter()
        .map(|(group, calls)| {
            let outcomes = group.outcomes.iter().map(|outcome| {
                let (rule, place) = outcome.rule.clone().unzip();
                json!({ "decision": outcome.decision.0.as_str(), "rule": rule, "place": place })
            });
            let decisions = group.decisions();
            json!({
                "agent": group.agent,
                "acting_for": group.acting_for,
                "tool": group.tool,
                "operation": group.operation,
                "risk_level": group.risk.as_str(),
                "recorded": group.recorded.0.as_str(),
                "decision": decisions.first().filter(|_| group.is_certain.0).map(|decision| decision.as_str()),
                "outcomes": outcomes.collect::<Vec<_>>(),
                "doubts": group.doubts,
                "count": calls.count,
                "example": { "log": calls.log, "seq": calls.seq, "timestamp": calls.timestamp },
            })
        })
        .collect();
    json!({
        "calls": totals.calls(),
        "unchanged": totals.unchanged,
        "widened": totals.widened,
        "tightened": totals.tightened,
        "unknown": totals.unknown,
        "bad_lines": totals.bad_lines,
        "groups": groups,
    })
}

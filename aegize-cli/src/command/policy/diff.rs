//! `aegize policy diff`: what a change of a policy changes.

use std::io::{self, Write};
use std::iter;
use std::path::{Path, PathBuf};

use aegize::{Change, Direction, PermissionPolicy, PolicyDiff, Ruling, ToolAction};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::command::Format;
use crate::exit::{Exit, Failure};
use crate::output::{self, one_line, write_json};
use crate::source::Sources;

/// Tell what changes in meaning from one policy to another
///
/// Finds calls that OLD and NEW decide differently and prints one for each pair of rules that
/// decide them, with whether that widens what agents may do (from `deny` towards `allow`) or
/// tightens it. The order of rules, their ids and reasons, comments and layout make no difference.
///
/// Nothing is executed: no tool is called. Calls are judged by the text of their paths, which are
/// declared as such, and symbolic links are not looked at.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Diff {
    /// The policy as it was, a YAML file
    old: PathBuf,

    /// The policy as it will be, a YAML file
    new: PathBuf,

    /// A layer below both, once for each, the most general first
    #[arg(long, value_name = "FILE")]
    base: Vec<PathBuf>,

    /// Which differences make the exit code 1
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = FailOn::Any)]
    fail_on: FailOn,

    /// How the result is told
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Those that widen what an agent may do
    Widen,
    /// All
    Any,
}

const EXAMPLE: &str = "\
Example, for CI, where more may be forbidden at any time, and allowed only after a review:
  git show main:aegize.yaml > old.yaml
  aegize policy diff old.yaml aegize.yaml --fail-on widen

Its result, if a limit of 100 became one of 150:

  widens  deny -> allow

    agent research_bot
    calls payments/refund with amount=150

    before: by default
    after: by research_bot.allow[0]
    --> aegize.yaml:4
    4 | - tool: payments

  1 difference: 1 widens, 0 tighten";

const EXIT_CODES: &str = "\
Exit codes:
  0  no difference, or none that --fail-on asks for
  1  there is one, or it could not be ruled out
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

impl Diff {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let (old, new) = match (self.load(&self.old), self.load(&self.new)) {
            (Ok(old), Ok(new)) => (old, new),
            (old, new) => {
                return Err(Failure::Load(
                    old.err().into_iter().chain(new.err()).collect(),
                ));
            }
        };
        let diff = old.diff(&new);
        match self.format {
            Format::Human => write_human(stdout, &diff)?,
            Format::Json => write_json(stdout, &as_json(&diff))?,
        }
        let is_found = match self.fail_on {
            FailOn::Widen => diff.widens(),
            FailOn::Any => !diff.changes().is_empty(),
        };
        Ok(if is_found || !diff.is_exhaustive() {
            Exit::Mismatch
        } else {
            Exit::Done
        })
    }

    fn load(&self, file: &Path) -> Result<PermissionPolicy, aegize::LoadError> {
        let base = self.base.iter().map(PathBuf::as_path);
        PermissionPolicy::layered(base.chain(iter::once(file)))
    }
}

fn write_human(stdout: &mut impl Write, diff: &PolicyDiff) -> io::Result<()> {
    let mut sources = Sources::default();
    for change in diff.changes() {
        let (before, after) = (change.before(), change.after());
        let direction = change.direction().as_str();
        let direction = match change.direction() {
            Direction::Widens => output::bad(direction),
            Direction::Tightens => output::good(direction),
        };
        let (old, new) = (before.decision(), after.decision());
        writeln!(
            stdout,
            "{direction}  {} -> {}\n",
            output::decision(old),
            output::decision(new)
        )?;
        writeln!(stdout, "  {}", one_line(&agents(change)))?;
        writeln!(stdout, "  {}\n", one_line(&call(change.action())))?;
        for (when, ruling) in [("before", before), ("after", after)] {
            let rule = output::strong(one_line(ruling.rule().unwrap_or("default")));
            writeln!(stdout, "  {when}: by {rule}")?;
            if let Some(place) = ruling.place() {
                sources.write(stdout, place, 2)?;
            }
        }
        writeln!(stdout)?;
    }
    if !diff.is_exhaustive() {
        let heading =
            output::strong("Not every kind of call was tried; there may be more differences:");
        writeln!(stdout, "{heading}\n")?;
        for limit in diff.limits() {
            writeln!(stdout, "  {}", one_line(limit))?;
        }
        writeln!(stdout)?;
    }
    writeln!(stdout, "{}", summary(diff))
}

fn summary(diff: &PolicyDiff) -> String {
    let changes = diff.changes();
    let widening = changes
        .iter()
        .filter(|change| change.direction() == Direction::Widens)
        .count();
    let tightening = changes.len() - widening;
    let noun = if changes.len() == 1 {
        "difference"
    } else {
        "differences"
    };
    match changes.len() {
        0 if diff.is_exhaustive() => "no difference in meaning".to_owned(),
        0 => "no difference found".to_owned(),
        count => {
            let (widens, tightens) = (verb("widen", widening), verb("tighten", tightening));
            format!("{count} {noun}: {widening} {widens}, {tightening} {tightens}")
        }
    }
}

fn verb(verb: &str, count: usize) -> String {
    if count == 1 {
        format!("{verb}s")
    } else {
        verb.to_owned()
    }
}

/// The agents whose calls these are: a few by name.
fn agents(change: &Change) -> String {
    const MOST: usize = 5;
    let named: Vec<&str> = change
        .agents()
        .iter()
        .take(MOST)
        .map(String::as_str)
        .collect();
    let noun = if change.agents().len() == 1 {
        "agent"
    } else {
        "agents"
    };
    let further = match change.agents().len().saturating_sub(MOST) {
        0 => String::new(),
        count => format!(" and {count} more with the same rules"),
    };
    format!("{noun} {}{further}", named.join(", "))
}

/// The call in one line.
fn call(action: &ToolAction) -> String {
    let mut text = format!("calls {}/{}", action.tool_name, action.operation);
    let mut separator = " with";
    for (name, value) in &action.arguments {
        let kind = if action.path_arguments.contains(name) {
            "the path "
        } else {
            ""
        };
        text = format!("{text}{separator} {kind}{name}={value}");
        separator = ",";
    }
    if action.risk_level != aegize::RiskLevel::Low {
        text = format!("{text}, at risk {}", action.risk_level);
    }
    if let Some(Value::String(environment)) = action.metadata.get("environment") {
        text = format!("{text}, in {environment}");
    }
    text
}

fn as_json(diff: &PolicyDiff) -> Value {
    let mut sources = Sources::default();
    let mut ruling = |ruling: &Ruling| {
        json!({
            "decision": ruling.decision().as_str(),
            "reason": ruling.reason(),
            "rule": ruling.rule().map(|rule| sources.rule(rule, ruling.place())),
        })
    };
    let changes: Vec<Value> = diff
        .changes()
        .iter()
        .map(|change| {
            json!({
                "direction": change.direction().as_str(),
                "agents": change.agents(),
                "action": super::call_json(change.action()),
                "before": ruling(change.before()),
                "after": ruling(change.after()),
            })
        })
        .collect();
    json!({
        "changes": changes,
        "exhaustive": diff.is_exhaustive(),
        "limits": diff.limits(),
    })
}

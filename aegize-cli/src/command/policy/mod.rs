//! `aegize policy`: what can be asked about policy files.

mod diff;
mod explain;
mod fmt;
mod lint;
mod replay;
mod schema;
mod suggest;
mod test;

use std::io::Write;

use aegize::ToolAction;
use clap::Subcommand;
use serde_json::{Value, json};

use self::diff::Diff;
use self::explain::Explain;
use self::fmt::Fmt;
use self::lint::Lint;
use self::replay::ReplayLog;
use self::schema::Schema;
use self::suggest::Suggest;
use self::test::Test;
use super::EXIT_CODES;
use crate::exit::{Exit, Failure};

const EXAMPLE: &str = "\
Examples:
  aegize policy test aegize.yaml policy_tests.yaml
  aegize policy lint aegize.yaml
  aegize policy explain aegize.yaml --agent bot --tool email --operation send
  aegize policy diff old.yaml aegize.yaml --fail-on widen
  aegize policy fmt aegize.yaml
  aegize policy schema > aegize.schema.json
  aegize policy replay aegize.yaml audit.jsonl
  aegize policy suggest audit.jsonl --agent research_bot";

/// Work with policy files
///
/// A policy says which agent may call which operation of which tool. Its rules are asked in the
/// order `deny`, `require_approval`, `allow`; what no rule allows is denied. Nothing is executed.
#[derive(Debug, Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = EXIT_CODES,
    after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}")
)]
pub(crate) enum PolicyCommand {
    Lint(Lint),
    Test(Test),
    Explain(Explain),
    Diff(Diff),
    Fmt(Fmt),
    Schema(Schema),
    Replay(ReplayLog),
    Suggest(Suggest),
}

impl PolicyCommand {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        match self {
            Self::Lint(lint) => lint.run(stdout),
            Self::Test(test) => test.run(stdout),
            Self::Explain(explain) => explain.run(stdout),
            Self::Diff(diff) => diff.run(stdout),
            Self::Fmt(fmt) => fmt.run(stdout),
            Self::Schema(_) => Schema::run(stdout),
            Self::Replay(replay) => replay.run(stdout),
            Self::Suggest(suggest) => suggest.run(stdout),
        }
    }
}

/// A call for programs, as a case of `aegize policy test` would say it.
fn call_json(action: &ToolAction) -> Value {
    let mut call = json!({
        "agent": action.agent_id,
        "tool": action.tool_name,
        "operation": action.operation,
        "risk_level": action.risk_level.as_str(),
    });
    let further = [
        ("args", Value::Object(action.arguments.clone())),
        ("path_args", json!(action.path_arguments)),
        ("metadata", Value::Object(action.metadata.clone())),
    ];
    if let Value::Object(fields) = &mut call {
        let is_empty = |value: &Value| *value == json!({}) || *value == json!([]);
        for (key, value) in further.into_iter().filter(|(_, value)| !is_empty(value)) {
            fields.insert(key.to_owned(), value);
        }
    }
    call
}

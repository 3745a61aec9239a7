//! `aegize policy explain`: why a call is decided as it is.

use std::io::Write;
use std::path::PathBuf;

use aegize::{Environment, Explanation, PermissionPolicy, RiskLevel, ToolAction};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::error::ErrorKind;
use serde_json::{Map, Value, json};

use crate::command::Format;
use crate::exit::{Exit, Failure};
use crate::output::{self, one_line, write_json};
use crate::source::Sources;

/// Tell why a call is allowed, denied, or waits for a person
///
/// Judges one call and prints the decision, the rule that made it with the line it is written on,
/// and every rule for the same tool that did not apply, with the first of its conditions that
/// failed. Several FILEs are layers of one policy, the most general first.
///
/// Nothing is executed: no tool is called. Paths are judged by their text, and symbolic links are
/// not looked at.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Explain {
    /// The policy: one YAML file, or its layers
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    #[command(flatten)]
    call: CallArguments,

    /// How the result is told
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// A call as it is told on the command line.
#[derive(Debug, Args)]
struct CallArguments {
    /// The agent's id
    #[arg(long, value_name = "ID")]
    agent: String,

    /// The tool
    #[arg(long, value_name = "NAME")]
    tool: String,

    /// The operation of the tool
    #[arg(long, value_name = "NAME")]
    operation: String,

    /// How much harm the call could do
    #[arg(long, value_name = "LEVEL", default_value = "low", value_parser = risk_levels())]
    risk: RiskLevel,

    /// Where the agent acts; if left out, that is not known, and rules that refuse in any
    /// environment apply
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environments())]
    env: Option<Environment>,

    /// An argument of the call, once for each; VALUE is JSON, or else a string as it stands
    #[arg(long = "arg", value_name = "NAME=VALUE", value_parser = named_value)]
    arguments: Vec<(String, Value)>,

    /// The name of an argument that the tool declares to be a path, once for each
    #[arg(long, value_name = "NAME")]
    path_arg: Vec<String>,

    /// A path of the call that is in none of its arguments (`metadata.paths`), once for each
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,

    /// A fact beside the arguments, once for each; VALUE as for --arg
    #[arg(long, value_name = "KEY=VALUE", value_parser = named_value)]
    metadata: Vec<(String, Value)>,
}

const EXAMPLE: &str = r#"Example:
  aegize policy explain aegize.yaml --agent research_bot --tool file_reader \
      --operation read --path ./notes/plan.md

Its result, if `aegize.yaml` lets the bot read files of one directory:

  deny  no matching allow rule for tool 'file_reader' operation 'read' (default deny)

  Rules for this tool that did not apply:

    research_bot.allow[0]: path './notes/plan.md' is outside ./safe_data/**
    --> aegize.yaml:4
    4 | - tool: file_reader

Arguments are JSON where they can be read as such:
  --arg amount=12.50              a number
  --arg 'to=["a@acme.com"]'       a list
  --arg subject=Hello             a string
  --arg 'id="12"'                 a string, too"#;

const EXIT_CODES: &str = "\
Exit codes:
  0  the call was judged, whatever the decision
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

fn risk_levels() -> impl clap::builder::TypedValueParser<Value = RiskLevel> {
    PossibleValuesParser::new(RiskLevel::ALL.map(RiskLevel::as_str)).try_map(|word| word.parse())
}

fn environments() -> impl clap::builder::TypedValueParser<Value = Environment> {
    PossibleValuesParser::new(Environment::ALL.map(Environment::as_str))
        .try_map(|word| word.parse())
}

fn named_value(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("write a name, `=` and a value")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    Ok((name.to_owned(), value))
}

impl Explain {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let action = self.call.action()?;
        let policy =
            PermissionPolicy::layered(&self.files).map_err(|error| Failure::Load(vec![error]))?;
        let explanation = policy.explain(&action);
        match self.format {
            Format::Human => write_human(stdout, &explanation)?,
            Format::Json => write_json(stdout, &as_json(&explanation, &action))?,
        }
        Ok(Exit::Done)
    }
}

impl CallArguments {
    fn action(&self) -> Result<ToolAction, Failure> {
        let mut action = ToolAction::new(
            self.agent.clone(),
            self.tool.clone(),
            self.operation.clone(),
        )
        .risk_level(self.risk);
        action.arguments = unique("--arg", &self.arguments)?;
        action.metadata = unique("--metadata", &self.metadata)?;
        for name in &self.path_arg {
            if !action.arguments.contains_key(name) {
                return Err(invalid(&format!(
                    "--path-arg: there is no argument `{name}`; give it with --arg"
                )));
            }
        }
        action.path_arguments.clone_from(&self.path_arg);
        let further = [
            (
                "--env",
                "environment",
                self.env.map(|env| env.as_str().into()),
            ),
            (
                "--path",
                "paths",
                (!self.paths.is_empty()).then(|| self.paths.clone().into()),
            ),
        ];
        for (option, key, value) in further {
            let Some(value) = value else { continue };
            if action.metadata.insert(key.to_owned(), value).is_some() {
                return Err(invalid(&format!(
                    "{option} and --metadata both give `{key}`; remove one"
                )));
            }
        }
        Ok(action)
    }
}

fn unique(option: &str, pairs: &[(String, Value)]) -> Result<Map<String, Value>, Failure> {
    let mut map = Map::new();
    for (name, value) in pairs {
        if map.insert(name.clone(), value.clone()).is_some() {
            return Err(invalid(&format!(
                "{option} gives `{name}` twice; remove one"
            )));
        }
    }
    Ok(map)
}

fn invalid(message: &str) -> Failure {
    let message = format!("{message}\n");
    Failure::Arguments(clap::Error::raw(ErrorKind::ValueValidation, message))
}

fn write_human(stdout: &mut impl Write, explanation: &Explanation) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let decision = output::decision(explanation.decision());
    writeln!(stdout, "{decision}  {}", one_line(explanation.reason()))?;
    if let (Some(rule), Some(place)) = (explanation.rule(), explanation.place()) {
        writeln!(stdout, "\n  {}", output::strong(one_line(rule)))?;
        sources.write(stdout, place, 2)?;
    }
    if explanation.near_misses().is_empty() {
        // A rule that decides hides those asked after it, so that it is no news if none came close.
        if explanation.rule().is_none() {
            writeln!(stdout, "\nNo rule of this agent names the tool.")?;
        }
        return Ok(());
    }
    writeln!(stdout, "\nRules for this tool that did not apply:")?;
    for miss in explanation.near_misses() {
        let rule = output::strong(one_line(miss.rule()));
        writeln!(stdout, "\n  {rule}: {}", one_line(miss.condition()))?;
        sources.write(stdout, miss.place(), 2)?;
    }
    Ok(())
}

fn as_json(explanation: &Explanation, action: &ToolAction) -> Value {
    let mut sources = Sources::default();
    let near_misses: Vec<Value> = explanation
        .near_misses()
        .iter()
        .map(|miss| {
            json!({
                "rule": sources.rule(miss.rule(), Some(miss.place())),
                "condition": miss.condition(),
            })
        })
        .collect();
    json!({
        "decision": explanation.decision().as_str(),
        "reason": explanation.reason(),
        "rule": explanation.rule().map(|rule| sources.rule(rule, explanation.place())),
        "near_misses": near_misses,
        "action": super::call_json(action),
    })
}

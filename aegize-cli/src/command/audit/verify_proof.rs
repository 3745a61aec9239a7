//! `aegize audit verify-proof`: whether a record is in a log, for who has only the public key.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aegize::tlog::{TlogErrorKind, TlogProof};
use clap::Args;
use serde_json::{Value, json};

use super::key;
use crate::command::Format;
use crate::exit::{Exit, Failure};
use crate::output::{bad, good, one_line, strong, write_json};

/// Check a record's proof, and show the record
///
/// Reads a proof (C2SP tlog-proof), checks that its checkpoint is signed by the key and that the
/// record is, byte by byte, in the log that was signed. The log itself is not needed. Nothing is
/// executed.
///
/// The record is the one that `aegize audit prove` put into the proof. A proof that somebody else
/// made may have none: give the record's line with --record.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct VerifyProof {
    /// The proof, a file
    proof: PathBuf,

    /// The public key of the log, or a file with it; give it again for further keys to trust
    #[arg(long = "key", value_name = "PUBKEY", required = true)]
    keys: Vec<String>,

    /// A file with the record's line, if the proof is not to be asked for it
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// How the result is told
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

const EXAMPLE: &str = r#"Example:
  aegize audit verify-proof 41.tlog-proof --key log.key.pub

  proved  record 41 of example.com/agents, which had 100 records
  {"timestamp":"2026-06-27T18:00:00.123456Z","seq":41,"event":"allowed", ...}"#;

const EXIT_CODES: &str = "\
Exit codes:
  0  the record is in the log
  1  it is not proved: something was changed, or no key that was
     given signed it
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

impl VerifyProof {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let keys: Result<Vec<_>, _> = self.keys.iter().map(|key| key::public(key)).collect();
        let keys = keys?;
        let text = String::from_utf8(read(&self.proof)?)
            .map_err(|_| unusable(&self.proof, "is no proof of a record: it is not UTF-8"))?;
        let proof: TlogProof = text
            .parse()
            .map_err(|error| unusable(&self.proof, &format!("cannot be used: {error}")))?;
        let record = match &self.record {
            Some(file) => read(file)?,
            None => proof.extra().map(<[u8]>::to_vec).ok_or_else(|| {
                unusable(
                    &self.proof,
                    "has no record with it; give its line with --record",
                )
            })?,
        };
        let line = record.strip_suffix(b"\n").unwrap_or(&record);
        let checkpoint = match proof.verify(line, &keys) {
            Ok(checkpoint) => checkpoint,
            Err(error) if error.kind() == TlogErrorKind::Malformed => {
                return Err(unusable(&self.proof, &error.to_string()));
            }
            Err(error) => {
                let message = error.to_string();
                match self.format {
                    Format::Human => {
                        writeln!(stdout, "{}  {}", bad("not proved"), one_line(&message))?;
                    }
                    Format::Json => {
                        write_json(stdout, &json!({"proved": false, "message": message}))?;
                    }
                }
                return Ok(Exit::Mismatch);
            }
        };
        let (index, log) = (proof.inclusion().index(), checkpoint.origin());
        let size = checkpoint.head().size;
        let text = String::from_utf8_lossy(line);
        match self.format {
            Format::Human => {
                let record = strong(format!("record {index}"));
                let (proved, log) = (good("proved"), one_line(log));
                writeln!(
                    stdout,
                    "{proved}  {record} of {log}, which had {size} records"
                )?;
                writeln!(stdout, "{}", one_line(&text))?;
            }
            Format::Json => {
                let record = text.parse().unwrap_or_else(|_| Value::from(&*text));
                let result = json!({
                    "proved": true,
                    "log": log,
                    "seq": index,
                    "records": size,
                    "record": record,
                });
                write_json(stdout, &result)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let read: io::Result<_> = fs::read(file);
    read.map_err(|error| unusable(file, &format!("cannot be read: {error}")))
}

fn unusable(file: &Path, problem: &str) -> Failure {
    Failure::Input(file.to_owned(), problem.to_owned())
}

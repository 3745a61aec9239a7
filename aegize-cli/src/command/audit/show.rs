//! `aegize audit show`: what is on record.

mod table;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use aegize::AuditRecord;
use clap::{Args, ValueEnum};

use self::table::Table;
use super::filter::Filter;
use crate::exit::{Exit, Failure};
use crate::logs::{self, Log};
use crate::output::{self, warn};

/// How long to wait before looking for new records.
const PAUSE: Duration = Duration::from_millis(200);

/// Show what is on record
///
/// Nothing is executed. Reads an audit log, oldest record first, and shows those that pass all
/// filters. In the table, times are UTC, events have short names (`succeeded` is
/// `execution_succeeded`), and what does not fit the terminal is cut; `--json` has everything.
///
/// With `--follow` it goes on with what is written from then on, also into new files of a
/// directory, until it is interrupted or nobody reads its output any more.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Show {
    /// The audit log: a file of JSON Lines, a directory of such files, or /dev/stdin
    #[arg(value_name = "LOG")]
    log: PathBuf,

    /// Wait for new records at the end, and show them as they are written
    #[arg(long, short)]
    follow: bool,

    /// How records are told
    #[arg(long, value_enum, default_value_t = ShowFormat::Human)]
    format: ShowFormat,

    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,

    #[command(flatten)]
    filter: Filter,
}

/// How records are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShowFormat {
    /// A table for people, with colours on a terminal unless `NO_COLOR` is set
    Human,
    /// JSON Lines, as they stand in the log; on a terminal, invisible characters are escaped
    Json,
    /// Events of OCSF 1.5.0 (API Activity), as JSON Lines for SIEMs, with the line of the log as `raw_data`
    Ocsf,
}

const EXAMPLE: &str = "\
Examples:
  aegize audit show audit.jsonl --since 1h --event denied --event execution_failed
  aegize audit show audit.jsonl --agent research_bot --tool 'github.*' --follow
  aegize audit show audit.jsonl --json | jq 'select(.duration_us > 1000000)'
  aegize audit show audit.jsonl --format ocsf --follow

A record as JSON is one line, here wrapped:

  {\"timestamp\":\"2026-06-27T18:00:00.123456Z\",\"seq\":41,\"event\":\"denied\",
   \"action_id\":\"01970000-0000-7000-8000-000000000041\",\"agent_id\":\"research_bot\",
   \"tool_name\":\"shell\",\"operation\":\"run\",\"risk_level\":\"high\",
   \"input_summary\":\"cmd=\\\"rm -rf /\\\"\",\"reason\":\"denied by rule for tool 'shell'\",
   \"rule\":\"research_bot.deny[0]\",\"policy\":\"sha256:…\",\"metadata\":{\"environment\":\"dev\"},
   \"prev\":\"…\"}";

const EXIT_CODES: &str = "\
Exit codes:
  0  every line was read, whether or not any record passed
  1  a line is no record; standard error says which
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

/// Records on their way out, in one of the formats.
trait Rows {
    /// Takes a record, and the line that it was read from.
    fn add(&mut self, record: &AuditRecord<'_>, line: &[u8]) -> io::Result<()>;

    /// Writes what was taken.
    fn flush(&mut self) -> io::Result<()>;
}

impl Show {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let format = if self.json {
            ShowFormat::Json
        } else {
            self.format
        };
        match format {
            ShowFormat::Human => self.print(&mut Table::new(stdout, output::width())),
            ShowFormat::Json => self.print(&mut Lines(output::unstyled())),
            ShowFormat::Ocsf => self.print(&mut Events(output::unstyled())),
        }
    }

    fn print(&self, rows: &mut impl Rows) -> Result<Exit, Failure> {
        let mut log = Log::open(&self.log)?;
        // A pipe is read to its end, and then there is nothing to wait for.
        let is_stream = !self.log.is_file() && !self.log.is_dir();
        'follow: loop {
            while let Some(record) = log.next()? {
                if !self.filter.is_match(&record) {
                    continue;
                }
                rows.add(&record, log.line())?;
                if self.follow && is_stream {
                    rows.flush()?;
                    if output::is_closed() {
                        break 'follow;
                    }
                }
            }
            rows.flush()?;
            if !self.follow || is_stream {
                break;
            }
            while !log.resume()? {
                if output::is_closed_after(PAUSE) {
                    break 'follow;
                }
            }
        }
        let Some(left_out) = logs::left_out(log.bad_lines) else {
            return Ok(Exit::Done);
        };
        warn(&left_out);
        Ok(Exit::Mismatch)
    }
}

/// Events of OCSF.
struct Events<W>(W);

impl<W: Write> Rows for Events<W> {
    fn add(&mut self, record: &AuditRecord<'_>, line: &[u8]) -> io::Result<()> {
        let mut event = record.to_ocsf();
        if let Some(event) = event.as_object_mut() {
            let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
            event.insert("raw_data".to_owned(), line.into());
        }
        output::write_json_line(&mut self.0, event.to_string().as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Lines as they stand in the log.
struct Lines<W>(W);

impl<W: Write> Rows for Lines<W> {
    fn add(&mut self, _: &AuditRecord<'_>, line: &[u8]) -> io::Result<()> {
        output::write_json_line(&mut self.0, line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

//! `aegize audit prove`: one record's proof, in a file.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use aegize::tlog::{Checkpoint, TlogProof};
use aegize::{LogVerdict, LogVerifier};
use clap::Args;

use super::key;
use super::verify::{watched, write_broken};
use crate::exit::{Exit, Failure};

/// Prove one record to somebody who has only the public key
///
/// Prints the record's proof (C2SP tlog-proof): its place, its path to the root of the log, and the
/// signed checkpoint that has the root. The record itself goes along, and no other record does;
/// `aegize audit verify-proof` reads it. Nothing is executed.
///
/// The checkpoint is the one beside the log, LOG.checkpoint, if it covers the record. Otherwise
/// --key is needed, and the present head is signed once the log is verified.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Prove {
    /// The log: a file, or a directory of segments
    log: PathBuf,

    /// The record's place in the log, counted from 0: its `seq`
    #[arg(long, value_name = "N")]
    seq: u64,

    /// A file with the log's secret key, made by `aegize audit keygen`
    #[arg(long, value_name = "SECRETKEY")]
    key: Option<PathBuf>,

    /// Write the proof to a new file, instead of printing it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const EXAMPLE: &str = "\
Example:
  aegize audit prove audit.jsonl --seq 41 --output 41.tlog-proof
  aegize audit verify-proof 41.tlog-proof --key log.key.pub";

const EXIT_CODES: &str = "\
Exit codes:
  0  proved
  1  not proved: the log is broken, or not the one that was signed
     before; standard output says where
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

impl Prove {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let verifier = LogVerifier::new(&self.log);
        let checkpoint = match self.present(&verifier)? {
            Some(note) => note,
            None => match self.signed(&verifier, stdout)? {
                Some(note) => note,
                None => return Ok(Exit::Mismatch),
            },
        };
        let proof: TlogProof = verifier.prove(self.seq, &checkpoint)?;
        match &self.output {
            Some(file) => {
                let written =
                    fs::File::create_new(file).and_then(|mut file| write!(file, "{proof}"));
                written.map_err(|error| Failure::File(file.clone(), error))?;
            }
            None => write!(stdout, "{proof}")?,
        }
        Ok(Exit::Done)
    }

    /// The checkpoint beside the log, if it covers the record.
    fn present(&self, verifier: &LogVerifier) -> Result<Option<String>, Failure> {
        let file = verifier.checkpoint_file();
        let note = match fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            note => note.map_err(|error| {
                Failure::Input(file.clone(), format!("cannot be read: {error}"))
            })?,
        };
        let claimed = Checkpoint::claimed(&note);
        let claimed = claimed.map_err(|error| Failure::Input(file, error.to_string()))?;
        Ok(Some(note).filter(|_| self.seq < claimed.size))
    }

    /// The present head, signed; or nothing, if the log is broken.
    fn signed(
        &self,
        verifier: &LogVerifier,
        stdout: &mut impl Write,
    ) -> Result<Option<String>, Failure> {
        let Some(key) = &self.key else {
            let problem = format!(
                "does not cover record {}, or is not there; give --key to sign the present head",
                self.seq
            );
            return Err(Failure::Input(verifier.checkpoint_file(), problem));
        };
        let key = key::secret(key)?;
        let verifier = verifier.clone().trust(key.verifier().clone());
        match watched(&verifier)? {
            LogVerdict::Intact(log) => Ok(Some(Checkpoint::sign(log.head(), &key))),
            LogVerdict::Broken(flaw) => {
                write_broken(stdout, &flaw)?;
                Ok(None)
            }
        }
    }
}

//! `aegize audit checkpoint`: the present head of a log, signed.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aegize::tlog::Checkpoint;
use aegize::{LogVerdict, LogVerifier};
use clap::Args;
use tempfile::NamedTempFile;

use super::key;
use super::verify::{watched, write_broken};
use crate::exit::{Exit, Failure};

/// Sign the present head of a log
///
/// Verifies the log, signs how many records it has and the root of the tree over them, prints the
/// signed note (C2SP tlog-checkpoint) and puts it beside the log as LOG.checkpoint, in place of the
/// one before. A log that is broken, or that does not begin with all that the checkpoint beside
/// it was signed for, is not signed. Nothing is executed.
///
/// Keep the note where those who can write the log cannot: it is what proves later that records
/// were removed or the log was written anew.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct CheckpointLog {
    /// The log: a file, or a directory of segments
    log: PathBuf,

    /// A file with the log's secret key, made by `aegize audit keygen`
    #[arg(long, value_name = "SECRETKEY")]
    key: PathBuf,
}

const EXAMPLE: &str = "\
Example:
  aegize audit checkpoint audit.jsonl --key log.key > kept.checkpoint";

const EXIT_CODES: &str = "\
Exit codes:
  0  signed
  1  not signed: the log is broken, or not the one that was signed
     before; standard output says where
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

impl CheckpointLog {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let key = key::secret(&self.key)?;
        let verifier = LogVerifier::new(&self.log).trust(key.verifier().clone());
        let head = match watched(&verifier)? {
            LogVerdict::Intact(log) => log.head(),
            LogVerdict::Broken(flaw) => {
                write_broken(stdout, &flaw)?;
                return Ok(Exit::Mismatch);
            }
        };
        let note = Checkpoint::sign(head, &key);
        let file = verifier.checkpoint_file();
        // The log's writer may have signed a later head meanwhile, which stays.
        let present = fs::read_to_string(&file).ok();
        let present = present.and_then(|note| Checkpoint::claimed(&note).ok());
        if present.is_none_or(|present| present.size <= head.size) {
            replace(&file, &note).map_err(|error| Failure::File(file, error))?;
        }
        stdout.write_all(note.as_bytes())?;
        Ok(Exit::Done)
    }
}

/// Gives a file another content, at once: whoever reads it sees the old one or the new one.
fn replace(file: &Path, content: &str) -> io::Result<()> {
    let directory = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut new = NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    new.write_all(content.as_bytes())?;
    if let Ok(present) = fs::metadata(file) {
        new.as_file().set_permissions(present.permissions())?;
    }
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}

//! `aegize audit keygen`: a pair of keys for one log.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aegize::tlog::SigningKey;
use clap::Args;

use crate::exit::{Exit, Failure};

/// Make the keys of a log
///
/// Writes a secret key, with which checkpoints of one log are signed, to a file that only its owner
/// can read (mode 0600), and the public key beside it, to a file whose name has `.pub` at the end.
/// The public key is also printed: give it to whoever is to verify the log. The keys are Ed25519, in
/// the format of C2SP signed-note. No file is overwritten. Nothing is executed.
///
/// Keep the secret key away from the agents whose log it signs.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLE}\n\n{EXIT_CODES}"))]
pub(crate) struct Keygen {
    /// The log's name: best an address without a scheme that no other log has
    name: String,

    /// The file for the secret key
    #[arg(long, value_name = "PATH", default_value = "log.key")]
    output: PathBuf,
}

const EXAMPLE: &str = "\
Example:
  aegize audit keygen example.com/agents --output log.key";

const EXIT_CODES: &str = "\
Exit codes:
  0  the keys are made
  2  no result: a file, an argument or the output is unusable;
     standard error says why";

impl Keygen {
    pub(crate) fn run(&self, stdout: &mut impl Write) -> Result<Exit, Failure> {
        let key = SigningKey::generate(&self.name).map_err(|error| {
            let kind = clap::error::ErrorKind::ValueValidation;
            Failure::Arguments(clap::Error::raw(kind, format!("{error}\n")))
        })?;
        let mut public_file = self.output.clone().into_os_string();
        public_file.push(".pub");
        let public_file = PathBuf::from(public_file);
        let public = format!("{}\n", key.verifier());

        write_new(&self.output, 0o600, key.to_secret_text().as_bytes())
            .map_err(|error| Failure::File(self.output.clone(), error))?;
        if let Err(error) = write_new(&public_file, 0o644, public.as_bytes()) {
            // It was made just now, and nobody knows it.
            let _ = fs::remove_file(&self.output);
            return Err(Failure::File(public_file, error));
        }
        stdout.write_all(public.as_bytes())?;
        Ok(Exit::Done)
    }
}

/// Writes a file that must not be there yet, to the disk.
fn write_new(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

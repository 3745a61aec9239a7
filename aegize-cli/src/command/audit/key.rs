//! The keys that arguments name.
//!
//! The invariant: no text of a secret key is shown, nor taken from the command line, which others
//! on the machine can read.

use std::fs;
use std::path::{Path, PathBuf};

use aegize::tlog::{SigningKey, VerifierKey};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// What the text of a secret key begins with.
const SECRET: &str = "PRIVATE+KEY+";

/// Reads a public key: from a file, or from the argument itself.
pub(super) fn public(argument: &str) -> Result<VerifierKey, Failure> {
    if argument.starts_with(SECRET) {
        return Err(on_the_command_line());
    }
    let file = Path::new(argument);
    if let Ok(key) = argument.parse() {
        return Ok(key);
    }
    let text = read(file)?;
    let key = text.trim_end().parse::<VerifierKey>();
    key.map_err(|error| Failure::Input(file.to_owned(), error.to_string()))
}

/// Reads a secret key, which is only ever in a file.
pub(super) fn secret(file: &Path) -> Result<SigningKey, Failure> {
    if file.to_string_lossy().starts_with(SECRET) {
        return Err(on_the_command_line());
    }
    let key = read(file)?.trim_end().parse::<SigningKey>();
    key.map_err(|error| Failure::Input(file.to_owned(), error.to_string()))
}

fn read(file: &Path) -> Result<Zeroizing<String>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            let problem = format!("cannot be read as a key: {error}");
            Err(Failure::Input(file.to_owned(), problem))
        }
    }
}

fn on_the_command_line() -> Failure {
    let problem =
        "is a secret key, which others can read on the command line; give the file it is in";
    Failure::Input(PathBuf::from("--key"), problem.to_owned())
}

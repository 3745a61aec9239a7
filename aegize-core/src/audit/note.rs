//! Signed notes (C2SP `signed-note`): a text, an empty line, and a line for each signature.
//!
//! The invariant: the text of a note is out of reach until a trusted key's signature of it is
//! verified.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::{KeyId, SigningKey, VerifierKey, is_name};
use super::tlog_error::{TlogError, TlogErrorKind};

/// The longest note that is read, in bytes, and the most signatures of one. Other readers have
/// the same limits.
const LONGEST: usize = 1_000_000;
const MOST: usize = 100;

/// What a line of a signature begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// A text whose signatures have been verified.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::tlog::{Note, SigningKey};
///
/// let key = SigningKey::generate("example.com/agents")?;
/// let signed = Note::sign("all is well\n", &key)?;
/// let note = Note::open(&signed, &[key.verifier().clone()])?;
/// assert_eq!(note.text(), "all is well\n");
/// assert!(Note::open(&signed.replace("well", "lost"), &[key.verifier().clone()]).is_err());
/// # Ok::<(), aegize::tlog::TlogError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signers: Vec<VerifierKey>,
}

impl Note {
    /// Signs a text and returns the whole note.
    ///
    /// # Errors
    ///
    /// If the text does not end with a line break, or holds other control characters.
    pub fn sign(text: &str, key: &SigningKey) -> Result<String, TlogError> {
        if text.ends_with('\n') && !has_controls(text) {
            Ok(signed(text, key))
        } else {
            Err(TlogError::malformed(
                "the text of a note ends with a line break and has no other control characters",
            ))
        }
    }

    /// Verifies the signatures of a note by trusted keys, and gives access to its text.
    /// Signatures by other keys are not looked at.
    ///
    /// # Errors
    ///
    /// If it is no note, is longer than 1 MB or has more than 100 signatures; if none is by a
    /// trusted key; or if any that says it is by a trusted key is not.
    pub fn open(note: &str, trusted: &[VerifierKey]) -> Result<Self, TlogError> {
        if note.len() > LONGEST {
            return Err(malformed("is longer than 1 MB"));
        }
        if has_controls(note) {
            return Err(malformed("has control characters other than line breaks"));
        }
        let Some(end) = note.rfind("\n\n") else {
            return Err(malformed("has no empty line before its signatures"));
        };
        let (text, signatures) = note.split_at(end + 1);
        let Some(lines) = signatures
            .strip_prefix('\n')
            .and_then(|s| s.strip_suffix('\n'))
        else {
            return Err(malformed(
                "does not end with a line break after a signature",
            ));
        };
        if lines.split('\n').count() > MOST {
            return Err(malformed("has more than 100 signatures"));
        }
        let mut signers: Vec<VerifierKey> = Vec::new();
        let mut strangers = Vec::new();
        for line in lines.split('\n') {
            let (name, id, signature) = signature(line)
                .ok_or_else(|| malformed("has a line after its text that is no signature"))?;
            let mut keys = trusted
                .iter()
                .filter(|key| key.name() == name && key.id() == id)
                .peekable();
            if keys.peek().is_none() {
                strangers.push(name);
                continue;
            }
            let Some(key) = keys.find(|key| key.verifies(text, &signature)) else {
                let problem = "did not sign this text, though the note says so: one of them was \
                               changed";
                return Err(TlogError::about(TlogErrorKind::BadSignature, name, problem));
            };
            if !signers.contains(key) {
                signers.push(key.clone());
            }
        }
        if signers.is_empty() {
            let problem = "signed the note, and no key that you trust; give the public key of \
                           the log";
            let names = strangers.join(", ");
            return Err(TlogError::about(TlogErrorKind::Untrusted, &names, problem));
        }
        Ok(Self {
            text: text.to_owned(),
            signers,
        })
    }

    /// The text, with its last line break.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The trusted keys that signed it, at least one.
    pub fn signers(&self) -> &[VerifierKey] {
        &self.signers
    }
}

/// The note of a text that is known to be one.
pub(super) fn signed(text: &str, key: &SigningKey) -> String {
    let KeyId(id) = key.verifier().id();
    let signature = STANDARD.encode([&id[..], &key.sign(text)].concat());
    format!("{text}\n{DASH}{} {signature}\n", key.verifier().name())
}

/// The key's name, its id and the signature in a line of one.
fn signature(line: &str) -> Option<(&str, KeyId, Vec<u8>)> {
    let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (id, signature) = bytes.split_first_chunk()?;
    let is_one = is_name(name) && !signature.is_empty();
    is_one.then(|| (name, KeyId(*id), signature.to_vec()))
}

fn has_controls(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' && byte != b'\n')
}

fn malformed(problem: &str) -> TlogError {
    TlogError::malformed(format!("this is no signed note: it {problem}"))
}

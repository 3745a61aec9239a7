//! The keys of signed notes (C2SP `signed-note`), Ed25519 only. No secret is ever displayed.
//!
//! The invariant: a key's id is derived from its name and its public key, never believed.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::tlog_error::{TlogError, TlogErrorKind};
use crate::text::find_invisible;

/// The signature type of Ed25519 in keys and key ids.
const ED25519: u8 = 1;

/// What a signing key's text begins with.
const PRIVATE: &str = "PRIVATE+KEY+";

/// The secret half of a key: what a log's checkpoints are signed with.
///
/// One key signs the checkpoints of one log, and its name is the log's name in them. Where it
/// was kept in memory is overwritten when it is dropped.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::tlog::{SigningKey, VerifierKey};
///
/// let key = SigningKey::generate("example.com/agents")?;
/// let public: VerifierKey = key.verifier().to_string().parse()?;
/// assert_eq!(public.name(), "example.com/agents");
/// let kept: SigningKey = key.to_secret_text().parse()?;
/// assert_eq!(kept.verifier(), key.verifier());
/// # Ok::<(), aegize::tlog::TlogError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    secret: ed25519_dalek::SigningKey,
    verifier: VerifierKey,
}

impl SigningKey {
    /// Makes a new key, from the operating system's randomness. The name is best an address
    /// without a scheme, such as `example.com/agents`, that no other log has.
    ///
    /// # Errors
    ///
    /// If a key cannot have that name, or there is no randomness.
    pub fn generate(name: &str) -> Result<Self, TlogError> {
        check_name(name)?;
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(|error| {
            let message = format!("the operating system gives no randomness for a key: {error}");
            TlogError::new(TlogErrorKind::NoRandomness, message)
        })?;
        Ok(Self::from_seed(name, &seed))
    }

    fn from_seed(name: &str, seed: &[u8; 32]) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, secret.verifying_key());
        Self { secret, verifier }
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The key as text: `PRIVATE+KEY+<name>+<id>+<base64>`. It is what the file of a key holds,
    /// and is for nobody else to read.
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let mut key = Zeroizing::new(Vec::with_capacity(33));
        key.push(ED25519);
        key.extend_from_slice(self.secret.as_bytes());
        let key = Zeroizing::new(STANDARD.encode(&*key));
        let VerifierKey { name, id, .. } = &self.verifier;
        Zeroizing::new(format!("{PRIVATE}{name}+{id}+{}", *key))
    }

    pub(super) fn sign(&self, text: &str) -> [u8; 64] {
        self.secret.sign(text.as_bytes()).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier.name)
    }
}

impl FromStr for SigningKey {
    type Err = TlogError;

    fn from_str(text: &str) -> Result<Self, TlogError> {
        // The text is a secret: no error shows any of it.
        let problem =
            "this is no signing key; one begins with `PRIVATE+KEY+` and stands alone in its file";
        let malformed = || TlogError::malformed(problem);
        let text = text.strip_prefix(PRIVATE).ok_or_else(malformed)?;
        let (name, id, key) = parts(text).ok_or_else(malformed)?;
        check_name(name)?;
        let key = Zeroizing::new(key);
        let seed: Option<&[u8; 32]> = key.strip_prefix(&[ED25519]).and_then(|s| s.try_into().ok());
        let key = Self::from_seed(name, seed.ok_or_else(malformed)?);
        if key.verifier.id == id {
            Ok(key)
        } else {
            Err(TlogError::malformed(
                "the signing key's id is not that of its name and secret; it was changed",
            ))
        }
    }
}

/// The public half of a key: what a log's checkpoints are verified with.
///
/// Displays and parses as `<name>+<id>+<base64>`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: KeyId,
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Self {
        let digest = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ED25519])
            .chain_update(key.as_bytes());
        let digest: [u8; 32] = digest.finalize().into();
        let [a, b, c, d, ..] = digest;
        Self {
            name: name.to_owned(),
            id: KeyId([a, b, c, d]),
            key,
        }
    }

    /// The key's name, which is the name of the log whose checkpoints it signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    /// Whether it is this key's signature of the text. What only some verifiers of Ed25519
    /// accept is not accepted.
    pub(super) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| {
            let verified = self.key.verify_strict(text.as_bytes(), &signature);
            verified.is_ok()
        })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = TlogError;

    fn from_str(text: &str) -> Result<Self, TlogError> {
        if text.starts_with(PRIVATE) {
            return Err(TlogError::malformed(
                "this is a signing key, which is a secret; give the public key instead",
            ));
        }
        let malformed = |problem| TlogError::about(TlogErrorKind::Malformed, text, problem);
        let (name, id, key) = parts(text)
            .ok_or_else(|| malformed("is no public key; one is `<name>+<id>+<base64>`"))?;
        check_name(name)?;
        let Some(key) = key.strip_prefix(&[ED25519]) else {
            return Err(malformed(
                "is not a key for Ed25519 signatures of notes, the only ones that are read",
            ));
        };
        let key = <&[u8; 32]>::try_from(key).ok();
        let key = key.and_then(|key| VerifyingKey::from_bytes(key).ok());
        let key = key
            .filter(|key| !key.is_weak())
            .ok_or_else(|| malformed("holds no public key of Ed25519; copy it again"))?;
        let key = Self::new(name, key);
        if key.id == id {
            Ok(key)
        } else {
            Err(malformed(
                "has an id that is not that of its name and key; copy it again",
            ))
        }
    }
}

/// What tells the keys of one name apart in the lines of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyId(pub(super) [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// Name, id, and the decoded rest of a key.
fn parts(text: &str) -> Option<(&str, KeyId, Vec<u8>)> {
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let number = u32::from_str_radix(id, 16).ok()?;
    let id = Some(KeyId(number.to_be_bytes())).filter(|parsed| parsed.to_string() == id)?;
    Some((name, id, STANDARD.decode(key).ok()?))
}

/// Whether the format allows a name in a line of a signature.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

/// A key of ours has a name that a reader sees as it is.
fn check_name(name: &str) -> Result<(), TlogError> {
    if is_name(name) && find_invisible(name).is_none() {
        return Ok(());
    }
    let problem = "is no name for a key; give one without spaces and plus signs, such as \
                   `example.com/agents`";
    Err(TlogError::about(TlogErrorKind::Malformed, name, problem))
}

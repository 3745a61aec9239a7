//! What a token looks like, and how it is told from others.
//!
//! `agz_ID_SECRET`, both in hexadecimal digits. The secret has 256 bits, and argon2id hashes it.

use std::fmt;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use zeroize::Zeroizing;

use crate::error::StoreError;

const PREFIX: &str = "agz_";

/// The algorithm of all hashes.
const ALGORITHM: &str = "argon2id";

/// The hash of no secret, at the cost of all others.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA\
                       $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A token that was just made. It is shown once: nobody can tell it again.
pub struct NewToken {
    id: String,
    text: Zeroizing<String>,
    hash: String,
}

impl NewToken {
    /// A new token, which nobody accepts until its hash is kept somewhere.
    ///
    /// # Errors
    ///
    /// If there is no randomness, or no memory for the hash.
    pub fn generate() -> Result<Self, StoreError> {
        let id = random::<8>()?;
        let secret = random::<32>()?;
        let hash = Argon2::default().hash_password(secret.as_bytes());
        let hash = hash.map_err(|error| {
            StoreError::unavailable(format!("the token cannot be hashed: {error}"))
        })?;
        Ok(Self {
            text: Zeroizing::new(format!("{PREFIX}{}_{}", *id, *secret)),
            id: id.to_string(),
            hash: hash.to_string(),
        })
    }

    /// What it is called; it is no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The token, a secret.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What a file of approvers has of it: `agz_ID:HASH`.
    pub fn hash(&self) -> String {
        format!("{PREFIX}{}:{}", self.id, self.hash)
    }

    pub(super) fn bare_hash(&self) -> &str {
        &self.hash
    }
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn random<const BYTES: usize>() -> Result<Zeroizing<String>, StoreError> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    getrandom::fill(bytes.as_mut()).map_err(|error| {
        let message = format!("the operating system gives no randomness for a token: {error}");
        StoreError::unavailable(message)
    })?;
    let mut text = Zeroizing::new(String::with_capacity(2 * BYTES));
    for byte in *bytes {
        for digit in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    Ok(text)
}

/// The id and the secret of a token.
pub(super) fn parts(token: &str) -> Option<(&str, &str)> {
    let (id, secret) = token.strip_prefix(PREFIX)?.split_once('_')?;
    (is_hex(id, 16) && is_hex(secret, 64)).then_some((id, secret))
}

/// The id and the hash that a file has of a token.
pub(super) fn hashed(text: &str) -> Option<(&str, &str)> {
    let (id, hash) = text.strip_prefix(PREFIX)?.split_once(':')?;
    (is_hex(id, 16) && parsed(hash).is_some()).then_some((id, hash))
}

fn is_hex(text: &str, length: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    text.len() == length && text.bytes().all(is_digit)
}

fn parsed(hash: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(hash).ok()?;
    (hash.algorithm.as_str() == ALGORITHM).then_some(hash)
}

/// A secret, and the hash that it may have.
pub(super) struct Checking {
    secret: Zeroizing<String>,
    hash: Option<String>,
}

impl Checking {
    pub(super) fn new(secret: &str, hash: Option<String>) -> Self {
        Self {
            secret: Zeroizing::new(secret.to_owned()),
            hash,
        }
    }

    /// Whether it has. It takes as long where there is no hash.
    pub(super) fn holds(&self) -> bool {
        let hash = parsed(self.hash.as_deref().unwrap_or(NOBODYS));
        let is_theirs = hash.is_some_and(|hash| {
            let checked = Argon2::default().verify_password(self.secret.as_bytes(), &hash);
            checked.is_ok()
        });
        is_theirs && self.hash.is_some()
    }
}

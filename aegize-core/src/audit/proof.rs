//! One record's proof in a file (C2SP `tlog-proof`): its place, its path, and a checkpoint.
//!
//! The invariant: what verifies was in a log that the trusted key vouched for, byte by byte, at
//! the proof's place.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::chain::{Hash, leaf};
use super::checkpoint::{Checkpoint, decimal};
use super::inclusion::InclusionProof;
use super::key::VerifierKey;
use super::tlog_error::TlogError;

/// The first line, which names the format and its version.
const FORMAT: &str = "c2sp.org/tlog-proof@v1";

/// As many levels as a tree can have whose size is a `u64`.
const DEEPEST: usize = 64;

/// That a record is in a log, for who has nothing but the record and the log's public key.
///
/// Displays and parses as the file `<name>.tlog-proof`.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::tlog::{Checkpoint, InclusionProver, SigningKey, TlogProof, leaf};
///
/// let key = SigningKey::generate("example.com/agents")?;
/// let mut prover = InclusionProver::new(1);
/// for line in ["first", "second", "third"] {
///     prover.push(leaf(line.as_bytes()));
/// }
/// let checkpoint = Checkpoint::sign(prover.tree().head(), &key);
/// let inclusion = prover.finish().ok_or("no such line")?;
/// let file = TlogProof::new(inclusion, checkpoint).to_string();
///
/// let proof: TlogProof = file.parse()?;
/// let trusted = [key.verifier().clone()];
/// let checkpoint = proof.verify(b"second", &trusted)?;
/// assert_eq!((proof.inclusion().index(), checkpoint.head().size), (1, 3));
/// assert!(proof.verify(b"forged", &trusted).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    extra: Option<Vec<u8>>,
    inclusion: InclusionProof,
    checkpoint: String,
}

impl TlogProof {
    /// Puts the parts together: a path, and the signed checkpoint of the tree it is of. Nothing
    /// of it is verified before [`verify`](Self::verify).
    pub fn new(inclusion: InclusionProof, checkpoint: String) -> Self {
        Self {
            extra: None,
            inclusion,
            checkpoint,
        }
    }

    /// Sends something along, such as the line itself: it is known to be the right one once it
    /// [verifies](Self::verify).
    #[must_use]
    pub fn with_extra(mut self, extra: impl Into<Vec<u8>>) -> Self {
        // The format has no extra data that are empty.
        self.extra = Some(extra.into()).filter(|extra| !extra.is_empty());
        self
    }

    /// The record's place and its path to the root.
    pub fn inclusion(&self) -> &InclusionProof {
        &self.inclusion
    }

    /// What whoever made the proof sent along. Nobody vouches for it.
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Checks that the line, given without its line break, is in the log that a trusted key
    /// vouches for. Returns the checkpoint: which log it is, and how long it was.
    ///
    /// # Errors
    ///
    /// If the checkpoint cannot be [opened](Checkpoint::open), or the path does not lead from
    /// the line to its root.
    pub fn verify(&self, line: &[u8], trusted: &[VerifierKey]) -> Result<Checkpoint, TlogError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, trusted)?;
        self.inclusion.verify(leaf(line), &checkpoint.head())?;
        Ok(checkpoint)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FORMAT}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.inclusion.index())?;
        for hash in self.inclusion.path() {
            writeln!(f, "{}", hash.to_base64())?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = TlogError;

    fn from_str(text: &str) -> Result<Self, TlogError> {
        let malformed = |problem: &str| {
            TlogError::malformed(format!("this is no proof of a record: {problem}"))
        };
        let Some((proof, checkpoint)) = text.split_once("\n\n") else {
            return Err(malformed("it has no empty line before its checkpoint"));
        };
        let mut lines = proof.split('\n').peekable();
        if lines.next() != Some(FORMAT) {
            return Err(malformed(&format!("its first line is not `{FORMAT}`")));
        }
        let extra = lines
            .next_if(|line| line.starts_with("extra "))
            .and_then(|line| line.strip_prefix("extra "))
            .map(|data| {
                let data = STANDARD.decode(data).ok().filter(|data| !data.is_empty());
                data.ok_or_else(|| malformed("what follows `extra` is not base64"))
            })
            .transpose()?;
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index
            .and_then(decimal)
            .ok_or_else(|| malformed("it has no line `index` with a number"))?;
        let mut path = Vec::new();
        for line in lines {
            if path.len() == DEEPEST {
                return Err(malformed("its path is longer than any tree is deep"));
            }
            let hash = Hash::from_base64(line);
            path.push(hash.ok_or_else(|| malformed("its path has a line that is no hash"))?);
        }
        Ok(Self {
            extra,
            inclusion: InclusionProof::new(index, path),
            checkpoint: checkpoint.to_owned(),
        })
    }
}

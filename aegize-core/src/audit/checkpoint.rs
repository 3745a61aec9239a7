//! Checkpoints (C2SP `tlog-checkpoint`): the signed head of a log's tree.
//!
//! The invariant: a checkpoint exists only as verified by a trusted key of the log's own name.

use super::chain::{Hash, TreeHead};
use super::key::{SigningKey, VerifierKey};
use super::note::{self, Note};
use super::tlog_error::{TlogError, TlogErrorKind};

/// What a log's key vouches for: which log, of how many records, with which root.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::tlog::{Checkpoint, SigningKey, Tree, leaf};
///
/// let key = SigningKey::generate("example.com/agents")?;
/// let mut tree = Tree::default();
/// tree.push(leaf(br#"{"seq":0}"#));
/// let signed = Checkpoint::sign(tree.head(), &key);
/// assert!(signed.starts_with("example.com/agents\n1\n"));
///
/// let checkpoint = Checkpoint::open(&signed, &[key.verifier().clone()])?;
/// assert_eq!(checkpoint.head(), tree.head());
/// # Ok::<(), aegize::tlog::TlogError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    head: TreeHead,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// Signs the head of the log that has the key's name, and returns the whole note.
    ///
    /// A log's key must never sign two heads of which the smaller is not a beginning of the
    /// larger: to whoever holds both, that proves the log was rewritten.
    pub fn sign(head: TreeHead, key: &SigningKey) -> String {
        let TreeHead { size, root } = head;
        let origin = key.verifier().name();
        note::signed(&format!("{origin}\n{size}\n{}\n", root.to_base64()), key)
    }

    /// Verifies a signed checkpoint.
    ///
    /// # Errors
    ///
    /// If the note cannot be [opened](Note::open), its text is no checkpoint, or no trusted key
    /// of the log's name signed it: other trusted keys can only add their signatures.
    pub fn open(note: &str, trusted: &[VerifierKey]) -> Result<Self, TlogError> {
        let note = Note::open(note, trusted)?;
        let checkpoint = Self::parse(note.text()).ok_or_else(not_one)?;
        let origin = &checkpoint.origin;
        if note.signers().iter().any(|key| key.name() == origin) {
            Ok(checkpoint)
        } else {
            let problem = "is the log, and no key of that name signed the checkpoint; give the \
                           public key of the log";
            Err(TlogError::about(TlogErrorKind::Untrusted, origin, problem))
        }
    }

    /// What a note says that may be a checkpoint. Nobody vouches for it: this is for who makes a
    /// proof, which others verify.
    ///
    /// # Errors
    ///
    /// If it is no checkpoint.
    pub fn claimed(note: &str) -> Result<TreeHead, TlogError> {
        let text = note.rfind("\n\n").and_then(|end| note.get(..=end));
        let claimed = text.and_then(Self::parse);
        claimed.map(|claimed| claimed.head).ok_or_else(not_one)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n').map(str::to_owned);
        let origin = lines.next()?;
        let size = decimal(&lines.next()?)?;
        let root = Hash::from_base64(&lines.next()?)?;
        let extensions: Vec<String> = lines.collect();
        let is_one = !origin.is_empty() && extensions.iter().all(|line| !line.is_empty());
        is_one.then_some(Self {
            origin,
            head: TreeHead { size, root },
            extensions,
        })
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The log's size and root when the checkpoint was signed.
    pub fn head(&self) -> TreeHead {
        self.head
    }

    /// Further lines, which mean whatever the log's operator says. Aegize writes none.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

fn not_one() -> TlogError {
    TlogError::malformed(
        "the signed text is no checkpoint; one is a log's name, its size and its root in base64, a \
         line each",
    )
}

/// A number in its one decimal form: digits, without leading zeroes.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

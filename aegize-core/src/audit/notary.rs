//! What signs a log's checkpoints: the tree over its lines, and a key.
//!
//! Beside the checkpoint lies the tree's frontier, so that a log need not be read from its
//! beginning whenever it is opened. It is believed if it hashes to the root that was signed. The
//! invariant: no head is signed that does not continue the checkpoint which is there.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::abandoned::Place;
use super::chain::{Hash, Tree, TreeHead};
use super::checkpoint::Checkpoint;
use super::error::Problem;
use super::files::Site;
use super::key::SigningKey;

#[derive(Debug)]
pub(super) struct Notary {
    key: SigningKey,
    tree: Tree,
    /// The size of the latest checkpoint.
    signed: u64,
    /// The head of the checkpoint that was there, until the tree has been held against it.
    expected: Option<TreeHead>,
    is_forked: bool,
}

/// Where a tree ends in the files of its log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Frontier {
    /// The number of leaves.
    pub(super) size: u64,
    /// The file in which the last of them is, by the position of its first record.
    pub(super) segment: u64,
    /// Where that ends in the file.
    pub(super) end: u64,
    /// The last leaf.
    pub(super) head: Hash,
    /// The roots of the perfect subtrees, the smallest first.
    subtrees: Vec<Hash>,
}

/// A checkpoint that is signed and not yet published.
#[derive(Debug)]
pub(super) struct Draft {
    size: u64,
    pub(super) note: String,
    files: [(PathBuf, PathBuf); 2],
}

impl Notary {
    /// A notary for a log, and where in the log it has to go on reading.
    pub(super) fn open(site: &Site, key: SigningKey) -> Result<(Self, Option<Frontier>), Problem> {
        let mut notary = Self {
            key,
            tree: Tree::default(),
            signed: 0,
            expected: None,
            is_forked: false,
        };
        let Some(checkpoint) = notary.published(site)? else {
            return Ok((notary, None));
        };
        let head = checkpoint.head();
        notary.signed = head.size;
        if let Some((frontier, tree)) = frontier(site)
            && tree.head() == head
        {
            notary.tree = tree;
            return Ok((notary, Some(frontier)));
        }
        notary.expected = Some(head);
        Ok((notary, None))
    }

    /// The checkpoint beside the log.
    fn published(&self, site: &Site) -> Result<Option<Checkpoint>, Problem> {
        let path = site.beside("checkpoint");
        let note = match fs::read_to_string(&path) {
            Ok(note) => note,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(path, &error)),
        };
        let trusted = [self.key.verifier().clone()];
        let checkpoint = Checkpoint::open(&note, &trusted);
        let checkpoint = checkpoint.map_err(|error| unusable(path, &error))?;
        Ok(Some(checkpoint))
    }

    /// Goes back to the beginning of the log: the frontier was not of it.
    pub(super) fn start_over(&mut self) {
        self.expected = Some(std::mem::take(&mut self.tree).head());
    }

    pub(super) fn push(&mut self, leaf: Hash) {
        self.tree.push(leaf);
        if let Some(expected) = self.expected
            && expected.size == self.tree.size()
        {
            self.is_forked = expected.root != self.tree.root();
            self.expected = None;
        }
    }

    /// Whether the log, as far as it has been read, continues its checkpoint.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if let Some(expected) = self.expected.filter(|expected| expected.size > 0) {
            let size = self.tree.size();
            return Err(Problem::Truncated {
                size,
                signed: expected.size,
            });
        }
        if self.is_forked {
            return Err(Problem::Forked {
                signed: self.signed,
            });
        }
        Ok(())
    }

    /// How many records no checkpoint covers.
    pub(super) fn unsigned(&self) -> u64 {
        self.tree.size().saturating_sub(self.signed)
    }

    /// The frontier of the tree as it is now.
    pub(super) fn frontier(&self, last: Place, head: Hash) -> Frontier {
        Frontier {
            size: self.tree.size(),
            segment: last.segment,
            end: last.end,
            head,
            subtrees: self.tree.subtrees().map(|(_, root)| root).collect(),
        }
    }

    /// What signs, for whoever does not want to keep the notary waiting.
    pub(super) fn pen(&self) -> (SigningKey, TreeHead) {
        (self.key.clone(), self.tree.head())
    }

    /// Publishes a checkpoint, unless somebody else has published a later one. Nobody else writes.
    pub(super) fn publish(&mut self, site: &Site, draft: &Draft) -> Result<(), Problem> {
        let later = self
            .published(site)?
            .map(|checkpoint| checkpoint.head().size);
        if let Some(later) = later.filter(|later| *later > draft.size) {
            draft.discard();
            self.signed = self.signed.max(later);
            return Ok(());
        }
        for (new, path) in &draft.files {
            fs::rename(new, path).map_err(|error| unusable(path.clone(), &error))?;
        }
        self.signed = draft.size;
        Ok(())
    }
}

impl Draft {
    /// Signs a head, and writes it to files that have yet to be published.
    pub(super) fn write(
        site: &Site,
        (key, head): &(SigningKey, TreeHead),
        frontier: &Frontier,
    ) -> Result<Self, Problem> {
        let note = Checkpoint::sign(*head, key);
        let tree = serde_json::to_string(frontier)
            .map_err(|error| unusable(site.beside("tree"), &error))?;
        // This process may have the log open several times.
        let id = Uuid::now_v7().simple();
        let files = ["checkpoint", "tree"].map(|what| {
            let new = site.beside(&format!("{what}.{id}"));
            (new, site.beside(what))
        });
        let draft = Self {
            size: head.size,
            note,
            files,
        };
        for ((new, path), text) in draft.files.iter().zip([&draft.note, &tree]) {
            if let Err(error) = write_synced(new, text.as_bytes()) {
                draft.discard();
                return Err(unusable(path.clone(), &error));
            }
        }
        Ok(draft)
    }

    pub(super) fn discard(&self) {
        for (new, _) in &self.files {
            let _ = fs::remove_file(new);
        }
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes drafts that processes left behind which were killed. Nobody else has the log open.
pub(super) fn sweep(site: &Site) -> io::Result<()> {
    for what in ["checkpoint.", "tree."] {
        let draft = site.beside(what);
        let (Some(directory), Some(name)) = (draft.parent(), draft.file_name()) else {
            continue;
        };
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let other = path.file_name().unwrap_or_default().as_encoded_bytes();
            let id = other.strip_prefix(name.as_encoded_bytes());
            if id.is_some_and(|id| id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit)) {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}

/// The frontier beside a log, and the tree that it is of.
fn frontier(site: &Site) -> Option<(Frontier, Tree)> {
    let text = fs::read(site.beside("tree")).ok()?;
    let frontier: Frontier = serde_json::from_slice(&text).ok()?;
    let tree = Tree::of_subtrees(frontier.size, &frontier.subtrees)?;
    Some((frontier, tree))
}

fn unusable(file: PathBuf, error: &impl fmt::Display) -> Problem {
    Problem::Checkpoint {
        file,
        what: error.to_string(),
    }
}

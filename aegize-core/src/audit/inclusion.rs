//! Proofs that a line is in a log: the audit paths of RFC 6962, section 2.1.1. Pure.
//!
//! The invariant: a path that verifies leads from that leaf, at that place, to that root.

use super::chain::{Hash, Joined, Tree, TreeHead, node};
use super::tlog_error::{TlogError, TlogErrorKind};

/// That a leaf stands at one place of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    index: u64,
    path: Vec<Hash>,
}

impl InclusionProof {
    /// A proof that somebody else made: the leaf's place, counted from 0, and the hashes from
    /// its sibling up to the root's child.
    pub fn new(index: u64, path: Vec<Hash>) -> Self {
        Self { index, path }
    }

    /// The leaf's place, counted from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The hashes from the leaf's sibling up to the root's child.
    pub fn path(&self) -> &[Hash] {
        &self.path
    }

    /// Checks that the leaf is in the tree, at the proof's place (RFC 9162, section 2.1.3.2).
    ///
    /// # Errors
    ///
    /// If it does not lead to the tree's root: the leaf is another, or stands elsewhere, or the
    /// proof is of another tree.
    pub fn verify(&self, leaf: Hash, head: &TreeHead) -> Result<(), TlogError> {
        if self.index >= head.size {
            let (index, size) = (self.index, head.size);
            return Err(mismatch(&format!(
                "there is no record {index} in a log of {size}; ask for a checkpoint that is younger"
            )));
        }
        let (mut place, mut last) = (self.index, head.size - 1);
        let mut root = leaf;
        for sibling in &self.path {
            if last == 0 {
                return Err(mismatch("the proof is longer than the tree is deep"));
            }
            if place & 1 == 1 || place == last {
                root = node(*sibling, root);
                // A subtree without a right neighbour is its own parent for as long as it is last.
                let skipped = place.trailing_zeros().min(63);
                place >>= skipped;
                last >>= skipped;
            } else {
                root = node(root, *sibling);
            }
            place >>= 1;
            last >>= 1;
        }
        if last != 0 {
            return Err(mismatch("the proof is shorter than the tree is deep"));
        }
        if root != head.root {
            return Err(mismatch(
                "the proof does not lead from the record to the root of the log: the record was \
                 changed or is not in this log",
            ));
        }
        Ok(())
    }
}

/// Makes a proof for a place that is known beforehand, in one pass over the leaves and without
/// keeping them.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::tlog::{InclusionProver, leaf};
///
/// let mut prover = InclusionProver::new(1);
/// for line in ["first", "second", "third"] {
///     prover.push(leaf(line.as_bytes()));
/// }
/// let head = prover.tree().head();
/// let proof = prover.finish().ok_or("no such line")?;
/// proof.verify(leaf(b"second"), &head)?;
/// assert!(proof.verify(leaf(b"forged"), &head).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct InclusionProver {
    index: u64,
    tree: Tree,
    path: Vec<Hash>,
}

impl InclusionProver {
    /// A prover for the leaf at a place, counted from 0, before any leaf.
    pub fn new(index: u64) -> Self {
        Self {
            index,
            tree: Tree::default(),
            path: Vec::new(),
        }
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let (index, at) = (self.index, self.tree.size());
        let path = &mut self.path;
        self.tree.push_watched(leaf, |joined| {
            let Joined { level, left, right } = joined;
            // Both leaves are in the subtree that was just joined.
            if index <= at && index >> level >> 1 == at >> level >> 1 {
                let is_right = index >> level & 1 == 1;
                path.push(if is_right { left } else { right });
            }
        });
    }

    /// The tree over the leaves so far.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The proof for the tree over the leaves so far; nothing if the leaf is not among them.
    pub fn finish(self) -> Option<InclusionProof> {
        let size = self.tree.size();
        if self.index >= size {
            return None;
        }
        let mut path = self.path;
        let mut after: Option<Hash> = None;
        let mut is_inside = false;
        for (level, root) in self.tree.subtrees() {
            if is_inside {
                path.push(root);
            } else if self.index >> level == size >> level ^ 1 {
                is_inside = true;
                path.extend(after);
            } else {
                after = Some(after.map_or(root, |right| node(root, right)));
            }
        }
        Some(InclusionProof::new(self.index, path))
    }
}

pub(super) fn mismatch(message: &str) -> TlogError {
    TlogError::new(TlogErrorKind::Mismatch, message)
}

#[cfg(test)]
mod tests {
    use super::super::chain::leaf;
    use super::*;

    fn proof(index: u64, leaves: &[Hash]) -> (Option<InclusionProof>, TreeHead) {
        let mut prover = InclusionProver::new(index);
        for leaf in leaves {
            prover.push(*leaf);
        }
        let head = prover.tree().head();
        (prover.finish(), head)
    }

    fn root(leaves: &[Hash]) -> Hash {
        let mut tree = Tree::default();
        for leaf in leaves {
            tree.push(*leaf);
        }
        tree.root()
    }

    /// RFC 6962, section 2.1.1, word for word.
    fn defined(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(half);
        let (mut path, sibling) = if index < half {
            (defined(index, left), root(right))
        } else {
            (defined(index - half, right), root(left))
        };
        path.push(sibling);
        path
    }

    #[test]
    fn paths_are_those_that_are_defined_and_verify_for_their_leaf_and_place_only() {
        let leaves: Vec<Hash> = (0..40_u8).map(|n| leaf(&[n])).collect();
        for size in 1..=leaves.len() {
            let leaves = &leaves[..size];
            for index in 0..size {
                let (proof, head) = proof(index as u64, leaves);
                let proof = proof.unwrap();
                assert_eq!(proof.path(), defined(index, leaves));
                for (place, leaf) in leaves.iter().enumerate() {
                    assert_eq!(proof.verify(*leaf, &head).is_ok(), place == index);
                    let moved = InclusionProof::new(place as u64, proof.path.clone());
                    let verified = moved.verify(leaves[index], &head);
                    assert_eq!(
                        verified.is_ok(),
                        place == index,
                        "{index} {place} of {size}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_path_that_is_changed_in_any_way_does_not_verify() {
        for size in [1, 2, 3, 7, 8, 21] {
            let leaves: Vec<Hash> = (0..size).map(|n| leaf(&[n])).collect();
            for index in 0..size {
                let (proof, head) = proof(u64::from(index), &leaves);
                let proof = proof.unwrap();
                let leaf = leaves[usize::from(index)];
                let refused = |path: Vec<Hash>| {
                    let changed = InclusionProof::new(u64::from(index), path);
                    assert_eq!(
                        changed.verify(leaf, &head).unwrap_err().kind(),
                        TlogErrorKind::Mismatch
                    );
                };
                for at in 0..proof.path.len() {
                    let mut path = proof.path.clone();
                    path.remove(at);
                    refused(path);
                    let mut path = proof.path.clone();
                    path.insert(at, leaf);
                    refused(path);
                    let mut path = proof.path.clone();
                    path[at] = leaf;
                    refused(path);
                }
                let mut path = proof.path.clone();
                path.push(leaf);
                refused(path);
            }
        }
    }

    #[test]
    fn what_is_not_there_is_not_proved() {
        let leaves = [leaf(b"a"), leaf(b"b")];
        assert_eq!(proof(0, &[]).0, None);
        assert_eq!(proof(2, &leaves).0, None);
        assert_eq!(proof(u64::MAX, &leaves).0, None);
        let (one, head) = proof(1, &leaves);
        let moved = InclusionProof::new(2, one.unwrap().path);
        assert!(moved.verify(leaves[1], &head).is_err());
        let huge = TreeHead {
            size: u64::MAX,
            root: leaves[0],
        };
        for index in [0, 1, u64::MAX - 1, u64::MAX] {
            for length in [0, 1, 63, 64, 65, 200] {
                let proof = InclusionProof::new(index, vec![leaves[0]; length]);
                assert!(proof.verify(leaves[1], &huge).is_err());
            }
        }
    }
}

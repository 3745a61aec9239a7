//! Proofs that a log only grew: the consistency proofs of RFC 6962, section 2.1.2. Pure.
//!
//! The invariant: a proof that verifies shows both trees, the old one as a beginning of the new.

use super::chain::{Hash, Tree, TreeHead, node};
use super::inclusion::{InclusionProver, mismatch};
use super::tlog_error::TlogError;

/// That one tree is a beginning of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    path: Vec<Hash>,
}

impl ConsistencyProof {
    /// A proof that somebody else made, of its hashes in the order of RFC 6962.
    pub fn new(path: Vec<Hash>) -> Self {
        Self { path }
    }

    /// The proof's hashes, in the order of RFC 6962.
    pub fn path(&self) -> &[Hash] {
        &self.path
    }

    /// Checks that the new tree is the old one with leaves added (RFC 9162, section 2.1.4.2).
    ///
    /// Every tree has the empty one as its beginning, and itself; the proof is empty then.
    ///
    /// # Errors
    ///
    /// If the new tree is smaller, or the proof does not lead to both roots: the log was
    /// rewritten, or the proof is of other trees.
    pub fn verify(&self, old: &TreeHead, new: &TreeHead) -> Result<(), TlogError> {
        if old.size > new.size {
            let (old, new) = (old.size, new.size);
            return Err(mismatch(&format!(
                "the log was shortened: it had {old} records and has {new}"
            )));
        }
        let is_proved = if old.size == 0 {
            self.path.is_empty() && old.root == Tree::default().root()
        } else if old.size == new.size {
            self.path.is_empty() && old.root == new.root
        } else {
            self.leads_to(old, new)
        };
        if is_proved {
            Ok(())
        } else {
            Err(mismatch(
                "the proof does not lead from the old root to the new one: the log was rewritten, \
                 or the proof is of other logs",
            ))
        }
    }

    /// For trees of different sizes, neither of them empty.
    fn leads_to(&self, old: &TreeHead, new: &TreeHead) -> bool {
        let (mut place, mut last) = (old.size - 1, new.size - 1);
        let skipped = place.trailing_ones();
        place >>= skipped;
        last >>= skipped;
        let mut siblings = self.path.iter();
        let seed = if old.size.is_power_of_two() {
            Some(&old.root)
        } else {
            siblings.next()
        };
        let Some(seed) = seed else { return false };
        let (mut old_root, mut new_root) = (*seed, *seed);
        for sibling in siblings {
            if last == 0 {
                return false;
            }
            if place & 1 == 1 || place == last {
                old_root = node(*sibling, old_root);
                new_root = node(*sibling, new_root);
                let skipped = place.trailing_zeros().min(63);
                place >>= skipped;
                last >>= skipped;
            } else {
                new_root = node(new_root, *sibling);
            }
            place >>= 1;
            last >>= 1;
        }
        last == 0 && old_root == old.root && new_root == new.root
    }
}

/// Makes a proof from a size that is known beforehand, in one pass over the leaves and without
/// keeping them.
#[derive(Debug, Clone)]
pub struct ConsistencyProver {
    old: u64,
    /// The root of the last perfect subtree of the old tree, once that is complete.
    seed: Option<Hash>,
    last: InclusionProver,
}

impl ConsistencyProver {
    /// A prover for an old tree of that many leaves, before any leaf.
    pub fn new(old_size: u64) -> Self {
        Self {
            old: old_size,
            seed: None,
            last: InclusionProver::new(old_size.saturating_sub(1)),
        }
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.last.push(leaf);
        if self.tree().size() == self.old {
            let smallest = self.tree().subtrees().next();
            self.seed = smallest.map(|(_, root)| root);
        }
    }

    /// The tree over the leaves so far.
    pub fn tree(&self) -> &Tree {
        self.last.tree()
    }

    /// The proof for the tree over the leaves so far; nothing if it is smaller than the old one.
    pub fn finish(self) -> Option<ConsistencyProof> {
        let size = self.tree().size();
        if self.old == 0 || self.old == size {
            return Some(ConsistencyProof::new(Vec::new()));
        }
        // From the old tree's last perfect subtree upwards, the path is that of its last leaf.
        // Who has the old root knows that subtree already if it is the whole tree.
        let seed = self.seed?;
        let known = self.old.is_power_of_two();
        let skipped = self.old.trailing_zeros() as usize;
        let inclusion = self.last.finish()?;
        let above = inclusion.path().iter().copied().skip(skipped);
        let path = (!known).then_some(seed).into_iter().chain(above).collect();
        Some(ConsistencyProof::new(path))
    }
}

#[cfg(test)]
mod tests {
    use super::super::chain::leaf;
    use super::*;

    fn head(leaves: &[Hash]) -> TreeHead {
        let mut tree = Tree::default();
        for leaf in leaves {
            tree.push(*leaf);
        }
        tree.head()
    }

    fn proof(old: u64, leaves: &[Hash]) -> Option<ConsistencyProof> {
        let mut prover = ConsistencyProver::new(old);
        for leaf in leaves {
            prover.push(*leaf);
        }
        prover.finish()
    }

    /// SUBPROOF of RFC 6962, section 2.1.2, word for word.
    fn defined(old: usize, leaves: &[Hash], is_known: bool) -> Vec<Hash> {
        if old == leaves.len() {
            let root = head(leaves).root;
            return if is_known { vec![] } else { vec![root] };
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(half);
        let (mut path, sibling) = if old <= half {
            (defined(old, left, is_known), right)
        } else {
            (defined(old - half, right, false), left)
        };
        path.push(head(sibling).root);
        path
    }

    #[test]
    fn proofs_are_those_that_are_defined_and_verify_for_their_trees_only() {
        let leaves: Vec<Hash> = (0..33_u8).map(|n| leaf(&[n])).collect();
        let heads: Vec<TreeHead> = (0..=leaves.len()).map(|n| head(&leaves[..n])).collect();
        for new in 0..=leaves.len() {
            for old in 0..=new {
                let proof = proof(old as u64, &leaves[..new]).unwrap();
                if old > 0 {
                    assert_eq!(proof.path(), defined(old, &leaves[..new], true));
                }
                proof.verify(&heads[old], &heads[new]).unwrap();
                for other in &heads {
                    // The empty proof is that of the empty tree, and of the tree itself.
                    let is_trivial = other.size == 0 || *other == heads[new];
                    let is_old = *other == heads[old] || proof.path.is_empty() && is_trivial;
                    assert_eq!(proof.verify(other, &heads[new]).is_ok(), is_old);
                }
                let forged = TreeHead {
                    root: leaf(b"another"),
                    ..heads[old]
                };
                assert!(proof.verify(&forged, &heads[new]).is_err());
                for at in 0..proof.path.len() {
                    let mut shorter = proof.clone();
                    shorter.path.remove(at);
                    assert!(shorter.verify(&heads[old], &heads[new]).is_err());
                    let mut changed = proof.clone();
                    changed.path[at] = leaf(b"another");
                    assert!(changed.verify(&heads[old], &heads[new]).is_err());
                }
                let mut longer = proof.clone();
                longer.path.push(leaf(b"another"));
                assert!(longer.verify(&heads[old], &heads[new]).is_err());
            }
        }
    }

    #[test]
    fn a_log_that_was_shortened_or_rewritten_has_no_proof() {
        let leaves: Vec<Hash> = (0..9_u8).map(|n| leaf(&[n])).collect();
        assert_eq!(proof(10, &leaves), None);
        let mut rewritten = leaves.clone();
        rewritten[2] = leaf(b"another");
        for old in 3..9_usize {
            let honest = head(&leaves[..old]);
            let proof = proof(old as u64, &rewritten).unwrap();
            assert!(proof.verify(&honest, &head(&rewritten)).is_err());
        }
        let shorter = ConsistencyProof::new(Vec::new()).verify(&head(&leaves), &head(&leaves[..8]));
        let message = shorter.unwrap_err().to_string();
        assert_eq!(message, "the log was shortened: it had 9 records and has 8");
    }

    #[test]
    fn no_size_is_too_large_to_be_refused() {
        let root = leaf(b"a");
        for old in [1, 2, 3, 1 << 63, u64::MAX - 1] {
            for length in [0, 1, 63, 64, 65, 200] {
                let proof = ConsistencyProof::new(vec![root; length]);
                let new = TreeHead {
                    size: u64::MAX,
                    root,
                };
                assert!(proof.verify(&TreeHead { size: old, root }, &new).is_err());
            }
        }
    }
}

//! The leaves of a log, the chain they form, and the Merkle tree over them (RFC 6962, section
//! 2.1). Pure: bytes in, hashes out.
//!
//! The invariant: a tree's root depends on every byte of every line and on their order, and on
//! nothing else.

use std::fmt;
use std::str::{self, FromStr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use super::tlog_error::{TlogError, TlogErrorKind};

/// A SHA-256 of a leaf, a node or a whole tree.
///
/// Displays, parses and serializes as 64 lower-case hexadecimal digits, the way records carry it
/// in `prev`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// The hash of a line, as a leaf of the tree and as the `prev` of the next record. The line is
/// given without its line break.
pub fn leaf(line: &[u8]) -> Hash {
    let digest = Sha256::new().chain_update([0]).chain_update(line);
    Hash(digest.finalize().into())
}

/// The hash of two neighbouring subtrees.
pub(super) fn node(left: Hash, right: Hash) -> Hash {
    let mut bytes = [1; 65];
    let (_, children) = bytes.split_at_mut(1);
    for (byte, child) in children.iter_mut().zip(left.0.into_iter().chain(right.0)) {
        *byte = child;
    }
    Hash(Sha256::digest(bytes).into())
}

impl Hash {
    /// The hash's bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// In the encoding of checkpoints and proofs.
    pub(super) fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// The inverse of [`to_base64`](Self::to_base64), and of nothing else.
    pub(super) fn from_base64(text: &str) -> Option<Self> {
        Some(Self(STANDARD.decode(text).ok()?.try_into().ok()?))
    }

    /// As records carry it.
    pub(super) fn hex(self) -> [u8; 64] {
        let digit = |value| match value {
            0..=9 => b'0' + value,
            _ => b'a' + value - 10,
        };
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        text
    }
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(str::from_utf8(&self.hex()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = TlogError;

    fn from_str(text: &str) -> Result<Self, TlogError> {
        let digit = |digit: &u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            let problem = "is no hash; a hash is 64 lower-case hexadecimal digits";
            TlogError::about(TlogErrorKind::Malformed, text, problem)
        })
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = Hash;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 lower-case hexadecimal digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hash, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// What identifies a log at one moment: how many lines it has, and the root of the tree over
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// The number of leaves.
    pub size: u64,
    /// The hash over all of them; of nothing, for an empty tree.
    pub root: Hash,
}

/// The Merkle tree over the lines of a log, to which leaves are only ever added.
///
/// It keeps one hash for each level, not the leaves: a few kilobytes, however long the log.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::tlog::{Tree, leaf};
///
/// let mut tree = Tree::default();
/// for line in ["first", "second", "third"] {
///     tree.push(leaf(line.as_bytes()));
/// }
/// assert_eq!(tree.head().size, 3);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    /// By level, the root of the perfect subtree of 2^level leaves that waits for its right
    /// neighbour. Only those whose bit is set in `size` wait; the others are left over.
    waiting: Vec<Hash>,
}

/// Two perfect subtrees of 2^level leaves that have become one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joined {
    pub(super) level: usize,
    pub(super) left: Hash,
    pub(super) right: Hash,
}

impl Tree {
    /// The tree of so many leaves that consists of these perfect subtrees, the last and smallest
    /// first; `None` if it would consist of more or fewer.
    pub(super) fn of_subtrees(size: u64, subtrees: &[Hash]) -> Option<Self> {
        let levels = (0..u64::BITS as usize).filter(|level| size >> level & 1 == 1);
        if subtrees.len() != size.count_ones() as usize {
            return None;
        }
        let depth = (u64::BITS - size.leading_zeros()) as usize;
        let mut waiting = vec![Hash::default(); depth];
        for (level, root) in levels.zip(subtrees) {
            *waiting.get_mut(level)? = *root;
        }
        Some(Self { size, waiting })
    }

    /// Adds a leaf, in amortised constant time.
    pub fn push(&mut self, leaf: Hash) {
        self.push_watched(leaf, |_| {});
    }

    /// Adds a leaf and tells which subtrees it completes, the smallest first.
    pub(super) fn push_watched(&mut self, leaf: Hash, mut watch: impl FnMut(Joined)) {
        let full = self.size.trailing_ones() as usize;
        let mut root = leaf;
        for (level, left) in self.waiting.iter().copied().take(full).enumerate() {
            watch(Joined {
                level,
                left,
                right: root,
            });
            root = node(left, root);
        }
        match self.waiting.get_mut(full) {
            Some(slot) => *slot = root,
            None => self.waiting.push(root),
        }
        self.size += 1;
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hash over all leaves: the "Merkle Tree Hash" of RFC 6962. Its cost grows with the
    /// logarithm of the size.
    pub fn root(&self) -> Hash {
        let subtrees = self.subtrees().map(|(_, root)| root);
        subtrees
            .reduce(|right, left| node(left, right))
            .unwrap_or_else(|| Hash(Sha256::digest([]).into()))
    }

    /// Size and root.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root(),
        }
    }

    /// The levels and roots of the perfect subtrees that the tree consists of, the last and
    /// smallest first.
    pub(super) fn subtrees(&self) -> impl Iterator<Item = (usize, Hash)> {
        let waits = |(level, _): &(usize, Hash)| self.size >> level & 1 == 1;
        self.waiting.iter().copied().enumerate().filter(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of the reference implementation of RFC 6962: lines in hexadecimal, and
    /// the root of the tree of the lines so far.
    const VECTORS: [(&str, &str); 8] = [
        (
            "",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        ),
        (
            "00",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        ),
        (
            "10",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        ),
        (
            "2021",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ),
        (
            "3031",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        ),
        (
            "40414243",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        ),
        (
            "5051525354555657",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        ),
        (
            "606162636465666768696a6b6c6d6e6f",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ),
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn roots_are_those_of_the_published_vectors() {
        let mut tree = Tree::default();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(tree.root().to_string(), empty);
        for (line, root) in VECTORS {
            tree.push(leaf(&bytes(line)));
            assert_eq!(tree.root().to_string(), root);
        }
        assert_eq!(tree.size(), 8);
    }

    /// RFC 6962, section 2.1, word for word.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash(Sha256::digest([]).into()),
            [one] => *one,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(defined(left), defined(right))
            }
        }
    }

    #[test]
    fn a_growing_tree_is_the_one_that_is_defined() {
        let leaves: Vec<Hash> = (0..200_u32).map(|n| leaf(&n.to_be_bytes())).collect();
        let mut tree = Tree::default();
        for (size, leaf) in leaves.iter().enumerate() {
            assert_eq!(tree.root(), defined(&leaves[..size]));
            let subtrees: Vec<Hash> = tree.subtrees().map(|(_, root)| root).collect();
            tree = Tree::of_subtrees(tree.size(), &subtrees).unwrap();
            assert_eq!(tree.root(), defined(&leaves[..size]));
            assert!(Tree::of_subtrees(tree.size() * 2 + 1, &subtrees).is_none());
            tree.push(*leaf);
        }
    }

    #[test]
    fn a_hash_reads_back_as_it_is_written_and_in_no_other_form() {
        let hash = leaf(b"a line");
        let hex = hash.to_string();
        assert_eq!(hex.parse::<Hash>().unwrap(), hash);
        assert_eq!(serde_json::to_string(&hash).unwrap(), format!("\"{hex}\""));
        assert_eq!(
            serde_json::from_str::<Hash>(&format!("\"{hex}\"")).unwrap(),
            hash
        );
        assert_eq!(Hash::from_base64(&hash.to_base64()), Some(hash));
        let short = &hex[1..];
        for other in [
            "",
            short,
            &format!("{hex}0"),
            &hex.to_uppercase(),
            &format!("+{short}"),
        ] {
            let error = other.parse::<Hash>().unwrap_err();
            assert_eq!(error.kind(), TlogErrorKind::Malformed, "{other}");
        }
        for other in [
            "",
            "AAAA",
            &hash.to_base64()[..43],
            &format!("{}\n", hash.to_base64()),
        ] {
            assert_eq!(Hash::from_base64(other), None, "{other}");
        }
    }
}

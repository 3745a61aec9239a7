//! What a log is said to be by reading it all, slowly and in the words of its format.

use aegize::tlog::{Hash, Tree, TreeHead, leaf};
use serde_json::Value;

/// What is to be said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Naive {
    Intact,
    /// The first line that cannot stand behind those before it.
    Misplaced(usize),
    /// The size at which the root is another.
    Rewritten(u64),
    Truncated(usize),
}

/// Reads a log in one file; `heads` are those of checkpoints, the smallest first.
pub(super) fn naive(text: &[u8], heads: &[TreeHead]) -> Naive {
    let (mut tree, mut before) = (Tree::default(), Hash::from([0; 32]));
    let (mut is_numbered, mut is_linked) = (false, false);
    let is_rewritten = |tree: &Tree| {
        let mut of_size = heads.iter().filter(|head| head.size == tree.size());
        of_size.any(|head| *head != tree.head())
    };
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let torn = lines.pop().unwrap();
    let count = lines.len();
    for (position, line) in lines.into_iter().enumerate() {
        let Ok(Value::Object(record)) = serde_json::from_slice(line) else {
            return Naive::Misplaced(position);
        };
        is_numbered |= record.contains_key("seq") || record.contains_key("prev");
        is_linked |= record.contains_key("prev");
        let is_right = (!is_numbered || record.get("seq") == Some(&position.into()))
            && (!is_linked || record.get("prev") == Some(&before.to_string().into()));
        if !is_right {
            return Naive::Misplaced(position);
        }
        if is_rewritten(&tree) {
            return Naive::Rewritten(tree.size());
        }
        before = leaf(line);
        tree.push(before);
    }
    match heads.last() {
        _ if is_rewritten(&tree) => Naive::Rewritten(tree.size()),
        Some(head) if head.size > tree.size() => Naive::Truncated(count),
        _ if !torn.is_empty() => Naive::Misplaced(count),
        _ => Naive::Intact,
    }
}

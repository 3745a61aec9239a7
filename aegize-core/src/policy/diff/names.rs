//! Names of tools and operations, one for each way that rules can tell names apart.

use std::collections::BTreeSet;

use super::languages::Combinations;
use crate::pattern::NameGlob;

/// How often a name is sought that is written nowhere in the policies.
const ROUNDS: usize = 8;

/// Every name.
const ANY: &str = r"\A(?s:.+)\z";

/// All names that are written, and one of each combination of globs that is not.
pub(super) struct Names {
    pub(super) names: Vec<String>,
    /// Whether no combination is missing.
    pub(super) is_exact: bool,
}

impl Names {
    pub(super) fn new<'g>(
        globs: impl Iterator<Item = &'g NameGlob>,
        combinations: &mut Combinations,
    ) -> Self {
        let mut written = BTreeSet::new();
        let mut regexes = BTreeSet::new();
        for glob in globs {
            match glob {
                NameGlob::Exact(name) => {
                    written.insert(&**name);
                }
                NameGlob::Any => {}
                NameGlob::Glob(_) => {
                    regexes.insert(glob.to_regex());
                }
            }
        }
        let others = if regexes.is_empty() {
            let fresh = ["other", "another", "something", "anything"];
            let fresh = fresh.into_iter().find(|name| !written.contains(name));
            fresh.map(|name| vec![name.to_owned()])
        } else {
            unwritten(&regexes, &written, combinations)
        };
        let is_exact = others.is_some();
        let mut names: Vec<String> = written.into_iter().map(str::to_owned).collect();
        names.extend(others.unwrap_or_default());
        Self { names, is_exact }
    }
}

/// A name for each combination of globs; `None` if they cannot all be told.
fn unwritten(
    regexes: &BTreeSet<String>,
    written: &BTreeSet<&str>,
    combinations: &mut Combinations,
) -> Option<Vec<String>> {
    let mut patterns: Vec<String> = vec![ANY.into()];
    patterns.extend(regexes.iter().cloned());
    let first_taken = patterns.len();
    for _ in 0..ROUNDS {
        let cells = combinations.of(patterns.clone())?;
        let others = cells
            .iter()
            .filter(|cell| cell.patterns.last().is_some_and(|last| *last < first_taken))
            .map(|cell| cell.text.clone());
        let (taken, free): (Vec<String>, Vec<String>) =
            others.partition(|name| written.contains(name.as_str()));
        if taken.is_empty() {
            return Some(free);
        }
        // The shortest name of a combination is a written one: another is sought.
        for name in taken {
            patterns.push(NameGlob::Exact(name.into()).to_regex());
        }
    }
    None
}

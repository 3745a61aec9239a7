//! Questions about the languages of patterns: which combinations of them some text matches, and
//! the shortest text that does.
//!
//! Several regular expressions become one automaton, whose states say which of them match. The
//! invariant: an answer is exact, or there is none.

use std::collections::{HashMap, HashSet, VecDeque};

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::alphabet::Unit;
use regex_automata::util::primitives::StateID;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

/// The largest automaton that is built, in bytes.
const LARGEST: usize = 4 << 20;

/// The most memory for building it, in bytes: it bounds the time, too.
const LARGEST_BUILDER: usize = 512 << 10;

/// The most combinations that are told apart.
const MOST_CELLS: usize = 4096;

/// The languages of several patterns, each a regular expression that matches whole texts.
pub(crate) struct Languages {
    automaton: dense::DFA<Vec<u32>>,
    /// A byte for each class of bytes that the automaton tells apart, the plainest first.
    alphabet: Vec<u8>,
    start: StateID,
}

/// A combination of patterns that some text matches, and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The positions of the patterns that match, in ascending order.
    pub(crate) patterns: Vec<usize>,
    /// A shortest text that they match, not empty if there is another one.
    pub(crate) text: String,
}

impl Cell {
    pub(crate) fn contains(&self, pattern: usize) -> bool {
        self.patterns.binary_search(&pattern).is_ok()
    }
}

impl Languages {
    /// `None` if one of the expressions asks for what automata cannot do, or all together are
    /// too large.
    pub(crate) fn new<S: AsRef<str>>(regexes: &[S]) -> Option<Self> {
        let automaton = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .accelerate(false)
                    .match_kind(MatchKind::All)
                    .start_kind(StartKind::Anchored)
                    .dfa_size_limit(Some(LARGEST))
                    .determinize_size_limit(Some(LARGEST_BUILDER)),
            )
            .syntax(syntax::Config::new().utf8(true))
            .build_many(regexes)
            .ok()?;
        let start = automaton
            .start_state_forward(&Input::new("").anchored(Anchored::Yes))
            .ok()?;
        let mut alphabet: Vec<u8> = Vec::new();
        for class in automaton.byte_classes().iter() {
            let bytes = automaton.byte_classes().elements(class);
            alphabet.extend(
                bytes
                    .filter_map(Unit::as_u8)
                    .min_by_key(|byte| plainness(*byte)),
            );
        }
        alphabet.sort_by_key(|byte| plainness(*byte));
        Some(Self {
            automaton,
            alphabet,
            start,
        })
    }

    /// Every combination of patterns that some text matches, those of shorter texts first;
    /// `None` if there are too many. Texts that match none are not among them.
    pub(crate) fn cells(&self) -> Option<Vec<Cell>> {
        let mut cells: Vec<Cell> = Vec::new();
        let mut known = HashSet::new();
        self.walk(|languages, state, trace| {
            let patterns = languages.matched(state);
            if !patterns.is_empty() && known.insert(patterns.clone()) {
                let text = trace();
                cells.push(Cell { patterns, text });
            }
            cells.len() < MOST_CELLS
        })
        .then_some(cells)
    }

    /// A shortest text whose matching patterns are wanted; `None` if there is none.
    pub(crate) fn find(&self, wanted: impl Fn(&[usize]) -> bool) -> Option<String> {
        let mut found = None;
        self.walk(|languages, state, trace| {
            if wanted(&languages.matched(state)) {
                found = Some(trace());
            }
            found.is_none()
        });
        found
    }

    /// Visits the states, nearest first; the start comes last, since the empty text is the least
    /// telling one. Stops when the visitor has seen enough, and tells whether it never had.
    fn walk(&self, mut visit: impl FnMut(&Self, StateID, &dyn Fn() -> String) -> bool) -> bool {
        let mut before: HashMap<StateID, (StateID, u8)> = HashMap::new();
        let mut queue = VecDeque::from([self.start]);
        while let Some(state) = queue.pop_front() {
            for byte in &self.alphabet {
                let next = self.automaton.next_state(state, *byte);
                if self.automaton.is_dead_state(next) || before.contains_key(&next) {
                    continue;
                }
                before.insert(next, (state, *byte));
                queue.push_back(next);
                if next != self.start && !visit(self, next, &|| self.trace(&before, next)) {
                    return false;
                }
            }
        }
        visit(self, self.start, &String::new)
    }

    /// The text that first led to a state.
    fn trace(&self, before: &HashMap<StateID, (StateID, u8)>, state: StateID) -> String {
        let mut bytes = Vec::new();
        let mut state = state;
        while state != self.start
            && let Some((previous, byte)) = before.get(&state)
        {
            bytes.push(*byte);
            state = *previous;
        }
        bytes.reverse();
        // What matches is UTF-8; a state in the middle of a character matches nothing.
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The patterns that match if the text ends in a state.
    fn matched(&self, state: StateID) -> Vec<usize> {
        let end = self.automaton.next_eoi_state(state);
        if !self.automaton.is_match_state(end) {
            return Vec::new();
        }
        let count = self.automaton.match_len(end);
        let matches = (0..count).map(|index| self.automaton.match_pattern(end, index).as_usize());
        let mut patterns: Vec<usize> = matches.collect();
        patterns.sort_unstable();
        patterns
    }
}

/// The order in which bytes are tried, so that texts are fit to be shown.
fn plainness(byte: u8) -> (u8, u8) {
    let rank = match byte {
        b'a'..=b'z' => 0,
        b'0'..=b'9' => 1,
        b'A'..=b'Z' => 2,
        b'_' | b'-' => 3,
        b'.' | b'/' | b'@' | b':' => 4,
        b'!'..=b'~' => 5,
        b' ' => 6,
        0x80.. => 7,
        _ => 8,
    };
    (rank, byte)
}

/// What automata cannot decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undecided;

/// A shortest text that all of some patterns match and none of the others does; `None` if there
/// is no such text.
pub(crate) fn witness<S: AsRef<str>>(all: &[S], none: &[S]) -> Result<Option<String>, Undecided> {
    let regexes: Vec<&str> = all.iter().chain(none).map(AsRef::as_ref).collect();
    let wanted: Vec<usize> = (0..all.len()).collect();
    let languages = Languages::new(&regexes).ok_or(Undecided)?;
    Ok(languages.find(|patterns| patterns == wanted))
}

/// Whether each text that all of some patterns match is matched by one of the others; `None` if
/// that cannot be decided.
pub(crate) fn is_covered<S: AsRef<str>>(all: &[S], others: &[S]) -> Option<bool> {
    witness(all, others).ok().map(|found| found.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::{NameGlob, PathGlob, TextGlob};

    fn text(pattern: &str) -> String {
        TextGlob::new(pattern).unwrap().to_regex()
    }

    #[test]
    fn every_combination_has_a_shortest_text() {
        let names = ["read*", "*_file", "*", "[ab]"];
        let globs = names.map(|name| NameGlob::new(name).unwrap());
        let languages = Languages::new(&globs.each_ref().map(NameGlob::to_regex)).unwrap();
        let cells = languages.cells().unwrap();
        for cell in &cells {
            for (position, glob) in globs.iter().enumerate() {
                assert_eq!(
                    cell.contains(position),
                    glob.is_match(&cell.text),
                    "{cell:?}"
                );
            }
        }
        let found: Vec<(Vec<usize>, &str)> = cells
            .iter()
            .map(|cell| (cell.patterns.clone(), cell.text.as_str()))
            .collect();
        let expected = [
            (vec![2, 3], "a"),
            (vec![2], "c"),
            (vec![0, 2], "read"),
            (vec![1, 2], "_file"),
            (vec![0, 1, 2], "read_file"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn inclusion_is_decided_with_a_counterexample() {
        for (all, none, expected) in [
            (&["a*"] as &[&str], &["*"] as &[&str], None),
            (&["*"], &["a*"], Some("b")),
            (&["**"], &["*"], Some("/")),
            (&["{a,b}"], &["a", "b"], None),
            (&["{a,b}c"], &["a*"], Some("bc")),
            (&["a*", "*b"], &["a?*b"], Some("ab")),
            (&["a*", "b*"], &[], None),
            (&["a?"], &["a[!x]"], Some("ax")),
            (&["[!a-z]"], &[], Some("0")),
            (&["é*"], &["éa*"], Some("é")),
            (&["[à-ü]"], &["[à-é]"], Some("ê")),
        ] {
            let regexes = |patterns: &[&str]| -> Vec<String> {
                patterns.iter().map(|pattern| text(pattern)).collect()
            };
            let found = witness(&regexes(all), &regexes(none)).unwrap();
            assert_eq!(found.as_deref(), expected, "{all:?} {none:?}");
        }
    }

    #[test]
    fn what_cannot_be_decided_is_not() {
        // A Unicode word boundary, and more states than memory.
        for regexes in [
            vec![r"\A(?:\bé\b)\z".to_owned()],
            (0..40).map(|n| text(&format!("*{n}*{n}*"))).collect(),
        ] {
            assert!(Languages::new(&regexes).is_none());
        }
    }

    #[test]
    fn the_domain_holds_the_normal_forms_of_paths_and_nothing_else() {
        let domain = PathGlob::domain_regex();
        let is_match = |text: &str| regex::Regex::new(&domain).unwrap().is_match(text);
        for text in [
            "", "a", "/", "/a", "a/b.c", ".a", "..a", "...", "/~", "a/~", "c:/x", "a b",
        ] {
            assert!(is_match(text), "{text:?}");
        }
        for text in [
            ".",
            "..",
            "a/",
            "//",
            "/.",
            "a/..",
            "a//b",
            "~",
            "~a/b",
            "a\n",
            "a/\u{9b}b",
        ] {
            assert!(!is_match(text), "{text:?}");
        }
        for (glob, expected) in [
            ("./{.,..}/x", None),
            ("[~]*", None),
            ("/[~]*", Some("/~")),
            ("./a/**", Some("a")),
            ("**", Some("a")),
            ("/**", Some("/")),
        ] {
            let glob = PathGlob::new(glob).unwrap().to_regex();
            let found = witness(&[domain.clone(), glob.clone()], &[]).unwrap();
            assert_eq!(found.as_deref(), expected, "{glob}");
        }
    }
}

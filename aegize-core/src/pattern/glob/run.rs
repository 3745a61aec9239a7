//! Matching: every state of the pattern that the text so far can lead to, moved on character by
//! character.

use super::{Glob, LONGEST, Set, Token};

/// Words that hold a state for each token of the longest pattern: at most two a byte, and the end.
const MOST_WORDS: usize = 2 * LONGEST / 64 + 1;

impl Glob {
    /// Whether the whole text matches.
    pub(in crate::pattern) fn is_match(&self, text: &str) -> bool {
        let mut tokens = &*self.tokens;
        let mut text = text;
        // Literal ends are compared first: most texts fail there.
        while let [Token::Literal(c), rest @ ..] = tokens {
            let Some(after) = text.strip_prefix(*c) else {
                return false;
            };
            (tokens, text) = (rest, after);
        }
        while let [rest @ .., Token::Literal(c)] = tokens {
            let Some(before) = text.strip_suffix(*c) else {
                return false;
            };
            (tokens, text) = (rest, before);
        }
        match tokens {
            [] => text.is_empty(),
            [Token::Many(Set::Any)] => true,
            _ if tokens.len() < 64 => self.run::<1>(tokens, text),
            _ => self.run::<MOST_WORDS>(tokens, text),
        }
    }

    fn run<const WORDS: usize>(&self, tokens: &[Token], text: &str) -> bool {
        let mut states = States::<WORDS>::NONE;
        states.insert(0);
        // A text begins where a segment does.
        let mut before = '/';
        for c in text.chars() {
            states = self.step(tokens, &mut states, before, Some(c));
            if states.is_empty() {
                return false;
            }
            before = c;
        }
        self.step(tokens, &mut states, before, None);
        states.contains(tokens.len())
    }

    /// Adds the states that need no character, and gives those after the next one; at the end of
    /// the text there is no next one.
    fn step<const WORDS: usize>(
        &self,
        tokens: &[Token],
        states: &mut States<WORDS>,
        before: char,
        next: Option<char>,
    ) -> States<WORDS> {
        let mut after = States::NONE;
        let mut from = 0;
        // States are only added further on, so one pass meets them all.
        while let Some(state) = states.first(from) {
            from = state + 1;
            let Some(token) = tokens.get(state) else {
                break;
            };
            match *token {
                Token::Literal(c) => {
                    if next == Some(c) {
                        after.insert(state + 1);
                    }
                }
                Token::One(set) => {
                    if next.is_some_and(|c| self.set_holds(set, c)) {
                        after.insert(state + 1);
                    }
                }
                Token::Many(set) => {
                    states.insert(state + 1);
                    if next.is_some_and(|c| self.set_holds(set, c)) {
                        after.insert(state);
                    }
                }
                Token::Directories => {
                    if before == '/' {
                        states.insert(state + 1);
                    }
                    after.insert(state);
                }
                Token::Below => {
                    states.insert(state + 2);
                    if next == Some('/') {
                        after.insert(state + 1);
                    }
                }
                Token::Branch(other) => {
                    states.insert(state + 1);
                    if let Some(distance) = other {
                        states.insert(state + usize::from(distance));
                    }
                }
                Token::Join(distance) => states.insert(state + usize::from(distance)),
            }
        }
        after
    }
}

/// A set of positions in a pattern.
struct States<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> States<WORDS> {
    const NONE: Self = Self([0; WORDS]);

    fn insert(&mut self, state: usize) {
        if let Some(word) = self.0.get_mut(state / 64) {
            *word |= 1 << (state % 64);
        }
    }

    fn contains(&self, state: usize) -> bool {
        let word = self.0.get(state / 64);
        word.is_some_and(|word| word & (1 << (state % 64)) != 0)
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The first state that is not before another.
    fn first(&self, from: usize) -> Option<usize> {
        let mut mask = u64::MAX << (from % 64);
        for (index, word) in self.0.iter().enumerate().skip(from / 64) {
            let word = word & mask;
            if word != 0 {
                return Some(index * 64 + word.trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
    }
}

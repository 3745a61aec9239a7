//! Texts for combinations of regular expressions, remembered: many rules ask the same.

use std::collections::HashMap;
use std::rc::Rc;

use crate::pattern::{Cell, Languages};

/// The combinations that were asked for so far.
#[derive(Default)]
pub(super) struct Combinations(HashMap<Vec<String>, Option<Rc<[Cell]>>>);

impl Combinations {
    /// A text for each combination of expressions that some text matches; `None` if they cannot
    /// all be told.
    pub(super) fn of(&mut self, regexes: Vec<String>) -> Option<Rc<[Cell]>> {
        let known = self.0.entry(regexes);
        known
            .or_insert_with_key(|regexes| Some(Languages::new(regexes)?.cells()?.into()))
            .clone()
    }
}

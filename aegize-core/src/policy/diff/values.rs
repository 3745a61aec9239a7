//! Values of an argument: on both sides of everything that conditions ask of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::dimension::path_texts;
use super::languages::Combinations;
use crate::pattern::{
    Decimal, EmailPattern, HostPattern, PathGlob, TextGlob, UrlPattern, literal_regex, url_examples,
};
use crate::policy::condition::{ArgumentCondition, Expectation, Literal, Matcher, TestKind};

/// The longest text or list that is made.
const LONGEST: usize = 4096;

/// The longest length that is counted together with what else is asked of a text.
const LONGEST_COUNTED: usize = 64;

/// What an argument may be, apart from what no matcher can read.
pub(super) struct Values {
    pub(super) scalars: Vec<Value>,
    /// Lists that are not sets of scalars.
    pub(super) lists: Vec<Vec<Value>>,
    /// How long lists have to be made, too.
    pub(super) lengths: BTreeSet<usize>,
    /// Whether all that the conditions tell apart is there.
    pub(super) is_exact: bool,
}

/// How much of a value there is to read.
pub(super) fn cost(value: &Value) -> usize {
    let plain = value.to_string().len();
    match value {
        // Less telling than a text.
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => plain + 8,
        _ => plain,
    }
}

pub(super) fn of(conditions: &[&ArgumentCondition], combinations: &mut Combinations) -> Values {
    let mut asked = Asked::default();
    for condition in conditions {
        if let Expectation::Matching { matcher, .. } = &condition.expectation {
            asked.matcher(matcher);
        }
    }
    asked.values(combinations)
}

/// All that is asked of one argument.
#[derive(Default)]
struct Asked<'p> {
    literals: Vec<&'p Literal>,
    ends: BTreeSet<Decimal>,
    lengths: BTreeSet<usize>,
    regexes: BTreeSet<String>,
    paths: Vec<&'p PathGlob>,
    urls: Vec<&'p UrlPattern>,
    /// Addresses, hosts and command lines.
    texts: BTreeSet<String>,
    lists: Vec<Vec<String>>,
}

impl<'p> Asked<'p> {
    fn matcher(&mut self, matcher: &'p Matcher) {
        for test in &matcher.0 {
            self.test(&test.kind);
        }
    }

    fn test(&mut self, test: &'p TestKind) {
        match test {
            TestKind::OneOf(literals) | TestKind::NotOneOf(literals) => {
                self.literals.extend(literals);
                for literal in literals {
                    match literal {
                        Literal::Bool(_) => {}
                        Literal::Number(number) => {
                            self.ends.insert(*number);
                        }
                        Literal::Text(word) => {
                            self.regexes.insert(literal_regex(word));
                        }
                    }
                }
            }
            TestKind::Bound(_, end) => {
                self.ends.insert(*end);
            }
            TestKind::MaxLength(most) => {
                self.lengths.insert(*most);
            }
            TestKind::Glob(globs) => {
                self.regexes.extend(globs.iter().map(TextGlob::to_regex));
            }
            TestKind::Matches(patterns) => {
                let texts = patterns.iter().map(|pattern| pattern.as_str().to_owned());
                self.regexes.extend(texts);
            }
            TestKind::Path { patterns, .. } => {
                self.paths
                    .extend(patterns.iter().map(|pattern| &pattern.glob));
            }
            TestKind::Email(patterns) => {
                self.texts
                    .extend(patterns.iter().flat_map(EmailPattern::examples));
            }
            TestKind::Host(patterns) => {
                self.texts
                    .extend(patterns.iter().flat_map(HostPattern::examples));
            }
            TestKind::Url(pattern) => self.urls.push(pattern),
            TestKind::Command(programs) => {
                for program in programs {
                    let name = program.as_str();
                    let words = |second: &str| vec![name.to_owned(), second.to_owned()];
                    self.texts.extend(program.examples());
                    self.lists.extend([words("status"), words("a;b")]);
                }
                self.texts.insert("other; other".into());
            }
            TestKind::Not(inner) => self.matcher(inner),
        }
    }

    fn values(self, combinations: &mut Combinations) -> Values {
        let mut is_exact = true;
        let mut scalars: Vec<Value> = vec!["other".into(), 0.into(), true.into(), false.into()];
        for literal in &self.literals {
            match literal {
                Literal::Text(text) => scalars.push((**text).into()),
                Literal::Bool(_) | Literal::Number(_) => {}
            }
        }
        let (numbers, is_complete) = numbers(&self.ends);
        is_exact &= is_complete;
        scalars.extend(numbers);

        let (mut texts, is_complete) = self.texts(combinations);
        is_exact &= is_complete;
        if !self.paths.is_empty() {
            let (paths, is_complete) = path_texts(&self.paths, combinations);
            is_exact &= is_complete && self.regexes.is_empty() && self.texts.is_empty();
            texts.extend(paths);
            texts.insert("~/a".into());
        }
        if !self.urls.is_empty() {
            let (urls, is_complete) = url_examples(&self.urls);
            is_exact &= is_complete;
            texts.extend(urls);
        }
        // Kinds of texts that are made apart from one another.
        let is_special = !self.texts.is_empty() || !self.urls.is_empty();
        is_exact &= !is_special || self.regexes.is_empty();
        texts.extend(self.texts);
        scalars.extend(texts.into_iter().map(Value::from));

        is_exact &= self.lengths.iter().all(|length| *length < LONGEST);
        let lengths = self.lengths.iter().filter(|length| **length < LONGEST);
        let lengths = lengths.flat_map(|length| [*length, length + 1]).collect();
        let lists = self.lists.into_iter();
        Values {
            scalars,
            lists: lists
                .map(|words| words.into_iter().map(Value::from).collect())
                .collect(),
            lengths,
            is_exact,
        }
    }

    /// Texts for the regular expressions and the lengths, in every combination.
    fn texts(&self, combinations: &mut Combinations) -> (BTreeSet<String>, bool) {
        let mut texts: BTreeSet<String> = self
            .lengths
            .iter()
            .filter(|length| **length < LONGEST)
            .flat_map(|length| ["a".repeat(*length), "a".repeat(length + 1)])
            .collect();
        if self.regexes.is_empty() {
            return (texts, true);
        }
        let mut regexes = vec![r"\A(?s:.*)\z".to_owned()];
        regexes.extend(self.regexes.iter().cloned());
        let counted = self
            .lengths
            .iter()
            .filter(|length| **length <= LONGEST_COUNTED);
        let lengths: Vec<String> = counted
            .map(|length| format!(r"\A(?s:.{{0,{length}}})\z"))
            .collect();
        let is_counted = lengths.len() == self.lengths.len();
        let mut cells = |regexes: Vec<String>| -> Option<Vec<String>> {
            let cells = combinations.of(regexes)?;
            Some(cells.iter().map(|cell| cell.text.clone()).collect())
        };
        if let Some(cells) = cells([regexes.clone(), lengths].concat()) {
            texts.extend(cells);
            return (texts, is_counted);
        }
        if let Some(cells) = cells(regexes) {
            texts.extend(cells);
            return (texts, self.lengths.is_empty());
        }
        for regex in &self.regexes {
            texts.extend(cells(vec![regex.clone()]).unwrap_or_default());
        }
        (texts, false)
    }
}

/// Numbers at, between and beyond the ends of ranges, and whether none is missing.
fn numbers(ends: &BTreeSet<Decimal>) -> (Vec<Value>, bool) {
    let mut numbers = Vec::new();
    let mut is_exact = true;
    let (Some(first), Some(last)) = (ends.first(), ends.last()) else {
        return (numbers, true);
    };
    for end in ends {
        let number = end.to_json();
        is_exact &= number.is_some();
        numbers.extend(number);
    }
    let mut before = None;
    for end in ends {
        if let Some(before) = before {
            let between = Decimal::between(before, end);
            is_exact &= between.is_some();
            numbers.extend(between);
        }
        before = Some(end);
    }
    let (below, above) = (first.step(-1.0), last.step(1.0));
    is_exact &= below.is_some() && above.is_some();
    numbers.extend(below);
    numbers.extend(above);
    (numbers, is_exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_at_between_and_beyond_the_ends() {
        for (texts, expected) in [
            (&["100"] as &[&str], "[100,99,101]"),
            (&["0", "0.1"], "[0,0.1,0.05,-1,1]"),
            (&["1", "2"], "[1,2,1.5,0,3]"),
            (&["-5", "5"], "[-5,5,0,-6,6]"),
            (
                &["18446744073709551614", "18446744073709551615"],
                "[18446744073709551614,18446744073709551615,9223372036854776000,1.8446744073709552e+19]",
            ),
        ] {
            let ends = texts
                .iter()
                .map(|text| Decimal::parse(text).unwrap())
                .collect();
            let (numbers, _) = numbers(&ends);
            assert_eq!(Value::Array(numbers).to_string(), expected, "{texts:?}");
        }
        let fine = BTreeSet::from([Decimal::parse("0.1234567890123456789012345").unwrap()]);
        assert!(!numbers(&fine).1);
    }
}

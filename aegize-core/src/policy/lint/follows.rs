//! Whether what one rule asks of a call follows from what another one asks.
//!
//! Globs and regular expressions are compared as languages, numbers as ranges, lists entry by
//! entry. What is not decided is said not to follow. The invariant: if conditions follow, no call
//! satisfies the others and not them.

use super::super::condition::{
    ArgumentCondition, Bound, Expectation, Literal, Matcher, Standard, TestKind,
};
use super::super::document::{Conditions, PathPattern};
use crate::pattern::{Decimal, Match, PathGlob, is_covered};

/// Whether something follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Follows {
    /// It does not, or that is not decided.
    No,
    /// For paths as they are written, but symbolic links might lead from one to another.
    ByText,
    Always,
}

impl Follows {
    fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        answers.into_iter().min().unwrap_or(Self::Always)
    }

    fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        answers.into_iter().max().unwrap_or(Self::No)
    }
}

impl From<bool> for Follows {
    fn from(follows: bool) -> Self {
        if follows { Self::Always } else { Self::No }
    }
}

/// Conditions, and what it takes to satisfy them.
#[derive(Clone, Copy)]
pub(super) struct Asked<'r> {
    pub(super) conditions: &'r Conditions,
    pub(super) standard: Standard,
}

/// Whether conditions on paths and arguments follow from others; risk is not looked at.
pub(super) fn follows(conclusion: Asked<'_>, premise: Asked<'_>) -> Follows {
    // What is merely possible proves nothing.
    if conclusion.standard == Standard::Proved && premise.standard == Standard::Possible {
        let asked = conclusion.conditions;
        return Follows::from(asked.paths.is_none() && asked.arguments.is_empty());
    }
    let paths = call_paths(conclusion, premise);
    let arguments = conclusion
        .conditions
        .arguments
        .iter()
        .map(|condition| argument(condition, conclusion.standard, premise));
    Follows::all(std::iter::once(paths).chain(arguments))
}

fn call_paths(conclusion: Asked<'_>, premise: Asked<'_>) -> Follows {
    let Some(wanted) = &conclusion.conditions.paths else {
        return Follows::Always;
    };
    let Some(given) = &premise.conditions.paths else {
        return Follows::No;
    };
    let wanted = Paths {
        patterns: wanted,
        standard: conclusion.standard,
        follows_links: conclusion.conditions.follows_links,
    };
    let given = Paths {
        patterns: given,
        standard: premise.standard,
        follows_links: premise.conditions.follows_links,
    };
    wanted.follow(&given)
}

/// Patterns for paths, and how they are asked.
struct Paths<'r> {
    patterns: &'r [PathPattern],
    standard: Standard,
    follows_links: bool,
}

impl Paths<'_> {
    fn regexes(&self) -> Vec<String> {
        let regex = |pattern: &PathPattern| match self.standard {
            Standard::Proved => pattern.glob.to_regex(),
            Standard::Possible => pattern.glob.to_possible_regex(),
        };
        self.patterns.iter().map(regex).collect()
    }

    fn follow(&self, premise: &Self) -> Follows {
        let is_written = |given: &PathPattern| {
            let mut wanted = self.patterns.iter();
            wanted.any(|wanted| wanted.text == given.text)
        };
        if self.standard == premise.standard
            && self.follows_links == premise.follows_links
            && premise.patterns.iter().all(is_written)
        {
            return Follows::Always;
        }
        let wanted = self.regexes();
        let is_inside = |given: &String| {
            is_covered(&[PathGlob::domain_regex(), given.clone()], &wanted) == Some(true)
        };
        if !premise.regexes().iter().all(is_inside) {
            return Follows::No;
        }
        if self.is_textual(premise) || premise.patterns.iter().all(|given| self.holds_links(given))
        {
            return Follows::Always;
        }
        Follows::ByText
    }

    /// Whether links change nothing: what the premise says of the text is enough.
    fn is_textual(&self, premise: &Self) -> bool {
        match (premise.standard, self.standard) {
            (Standard::Proved, Standard::Proved) => !self.follows_links,
            (Standard::Possible, _) => !premise.follows_links,
            (Standard::Proved, Standard::Possible) => true,
        }
    }

    /// Whether one of the patterns holds all that another one does wherever links lead.
    fn holds_links(&self, given: &PathPattern) -> bool {
        self.follows_links
            && self.patterns.iter().any(|wanted| {
                let regexes = (given.glob.to_regex(), wanted.glob.to_regex());
                wanted.glob.begins_like(&given.glob)
                    && is_covered(&[PathGlob::domain_regex(), regexes.0], &[regexes.1])
                        == Some(true)
            })
    }
}

fn argument(condition: &ArgumentCondition, standard: Standard, premise: Asked<'_>) -> Follows {
    let given = premise
        .conditions
        .arguments
        .iter()
        .filter(|given| given.pointer == condition.pointer);
    Follows::any(given.map(|given| {
        match (&given.expectation, &condition.expectation) {
            (Expectation::Present(given), Expectation::Present(wanted)) => {
                Follows::from(given == wanted)
            }
            // An absent value satisfies nothing else.
            (Expectation::Present(given), Expectation::Matching { is_optional, .. }) => {
                Follows::from(!given && *is_optional)
            }
            (Expectation::Matching { is_optional, .. }, Expectation::Present(wanted)) => {
                Follows::from(!is_optional && *wanted)
            }
            (
                Expectation::Matching {
                    matcher: given,
                    is_optional: may_be_absent,
                },
                Expectation::Matching {
                    matcher: wanted,
                    is_optional,
                },
            ) => {
                if *may_be_absent && !is_optional {
                    return Follows::No;
                }
                matcher(wanted, standard, given, premise.standard)
            }
        }
    }))
}

/// Whether every value, list or not, that satisfies one matcher satisfies another.
fn matcher(wanted: &Matcher, to: Standard, given: &Matcher, from: Standard) -> Follows {
    // An empty list proves everything of its elements, and makes nothing of them possible.
    if from != to && wanted.has_element_tests() {
        return Follows::No;
    }
    Follows::all(wanted.0.iter().map(|wanted| {
        let is_about_lists = wanted.kind.is_about_lists();
        let kinds = given.0.iter().map(|test| &test.kind);
        let alike: Vec<&TestKind> = kinds
            .filter(|kind| kind.is_about_lists() == is_about_lists)
            .collect();
        test(&wanted.kind, &alike, from)
    }))
}

/// Whether a test holds of every value of which others hold. To hold is to say yes where things
/// are proved, and not to say no where they are possible.
fn test(wanted: &TestKind, given: &[&TestKind], standard: Standard) -> Follows {
    let literals = given.iter().find_map(|kind| match kind {
        TestKind::OneOf(literals) => Some(literals),
        _ => None,
    });
    if let Some(literals) = literals {
        return one_of(wanted, literals, given, standard);
    }
    match wanted {
        TestKind::OneOf(_) => Follows::No,
        TestKind::NotOneOf(excluded) => {
            let is_excluded = |literal: &Literal| {
                given
                    .iter()
                    .any(|kind| !holds(kind.judge_literal(literal), standard))
            };
            let follows = Follows::from(excluded.iter().all(is_excluded));
            follows.min(certainty(wanted, given))
        }
        TestKind::Bound(bound, end) => Follows::from(given.iter().any(|kind| match kind {
            TestKind::Bound(given, other) => is_tighter((*given, *other), (*bound, *end)),
            _ => false,
        })),
        TestKind::MaxLength(most) => Follows::from(
            given
                .iter()
                .any(|kind| matches!(kind, TestKind::MaxLength(other) if other <= most)),
        ),
        TestKind::Glob(_) | TestKind::Matches(_) => {
            let premises: Vec<String> = given.iter().filter_map(|kind| kind.to_regex()).collect();
            let wanted = wanted.to_regex().into_iter().collect::<Vec<_>>();
            Follows::from(!premises.is_empty() && is_covered(&premises, &wanted) == Some(true))
        }
        TestKind::Path {
            patterns,
            follows_links,
        } => Follows::any(given.iter().map(|kind| {
            match kind {
                TestKind::Path {
                    patterns: others,
                    follows_links: others_follow,
                } => Paths {
                    patterns,
                    standard,
                    follows_links: *follows_links,
                }
                .follow(&Paths {
                    patterns: others,
                    standard,
                    follows_links: *others_follow,
                }),
                _ => Follows::No,
            }
        })),
        TestKind::Email(_) | TestKind::Host(_) | TestKind::Url(_) | TestKind::Command(_) => {
            Follows::from(given.iter().any(|kind| lists(wanted, kind)))
        }
        TestKind::Not(inner) => negated(inner, given, standard),
    }
}

fn holds(answer: Match, standard: Standard) -> bool {
    match standard {
        Standard::Proved => answer == Match::Yes,
        Standard::Possible => answer != Match::No,
    }
}

/// Where only so many values are left, each is tried. Those that cannot be read satisfy all
/// that need only be possible.
fn one_of(
    wanted: &TestKind,
    literals: &[Literal],
    given: &[&TestKind],
    standard: Standard,
) -> Follows {
    let satisfies = |kind: &TestKind, literal| holds(kind.judge_literal(literal), standard);
    let mut left = literals
        .iter()
        .filter(|literal| given.iter().all(|kind| satisfies(kind, literal)));
    Follows::from(left.all(|literal| satisfies(wanted, literal))).min(certainty(wanted, given))
}

/// What is judged by the text of paths holds for the text.
fn certainty(wanted: &TestKind, given: &[&TestKind]) -> Follows {
    if wanted.is_about_paths() || given.iter().any(|kind| kind.is_about_paths()) {
        Follows::ByText
    } else {
        Follows::Always
    }
}

/// Whether each entry of one list lies within an entry of another.
fn lists(wanted: &TestKind, given: &TestKind) -> bool {
    match (wanted, given) {
        (TestKind::Email(wanted), TestKind::Email(given)) => given
            .iter()
            .all(|given| wanted.iter().any(|wanted| wanted.covers(given))),
        (TestKind::Host(wanted), TestKind::Host(given)) => given
            .iter()
            .all(|given| wanted.iter().any(|wanted| wanted.covers(given))),
        (TestKind::Url(wanted), TestKind::Url(given)) => wanted.covers(given),
        (TestKind::Command(wanted), TestKind::Command(given)) => {
            given.iter().all(|given| wanted.contains(given))
        }
        _ => false,
    }
}

/// Whether what one end of a range admits lies within another.
fn is_tighter((given, at): (Bound, Decimal), (wanted, end): (Bound, Decimal)) -> bool {
    match (given, wanted) {
        (Bound::Min, Bound::Above) => at > end,
        (Bound::Min | Bound::Above, Bound::Min) | (Bound::Above, Bound::Above) => at >= end,
        (Bound::Max, Bound::Below) => at < end,
        (Bound::Max | Bound::Below, Bound::Max) | (Bound::Below, Bound::Below) => at <= end,
        _ => false,
    }
}

/// `not` turns everything around: what is excluded has to lie within what was excluded before,
/// and what was only possible has now to be proved.
fn negated(inner: &Matcher, given: &[&TestKind], standard: Standard) -> Follows {
    let flipped = match standard {
        Standard::Proved => Standard::Possible,
        Standard::Possible => Standard::Proved,
    };
    let excluded: Vec<&TestKind> = inner.0.iter().map(|test| &test.kind).collect();
    let by_negation = given.iter().map(|kind| match kind {
        TestKind::Not(other) => Follows::all(
            other
                .0
                .iter()
                .map(|other| test(&other.kind, &excluded, flipped)),
        ),
        _ => Follows::No,
    });
    Follows::any(by_negation).max(Follows::from(are_apart(&excluded, given)))
}

/// Whether texts that match all of some globs and expressions never match all of others.
fn are_apart(some: &[&TestKind], others: &[&TestKind]) -> bool {
    let regexes = |kinds: &[&TestKind]| -> Vec<String> {
        kinds.iter().filter_map(|kind| kind.to_regex()).collect()
    };
    let (some_regexes, others) = (regexes(some), regexes(others));
    let are_texts =
        !some_regexes.is_empty() && some_regexes.len() == some.len() && !others.is_empty();
    are_texts && is_covered(&[some_regexes, others].concat(), &[]) == Some(true)
}

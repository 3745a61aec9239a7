//! What a policy may decide about a call of which not everything is known.
//!
//! Each condition is told as holding, not holding, or unknown, and a rule of which that is
//! unknown leaves both ways open. The invariant: whatever the unknown parts are, the decision is
//! one of the outcomes; if nothing is unknown, there is one, that of [`evaluate`](super::evaluate).

use std::collections::{BTreeSet, VecDeque};

use super::PermissionPolicy;
use super::condition::{ArgumentCondition, Standard};
use super::document::{Conditions, Place, Rule, Section};
use super::evaluate::{Decision, Facts, Mismatch, paths_mismatch};
use crate::arguments::{Argument, Arguments, Call, RecordedArguments, Unknown};

/// Something that is not known of a call and that a decision hangs on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Doubt {
    /// An argument's value.
    Argument(String, Unknown),
    /// Whether there are arguments beyond those that are shown.
    More,
    /// Which of these arguments the tool declares to be paths.
    Declared(Vec<String>),
}

/// A decision that is possible, and the rule that makes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Possible<'p> {
    pub(crate) decision: Decision,
    pub(crate) rule: Option<(&'p str, &'p Place)>,
}

/// Whether something holds.
enum Truth {
    Yes,
    No,
    Unknown(BTreeSet<Doubt>),
}

impl Truth {
    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Yes => other(),
            Self::No => Self::No,
            Self::Unknown(mut doubts) => match other() {
                Self::Yes => Self::Unknown(doubts),
                Self::No => Self::No,
                Self::Unknown(more) => {
                    doubts.extend(more);
                    Self::Unknown(doubts)
                }
            },
        }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown @ Self::Unknown(_) => unknown,
        }
    }

    fn doubts(&self) -> Option<&BTreeSet<Doubt>> {
        match self {
            Self::Unknown(doubts) => Some(doubts),
            Self::Yes | Self::No => None,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// What is known of a call whose arguments are read back from a record.
pub(crate) struct Knowledge<'a> {
    recorded: &'a RecordedArguments,
    /// The call without its arguments.
    bare: Facts<'a>,
    /// The known arguments, in every way they may have been given.
    readings: Vec<Facts<'a>>,
}

/// The ways in which recorded arguments may have been given: none declared to be a path, or one
/// of those that may be. How a rule judges several declared ones follows from how it judges each.
pub(crate) fn readings<'a>(
    call: Call<'_>,
    recorded: &'a RecordedArguments,
    with_fields: Option<&'a RecordedArguments>,
) -> Vec<Vec<Argument<'a>>> {
    let paths = possible_paths(call, recorded);
    let declared: Vec<_> = std::iter::once(None)
        .chain(paths.into_iter().map(Some))
        .collect();
    std::iter::once(recorded)
        .chain(with_fields)
        .flat_map(|recorded| declared.iter().map(|path| recorded.known(*path)))
        .collect()
}

fn possible_paths<'a>(call: Call<'_>, recorded: &'a RecordedArguments) -> Vec<&'a str> {
    let bare = Call {
        arguments: Arguments::Captured(&[]),
        ..call
    };
    recorded.possible_paths(!bare.candidate_paths().is_empty())
}

impl<'a> Knowledge<'a> {
    /// Of a call with those readings of its arguments.
    pub(crate) fn new(
        call: Call<'a>,
        recorded: &'a RecordedArguments,
        readings: &'a [Vec<Argument<'a>>],
    ) -> Self {
        let facts = |arguments| {
            let arguments = Arguments::Captured(arguments);
            Facts::new(Call { arguments, ..call }, None)
        };
        Self {
            recorded,
            bare: facts(&[]),
            readings: readings.iter().map(|known| facts(known)).collect(),
        }
    }

    fn call(&self) -> &Call<'a> {
        &self.bare.call
    }

    /// Everything that is not known of the arguments.
    fn doubts(&self) -> BTreeSet<Doubt> {
        let unknown = self.recorded.unknown();
        let more = (!self.recorded.is_complete).then_some(Doubt::More);
        unknown
            .map(|(name, why)| Doubt::Argument(name.to_owned(), why))
            .chain(more)
            .collect()
    }

    /// Why it is not known what an argument is, if it is not.
    fn doubt(&self, name: &str) -> Option<Doubt> {
        let mut arguments = self.recorded.arguments.iter();
        match arguments.find(|argument| argument.name == name) {
            Some(argument) => {
                let why = argument.value.as_ref().err()?;
                Some(Doubt::Argument(name.to_owned(), *why))
            }
            None => (!self.recorded.is_complete).then_some(Doubt::More),
        }
    }

    /// What all readings say together.
    fn agreement(&self, holds: impl Fn(&Facts<'a>) -> bool) -> Truth {
        let mut answers = self.readings.iter().map(holds);
        let first = answers.next().unwrap_or(false);
        if answers.all(|answer| answer == first) {
            return first.into();
        }
        let paths = possible_paths(*self.call(), self.recorded);
        let paths = paths.into_iter().map(str::to_owned).collect();
        Truth::Unknown(BTreeSet::from([Doubt::Declared(paths)]))
    }

    fn applies(&self, rule: &Rule) -> Truth {
        let call = self.call();
        if !rule.covers(call.tool_name, call.operation) {
            return Truth::No;
        }
        let must_be_proved = rule.section == Section::Allow;
        if let Some(environment) = rule.environment {
            let is_it = call.environment().map(|known| known == environment);
            if !is_it.unwrap_or(!must_be_proved) {
                return Truth::No;
            }
        }
        if must_be_proved {
            return self.is_proved(&rule.conditions);
        }
        rule.unless
            .iter()
            .fold(self.is_possible(&rule.conditions), |truth, exemption| {
                truth.and(|| self.is_proved(exemption).not())
            })
    }

    fn is_proved(&self, conditions: &Conditions) -> Truth {
        let risk = self.call().risk_level;
        Truth::from(conditions.risk.is_none_or(|max| risk <= max))
            .and(|| self.paths_are_proved(conditions))
            .and(|| self.arguments_hold(&conditions.arguments, Standard::Proved))
    }

    fn is_possible(&self, conditions: &Conditions) -> Truth {
        let risk = self.call().risk_level;
        Truth::from(conditions.risk.is_none_or(|min| risk >= min))
            .and(|| self.paths_are_possible(conditions))
            .and(|| self.arguments_hold(&conditions.arguments, Standard::Possible))
    }

    fn paths_are_proved(&self, conditions: &Conditions) -> Truth {
        if conditions.paths.is_none() {
            return Truth::Yes;
        }
        let doubts = self.doubts();
        if doubts.is_empty() {
            return self
                .agreement(|facts| paths_mismatch(conditions, Standard::Proved, facts).is_none());
        }
        // A path that is known to be outside is enough, whatever the others are.
        match paths_mismatch(conditions, Standard::Proved, &self.bare) {
            Some(Mismatch::Path(..)) => Truth::No,
            _ => Truth::Unknown(doubts),
        }
    }

    fn paths_are_possible(&self, conditions: &Conditions) -> Truth {
        if conditions.paths.is_none() {
            return Truth::Yes;
        }
        let doubts = self.doubts();
        if doubts.is_empty() {
            return self.agreement(|facts| {
                paths_mismatch(conditions, Standard::Possible, facts).is_none()
            });
        }
        // A path that is known to be inside is enough, whatever the others are.
        match paths_mismatch(conditions, Standard::Possible, &self.bare) {
            None => Truth::Yes,
            Some(_) => Truth::Unknown(doubts),
        }
    }

    fn arguments_hold(&self, conditions: &[ArgumentCondition], standard: Standard) -> Truth {
        conditions.iter().fold(Truth::Yes, |truth, condition| {
            truth.and(|| match self.doubt(&condition.pointer.argument) {
                Some(doubt) => Truth::Unknown(BTreeSet::from([doubt])),
                None => self.agreement(|facts| {
                    let answer = condition.ask(facts.call.arguments, standard, None);
                    condition.holds(answer, standard)
                }),
            })
        })
    }
}

impl PermissionPolicy {
    /// Every decision that is possible if that agent makes the call, each with its rule, in the
    /// order the rules are asked, and what would have to be known to tell which it is.
    pub(crate) fn possible<'p>(
        &'p self,
        agent_id: &str,
        knowledge: &Knowledge<'_>,
    ) -> (Vec<Possible<'p>>, BTreeSet<Doubt>) {
        let mut outcomes = Vec::new();
        let mut doubts = BTreeSet::new();
        let call = knowledge.call();
        let rules = self.0.agent(agent_id).into_iter();
        let mut applying: VecDeque<(&'p Rule, Truth)> = rules
            .flat_map(|agent| agent.candidates(call.tool_name, call.operation))
            .map(|rule| (rule, knowledge.applies(rule)))
            .filter(|(_, truth)| !matches!(truth, Truth::No))
            .collect();
        while let Some((rule, truth)) = applying.pop_front() {
            let possible = Possible {
                decision: rule.section.into(),
                rule: Some((&rule.name, &rule.place)),
            };
            // What only tightens asks about what would be allowed, or asked about, without it.
            if rule.opens_nothing() {
                let basis = || applying.iter().filter(|(rule, _)| !rule.opens_nothing());
                if basis().next().is_none() {
                    continue;
                }
                outcomes.push(possible);
                let is_certain = basis().any(|(_, truth)| matches!(truth, Truth::Yes));
                match truth {
                    Truth::Unknown(more) => doubts.extend(more),
                    _ if is_certain => return (outcomes, doubts),
                    _ => {
                        let more = basis().filter_map(|(_, truth)| truth.doubts());
                        doubts.extend(more.flatten().cloned());
                        break;
                    }
                }
                continue;
            }
            outcomes.push(possible);
            match truth {
                Truth::Unknown(more) => doubts.extend(more),
                _ => return (outcomes, doubts),
            }
        }
        outcomes.push(Possible {
            decision: Decision::Deny,
            rule: None,
        });
        (outcomes, doubts)
    }
}

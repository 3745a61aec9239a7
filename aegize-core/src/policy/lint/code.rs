//! The kinds of findings: names that never change, and what they mean.

use std::fmt;

/// How much a [`Finding`](super::Finding) matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// It may well be meant.
    Note,
    /// The policy does not do what it says, or more than its author may have seen.
    Warning,
}

impl Severity {
    /// `note` or `warning`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingCode {
    /// An earlier rule, or several together, take every call that the rule matches.
    ShadowedRule,
    /// An earlier rule says the same.
    DuplicateRule,
    /// The rule matches no call.
    NeverMatches,
    /// No value satisfies all that is asked of an argument.
    ContradictoryMatcher,
    /// No path matches a path glob.
    PathMatchesNothing,
    /// Every relative or absolute path matches a path glob that grants something.
    PathMatchesEverything,
    /// Every text matches a glob or expression that grants something.
    PatternMatchesEverything,
    /// An allow rule's `risk_level_max` is below the risk that its tool is declared with.
    RiskCeilingTooLow,
    /// No rule is about an operation that a program has.
    ToolWithoutRule,
    /// An agent that may do nothing, with or without approval.
    AgentWithoutAllow,
    /// Two tool names that look the same, or one that mixes scripts.
    ConfusableToolNames,
    /// Two tool names that differ by one letter, or in case and separators only.
    SimilarToolNames,
    /// A role that no agent has.
    UnusedRole,
    /// The policy is so entangled that not every rule was looked at.
    NotAnalysed,
}

impl FindingCode {
    /// All kinds, in the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::ShadowedRule,
        Self::DuplicateRule,
        Self::NeverMatches,
        Self::ContradictoryMatcher,
        Self::PathMatchesNothing,
        Self::PathMatchesEverything,
        Self::PatternMatchesEverything,
        Self::RiskCeilingTooLow,
        Self::ToolWithoutRule,
        Self::AgentWithoutAllow,
        Self::ConfusableToolNames,
        Self::SimilarToolNames,
        Self::UnusedRole,
        Self::NotAnalysed,
    ];

    /// The name in reports, such as `shadowed-rule`. It never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ShadowedRule => "shadowed-rule",
            Self::DuplicateRule => "duplicate-rule",
            Self::NeverMatches => "never-matches",
            Self::ContradictoryMatcher => "contradictory-matcher",
            Self::PathMatchesNothing => "path-matches-nothing",
            Self::PathMatchesEverything => "path-matches-everything",
            Self::PatternMatchesEverything => "pattern-matches-everything",
            Self::RiskCeilingTooLow => "risk-ceiling-too-low",
            Self::ToolWithoutRule => "tool-without-rule",
            Self::AgentWithoutAllow => "agent-without-allow",
            Self::ConfusableToolNames => "confusable-tool-names",
            Self::SimilarToolNames => "similar-tool-names",
            Self::UnusedRole => "unused-role",
            Self::NotAnalysed => "not-analysed",
        }
    }

    /// How much findings of this kind matter.
    pub const fn severity(self) -> Severity {
        match self {
            Self::PatternMatchesEverything
            | Self::ToolWithoutRule
            | Self::AgentWithoutAllow
            | Self::SimilarToolNames
            | Self::UnusedRole
            | Self::NotAnalysed => Severity::Note,
            _ => Severity::Warning,
        }
    }

    /// What is wrong, in a few words.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::ShadowedRule => "earlier rules take every call that the rule matches",
            Self::DuplicateRule => "an earlier rule says the same",
            Self::NeverMatches => "the rule matches no call",
            Self::ContradictoryMatcher => "no value satisfies all that is asked of an argument",
            Self::PathMatchesNothing => "no path matches a path glob",
            Self::PathMatchesEverything => {
                "every relative or absolute path matches a path glob that grants something"
            }
            Self::PatternMatchesEverything => {
                "every text matches a glob or regular expression that grants something"
            }
            Self::RiskCeilingTooLow => {
                "an allow rule admits less risk than its tool is declared with"
            }
            Self::ToolWithoutRule => "no rule is about an operation that a program has",
            Self::AgentWithoutAllow => "an agent can do nothing, with or without approval",
            Self::ConfusableToolNames => "two tool names look the same, or one mixes scripts",
            Self::SimilarToolNames => {
                "two tool names differ by one letter, or in case and separators only"
            }
            Self::UnusedRole => "no agent has the role",
            Self::NotAnalysed => "there are too many rules for the same tools to compare them all",
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::ShadowedRule => {
                "Remove the rule, or narrow those that are asked before it: deny before require_approval before allow, and within a section in the order of the file."
            }
            Self::DuplicateRule => "Remove one of the two.",
            Self::NeverMatches => {
                "Name an operation, or leave `operations` out for all; let `unless` exempt less than everything."
            }
            Self::ContradictoryMatcher => "Remove what contradicts the rest.",
            Self::PathMatchesNothing => {
                "Write the glob as paths are once they are normalised: without `.`, `..` and a leading `~`."
            }
            Self::PathMatchesEverything => {
                "Name a directory, such as `./data/**`; leave `paths` out if every path is meant."
            }
            Self::PatternMatchesEverything => {
                "Write what the text has to look like, or `present: true`."
            }
            Self::RiskCeilingTooLow => {
                "Raise `risk_level_max`, or leave the operation out of the rule."
            }
            Self::ToolWithoutRule => {
                "Write a rule for it, if only under `deny`, so that a reader sees it was thought of."
            }
            Self::AgentWithoutAllow => {
                "Write an allow rule, or remove the agent: unknown agents are denied, too."
            }
            Self::ConfusableToolNames => {
                "Write the name in the letters of one script, everywhere the same."
            }
            Self::SimilarToolNames => {
                "Correct the one that is misspelt, or tell them apart by more."
            }
            Self::UnusedRole => "List it under `roles:` of an agent, or remove it.",
            Self::NotAnalysed => "Split the policy by agent.",
        }
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

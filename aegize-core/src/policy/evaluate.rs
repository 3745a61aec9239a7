//! The judgement: an index and the facts of a call give a [`Verdict`].
//!
//! The asymmetry is the point: an allow rule must be proved, a deny or approval rule need only
//! be possible. Both ask the same questions, in [`mismatch`], so that what is explained is what
//! was decided.

use std::cell::OnceCell;
use std::fmt;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::compile::Index;
use super::document::{Rule, Section};
use crate::arguments::{Call, CandidatePath};
use crate::pattern::{Abnormal, Followed, NormalPath, PathGlob, Resolver};

/// What a policy decides about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The call may run.
    Allow,
    /// The call does not run.
    Deny,
    /// The call does not run unless a person approves it.
    RequireApproval,
}

impl Decision {
    /// The name in policy tests: `allow`, `deny` or `require_approval`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::RequireApproval => "require_approval",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A decision, its reason, and the rule that made it. It displays its reason.
#[derive(Clone, Copy)]
pub struct Verdict<'a> {
    cause: Cause<'a>,
    call: Call<'a>,
}

#[derive(Clone, Copy)]
enum Cause<'a> {
    Rule(&'a Rule),
    UnknownAgent,
    NoRule,
}

impl<'a> Verdict<'a> {
    /// What is decided.
    pub fn decision(&self) -> Decision {
        match self.cause {
            Cause::UnknownAgent | Cause::NoRule => Decision::Deny,
            Cause::Rule(rule) => match rule.section {
                Section::Deny => Decision::Deny,
                Section::RequireApproval => Decision::RequireApproval,
                Section::Allow => Decision::Allow,
            },
        }
    }

    /// Why, in one line.
    pub fn reason(&self) -> String {
        self.to_string()
    }

    /// The rule that decided: its `id`, or its place such as `research_bot.allow[0]`. `None`
    /// when no rule did, and the call is denied by default.
    pub fn rule(&self) -> Option<&'a str> {
        match self.cause {
            Cause::Rule(rule) => Some(&rule.name),
            Cause::UnknownAgent | Cause::NoRule => None,
        }
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call {
            agent_id,
            tool_name,
            operation,
            ..
        } = self.call;
        let rule = match self.cause {
            Cause::UnknownAgent => return write!(f, "unknown agent '{agent_id}' (default deny)"),
            Cause::NoRule => {
                return write!(
                    f,
                    "no matching allow rule for tool '{tool_name}' operation '{operation}' (default deny)"
                );
            }
            Cause::Rule(rule) => rule,
        };
        let what = match rule.section {
            Section::Deny => "denied by rule",
            Section::RequireApproval => "approval required",
            Section::Allow => "allowed by rule",
        };
        write!(f, "{what} for tool '{tool_name}'")?;
        match &rule.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verdict")
            .field("decision", &self.decision())
            .field("reason", &self.reason())
            .field("rule", &self.rule())
            .finish()
    }
}

/// What is known of a call when it is judged.
pub(crate) struct Facts<'a> {
    pub(crate) call: Call<'a>,
    resolver: Option<&'a dyn Resolver>,
    paths: OnceCell<Vec<PathFact>>,
}

/// One path of a call.
struct PathFact {
    /// How it may be shown.
    shown: String,
    text: Option<String>,
    /// The ways to read it.
    readings: Result<Vec<NormalPath>, Abnormal>,
    /// Whether it only might be a path.
    is_guess: bool,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(call: Call<'a>, resolver: Option<&'a dyn Resolver>) -> Self {
        Self {
            call,
            resolver,
            paths: OnceCell::new(),
        }
    }

    /// The call's paths; gathered only if a rule asks for them.
    fn paths(&self) -> &[PathFact] {
        self.paths.get_or_init(|| {
            self.call
                .candidate_paths()
                .into_iter()
                .map(PathFact::new)
                .collect()
        })
    }
}

impl PathFact {
    fn new(candidate: CandidatePath<'_>) -> Self {
        let CandidatePath {
            source,
            text,
            is_redacted,
            guess,
        } = candidate;
        let shown = match &text {
            _ if is_redacted => format!("of `{source}` (redacted)"),
            Some(text) => format!("'{}'", shorten(text)),
            None => format!("of `{source}`"),
        };
        Self {
            shown,
            readings: text
                .as_deref()
                .map_or(Err(Abnormal::Unreadable), NormalPath::readings),
            text,
            is_guess: guess.is_some(),
        }
    }

    fn follow(&self, resolver: &dyn Resolver) -> Option<Rc<Followed>> {
        resolver.follow(self.text.as_deref()?)
    }
}

fn shorten(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(100)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(100).is_some() {
        shown.push('…');
    }
    shown
}

impl Index {
    pub(crate) fn judge<'a>(&'a self, facts: &Facts<'a>) -> Verdict<'a> {
        let call = facts.call;
        let verdict = |cause| Verdict { cause, call };
        let Some(agent) = self.agent(call.agent_id) else {
            return verdict(Cause::UnknownAgent);
        };
        for (_, section) in agent.sections() {
            let mut candidates = section.candidates(call.tool_name, call.operation);
            if let Some(rule) = candidates.find(|rule| mismatch(rule, facts).is_none()) {
                return verdict(Cause::Rule(rule));
            }
        }
        verdict(Cause::NoRule)
    }
}

/// The first condition of a rule that does not hold for a call.
pub(super) enum Mismatch<'f> {
    Tool,
    Operation,
    RiskAbove,
    RiskBelow,
    /// The call has no path.
    NoPath,
    /// Paths, of which none concerns a deny or approval rule.
    NoSuchPath,
    Abnormal(&'f str, Abnormal),
    Outside(&'f str),
    /// The path lies inside, but leads out through a link.
    LeadsOutside(&'f str),
    Unresolved(&'f str),
}

/// Asks a rule's conditions; `None` if all hold and the rule applies.
pub(super) fn mismatch<'f>(rule: &Rule, facts: &'f Facts<'_>) -> Option<Mismatch<'f>> {
    let call = &facts.call;
    if !rule.covers(call.tool_name, call.operation) {
        return Some(if rule.tool.is_match(call.tool_name) {
            Mismatch::Operation
        } else {
            Mismatch::Tool
        });
    }
    let must_be_proved = rule.section == Section::Allow;
    match rule.risk {
        Some(max) if must_be_proved && call.risk_level > max => return Some(Mismatch::RiskAbove),
        Some(min) if !must_be_proved && call.risk_level < min => return Some(Mismatch::RiskBelow),
        _ => {}
    }
    rule.paths.as_ref()?;
    let paths = facts.paths();
    if paths.is_empty() {
        return Some(Mismatch::NoPath);
    }
    let resolver = facts.resolver.filter(|_| rule.resolves_links);
    if must_be_proved {
        let mut certain = paths.iter().filter(|path| !path.is_guess).peekable();
        if certain.peek().is_none() {
            return Some(Mismatch::NoPath);
        }
        certain.find_map(|path| unproved(rule, path, resolver))
    } else if paths.iter().any(|path| is_possible(rule, path, resolver)) {
        None
    } else {
        Some(Mismatch::NoSuchPath)
    }
}

/// Why it is not proved that a path lies inside an allow rule's patterns.
fn unproved<'f>(
    rule: &Rule,
    path: &'f PathFact,
    resolver: Option<&dyn Resolver>,
) -> Option<Mismatch<'f>> {
    let patterns = rule.paths.as_deref().unwrap_or_default();
    let shown = path.shown.as_str();
    let readings = match &path.readings {
        Ok(readings) => readings,
        Err(problem) => return Some(Mismatch::Abnormal(shown, *problem)),
    };
    let is_inside = |reading| {
        patterns
            .iter()
            .any(|pattern| pattern.glob.is_match(reading))
    };
    if !readings.iter().all(is_inside) {
        return Some(Mismatch::Outside(shown));
    }
    let resolver = resolver?;
    let Some(followed) = path.follow(resolver) else {
        return Some(Mismatch::Unresolved(shown));
    };
    let leads_inside = |reading| {
        let mut globs = patterns.iter().map(|pattern| &pattern.glob);
        globs.any(|glob| glob.leads_inside(reading, &followed, resolver))
    };
    (!readings.iter().all(leads_inside)).then_some(Mismatch::LeadsOutside(shown))
}

/// Whether a path might be one that a deny or approval rule is about.
fn is_possible(rule: &Rule, path: &PathFact, resolver: Option<&dyn Resolver>) -> bool {
    let Ok(readings) = &path.readings else {
        // A string that may be none, and cannot be one, is none.
        return !path.is_guess;
    };
    let mut patterns = rule.paths.iter().flatten().map(|pattern| &pattern.glob);
    let is_possible = |glob: &PathGlob| readings.iter().any(|path| glob.is_possible_match(path));
    if patterns.clone().any(is_possible) {
        return true;
    }
    let Some(resolver) = resolver else {
        return false;
    };
    let Some(followed) = path.follow(resolver) else {
        return true;
    };
    patterns.any(|glob| glob.may_lead_inside(&followed, resolver))
}

//! Findings about the names of tools, and about tools that a program declares.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use unicode_security::MixedScript;
use unicode_security::confusable_detection::skeleton;

use super::super::compile::Index;
use super::super::document::{Place, Rule, Section};
use super::super::rules;
use super::{Finding, FindingCode, RelatedRule};
use crate::action::RiskLevel;
use crate::pattern::NameGlob;

/// An operation of a tool that a program has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DeclaredTool {
    /// The tool, as policies name it.
    pub tool_name: String,
    /// What it does, as policies name it.
    pub operation: String,
    /// How much harm it can do.
    pub risk_level: RiskLevel,
}

/// What is wrong between a policy and the tools it is for.
pub(super) fn check_declared(index: &Index, tools: &[DeclaredTool]) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in rules::each(index).filter(|rule| rule.section == Section::Allow) {
        found.extend(ceiling(rule, tools));
    }
    let mut told = BTreeSet::new();
    for tool in tools {
        let name = (&*tool.tool_name, &*tool.operation);
        let is_covered = rules::each(index).any(|rule| rule.covers(name.0, name.1));
        if !is_covered && told.insert(name) {
            let message = format!(
                "no rule is about the operation `{}` of the tool `{}`, so it is denied to everyone; \
                 write a rule for it, if only under `deny`",
                name.1, name.0
            );
            found.push(Finding::new(
                FindingCode::ToolWithoutRule,
                message,
                Place::default(),
            ));
        }
    }
    found
}

/// An allow rule whose tool is always riskier than the rule admits.
fn ceiling(rule: &Rule, tools: &[DeclaredTool]) -> Option<Finding> {
    let max = rule.conditions.risk?;
    let covered: Vec<&DeclaredTool> = tools
        .iter()
        .filter(|tool| rule.covers(&tool.tool_name, &tool.operation))
        .collect();
    let is_named = |tool: &DeclaredTool| {
        let is_exact =
            |glob: &NameGlob| matches!(glob, NameGlob::Exact(name) if **name == *tool.operation);
        matches!(rule.tool, NameGlob::Exact(_)) && rule.operations.iter().flatten().any(is_exact)
    };
    let is_too_risky = |tool: &&DeclaredTool| tool.risk_level > max;
    let named = covered
        .iter()
        .copied()
        .filter(|tool| is_named(tool))
        .find(is_too_risky);
    let all = || {
        covered
            .first()
            .copied()
            .filter(|_| covered.iter().all(is_too_risky))
    };
    let tool = named.or_else(all)?;
    let message = format!(
        "allows at most risk `{max}`, but the operation `{}` of the tool `{}` is declared `{}`, so \
         this never allows it; raise `risk_level_max`, or leave the operation out",
        tool.operation, tool.tool_name, tool.risk_level
    );
    Some(Finding::about(
        FindingCode::RiskCeilingTooLow,
        message,
        rule,
    ))
}

/// Tool names, and the first rule that says each, with its position in the policy.
type Names<'n> = BTreeMap<&'n str, Option<(usize, &'n Rule)>>;

/// Names of tools that can be taken for one another.
pub(super) fn check_names(index: &Index, tools: &[DeclaredTool]) -> Vec<Finding> {
    let mut names: Names<'_> = BTreeMap::new();
    for tool in tools {
        names.entry(&tool.tool_name).or_default();
    }
    for (position, rule) in rules::each(index).enumerate() {
        if let NameGlob::Exact(name) = &rule.tool {
            names
                .entry(name)
                .or_default()
                .get_or_insert((position, rule));
        }
    }
    let mut found = Vec::new();
    for (name, rule) in &names {
        if !name.is_ascii() && !name.is_single_script() {
            let message = format!(
                "the tool name `{name}` mixes letters of several scripts, so that it can look like \
                 another one; write it in the letters of one"
            );
            found.extend(
                rule.map(|(_, rule)| {
                    Finding::about(FindingCode::ConfusableToolNames, message, rule)
                }),
            );
        }
    }
    let by_look = groups(&names, |name| vec![skeleton(name).collect()]);
    pairs(
        &by_look,
        &names,
        |_, _| true,
        FindingCode::ConfusableToolNames,
        &mut found,
    );
    let by_letters = groups(&names, |name| vec![folded(name)]);
    let look_alike = |one: &str, other: &str| skeleton(one).eq(skeleton(other));
    let differ_in_case = |one: &str, other: &str| !look_alike(one, other);
    pairs(
        &by_letters,
        &names,
        differ_in_case,
        FindingCode::SimilarToolNames,
        &mut found,
    );
    let by_typo = groups(&names, shortened);
    let differ_in_a_letter = |one: &str, other: &str| {
        is_typo(one, other) && folded(one) != folded(other) && !look_alike(one, other)
    };
    pairs(
        &by_typo,
        &names,
        differ_in_a_letter,
        FindingCode::SimilarToolNames,
        &mut found,
    );
    found
}

/// Names by what they have in common; names that share it with no other are left out.
fn groups<'n>(names: &Names<'n>, keys: impl Fn(&str) -> Vec<String>) -> Vec<Vec<&'n str>> {
    let mut groups: HashMap<String, Vec<&str>> = HashMap::new();
    for name in names.keys() {
        for key in keys(name) {
            groups.entry(key).or_default().push(name);
        }
    }
    let mut groups: Vec<Vec<&str>> = groups.into_values().collect();
    groups.retain(|group| group.len() > 1);
    groups.sort_unstable();
    groups
}

/// One finding for each name that is like another one before it in its group.
fn pairs(
    groups: &[Vec<&str>],
    names: &Names<'_>,
    are_alike: impl Fn(&str, &str) -> bool,
    code: FindingCode,
    found: &mut Vec<Finding>,
) {
    let mut told = BTreeSet::new();
    for group in groups {
        for (position, name) in group.iter().enumerate() {
            // A few are enough: whoever mends them looks again.
            let mut before = group.iter().take(position).rev().take(8);
            let Some(other) = before.find(|other| are_alike(other, name)) else {
                continue;
            };
            if !told.insert((*other, *name)) {
                continue;
            }
            // It is told of the later one.
            let of = |name: &str| names.get(name).copied().flatten();
            let ((Some((_, rule)), about), (like_rule, like)) =
                max_min((of(name), *name), (of(other), *other))
            else {
                continue;
            };
            let message = format!(
                "the tool name `{about}` is easily taken for `{like}`; correct one if they are meant \
                 to be the same, or tell them apart by more"
            );
            let mut finding = Finding::about(code, message, rule);
            finding
                .related
                .extend(like_rule.map(|(_, rule)| RelatedRule::to(rule)));
            found.push(finding);
        }
    }
}

/// The one whose rule is later, and the other.
fn max_min<'n>(one: Said<'n>, other: Said<'n>) -> (Said<'n>, Said<'n>) {
    let position = |said: &Said<'_>| said.0.map(|(position, _)| position);
    if position(&one) >= position(&other) {
        (one, other)
    } else {
        (other, one)
    }
}

/// A name and where it is said.
type Said<'n> = (Option<(usize, &'n Rule)>, &'n str);

/// The letters and digits alone, in lower case.
fn folded(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, '_' | '-' | '.' | ' '));
    kept.flat_map(char::to_lowercase).collect()
}

/// The shortest names of which one letter matters less than it may be meant.
const SHORTEST: usize = 5;

/// A name with each of its characters left out, and as it is: names one mistake apart share one
/// of them. Numbers count alike: `disk_1` and `disk_20` are no mistake.
fn shortened(name: &str) -> Vec<String> {
    let letters: Vec<char> = alike(name).chars().collect();
    if letters.len() < SHORTEST {
        return Vec::new();
    }
    let without = |left_out: usize| {
        let kept = letters
            .iter()
            .enumerate()
            .filter(move |(at, _)| *at != left_out);
        kept.map(|(_, letter)| *letter).collect::<String>()
    };
    let mut keys: Vec<String> = (0..=letters.len()).map(without).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The name with one digit for each number.
fn alike(name: &str) -> String {
    let mut alike = String::with_capacity(name.len());
    for c in name.chars() {
        if !c.is_ascii_digit() {
            alike.push(c);
        } else if !alike.ends_with('0') {
            alike.push('0');
        }
    }
    alike
}

/// Whether one slip of the hand makes one name of the other. Slips rarely hit the first letter.
fn is_typo(one: &str, other: &str) -> bool {
    let (one, other) = (alike(one), alike(other));
    one != other
        && one.chars().next() == other.chars().next()
        && strsim::osa_distance(&one, &other) == 1
}

//! One rule of a section.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::condition::read_arguments;
use super::terms::{TERMS, read_terms};
use super::{pattern, patterns};
use crate::action::RiskLevel;
use crate::identity::Environment;
use crate::pattern::NameGlob;
use crate::policy::document::{Conditions, PathPattern, Place, Rule, Section};
use crate::yaml::decode::{Decoder, Fields, Trail, remedy};
use crate::yaml::{Kind, Mark, Node};

/// Reads the rules of one section.
pub(super) struct RuleReader<'r> {
    /// Whose rules they are, as their names begin.
    pub(super) owner: &'r str,
    pub(super) environment: Option<Environment>,
    pub(super) only_tightens: bool,
    pub(super) section: Section,
    pub(super) file: Option<&'r Arc<Path>>,
    pub(super) is_layer: bool,
    pub(super) ids: &'r mut HashMap<String, Place>,
    pub(super) decoder: &'r mut Decoder,
}

impl RuleReader<'_> {
    pub(super) fn rules(&mut self, node: &Node, trail: Trail<'_>) -> Vec<Arc<Rule>> {
        // `allow:` with nothing after it is an empty list.
        if matches!(node.kind, Kind::Null) {
            return Vec::new();
        }
        let items = self.decoder.items(node, trail, "a list of rules");
        items
            .unwrap_or_default()
            .iter()
            .enumerate()
            .filter_map(|(index, node)| self.rule(node, Trail::Index(&trail, index), index))
            .map(Arc::new)
            .collect()
    }

    fn rule(&mut self, node: &Node, trail: Trail<'_>, index: usize) -> Option<Rule> {
        let mut known = vec![
            "tool",
            "operations",
            "paths",
            "symlinks",
            "args",
            "id",
            "reason",
        ];
        known.push(self.risk_key());
        if self.section != Section::Allow {
            known.push("unless");
        }
        if self.section == Section::RequireApproval {
            known.extend(TERMS);
        }
        self.explain_misplaced(node, trail, &mut known);
        let fields =
            self.decoder
                .fields(node, trail, "a rule: a mapping with the key `tool`", &known);

        let tool = self.tool(node, &fields, trail);
        let operations = fields.get("operations").and_then(|node| {
            let trail = Trail::Key(&trail, "operations");
            let expected = "a list of operation names";
            patterns(self.decoder, node, trail, expected, NameGlob::new)
        });
        let follows_links = self.follows_links(&fields, trail);
        let must_be_proved = self.section == Section::Allow;
        let risk_key = self.risk_key();
        let conditions = self.conditions(&fields, trail, risk_key, must_be_proved, follows_links);
        let unless = fields.get("unless").map_or_else(Vec::new, |node| {
            self.exemptions(node, Trail::Key(&trail, "unless"), follows_links)
        });
        let name = self.name(&fields, trail, index);
        let reason = self.text(&fields, trail, "reason").map(Into::into);
        let terms = read_terms(self.decoder, &fields, trail);
        Some(Rule {
            name,
            place: self.place(node),
            section: self.section,
            environment: self.environment,
            only_tightens: self.only_tightens,
            // Only now: all that is wrong with the rule has been told.
            tool: tool?,
            operations,
            conditions,
            unless,
            reason,
            terms,
        })
    }

    const fn risk_key(&self) -> &'static str {
        match self.section {
            Section::Allow => "risk_level_max",
            Section::Deny | Section::RequireApproval => "risk_level_min",
        }
    }

    /// A key that belongs to other sections is a misunderstanding that deserves its own words.
    fn explain_misplaced<'k>(&mut self, node: &Node, trail: Trail<'_>, known: &mut Vec<&'k str>) {
        let misplaced: &[(&'k str, &str)] = match self.section {
            Section::Allow => &[
                (
                    "risk_level_min",
                    "`risk_level_min` is for deny and require_approval rules; an allow rule has `risk_level_max`",
                ),
                (
                    "unless",
                    "`unless` exempts from deny and require_approval rules; an allow rule says what it allows: use `not` within `args`, or a deny rule",
                ),
            ],
            Section::Deny | Section::RequireApproval => &[(
                "risk_level_max",
                "`risk_level_max` is for allow rules and `unless`; here, write `risk_level_min`: the lowest risk the rule is about",
            )],
        };
        let Kind::Map(pairs) = &node.kind else { return };
        for (other, message) in misplaced {
            let found = pairs
                .iter()
                .find(|(key, _)| matches!(&key.kind, Kind::String { text, .. } if text == other));
            if let Some((key, _)) = found {
                self.decoder
                    .problem(key, Trail::Key(&trail, other), *message);
                known.push(other);
            }
        }
    }

    fn tool(&mut self, rule: &Node, fields: &Fields<'_>, trail: Trail<'_>) -> Option<NameGlob> {
        let Some(node) = fields.get("tool") else {
            if matches!(rule.kind, Kind::Map(_)) {
                let message = "missing key `tool`; name the tool the rule is about";
                self.decoder.problem(rule, trail, message);
            }
            return None;
        };
        let trail = Trail::Key(&trail, "tool");
        pattern(self.decoder, node, trail, "a tool name", NameGlob::new)
    }

    /// The conditions of a rule or of an exemption.
    fn conditions(
        &mut self,
        fields: &Fields<'_>,
        trail: Trail<'_>,
        risk_key: &str,
        must_be_proved: bool,
        follows_links: bool,
    ) -> Conditions {
        let levels = RiskLevel::ALL.map(|level| (level.as_str(), level));
        let risk = self.word(fields, trail, risk_key, levels);
        let paths = fields.get("paths").and_then(|node| {
            let trail = Trail::Key(&trail, "paths");
            path_patterns(self.decoder, node, trail, "a list of path globs")
        });
        let arguments = fields.get("args").map_or_else(Vec::new, |node| {
            let trail = Trail::Key(&trail, "args");
            read_arguments(self.decoder, node, trail, must_be_proved, follows_links)
        });
        Conditions {
            risk,
            paths,
            arguments,
            follows_links,
        }
    }

    /// One exemption, or a list of them.
    fn exemptions(
        &mut self,
        node: &Node,
        trail: Trail<'_>,
        follows_links: bool,
    ) -> Vec<Conditions> {
        const KEYS: [&str; 3] = ["args", "paths", "risk_level_max"];
        let Kind::List(items) = &node.kind else {
            return vec![self.exemption(node, trail, &KEYS, follows_links)];
        };
        if items.is_empty() {
            let message = "an empty list exempts nothing; write one exemption, or remove the key";
            self.decoder.problem(node, trail, message);
        }
        items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                self.exemption(item, Trail::Index(&trail, index), &KEYS, follows_links)
            })
            .collect()
    }

    fn exemption(
        &mut self,
        node: &Node,
        trail: Trail<'_>,
        keys: &[&str],
        follows_links: bool,
    ) -> Conditions {
        let expected = "conditions: a mapping with `args`, `paths` or `risk_level_max`";
        let fields = self.decoder.fields(node, trail, expected, keys);
        if matches!(node.kind, Kind::Map(_)) && keys.iter().all(|key| !fields.has(key)) {
            let message = "without a condition, it would be about every call; \
                write `args`, `paths` or `risk_level_max`";
            self.decoder.problem(node, trail, message);
        }
        self.conditions(&fields, trail, "risk_level_max", true, follows_links)
    }

    fn follows_links(&mut self, fields: &Fields<'_>, trail: Trail<'_>) -> bool {
        let words = [("resolve", true), ("ignore", false)];
        self.word(fields, trail, "symlinks", words).unwrap_or(true)
    }

    /// One of a few words.
    fn word<T, const N: usize>(
        &mut self,
        fields: &Fields<'_>,
        trail: Trail<'_>,
        key: &str,
        words: [(&str, T); N],
    ) -> Option<T> {
        let known = words.each_ref().map(|(word, _)| *word);
        let node = fields.get(key)?;
        let trail = Trail::Key(&trail, key);
        let text = self.decoder.name(node, trail, OneOf(&known))?;
        let found = words.into_iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let message = format!("unknown {key} `{text}`; {}", remedy(text, &known));
            self.decoder.problem(node, trail, message);
        }
        found.map(|(_, value)| value)
    }

    fn text<'n>(&mut self, fields: &Fields<'n>, trail: Trail<'_>, key: &str) -> Option<&'n str> {
        self.decoder
            .name(fields.get(key)?, Trail::Key(&trail, key), "a string")
    }

    /// The rule's id, or its place.
    fn name(&mut self, fields: &Fields<'_>, trail: Trail<'_>, index: usize) -> Box<str> {
        let (Some(node), Some(id)) = (fields.get("id"), self.text(fields, trail, "id")) else {
            let place = format!("{}.{}[{index}]", self.owner, self.section.key());
            return match self.file {
                Some(file) if self.is_layer => format!("{}:{place}", file.display()),
                _ => place,
            }
            .into();
        };
        let place = self.place(node);
        if let Some(first) = self.ids.get(id) {
            let message = format!("id `{id}` is already given in {first}; give each rule its own");
            self.decoder
                .problem(node, Trail::Key(&trail, "id"), message);
        } else {
            self.ids.insert(id.to_owned(), place);
        }
        id.into()
    }

    fn place(&self, node: &Node) -> Place {
        Place {
            file: self.file.cloned(),
            line: node.mark.map(Mark::line),
        }
    }
}

/// It displays what is expected, only where it is told.
#[derive(Clone, Copy)]
struct OneOf<'k>(&'k [&'k str]);

impl fmt::Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.0.join(", "))
    }
}

/// A list of path globs that is not empty: an empty one would match nothing.
pub(super) fn path_patterns(
    decoder: &mut Decoder,
    node: &Node,
    trail: Trail<'_>,
    expected: &str,
) -> Option<Vec<PathPattern>> {
    if matches!(&node.kind, Kind::List(items) if items.is_empty()) {
        let message = "an empty list matches no path; name at least one, or remove the key";
        decoder.problem(node, trail, message);
    }
    patterns(decoder, node, trail, expected, PathPattern::new)
}

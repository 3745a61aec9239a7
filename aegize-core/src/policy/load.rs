//! From a tree of nodes to a [`Document`], with every problem on the way.

use std::collections::HashMap;

use super::document::{Agent, Document, PathPattern, Rule, Section};
use crate::action::RiskLevel;
use crate::pattern::{NameGlob, PathGlob, PatternError};
use crate::text::find_invisible;
use crate::yaml::decode::{Decoder, Fields, Trail, remedy};
use crate::yaml::{Kind, Node};

const SECTIONS: [&str; 3] = ["allow", "require_approval", "deny"];

/// Input: the root node. Output: the document, complete only if the decoder has no problems.
pub(crate) fn document(root: &Node, decoder: &mut Decoder) -> Document {
    let mut document = Document { agents: Vec::new() };
    if matches!(root.kind, Kind::Null) {
        decoder.problem(
            root,
            Trail::Root,
            "the policy is empty; write `agents:` and the rules of each agent",
        );
        return document;
    }
    let fields = decoder.fields(
        root,
        Trail::Root,
        "a mapping with the key `agents`",
        &["version", "agents"],
    );
    if let Some(version) = fields.get("version") {
        check_version(version, decoder);
    }
    match fields.get("agents") {
        Some(agents) => document.agents = read_agents(agents, decoder),
        None if matches!(root.kind, Kind::Map(_)) => decoder.problem(
            root,
            Trail::Root,
            "missing key `agents`; write `agents:` and the rules of each agent",
        ),
        None => {}
    }
    document
}

fn check_version(node: &Node, decoder: &mut Decoder) {
    let is_known = matches!(&node.kind, Kind::Number(number) if number.as_u64() == Some(1));
    if !is_known {
        let message = "unsupported version; 1 is the only one, written `version: 1`";
        decoder.problem(node, Trail::Key(&Trail::Root, "version"), message);
    }
}

fn read_agents(node: &Node, decoder: &mut Decoder) -> Vec<Agent> {
    let trail = Trail::Key(&Trail::Root, "agents");
    let mut ids = RuleIds::default();
    decoder
        .entries(node, trail, "a mapping from agent ids to rules")
        .into_iter()
        .map(|(agent_id, key, rules)| {
            let trail = Trail::Key(&trail, agent_id);
            check_agent_id(agent_id, key, trail, decoder);
            // The id is in the name of every rule: one that is too long would be there as often.
            let agent_id = if agent_id.len() > LONGEST_ID {
                ""
            } else {
                agent_id
            };
            // `bot:` with nothing after it is an agent without rules.
            let fields = if matches!(rules.kind, Kind::Null) {
                None
            } else {
                Some(decoder.fields(rules, trail, "a mapping of sections", &SECTIONS))
            };
            let mut section = |section: Section| {
                let node = fields.as_ref().and_then(|fields| fields.get(section.key()));
                node.map_or_else(Vec::new, |node| {
                    let trail = Trail::Key(&trail, section.key());
                    let mut reader = SectionReader {
                        agent_id,
                        section,
                        ids: &mut ids,
                        decoder,
                    };
                    reader.rules(node, trail)
                })
            };
            Agent {
                id: agent_id.to_owned(),
                deny: section(Section::Deny),
                require_approval: section(Section::RequireApproval),
                allow: section(Section::Allow),
            }
        })
        .collect()
}

/// Agent ids are compared letter by letter, so a reader has to see every letter.
fn check_agent_id(agent_id: &str, key: &Node, trail: Trail<'_>, decoder: &mut Decoder) {
    if let Some(found) = find_invisible(agent_id) {
        let message = format!("the agent id holds {found:?}, which nobody sees; remove it");
        decoder.problem(key, trail, message);
    } else if agent_id.trim() != agent_id {
        let message = "the agent id begins or ends with white space; remove it";
        decoder.problem(key, trail, message);
    } else if agent_id.len() > LONGEST_ID {
        let message = format!("the agent id is longer than {LONGEST_ID} bytes; shorten it");
        decoder.problem(key, trail, message);
    }
}

/// The longest agent id, in bytes. It is in the name of every rule.
const LONGEST_ID: usize = 256;

/// The ids given to rules so far, with the lines they were given in.
type RuleIds = HashMap<String, Option<usize>>;

struct SectionReader<'r> {
    agent_id: &'r str,
    section: Section,
    ids: &'r mut RuleIds,
    decoder: &'r mut Decoder,
}

impl SectionReader<'_> {
    fn rules(&mut self, node: &Node, trail: Trail<'_>) -> Vec<Rule> {
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
            .collect()
    }

    fn rule(&mut self, node: &Node, trail: Trail<'_>, index: usize) -> Option<Rule> {
        let mut known = vec!["tool", "operations", "paths", "symlinks", "id", "reason"];
        known.push(self.risk_key());
        self.explain_misplaced_risk(node, trail, &mut known);
        let fields =
            self.decoder
                .fields(node, trail, "a rule: a mapping with the key `tool`", &known);

        let tool = self.tool(node, &fields, trail);
        let operations = self.list(
            &fields,
            trail,
            "operations",
            "operation names",
            NameGlob::new,
        );
        let paths = self.list(&fields, trail, "paths", "path globs", |text| {
            Ok(PathPattern {
                text: text.to_owned(),
                glob: PathGlob::new(text)?,
            })
        });
        if let Some(node) = fields.get("paths")
            && matches!(&node.kind, Kind::List(items) if items.is_empty())
        {
            let message = "an empty list matches no path; name at least one, or remove the key";
            self.decoder
                .problem(node, Trail::Key(&trail, "paths"), message);
        }
        let name = self.name(&fields, trail, index);
        let risk = self.risk(&fields, trail);
        let resolves_links = self.resolves_links(&fields, trail);
        let reason = self.text(&fields, trail, "reason").map(str::to_owned);
        Some(Rule {
            name,
            section: self.section,
            // Only now: all that is wrong with the rule has been told.
            tool: tool?,
            operations,
            risk,
            paths,
            resolves_links,
            reason,
        })
    }

    const fn risk_key(&self) -> &'static str {
        match self.section {
            Section::Allow => "risk_level_max",
            Section::Deny | Section::RequireApproval => "risk_level_min",
        }
    }

    /// A risk bound of the other direction is a misunderstanding that deserves its own words.
    fn explain_misplaced_risk<'k>(
        &mut self,
        node: &Node,
        trail: Trail<'_>,
        known: &mut Vec<&'k str>,
    ) {
        let (other, message): (&'k str, _) = match self.section {
            Section::Allow => (
                "risk_level_min",
                "`risk_level_min` is for deny and require_approval rules; an allow rule has `risk_level_max`",
            ),
            Section::Deny | Section::RequireApproval => (
                "risk_level_max",
                "`risk_level_max` is for allow rules; here, write `risk_level_min`: the lowest risk the rule is about",
            ),
        };
        let Kind::Map(pairs) = &node.kind else { return };
        let misplaced = pairs
            .iter()
            .find(|(key, _)| matches!(&key.kind, Kind::String { text, .. } if text == other));
        if let Some((key, _)) = misplaced {
            self.decoder
                .problem(key, Trail::Key(&trail, other), message);
            known.push(other);
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
        self.pattern(
            node,
            Trail::Key(&trail, "tool"),
            "a tool name",
            NameGlob::new,
        )
    }

    /// A list of patterns; `None` if the key is left out.
    fn list<T>(
        &mut self,
        fields: &Fields<'_>,
        trail: Trail<'_>,
        key: &str,
        expected: &str,
        parse: fn(&str) -> Result<T, PatternError>,
    ) -> Option<Vec<T>> {
        let node = fields.get(key)?;
        let trail = Trail::Key(&trail, key);
        let items = self
            .decoder
            .items(node, trail, &format!("a list of {expected}"))?;
        let patterns = items.iter().enumerate().filter_map(|(index, item)| {
            self.pattern(item, Trail::Index(&trail, index), "a string", parse)
        });
        Some(patterns.collect())
    }

    fn pattern<T>(
        &mut self,
        node: &Node,
        trail: Trail<'_>,
        expected: &str,
        parse: fn(&str) -> Result<T, PatternError>,
    ) -> Option<T> {
        let text = self.decoder.name(node, trail, expected)?;
        match parse(text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let shown: String = text.chars().take(60).collect();
                self.decoder
                    .problem(node, trail, format!("`{}` {error}", shown.escape_debug()));
                None
            }
        }
    }

    fn risk(&mut self, fields: &Fields<'_>, trail: Trail<'_>) -> Option<RiskLevel> {
        let key = self.risk_key();
        self.word(
            fields,
            trail,
            key,
            RiskLevel::ALL.map(|level| (level.as_str(), level)),
        )
    }

    fn resolves_links(&mut self, fields: &Fields<'_>, trail: Trail<'_>) -> bool {
        self.word(
            fields,
            trail,
            "symlinks",
            [("resolve", true), ("ignore", false)],
        )
        .unwrap_or(true)
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
        let text = self
            .decoder
            .name(node, trail, &format!("one of {}", known.join(", ")))?;
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
    fn name(&mut self, fields: &Fields<'_>, trail: Trail<'_>, index: usize) -> String {
        let place = format!("{}.{}[{index}]", self.agent_id, self.section.key());
        let (Some(node), Some(id)) = (fields.get("id"), self.text(fields, trail, "id")) else {
            return place;
        };
        let line = node.mark.map(|mark| mark.line);
        if let Some(first) = self.ids.insert(id.to_owned(), line) {
            let first = first.map_or_else(String::new, |line| format!(" in line {line}"));
            self.decoder.problem(
                node,
                Trail::Key(&trail, "id"),
                format!("id `{id}` is already given{first}; give each rule its own"),
            );
        }
        id.to_owned()
    }
}

//! From trees of nodes to a [`Document`], with every problem on the way.

mod condition;
mod rule;
mod terms;
mod value;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use self::rule::RuleReader;
use super::document::{Agent, Document, Place, Section, Sections};
use crate::identity::Environment;
use crate::pattern::PatternError;
use crate::text::find_invisible;
use crate::yaml::decode::{Decoder, Fields, Trail, remedy};
use crate::yaml::{Kind, Mark, Node};

/// The longest id of an agent and name of a role, in bytes. It is in the name of every rule.
const LONGEST_NAME: usize = 256;

/// Reads the files of a policy, the lowest layer first. What a file defines, those above it can
/// use and add to, never replace.
#[derive(Default)]
pub(crate) struct Loader {
    agents: Vec<Agent>,
    positions: HashMap<Arc<str>, usize>,
    roles: HashMap<String, Role>,
    /// What the environments add to every agent.
    overlays: Sections,
    /// The ids given to rules, and where.
    ids: HashMap<String, Place>,
}

struct Role {
    place: Place,
    rules: Sections,
    is_used: bool,
}

impl Loader {
    /// Adds one file. `file` is its name if it was read from one; `is_layer` whether there are
    /// others, so that the names of its rules have to tell it.
    pub(crate) fn add(
        &mut self,
        root: &Node,
        file: Option<&Arc<Path>>,
        is_layer: bool,
        decoder: &mut Decoder,
    ) {
        let mut layer = Layer {
            loader: self,
            file,
            is_one_of_several: is_layer,
            decoder,
        };
        layer.read(root);
    }

    pub(crate) fn finish(self) -> Document {
        let mut agents = self.agents;
        for agent in &mut agents {
            agent.rules.extend(&self.overlays);
        }
        let mut unused_roles: Vec<_> = self
            .roles
            .into_iter()
            .filter(|(_, role)| !role.is_used)
            .map(|(name, role)| (name, role.place))
            .collect();
        unused_roles.sort_by(|(a, _), (b, _)| a.cmp(b));
        Document {
            agents,
            unused_roles,
        }
    }
}

/// One file on its way into the loader.
struct Layer<'l> {
    loader: &'l mut Loader,
    file: Option<&'l Arc<Path>>,
    is_one_of_several: bool,
    decoder: &'l mut Decoder,
}

impl Layer<'_> {
    fn read(&mut self, root: &Node) {
        let root_trail = Trail::Root;
        if matches!(root.kind, Kind::Null) {
            let message = "the policy is empty; write `agents:` and the rules of each agent";
            self.decoder.problem(root, root_trail, message);
            return;
        }
        let fields = self.decoder.fields(
            root,
            root_trail,
            "a mapping with the key `agents`",
            &["version", "roles", "agents", "environments"],
        );
        if let Some(version) = fields.get("version") {
            self.check_version(version);
        }
        // Before the agents, which have them.
        if let Some(roles) = fields.get("roles") {
            self.read_roles(roles);
        }
        if let Some(environments) = fields.get("environments") {
            let trail = Trail::Key(&root_trail, "environments");
            let overlays = self.read_environments(environments, trail, None);
            self.loader.overlays.extend(&overlays);
        }
        match fields.get("agents") {
            Some(agents) => self.read_agents(agents),
            None if self.is_one_of_several
                && (fields.has("roles") || fields.has("environments")) => {}
            None if matches!(root.kind, Kind::Map(_)) => self.decoder.problem(
                root,
                root_trail,
                "missing key `agents`; write `agents:` and the rules of each agent",
            ),
            None => {}
        }
    }

    fn check_version(&mut self, node: &Node) {
        let is_known =
            matches!(&node.kind, Kind::Number { number, .. } if number.as_u64() == Some(1));
        if !is_known {
            let message = "unsupported version; 1 is the only one, written `version: 1`";
            let trail = Trail::Key(&Trail::Root, "version");
            self.decoder.problem(node, trail, message);
        }
    }

    fn read_roles(&mut self, node: &Node) {
        let trail = Trail::Key(&Trail::Root, "roles");
        let entries = self
            .decoder
            .entries(node, trail, "a mapping from role names to rules");
        for (name, key, rules) in entries {
            let trail = Trail::Key(&trail, name);
            let name = self.checked_name(name, key, trail, "the name of the role");
            let place = self.place(key);
            let owner = Owner::new(format!("roles.{name}"));
            let rules = match self.sections_of(rules, trail, &[]) {
                Some(fields) => self.read_sections(&fields, trail, &owner),
                None => Sections::default(),
            };
            let role = Role {
                place,
                rules,
                is_used: false,
            };
            if let Some(first) = self.loader.roles.get(name) {
                let message = format!(
                    "role `{name}` is already defined in {}; give it another name",
                    first.place
                );
                self.decoder.problem(key, trail, message);
            } else {
                self.loader.roles.insert(name.to_owned(), role);
            }
        }
    }

    fn read_agents(&mut self, node: &Node) {
        let trail = Trail::Key(&Trail::Root, "agents");
        let entries = self
            .decoder
            .entries(node, trail, "a mapping from agent ids to rules");
        for (agent_id, key, rules) in entries {
            let trail = Trail::Key(&trail, agent_id);
            let agent_id = self.checked_name(agent_id, key, trail, "the agent id");
            let mut sections = Sections::default();
            if let Some(fields) = self.sections_of(rules, trail, &["roles", "environments"]) {
                let owner = Owner::new(agent_id.to_owned());
                sections = self.read_sections(&fields, trail, &owner);
                if let Some(roles) = fields.get("roles") {
                    self.take_roles(roles, Trail::Key(&trail, "roles"), &mut sections);
                }
                if let Some(environments) = fields.get("environments") {
                    let trail = Trail::Key(&trail, "environments");
                    let overlays = self.read_environments(environments, trail, Some(agent_id));
                    sections.extend(&overlays);
                }
            }
            let place = self.place(key);
            let id: Arc<str> = agent_id.into();
            let position = self.loader.positions.get(&id).copied();
            if let Some(agent) = position.and_then(|position| self.loader.agents.get_mut(position))
            {
                agent.rules.extend(&sections);
                continue;
            }
            let position = self.loader.agents.len();
            self.loader.positions.insert(Arc::clone(&id), position);
            self.loader.agents.push(Agent {
                id,
                place,
                rules: sections,
            });
        }
    }

    /// The rules that environments add: to one agent, or to all.
    fn read_environments(
        &mut self,
        node: &Node,
        trail: Trail<'_>,
        agent_id: Option<&str>,
    ) -> Sections {
        let mut all = Sections::default();
        let entries = self
            .decoder
            .entries(node, trail, "a mapping from environments to rules");
        for (word, key, rules) in entries {
            let trail = Trail::Key(&trail, word);
            let Ok(environment) = word.parse() else {
                let known = Environment::ALL.map(Environment::as_str);
                let message = format!("unknown environment `{word}`; {}", remedy(word, &known));
                self.decoder.problem(key, trail, message);
                continue;
            };
            let Some(fields) = self.sections_of(rules, trail, &["widens"]) else {
                continue;
            };
            let mut name = format!("environments.{word}");
            if let Some(agent_id) = agent_id {
                name = format!("{agent_id}.{name}");
            }
            let widens = fields.get("widens").and_then(|node| {
                let trail = Trail::Key(&trail, "widens");
                self.decoder.boolean(node, trail)
            });
            let owner = Owner {
                name,
                environment: Some(environment),
                only_tightens: widens != Some(true),
            };
            let rules = self.read_sections(&fields, trail, &owner);
            if !rules.allow.is_empty() && owner.only_tightens {
                let node = fields.get(Section::Allow.key()).unwrap_or(key);
                let message = "these allow rules widen what the agent may do in this environment; \
                    write `widens: true` beside them if that is meant";
                self.decoder
                    .problem(node, Trail::Key(&trail, "allow"), message);
            }
            all.extend(&rules);
        }
        all
    }

    /// Adds the rules of the roles that an agent has.
    fn take_roles(&mut self, node: &Node, trail: Trail<'_>, sections: &mut Sections) {
        let items = self.decoder.items(node, trail, "a list of role names");
        let mut taken = Vec::new();
        for (index, item) in items.unwrap_or_default().iter().enumerate() {
            let trail = Trail::Index(&trail, index);
            let Some(name) = self.decoder.name(item, trail, "the name of a role") else {
                continue;
            };
            if taken.contains(&name) {
                let message = format!("role `{name}` is listed twice; remove one");
                self.decoder.problem(item, trail, message);
                continue;
            }
            taken.push(name);
            if let Some(role) = self.loader.roles.get_mut(name) {
                role.is_used = true;
                sections.extend(&role.rules);
                continue;
            }
            let known: Vec<&str> = self.loader.roles.keys().map(String::as_str).collect();
            let remedy = if known.is_empty() || known.len() > 20 {
                "define it under `roles:`".to_owned()
            } else {
                remedy(name, &known)
            };
            let message = format!("unknown role `{name}`; {remedy}");
            self.decoder.problem(item, trail, message);
        }
    }

    /// The fields of a mapping of sections; `None` if there is nothing in it: `bot:` with
    /// nothing after it is an agent without rules.
    fn sections_of<'n>(
        &mut self,
        node: &'n Node<'n>,
        trail: Trail<'_>,
        further: &[&str],
    ) -> Option<Fields<'n>> {
        if matches!(node.kind, Kind::Null) {
            return None;
        }
        let mut known = vec!["allow", "require_approval", "deny"];
        known.extend_from_slice(further);
        Some(
            self.decoder
                .fields(node, trail, "a mapping of sections", &known),
        )
    }

    fn read_sections(&mut self, fields: &Fields<'_>, trail: Trail<'_>, owner: &Owner) -> Sections {
        let mut sections = Sections::default();
        for section in Section::ALL {
            let Some(node) = fields.get(section.key()) else {
                continue;
            };
            let mut reader = RuleReader {
                owner: &owner.name,
                environment: owner.environment,
                only_tightens: owner.only_tightens,
                section,
                file: self.file,
                is_layer: self.is_one_of_several,
                ids: &mut self.loader.ids,
                decoder: self.decoder,
            };
            *sections.get_mut(section) = reader.rules(node, Trail::Key(&trail, section.key()));
        }
        sections
    }

    /// Ids and names are compared letter by letter, so a reader has to see every letter. One
    /// that is too long would be in the name of every rule: it is reported, and replaced.
    fn checked_name<'n>(
        &mut self,
        name: &'n str,
        key: &Node,
        trail: Trail<'_>,
        what: &str,
    ) -> &'n str {
        if let Some(found) = find_invisible(name) {
            let message = format!("{what} holds {found:?}, which nobody sees; remove it");
            self.decoder.problem(key, trail, message);
        } else if name.trim() != name {
            let message = format!("{what} begins or ends with white space; remove it");
            self.decoder.problem(key, trail, message);
        } else if name.len() > LONGEST_NAME {
            let message = format!("{what} is longer than {LONGEST_NAME} bytes; shorten it");
            self.decoder.problem(key, trail, message);
            return "";
        }
        name
    }

    fn place(&self, node: &Node) -> Place {
        Place {
            file: self.file.cloned(),
            line: node.mark.map(Mark::line),
        }
    }
}

/// Whose rules are read: how they are named, and where they hold.
struct Owner {
    name: String,
    environment: Option<Environment>,
    only_tightens: bool,
}

impl Owner {
    /// An agent or a role.
    fn new(name: String) -> Self {
        Self {
            name,
            environment: None,
            only_tightens: false,
        }
    }
}

/// A list of patterns.
fn patterns<T>(
    decoder: &mut Decoder,
    node: &Node,
    trail: Trail<'_>,
    expected: &str,
    parse: fn(&str) -> Result<T, PatternError>,
) -> Option<Vec<T>> {
    let items = decoder.items(node, trail, expected)?;
    let patterns = items.iter().enumerate().filter_map(|(index, item)| {
        let trail = Trail::Index(&trail, index);
        pattern(decoder, item, trail, "a string", parse)
    });
    Some(patterns.collect())
}

fn pattern<T>(
    decoder: &mut Decoder,
    node: &Node,
    trail: Trail<'_>,
    expected: &str,
    parse: fn(&str) -> Result<T, PatternError>,
) -> Option<T> {
    let text = decoder.name(node, trail, expected)?;
    match parse(text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let shown: String = text.chars().take(60).collect();
            decoder.problem(node, trail, format!("`{}` {error}", shown.escape_debug()));
            None
        }
    }
}

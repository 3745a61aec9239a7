//! Policy tests: actions and the decisions a policy is expected to make about them.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::{Decision, PermissionPolicy, PolicyRule};
use crate::action::{RiskLevel, ToolAction};
use crate::identity::Environment;
use crate::yaml::decode::{Decoder, Fields, Trail, remedy};
use crate::yaml::{self, Kind, LoadError, Node};

/// A file of policy tests.
///
/// ```
/// # extern crate aegize_core as aegize;
/// use aegize::{PermissionPolicy, PolicyTests};
///
/// let policy = PermissionPolicy::from_yaml_str("agents: {bot: {allow: [{tool: clock}]}}")?;
/// let tests = PolicyTests::from_yaml_str(
///     "tests:
///        - {agent: bot, tool: clock, operation: read, expect: allow}
///        - {agent: bot, tool: shell, operation: run, expect: deny}
/// ")?;
/// assert!(tests.run(&policy).all(|outcome| outcome.passed()));
/// # Ok::<(), aegize::LoadError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PolicyTests {
    cases: Vec<TestCase>,
}

/// One action and the decision that is expected.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TestCase {
    /// The case's name, or `test #N`.
    pub label: String,
    /// What is attempted.
    pub action: ToolAction,
    /// What the policy should decide.
    pub expect: Decision,
    /// The rule that should decide, if the case names one.
    pub expect_rule: Option<String>,
}

/// What a policy decided about a [`TestCase`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CaseOutcome<'t> {
    /// The case.
    pub case: &'t TestCase,
    /// What the policy decided.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// By which rule; `None` if by default.
    pub rule: Option<&'t str>,
}

impl CaseOutcome<'_> {
    /// Whether the policy decided as expected, and by the rule that is expected.
    pub fn passed(&self) -> bool {
        let expected = self.case.expect_rule.as_deref();
        self.decision == self.case.expect && (expected.is_none() || expected == self.rule)
    }
}

impl PolicyTests {
    /// Reads tests from a file of at most 32 MiB.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or says anything that a policy test cannot mean. The error
    /// holds all problems, with their lines and remedies.
    pub fn from_yaml_file(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let text = yaml::read_file(path)?;
        Self::from_yaml_str(&text).map_err(|error| error.in_file(path))
    }

    /// Reads tests from a text.
    ///
    /// # Errors
    ///
    /// As [`from_yaml_file`](Self::from_yaml_file).
    pub fn from_yaml_str(text: &str) -> Result<Self, LoadError> {
        let cases = yaml::load(text, read_tests)?;
        Ok(Self { cases })
    }

    /// The cases, in file order.
    pub fn cases(&self) -> &[TestCase] {
        &self.cases
    }

    /// Judges every case, by text alone; nothing is executed.
    pub fn run<'t>(
        &'t self,
        policy: &'t PermissionPolicy,
    ) -> impl Iterator<Item = CaseOutcome<'t>> {
        self.cases.iter().map(|case| {
            let verdict = policy.evaluate(&case.action);
            CaseOutcome {
                case,
                decision: verdict.decision(),
                reason: verdict.reason(),
                rule: verdict.rule(),
            }
        })
    }

    /// The rules that no case is decided by, in the order of the policy: nothing would notice
    /// if they changed.
    pub fn uncovered<'p>(&self, policy: &'p PermissionPolicy) -> Vec<PolicyRule<'p>> {
        let covered: HashSet<&str> = self
            .run(policy)
            .filter_map(|outcome| outcome.rule)
            .collect();
        policy
            .rules()
            .filter(|rule| !covered.contains(rule.name()))
            .collect()
    }
}

const CASE_KEYS: [&str; 11] = [
    "name",
    "agent",
    "tool",
    "operation",
    "risk_level",
    "args",
    "path_args",
    "environment",
    "metadata",
    "expect",
    "expect_rule",
];

const DECISIONS: [Decision; 3] = [Decision::Allow, Decision::Deny, Decision::RequireApproval];

fn read_tests(root: &Node, decoder: &mut Decoder) -> Vec<TestCase> {
    if matches!(root.kind, Kind::Null) {
        let message = "the file is empty; write `tests:` and a list of cases";
        decoder.problem(root, Trail::Root, message);
        return Vec::new();
    }
    let fields = decoder.fields(
        root,
        Trail::Root,
        "a mapping with the key `tests`: a list of cases",
        &["tests"],
    );
    let Some(node) = fields.get("tests") else {
        if matches!(root.kind, Kind::Map(_)) {
            decoder.problem(
                root,
                Trail::Root,
                "missing key `tests`; write a list of cases",
            );
        }
        return Vec::new();
    };
    let trail = Trail::Key(&Trail::Root, "tests");
    let items = decoder.items(node, trail, "a list of cases").unwrap_or(&[]);
    if matches!(&node.kind, Kind::List(items) if items.is_empty()) {
        decoder.problem(
            node,
            trail,
            "an empty list tests nothing; write at least one case",
        );
    }
    items
        .iter()
        .enumerate()
        .filter_map(|(index, node)| read_case(node, decoder, Trail::Index(&trail, index), index))
        .collect()
}

fn read_case(
    node: &Node,
    decoder: &mut Decoder,
    trail: Trail<'_>,
    index: usize,
) -> Option<TestCase> {
    let fields = decoder.fields(node, trail, "a case: a mapping", &CASE_KEYS);
    if !matches!(node.kind, Kind::Map(_)) {
        return None;
    }
    let label = text(decoder, &fields, trail, "name")
        .map_or_else(|| format!("test #{}", index + 1), str::to_owned);
    let mut required = |key| {
        if fields.get(key).is_none() {
            decoder.problem(
                node,
                trail,
                format!("{label}: missing required field '{key}'"),
            );
        }
        text(decoder, &fields, trail, key)
    };
    let (agent, tool) = (required("agent"), required("tool"));
    let (operation, expect) = (required("operation"), required("expect"));

    let expect = expect.and_then(|word| {
        let found = DECISIONS
            .into_iter()
            .find(|decision| decision.as_str() == word);
        if found.is_none() {
            let remedy = remedy(word, &DECISIONS.map(Decision::as_str));
            unknown(decoder, &fields, trail, "expect", word, &remedy);
        }
        found
    });
    let risk = match text(decoder, &fields, trail, "risk_level") {
        None => RiskLevel::Low,
        Some(word) => word.parse().unwrap_or_else(|_| {
            let remedy = remedy(word, &RiskLevel::ALL.map(RiskLevel::as_str));
            unknown(decoder, &fields, trail, "risk_level", word, &remedy);
            RiskLevel::Low
        }),
    };
    let arguments = values(decoder, &fields, trail, "args");
    let path_arguments = path_arguments(decoder, &fields, trail, &arguments);
    let mut metadata = values(decoder, &fields, trail, "metadata");
    if let Some(word) = text(decoder, &fields, trail, "environment") {
        if word.parse::<Environment>().is_err() {
            let remedy = remedy(word, &Environment::ALL.map(Environment::as_str));
            unknown(decoder, &fields, trail, "environment", word, &remedy);
        }
        if metadata
            .insert("environment".to_owned(), word.into())
            .is_some()
            && let Some(node) = fields.get("environment")
        {
            let message = "the metadata names an environment, too; remove one";
            decoder.problem(node, Trail::Key(&trail, "environment"), message);
        }
    }
    let expect_rule = text(decoder, &fields, trail, "expect_rule").map(str::to_owned);

    let mut action = ToolAction::new(agent?.to_owned(), tool?.to_owned(), operation?.to_owned())
        .risk_level(risk);
    action.arguments = arguments;
    action.path_arguments = path_arguments;
    action.metadata = metadata;
    Some(TestCase {
        label,
        action,
        expect: expect?,
        expect_rule,
    })
}

fn text<'n>(
    decoder: &mut Decoder,
    fields: &Fields<'n>,
    trail: Trail<'_>,
    key: &str,
) -> Option<&'n str> {
    decoder.name(fields.get(key)?, Trail::Key(&trail, key), "a string")
}

fn unknown(
    decoder: &mut Decoder,
    fields: &Fields<'_>,
    trail: Trail<'_>,
    key: &str,
    word: &str,
    remedy: &str,
) {
    if let Some(node) = fields.get(key) {
        let message = format!("unknown {key} `{word}`; {remedy}");
        decoder.problem(node, Trail::Key(&trail, key), message);
    }
}

/// A mapping of free values; nothing at all is an empty one.
fn values(
    decoder: &mut Decoder,
    fields: &Fields<'_>,
    trail: Trail<'_>,
    key: &str,
) -> Map<String, Value> {
    let trail = Trail::Key(&trail, key);
    match fields.get(key) {
        None => Map::new(),
        Some(node) => match decoder.value(node, trail) {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            _ => {
                let found = node.kind.describe();
                decoder.problem(node, trail, format!("expected a mapping, found {found}"));
                Map::new()
            }
        },
    }
}

/// The names of the arguments that the tool declares to be paths.
fn path_arguments(
    decoder: &mut Decoder,
    fields: &Fields<'_>,
    trail: Trail<'_>,
    arguments: &Map<String, Value>,
) -> Vec<String> {
    let trail = Trail::Key(&trail, "path_args");
    let items = fields
        .get("path_args")
        .and_then(|node| decoder.items(node, trail, "a list of names of args"));
    let mut names = Vec::new();
    for (index, item) in items.unwrap_or_default().iter().enumerate() {
        let trail = Trail::Index(&trail, index);
        match decoder.name(item, trail, "the name of one of the args") {
            Some(name) if arguments.contains_key(name) => names.push(name.to_owned()),
            Some(name) => {
                let message = format!("no argument `{name}` in args; write one of its names");
                decoder.problem(item, trail, message);
            }
            None => {}
        }
    }
    names
}

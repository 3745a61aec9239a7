//! The rules and calls that every engine gets, and what each call should come to.

/// A rule about one tool, for one agent.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) agent: String,
    pub(crate) tool: String,
    pub(crate) operations: &'static [&'static str],
    pub(crate) effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Deny,
    /// Up to a risk.
    Allow(u8),
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) agent: String,
    pub(crate) tool: String,
    pub(crate) operation: &'static str,
    pub(crate) risk: u8,
    pub(crate) is_allowed: bool,
}

pub(crate) struct Workload {
    pub(crate) rules: Vec<Rule>,
    pub(crate) calls: Vec<Call>,
}

/// `low` and `high` of the four levels.
const RISKS: [u8; 2] = [0, 2];

impl Workload {
    /// For each agent, eight rules that allow and two that deny some of it again.
    pub(crate) fn new(rules: usize, calls: usize) -> Self {
        let agents = rules / 10;
        let rules = (0..agents).flat_map(rules_of).collect();
        // A stride that shares no factor with the number of agents meets each of them.
        let calls = (0..calls)
            .map(|index| call(index * 7919 % agents, index))
            .collect();
        Self { rules, calls }
    }
}

fn rules_of(agent: usize) -> impl Iterator<Item = Rule> {
    let rule = move |tool: usize, operations, effect| Rule {
        agent: agent_name(agent),
        tool: tool_name(tool),
        operations,
        effect,
    };
    let allow = (0..8).map(move |tool| rule(tool, &["read", "write"], Effect::Allow(1)));
    let deny = [(0, &["write"]), (8, &["read"])];
    allow.chain(deny.map(|(tool, operations)| rule(tool, operations, Effect::Deny)))
}

/// Allowed, denied by a rule, and denied by default for each of three reasons, in turns.
fn call(agent: usize, index: usize) -> Call {
    let (tool, operation, risk, is_allowed) = match index % 6 {
        0 => (3, "read", RISKS[0], true),
        1 => (7, "write", RISKS[0], true),
        2 => (0, "write", RISKS[0], false),
        3 => (5, "delete", RISKS[0], false),
        4 => (9, "read", RISKS[0], false),
        _ => (3, "read", RISKS[1], false),
    };
    Call {
        agent: agent_name(agent),
        tool: tool_name(tool),
        operation,
        risk,
        is_allowed,
    }
}

fn agent_name(agent: usize) -> String {
    format!("agent_{agent}")
}

fn tool_name(tool: usize) -> String {
    format!("tool_{tool}")
}

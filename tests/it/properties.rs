//! What holds of every policy and every call: the index agrees with a naive reading of the file,
//! an explanation with the verdict, and what may only tighten never widens.

mod naive;

use aegize::{
    AgentIdentity, Decision, Environment, GuardContext, GuardError, PermissionPolicy, RiskLevel,
    ToolAction, ToolCall,
};
use serde_json::{Map, Value, json};

use crate::support::World;

/// The same numbers in every run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn list(&mut self, from: &[&str]) -> Value {
        (0..=self.below(2)).map(|_| self.pick(from)).collect()
    }
}

const TOOLS: [&str; 6] = ["mail", "mail.eu", "files", "pay", "m*", "*"];
const OPERATIONS: [&str; 5] = ["send", "send_all", "read", "s*", "*_all"];
const NAMES: [&str; 3] = ["p", "q", "r"];
const SECTIONS: [&str; 3] = ["deny", "require_approval", "allow"];
const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];
const RISKS: [&str; 4] = ["low", "medium", "high", "critical"];

fn random_value(random: &mut Random) -> Value {
    let scalars = [
        json!("a"),
        json!("ab"),
        json!("b"),
        json!(""),
        json!(0),
        json!(5),
        json!(5.5),
        json!(-1),
        json!(true),
    ];
    match random.below(12) {
        0 => Value::Null,
        1 => json!({"a": "a"}),
        2 | 3 => (0..random.below(4))
            .map(|_| random.pick(&scalars))
            .collect(),
        4 => json!(["a", ["a"]]),
        _ => random.pick(&scalars),
    }
}

fn random_test(random: &mut Random, matcher: &mut Map<String, Value>) {
    let literal = |random: &mut Random| {
        random.pick(&[json!("a"), json!("b"), json!(5), json!(true), json!("ab")])
    };
    let (key, value) = match random.below(6) {
        0 => ("equals", literal(random)),
        1 => ("one_of", json!([literal(random), literal(random)])),
        2 => ("not_one_of", json!([literal(random)])),
        3 => ("min", random.pick(&[json!(0), json!(5), json!(-0.5)])),
        4 => ("below", random.pick(&[json!(6), json!(5.5), json!(100)])),
        _ => ("glob", random.pick(&[json!("a*"), json!("*b"), json!("*")])),
    };
    matcher.insert(key.to_owned(), value);
}

fn random_arguments(random: &mut Random, must_be_proved: bool) -> Value {
    let mut arguments = Map::new();
    for _ in 0..=random.below(2) {
        let mut matcher = Map::new();
        match random.below(8) {
            0 => {
                matcher.insert("present".to_owned(), random.chance(50).into());
            }
            1 => {
                matcher.insert("max_length".to_owned(), random.below(3).into());
            }
            2 => {
                let mut inner = Map::new();
                random_test(random, &mut inner);
                matcher.insert("not".to_owned(), inner.into());
            }
            3 => {
                random_test(random, &mut matcher);
                matcher.insert("max_length".to_owned(), 1.into());
            }
            _ => random_test(random, &mut matcher),
        }
        if must_be_proved && !matcher.contains_key("present") && random.chance(30) {
            matcher.insert("optional".to_owned(), true.into());
        }
        arguments.insert(random.pick(&NAMES).to_owned(), matcher.into());
    }
    arguments.into()
}

fn random_rule(random: &mut Random, section: &str) -> Value {
    let is_allow = section == "allow";
    let mut rule = Map::new();
    rule.insert("tool".to_owned(), random.pick(&TOOLS).into());
    if random.chance(60) {
        rule.insert("operations".to_owned(), random.list(&OPERATIONS));
    }
    if random.chance(25) {
        let key = if is_allow {
            "risk_level_max"
        } else {
            "risk_level_min"
        };
        rule.insert(key.to_owned(), random.pick(&RISKS).into());
    }
    if random.chance(50) {
        rule.insert("args".to_owned(), random_arguments(random, is_allow));
    }
    if !is_allow && random.chance(25) {
        let exemption = json!({"args": random_arguments(random, true)});
        let unless = match random.below(3) {
            0 => json!([exemption, {"risk_level_max": random.pick(&RISKS)}]),
            1 => json!({"risk_level_max": random.pick(&RISKS)}),
            _ => exemption,
        };
        rule.insert("unless".to_owned(), unless);
    }
    rule.into()
}

fn random_sections(random: &mut Random, most: usize, wanted: &[&str]) -> Map<String, Value> {
    let mut sections = Map::new();
    for section in wanted {
        let rules: Vec<_> = (0..random.below(most + 1))
            .map(|_| random_rule(random, section))
            .collect();
        if !rules.is_empty() {
            sections.insert((*section).to_owned(), rules.into());
        }
    }
    sections
}

fn random_overlays(random: &mut Random) -> Value {
    let mut overlays = Map::new();
    for environment in ENVIRONMENTS {
        if random.chance(30) {
            let mut sections = random_sections(random, 1, &SECTIONS);
            if sections.contains_key("allow") {
                sections.insert("widens".to_owned(), true.into());
            }
            overlays.insert(environment.to_owned(), sections.into());
        }
    }
    overlays.into()
}

fn random_policy(random: &mut Random) -> Value {
    let mut agent = random_sections(random, 4, &SECTIONS);
    agent.insert("environments".to_owned(), random_overlays(random));
    let mut roles = Map::new();
    let mut taken = Vec::new();
    for role in ["one", "two"] {
        roles.insert(
            role.to_owned(),
            random_sections(random, 2, &SECTIONS).into(),
        );
        if random.chance(50) {
            taken.push(role);
        }
    }
    agent.insert("roles".to_owned(), taken.into());
    json!({
        "roles": roles,
        "agents": {"bot": agent},
        "environments": random_overlays(random),
    })
}

fn random_action(random: &mut Random) -> ToolAction {
    let tool = random.pick(&["mail", "mail.eu", "files", "pay", "other"]);
    let operation = random.pick(&["send", "send_all", "read", "x"]);
    let mut action = ToolAction::new("bot", tool, operation);
    action.risk_level = random.pick(&RiskLevel::ALL);
    for name in NAMES {
        if random.chance(60) {
            let value = random_value(random);
            action.arguments.insert(name.to_owned(), value);
        }
    }
    if random.chance(80) {
        action = action.environment(random.pick(&Environment::ALL));
    }
    action
}

fn load(policy: &Value) -> PermissionPolicy {
    PermissionPolicy::from_value(policy).unwrap_or_else(|error| panic!("{policy:#}\n{error}"))
}

#[test]
fn the_index_agrees_with_a_naive_reading_and_the_explanation_with_the_verdict() {
    let mut random = Random(4);
    let mut decisions = [0; 3];
    for _ in 0..700 {
        let value = random_policy(&mut random);
        let policy = load(&value);
        for _ in 0..40 {
            let action = random_action(&mut random);
            let verdict = policy.evaluate(&action);
            let (decision, rule) = naive::judge(&value, &action);
            let found = (verdict.decision(), verdict.rule().map(str::to_owned));
            assert_eq!(found, (decision, rule), "{value:#}\n{action:#?}");
            decisions[decision as usize] += 1;

            let explanation = policy.explain(&action);
            assert_eq!(explanation.decision(), verdict.decision());
            assert_eq!(explanation.reason(), verdict.reason());
            assert_eq!(explanation.rule(), verdict.rule());
            let mut near_misses = explanation.near_misses().iter();
            assert!(near_misses.all(|near_miss| Some(near_miss.rule()) != verdict.rule()));
        }
    }
    assert!(decisions.iter().all(|count| *count > 2000), "{decisions:?}");
}

fn strictness(decision: Decision) -> u8 {
    match decision {
        Decision::Allow => 0,
        Decision::RequireApproval => 1,
        Decision::Deny => 2,
    }
}

#[test]
fn environments_without_allow_rules_and_roles_taken_away_never_widen() {
    let mut random = Random(5);
    let mut tightened = 0;
    for _ in 0..600 {
        let mut value = random_policy(&mut random);
        for overlays in ["/environments", "/agents/bot/environments"] {
            let overlays = value
                .pointer_mut(overlays)
                .unwrap()
                .as_object_mut()
                .unwrap();
            for sections in overlays.values_mut() {
                let sections = sections.as_object_mut().unwrap();
                sections.remove("allow");
                sections.remove("widens");
            }
        }
        let with = load(&value);
        value["environments"] = json!({});
        value["agents"]["bot"]["environments"] = json!({});
        let without = load(&value);
        for _ in 0..40 {
            let action = random_action(&mut random);
            let with = strictness(with.evaluate(&action).decision());
            let without = strictness(without.evaluate(&action).decision());
            assert!(with >= without, "{value:#}\n{action:#?}");
            tightened += usize::from(with > without);
        }
    }
    assert!(tightened > 200, "{tightened}");
}

#[test]
fn narrowing_takes_the_strictest_of_all() {
    let mut random = Random(6);
    let world = World::new("agents: {bot: {}}");
    for _ in 0..60 {
        let policies: Vec<PermissionPolicy> =
            (0..3).map(|_| load(&random_policy(&mut random))).collect();
        let environment = random.pick(&Environment::ALL);
        let agent = AgentIdentity::new("bot", "Test Bot", "Tests")
            .unwrap()
            .environment(environment);
        let log = world.context.audit_log().clone();
        let mut context = GuardContext::new(agent, policies[0].clone(), log);
        for policy in &policies[1..] {
            context = context.narrowed(policy.clone());
        }
        for _ in 0..10 {
            let mut action = random_action(&mut random);
            action.metadata.clear();
            let action = action.environment(environment);
            let expected = policies
                .iter()
                .map(|policy| strictness(policy.evaluate(&action).decision()))
                .max();
            let call = ToolCall::new(action.tool_name.clone(), action.operation.clone())
                .risk_level(action.risk_level)
                .arguments(action.arguments.clone());
            let outcome: Result<(), GuardError> = context.guard(call).run_blocking(|| Ok(()));
            let decided = match outcome {
                Ok(()) => 0,
                Err(GuardError::ApprovalRequired(_)) => 1,
                Err(GuardError::PolicyDenied(_)) => 2,
                Err(other) => panic!("{other}"),
            };
            assert_eq!(Some(decided), expected, "{action:#?}");
        }
    }
}

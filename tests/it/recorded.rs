//! Random policies and calls, and the records that a guard made of them.

use std::fmt::Write as _;

use aegize::{
    AgentIdentity, AuditRecord, Decision, GuardError, PermissionPolicy, RiskLevel, ToolAction,
    ToolCall,
};
use serde_json::{Map, Value, json};

use crate::support::World;

/// A generator that gives the same numbers everywhere (xorshift64*).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % end
    }

    fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// Rules of each section, any of which may be in a policy.
const DENY: [&str; 6] = [
    "{tool: files, paths: ['**/.env']}",
    "{tool: '*', args: {token: {present: false}}, operations: [write]}",
    "{tool: mail, args: {to: {not: {email: ['@acme.com']}}}}",
    "{tool: files, operations: [write], risk_level_min: high}",
    "{tool: files, paths: ['./out/**'], unless: {paths: ['./out/ok/**']}}",
    "{tool: mail, args: {/options/bulk: {equals: true}}}",
];
const REQUIRE_APPROVAL: [&str; 4] = [
    "{tool: mail, unless: {args: {to: {email: ['@acme.com']}, content: {max_length: 60, optional: true}}}}",
    "{tool: files, operations: [write], paths: ['**']}",
    "{tool: '*', args: {count: {above: 2}}}",
    "{tool: files, args: {content: {matches: '.*secret.*'}}}",
];
const ALLOW: [&str; 6] = [
    "{tool: files, paths: ['./data/**'], risk_level_max: medium}",
    "{tool: files, paths: ['./data/**', './out/**', '*.md']}",
    "{tool: mail, args: {to: {email: ['@acme.com']}}}",
    "{tool: mail}",
    "{tool: '*', args: {count: {max: 3}, tags: {one_of: [a, b], optional: true}}}",
    "{tool: files, operations: [read], args: {token: {present: true}}}",
];

pub(crate) fn policy(random: &mut Random) -> String {
    let mut text = "agents:\n".to_owned();
    for agent in ["bot", "boss"] {
        writeln!(text, "  {agent}:").unwrap();
        let sections: [(&str, &[&str]); 3] = [
            ("deny", &DENY),
            ("require_approval", &REQUIRE_APPROVAL),
            ("allow", &ALLOW),
        ];
        for (section, rules) in sections {
            let chosen: Vec<_> = rules.iter().filter(|_| random.once_in(2)).collect();
            writeln!(text, "    {section}:").unwrap();
            for rule in chosen {
                writeln!(text, "      - {rule}").unwrap();
            }
        }
        if random.once_in(3) {
            let rule = random.pick(&REQUIRE_APPROVAL);
            writeln!(
                text,
                "    environments: {{dev: {{require_approval: [{rule}]}}}}"
            )
            .unwrap();
        }
    }
    text
}

/// A call, and the action that a policy judged.
fn call(random: &mut Random) -> (ToolCall, ToolAction) {
    let tool = *random.pick(&["files", "mail"]);
    let operation = *random.pick(&["read", "write"]);
    let risk = *random.pick(&RiskLevel::ALL);
    let mut arguments = Map::new();
    let mut add = |name: &str, value: Value| arguments.insert(name.to_owned(), value);
    let paths = [
        "./data/a",
        "data/b/c",
        "./out/x",
        "./out/ok/y",
        "/etc/.env",
        "./data/.env",
        "..\\x",
    ];
    let is_declared = random.once_in(2);
    if random.below(4) > 0 {
        let path = if is_declared || random.below(3) > 0 {
            *random.pick(&paths)
        } else {
            "report.md"
        };
        add("path", path.into());
    }
    if random.once_in(3) {
        let content = ["hi", "either/or", "a secret", "one\n\"two\" \\ …", ".env"];
        let repeated = random.pick(&content).repeat(*random.pick(&[1, 1, 1, 80]));
        add("content", repeated.into());
    }
    if random.once_in(2) {
        let to = [
            json!("a@acme.com"),
            json!("b@evil.io"),
            json!(["a@acme.com", "c@x.io"]),
            json!(7),
            json!(null),
        ];
        add("to", random.pick(&to).clone());
    }
    if random.once_in(3) {
        add(
            "count",
            random
                .pick(&[json!(1), json!(2.5), json!(-3), json!(1e40)])
                .clone(),
        );
    }
    if random.once_in(4) {
        add(
            "tags",
            random
                .pick(&[json!([]), json!(["a", "b"]), json!(["a", ["z"]])])
                .clone(),
        );
    }
    if random.once_in(4) {
        add(
            "options",
            random
                .pick(&[
                    json!({"bulk": true}),
                    json!({"bulk": false, ".env": 1}),
                    json!({".env": "x"}),
                ])
                .clone(),
        );
    }
    if random.once_in(3) {
        add(
            "token",
            random
                .pick(&[json!("sk-1"), json!(null), json!("a/.env")])
                .clone(),
        );
    }

    let mut call = ToolCall::new(tool, operation)
        .risk_level(risk)
        .arguments(arguments.clone());
    let mut action = ToolAction::new("bot", tool, operation)
        .risk_level(risk)
        .metadata("environment", "dev");
    if is_declared && arguments.contains_key("path") {
        call = call.path_argument("path");
        action.path_arguments.push("path".to_owned());
    }
    for name in ["token", "to"] {
        if random.once_in(3) {
            call = call.redacted_argument(name);
        }
    }
    if random.once_in(5) {
        let path = *random.pick(&paths);
        call = call.metadata(json!({ "path": path }));
        action = action.metadata("path", path);
    }
    action.arguments = arguments;
    (call, action)
}

fn strictness(decision: Decision) -> u8 {
    match decision {
        Decision::Allow => 0,
        Decision::RequireApproval => 1,
        Decision::Deny => 2,
    }
}

/// What a policy decides about an action of some agents, of which the strictest counts.
pub(crate) fn judge(
    policy: &PermissionPolicy,
    action: &ToolAction,
    agents: &[&'static str],
) -> Decision {
    let decisions = agents.iter().map(|agent| {
        let mut action = action.clone();
        action.agent_id = (*agent).into();
        policy.evaluate(&action).decision()
    });
    decisions
        .max_by_key(|decision| strictness(*decision))
        .unwrap()
}

/// Calls that went through a guard, with their decision's record.
pub(crate) fn recorded(
    random: &mut Random,
    old: &str,
    count: usize,
) -> Vec<(ToolAction, bool, AuditRecord<'static>)> {
    let world = World::new(old);
    let boss = world
        .context
        .acting_for(AgentIdentity::new("boss", "Boss", "Tests").unwrap());
    let calls: Vec<_> = (0..count)
        .map(|_| {
            let (call, action) = call(random);
            let is_for_boss = random.once_in(4);
            let context = if is_for_boss { &boss } else { &world.context };
            let _ = context.guard(call).run_blocking(|| Ok::<_, GuardError>(()));
            (action, is_for_boss)
        })
        .collect();
    let decisions = world
        .records()
        .into_iter()
        .filter(|record| record.policy.is_some());
    let pairs: Vec<_> = calls
        .into_iter()
        .zip(decisions)
        .map(|((action, is_for_boss), record)| (action, is_for_boss, record))
        .collect();
    assert_eq!(pairs.len(), count);
    pairs
}

pub(crate) fn parties(is_for_boss: bool) -> &'static [&'static str] {
    if is_for_boss {
        &["bot", "boss"]
    } else {
        &["bot"]
    }
}

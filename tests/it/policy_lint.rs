//! What lint finds, and that each finding is true.

use aegize::{DeclaredTool, FindingCode, PermissionPolicy, RiskLevel, ToolAction};

/// What is found, a line for each: the line of the file, the code, and the rules it is about.
#[track_caller]
fn found(policy: &str) -> Vec<String> {
    told(policy, &[])
}

#[track_caller]
fn told(text: &str, tools: &[DeclaredTool]) -> Vec<String> {
    let policy = PermissionPolicy::from_yaml_str(text).unwrap();
    let findings = policy.lint(tools);
    let mut lines = Vec::new();
    for finding in findings {
        if let Some(witness) = finding.witness() {
            check_witness(
                text,
                finding.rule().unwrap(),
                finding.related()[0].rule(),
                witness,
            );
        }
        let line = finding.place().line().unwrap_or(0);
        let mut told = format!("{line} {}", finding.code());
        for related in finding.related() {
            told += " ";
            told += related.rule();
        }
        assert!(
            finding.message().len() > 20 && !finding.message().ends_with('.'),
            "{finding}"
        );
        lines.push(told);
    }
    lines
}

/// The other rule takes the call, and without all the others, the rule does.
#[track_caller]
fn check_witness(text: &str, rule: &str, other: &str, witness: &ToolAction) {
    let policy = PermissionPolicy::from_yaml_str(text).unwrap();
    assert_eq!(policy.evaluate(witness).rule(), Some(other), "{witness:?}");
    assert_ne!(rule, other);
}

fn sections(rules: &str) -> String {
    format!("agents:\n  bot:\n{rules}\n")
}

#[test]
fn rules_that_never_decide() {
    for (name, rules, expected) in [
        (
            "deny hides allow",
            "    deny: [{tool: a}]\n    allow:\n    - {tool: a, operations: [x]}",
            &["5 shadowed-rule bot.deny[0]"] as &[&str],
        ),
        (
            "approval hides allow",
            "    require_approval: [{tool: a}]\n    allow:\n    - {tool: a}",
            &["5 shadowed-rule bot.require_approval[0]"],
        ),
        (
            "a glob",
            "    deny: [{tool: '*'}]\n    allow:\n    - {tool: 'a*'}",
            &["5 shadowed-rule bot.deny[0]"],
        ),
        (
            "a part is left",
            "    deny: [{tool: 'ab*'}]\n    allow:\n    - {tool: 'a*'}",
            &[],
        ),
        (
            "two together",
            "    deny: [{tool: a, operations: [p]}, {tool: a, operations: [q]}]\n    allow:\n    - {tool: a, operations: [p, q]}",
            &["5 shadowed-rule bot.deny[0] bot.deny[1]"],
        ),
        (
            "globs together",
            "    deny: [{tool: a, operations: ['[!a-z]*']}, {tool: a, operations: ['[a-z]*']}]\n    allow:\n    - {tool: a}",
            &[],
        ),
        (
            "risk in parts",
            "    deny: [{tool: a, risk_level_min: high}]\n    allow:\n    - {tool: a, risk_level_max: medium}\n    - {tool: a}",
            &["6 shadowed-rule bot.allow[0] bot.deny[0]"],
        ),
        (
            "risk is left",
            "    deny: [{tool: a, risk_level_min: critical}]\n    allow:\n    - {tool: a, risk_level_max: medium}\n    - {tool: a}",
            &[],
        ),
        (
            "risk exempts",
            "    deny: [{tool: a, unless: {risk_level_max: low}}]\n    require_approval:\n    - {tool: a, risk_level_min: medium}",
            &["5 shadowed-rule bot.deny[0]"],
        ),
        (
            "the same again",
            "    allow:\n    - {tool: a, operations: [p, q]}\n    - {tool: a, operations: [q, p, q]}",
            &["5 duplicate-rule bot.allow[0]"],
        ),
        (
            "conditions hide nothing",
            "    deny: [{tool: a, args: {x: {equals: 1}}}]\n    allow:\n    - {tool: a}",
            &[],
        ),
        (
            "the same condition",
            "    allow:\n    - {tool: a, args: {x: {equals: 1}}}\n    - {tool: a, args: {x: {one_of: [1]}}}",
            &["5 duplicate-rule bot.allow[0]"],
        ),
        (
            "narrower conditions",
            "    allow:\n    - {tool: a, args: {x: {min: 1}}}\n    - {tool: a, args: {x: {min: 2, max: 3}, z: {glob: 'a*'}}}",
            &["5 shadowed-rule bot.allow[0]"],
        ),
        (
            "an empty list is allowed, not denied",
            "    deny: [{tool: a, args: {x: {min: 1}}}]\n    allow:\n    - {tool: a, args: {x: {min: 2}}}",
            &[],
        ),
        (
            "denied by words",
            "    deny: [{tool: a, args: {x: {command: [rm, mv]}}}]\n    allow:\n    - {tool: a, args: {x: {command: rm}}}",
            &["5 shadowed-rule bot.deny[0]"],
        ),
        (
            "denied by being there",
            "    deny: [{tool: a, args: {x: {present: true}}}]\n    allow:\n    - {tool: a, args: {x: {min: 2}}}\n    - {tool: a, args: {x: {min: 2, optional: true}}}",
            &["5 shadowed-rule bot.deny[0]"],
        ),
        (
            "paths",
            "    allow:\n    - {tool: a, paths: ['./data/**'], symlinks: ignore}\n    - {tool: a, paths: ['./data/x/*.md', './data/y']}",
            &["5 shadowed-rule bot.allow[0]"],
        ),
        (
            "paths outside",
            "    allow:\n    - {tool: a, paths: ['./data/*']}\n    - {tool: a, paths: ['./data/**']}",
            &[],
        ),
        (
            "a denied path",
            "    deny: [{tool: a, paths: ['**/.env', '**/id_*']}]\n    allow:\n    - {tool: a, paths: ['/srv/id_rsa', './.env']}",
            &["5 shadowed-rule bot.deny[0]"],
        ),
        (
            "exemptions",
            "    deny: [{tool: a, unless: {args: {x: {min: 5}}}}]\n    require_approval:\n    - {tool: a, unless: {args: {x: {min: 4}}}}\n    - {tool: a, unless: {args: {x: {min: 6}}}}\n    - {tool: a}",
            &["5 shadowed-rule bot.deny[0]"],
        ),
        (
            "every risk exempt",
            "    deny: [{tool: a, unless: {risk_level_max: critical}}]\n    allow: [{tool: b}]",
            &["3 never-matches"],
        ),
        (
            "an empty list",
            "    deny:\n    - {tool: a, operations: []}\n    allow: [{tool: b}]",
            &["4 never-matches"],
        ),
        (
            "other tools",
            "    deny: [{tool: a}]\n    allow:\n    - {tool: A}",
            &[],
        ),
    ] {
        let text = sections(rules);
        let mut found = found(&text);
        found.retain(|line| !line.contains("agent-without-allow") && !line.contains("similar"));
        assert_eq!(found, expected, "{name}\n{text}");
    }
}

#[test]
fn a_rule_of_a_role_is_hidden_only_if_it_is_for_all() {
    let text = "
roles:
  reader:
    allow:
      - {tool: files, operations: [read]}
  lonely:
    allow: [{tool: a}]
agents:
  one:
    roles: [reader]
    deny: [{tool: files}]
  two:
    roles: [reader]
  none: {}
environments:
  prod:
    deny:
      - {tool: files, operations: [write]}
";
    assert_eq!(found(text), ["6 unused-role", "14 agent-without-allow"]);
    let text = text.replace("  two:\n    roles: [reader]\n", "");
    assert_eq!(
        found(&text),
        [
            "5 shadowed-rule one.deny[0]",
            "6 unused-role",
            "12 agent-without-allow",
        ]
    );
}

#[test]
fn patterns_that_cannot_mean_what_they_say() {
    for (rule, expected) in [
        ("{tool: a, paths: ['**']}", "4 path-matches-everything"),
        ("{tool: a, paths: ['./**/*']}", "4 path-matches-everything"),
        ("{tool: a, paths: ['/**']}", "4 path-matches-everything"),
        (
            "{tool: a, args: {x: {path: '/**'}}}",
            "4 path-matches-everything",
        ),
        ("{tool: a, paths: ['*']}", ""),
        ("{tool: a, paths: ['**/*.md']}", ""),
        ("{tool: a, paths: ['./{.,..}/a']}", "4 path-matches-nothing"),
        ("{tool: a, paths: ['[~]/**']}", "4 path-matches-nothing"),
        ("{tool: a, paths: ['./{a,..}/b']}", ""),
        (
            "{tool: a, args: {x: {glob: '**'}}}",
            "4 pattern-matches-everything",
        ),
        (
            "{tool: a, args: {x: {glob: ['a', '**']}}}",
            "4 pattern-matches-everything",
        ),
        ("{tool: a, args: {x: {glob: '*'}}}", ""),
        (
            "{tool: a, args: {x: {matches: '.*'}}}",
            "4 pattern-matches-everything",
        ),
        (
            "{tool: a, args: {x: {matches: 'a.*|[^a].*|'}}}",
            "4 pattern-matches-everything",
        ),
        ("{tool: a, args: {x: {matches: 'a.*'}}}", ""),
        (
            "{tool: a, args: {x: {matches: 'a^b'}}}",
            "4 contradictory-matcher",
        ),
        (
            "{tool: a, args: {x: {matches: 'a+', glob: 'b*'}}}",
            "4 contradictory-matcher",
        ),
        (
            "{tool: a, args: {x: {one_of: [1, b], glob: 'a*'}}}",
            "4 contradictory-matcher",
        ),
        ("{tool: a, args: {x: {one_of: [1, ab], glob: 'a*'}}}", ""),
        (
            "{tool: a, args: {x: {min: 1, email: '@acme.com'}}}",
            "4 contradictory-matcher",
        ),
        ("{tool: a, args: {x: {min: 1, max_length: 3}}}", ""),
    ] {
        let text = sections(&format!("    allow:\n    - {rule}"));
        let expected: Vec<&str> = [expected].into_iter().filter(|e| !e.is_empty()).collect();
        assert_eq!(found(&text), expected, "{rule}");
    }
    // To deny or ask about everything is no mistake.
    let text = sections(
        "    deny: [{tool: a, paths: ['**', '/**'], args: {x: {glob: '**'}}}]\n    allow: [{tool: b}]",
    );
    assert_eq!(found(&text), [""; 0]);
}

#[test]
fn names_that_can_be_mistaken() {
    for (one, other, expected) in [
        (
            "web_search",
            "web-search",
            "similar-tool-names bot.allow[0]",
        ),
        ("web_search", "WebSearch", "similar-tool-names bot.allow[0]"),
        (
            "web_search",
            "web_serach",
            "similar-tool-names bot.allow[0]",
        ),
        ("web_search", "web_searc", "similar-tool-names bot.allow[0]"),
        ("web_search", "Web_search2", ""),
        ("disk_1", "disk_20", ""),
        ("email", "gmail", ""),
        ("cat", "car", ""),
        ("paypal", "pаypal", "confusable-tool-names"),
        ("files", "fi1es", "confusable-tool-names"),
        ("größe", "名前", ""),
    ] {
        let text = sections(&format!("    allow: [{{tool: {one}}}, {{tool: {other}}}]"));
        let found = found(&text);
        let as_expected = match expected {
            "" => found.is_empty(),
            expected => !found.is_empty() && found.iter().all(|line| line.contains(expected)),
        };
        assert!(as_expected, "{one} {other}: {found:?}");
    }
}

#[test]
fn declared_tools_are_compared_with_the_rules() {
    let declared = |tool: &str, operation: &str, risk_level| DeclaredTool {
        tool_name: tool.to_owned(),
        operation: operation.to_owned(),
        risk_level,
    };
    let tools = [
        declared("files", "read", RiskLevel::Low),
        declared("files", "write", RiskLevel::High),
        declared("mail", "send", RiskLevel::High),
        declared("mail", "read", RiskLevel::Low),
        declared("shell", "run", RiskLevel::Critical),
    ];
    let text = sections(
        "    allow:
    - {tool: files, risk_level_max: medium}
    - {tool: files, operations: [read, write], risk_level_max: low}
    - {tool: 'mail', operations: ['s*'], risk_level_max: medium}
    - {tool: 'm*', risk_level_max: medium}",
    );
    let mut found = told(&text, &tools);
    found.retain(|line| !line.contains("shadowed"));
    assert_eq!(
        found,
        [
            "0 tool-without-rule",
            "5 risk-ceiling-too-low",
            "6 risk-ceiling-too-low",
        ]
    );
}

#[test]
fn codes_are_stable_and_distinct() {
    let mut codes = FindingCode::ALL.map(FindingCode::as_str).to_vec();
    assert!(
        codes
            .iter()
            .all(|code| code.bytes().all(|b| b == b'-' || b.is_ascii_lowercase()))
    );
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), FindingCode::ALL.len());
}

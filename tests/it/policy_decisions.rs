//! What a policy decides, and how it explains that.

use aegize::{Decision, PermissionPolicy, RiskLevel, ToolAction};
use serde_json::json;

#[test]
fn globs_risk_order_and_names_of_rules() {
    let policy = PermissionPolicy::from_yaml_str(
        "\
agents:
  bot:
    allow:
      - {tool: 'github.*', operations: ['get_*', list]}
      - {tool: github.issues, operations: [create], risk_level_max: medium, reason: small changes}
      - {tool: none, operations: []}
    require_approval:
      - {tool: '*', risk_level_min: high, id: risky, reason: ask first}
    deny:
      - {tool: 'github.*', operations: ['*_all'], id: no-bulk}
",
    )
    .unwrap();
    use Decision::{Allow, Deny, RequireApproval};
    use RiskLevel::{High, Low, Medium};
    for (tool, operation, risk, decision, rule, reason) in [
        (
            "github.issues",
            "get_one",
            Low,
            Allow,
            Some("bot.allow[0]"),
            "allowed by rule for tool 'github.issues'",
        ),
        (
            "github.issues",
            "get_all",
            Low,
            Deny,
            Some("no-bulk"),
            "denied by rule for tool 'github.issues'",
        ),
        (
            "github.issues",
            "get_all",
            High,
            Deny,
            Some("no-bulk"),
            "denied by rule for tool 'github.issues'",
        ),
        (
            "github.issues",
            "list",
            High,
            RequireApproval,
            Some("risky"),
            "approval required for tool 'github.issues': ask first",
        ),
        (
            "github.issues",
            "create",
            Medium,
            Allow,
            Some("bot.allow[1]"),
            "allowed by rule for tool 'github.issues': small changes",
        ),
        (
            "github.issues",
            "close",
            Medium,
            Deny,
            None,
            "no matching allow rule for tool 'github.issues' operation 'close' (default deny)",
        ),
        (
            "github",
            "get_one",
            Low,
            Deny,
            None,
            "no matching allow rule for tool 'github' operation 'get_one' (default deny)",
        ),
        (
            "none",
            "any",
            Low,
            Deny,
            None,
            "no matching allow rule for tool 'none' operation 'any' (default deny)",
        ),
    ] {
        let action = ToolAction::new("bot", tool, operation).risk_level(risk);
        let verdict = policy.evaluate(&action);
        assert_eq!(verdict.decision(), decision, "{tool} {operation} {risk}");
        assert_eq!(verdict.rule(), rule, "{tool} {operation} {risk}");
        assert_eq!(verdict.reason(), reason);
        let explanation = policy.explain(&action);
        assert_eq!(
            (explanation.decision(), explanation.reason()),
            (decision, reason)
        );
    }
    let ghost = ToolAction::new("ghost", "clock", "read");
    assert_eq!(
        policy.evaluate(&ghost).reason(),
        "unknown agent 'ghost' (default deny)"
    );
}

#[test]
fn near_misses_say_which_condition_failed() {
    let policy = PermissionPolicy::from_yaml_str(
        "\
agents:
  bot:
    allow:
      - {tool: files, operations: [read], risk_level_max: medium, paths: [./safe_data/**, notes/*.md]}
      - {tool: files, operations: [list]}
    deny:
      - {tool: files, risk_level_min: critical}
",
    )
    .unwrap();
    let action = || ToolAction::new("bot", "files", "read");
    let explain = |action: ToolAction| policy.explain(&action).to_string();
    let rest = "\nbot.allow[1]: operation 'read' is not in operations";
    let deny = "bot.deny[0]: risk 'low' is below risk_level_min 'critical'\n";
    for (action, expected) in [
        (
            action().path_argument("p", "../x"),
            "bot.allow[0]: path '../x' climbs above its start",
        ),
        (
            action().path_argument("p", "x\u{1b}[2J"),
            "bot.allow[0]: path 'x\\u{1b}[2J' holds a control character",
        ),
        (
            action().path_argument("p", "etc/x"),
            "bot.allow[0]: path 'etc/x' is outside ./safe_data/**, notes/*.md",
        ),
        (
            action().path_argument("p", 7),
            "bot.allow[0]: path of `p` cannot be read as a path; mark the parameter that is with `#[guard(path)]`",
        ),
        (
            action(),
            "bot.allow[0]: the call has no path, and paths is ./safe_data/**, notes/*.md",
        ),
    ] {
        assert_eq!(explain(action), format!("{deny}{expected}{rest}"));
    }
    let risky = action()
        .risk_level(RiskLevel::High)
        .path_argument("p", "safe_data/x");
    let expected = "bot.allow[0]: risk 'high' is above risk_level_max 'medium'";
    assert!(explain(risky).contains(expected));
    let other = ToolAction::new("bot", "clock", "read");
    assert_eq!(explain(other), "no other rule of this agent names the tool");
}

#[test]
fn every_path_of_a_call_counts() {
    let policy = PermissionPolicy::from_yaml_str(
        "\
agents:
  bot:
    allow:
      - {tool: files, paths: ['./in/**']}
      - {tool: any}
    deny:
      - {tool: any, paths: ['**/.env', './secret/**']}
",
    )
    .unwrap();
    let files = || ToolAction::new("bot", "files", "copy");
    let any = || ToolAction::new("bot", "any", "copy");
    let decide = |action: &ToolAction| policy.evaluate(action).decision() == Decision::Allow;
    for (action, allowed) in [
        (files().argument("a", "in/x").argument("b", "in/y"), true),
        (files().argument("a", "in/x").argument("b", "out/y"), false),
        (files().argument("a", "in/x").argument("b", "utf-8"), true),
        (
            files().path_argument("a", "in/x").argument("b", "a / b"),
            true,
        ),
        (
            files()
                .path_argument("a", "in/x")
                .path_argument("b", json!(["in/y", "/etc"])),
            false,
        ),
        (files().path_argument("a", json!(null)), false),
        (
            files()
                .argument("a", json!({"deep": [{"er": "../x"}]}))
                .argument("b", "in/x"),
            false,
        ),
        (
            files()
                .argument("a", json!({"/etc/x": 1}))
                .argument("b", "in/x"),
            false,
        ),
        (files().argument("a", "in/x").metadata("path", "out"), false),
        (files().metadata("paths", json!(["in/a", "in/b"])), true),
        (files().metadata("paths", json!(["in/a", "out"])), false),
        (
            files().metadata("candidate_paths", json!(["in/a", 5])),
            false,
        ),
        (files().argument("name", "in"), true),
        (
            files().argument("name", "report").argument("mode", "r"),
            false,
        ),
        (files(), false),
        (
            files()
                .argument("big", "x".repeat(40_000))
                .argument("a", "in/x"),
            false,
        ),
        // A bare name is no path while another string looks like one; a deny rule sees it all the same.
        (files().argument("a", "in/x").argument("b", "passwd"), true),
        (any().argument("a", ".env").argument("b", "in/x"), false),
        (any().argument("a", json!([".env", "in/x"])), false),
        (
            any().argument("a", "secret").metadata("path", "in/x"),
            false,
        ),
        (any().argument("a", "").argument("b", "in/x"), true),
        (
            any().path_argument("a", "in/x").argument("b", "secret"),
            true,
        ),
        // A backslash separates to some and is a letter to others.
        (files().path_argument("a", r"in/a\b"), true),
        (files().path_argument("a", r"in\x"), false),
        (files().path_argument("a", r"out/a\..\..\in\x"), false),
        (any().path_argument("a", r"secret\k"), false),
        (any().path_argument("a", r"secret/y\..\..\in"), false),
        (any(), true),
        (any().argument("a", "x/.env"), false),
        (any().argument("a", "/srv/x/.env"), false),
        (any().argument("a", "x/env"), true),
        (
            any()
                .argument("a", "fine")
                .argument("b", "./secret/../secret/k"),
            false,
        ),
        (any().argument("a", "../x"), false),
        (any().path_argument("a", 7), false),
        (any().path_argument("a", json!(null)), true),
    ] {
        assert_eq!(
            decide(&action),
            allowed,
            "{:?} {:?}",
            action.arguments,
            action.metadata
        );
    }
}

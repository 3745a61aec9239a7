//! Rules that several agents, environments and files share.

use std::fs;

use aegize::{Decision, Environment, LoadErrorKind, PermissionPolicy, ToolAction};
use tempfile::TempDir;

use Decision::{Allow, Deny, RequireApproval};

const SHARED: &str = "\
version: 1
roles:
  reader:
    allow:
      - {tool: files, operations: [read]}
    deny:
      - {id: no-secrets, tool: files, paths: ['**/.env']}
  mailer:
    allow:
      - {tool: email, operations: [send]}
agents:
  bot:
    roles: [reader, mailer]
    allow:
      - {tool: clock}
    environments:
      prod:
        require_approval:
          - {tool: clock}
  other:
    roles: [reader]
environments:
  prod:
    deny:
      - {tool: email}
  dev:
    widens: true
    allow:
      - {tool: shell}
";

fn decide(
    policy: &PermissionPolicy,
    agent: &'static str,
    tool: &'static str,
    operation: &'static str,
    environment: Option<Environment>,
) -> (Decision, Option<String>) {
    let mut action = ToolAction::new(agent, tool, operation);
    if let Some(environment) = environment {
        action = action.environment(environment);
    }
    let verdict = policy.evaluate(&action);
    (verdict.decision(), verdict.rule().map(str::to_owned))
}

#[test]
fn an_agent_has_its_own_rules_those_of_its_roles_and_those_of_its_environment() {
    let policy = PermissionPolicy::from_yaml_str(SHARED).unwrap();
    use Environment::{Dev, Prod, Staging};
    for (agent, tool, operation, environment, decision, rule) in [
        (
            "bot",
            "files",
            "read",
            Some(Dev),
            Allow,
            Some("roles.reader.allow[0]"),
        ),
        (
            "other",
            "files",
            "read",
            Some(Dev),
            Allow,
            Some("roles.reader.allow[0]"),
        ),
        ("other", "email", "send", Some(Dev), Deny, None),
        (
            "bot",
            "email",
            "send",
            Some(Dev),
            Allow,
            Some("roles.mailer.allow[0]"),
        ),
        (
            "bot",
            "email",
            "send",
            Some(Staging),
            Allow,
            Some("roles.mailer.allow[0]"),
        ),
        (
            "bot",
            "email",
            "send",
            Some(Prod),
            Deny,
            Some("environments.prod.deny[0]"),
        ),
        (
            "bot",
            "clock",
            "read",
            Some(Dev),
            Allow,
            Some("bot.allow[0]"),
        ),
        (
            "bot",
            "clock",
            "read",
            Some(Prod),
            RequireApproval,
            Some("bot.environments.prod.require_approval[0]"),
        ),
        (
            "bot",
            "shell",
            "run",
            Some(Dev),
            Allow,
            Some("environments.dev.allow[0]"),
        ),
        (
            "other",
            "shell",
            "run",
            Some(Dev),
            Allow,
            Some("environments.dev.allow[0]"),
        ),
        ("bot", "shell", "run", Some(Staging), Deny, None),
        // Of an unknown environment, what refuses in any may be it, and what allows may not.
        (
            "bot",
            "email",
            "send",
            None,
            Deny,
            Some("environments.prod.deny[0]"),
        ),
        ("bot", "shell", "run", None, Deny, None),
    ] {
        let decided = decide(&policy, agent, tool, operation, environment);
        let expected = (decision, rule.map(str::to_owned));
        assert_eq!(decided, expected, "{agent} {tool} {environment:?}");
    }

    let action = ToolAction::new("bot", "shell", "run").environment(Prod);
    let explanation = policy.explain(&action).to_string();
    assert_eq!(
        explanation,
        "environments.dev.allow[0]: the rule is for environment 'dev'"
    );
    assert_eq!(policy.rules().count(), 7, "a role's rules are there once");
}

#[test]
fn mistakes_in_shared_rules_say_what_to_write() {
    let error = PermissionPolicy::from_yaml_str(
        "\
roles:
  reader:
    allow: [{tool: a, id: one}]
  reader2:
    environments: {}
agents:
  bot:
    roles: [reader, raeder, reader]
    deny: [{tool: b, id: one}]
  other:
    roles: reader
environments:
  production:
    deny: [{tool: c}]
  prod:
    allow: [{tool: d}]
  dev:
    widens: maybe
    allow: [{tool: d}]
",
    )
    .unwrap_err();
    insta::assert_snapshot!(error);
}

fn written(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

#[test]
fn layers_add_up_and_what_one_denies_no_other_allows() {
    let directory = written(&[
        (
            "base.yaml",
            "roles: {reader: {allow: [{tool: files}]}}\nenvironments: {prod: {deny: [{tool: shell}]}}\n",
        ),
        (
            "team.yaml",
            "agents:\n  bot:\n    roles: [reader]\n    deny:\n      - {tool: email, operations: [purge]}\n",
        ),
        (
            "agent.yaml",
            "agents:\n  bot:\n    allow:\n      - tool: email\n      - tool: shell\n",
        ),
    ]);
    let file = |name: &str| directory.path().join(name);
    let policy =
        PermissionPolicy::layered([file("base.yaml"), file("team.yaml"), file("agent.yaml")])
            .unwrap();
    let name = |file_name: &str, rule: &str| Some(format!("{}:{rule}", file(file_name).display()));
    use Environment::{Dev, Prod};
    for (tool, operation, environment, decision, rule) in [
        (
            "files",
            "read",
            Dev,
            Allow,
            name("base.yaml", "roles.reader.allow[0]"),
        ),
        (
            "email",
            "send",
            Dev,
            Allow,
            name("agent.yaml", "bot.allow[0]"),
        ),
        (
            "email",
            "purge",
            Dev,
            Deny,
            name("team.yaml", "bot.deny[0]"),
        ),
        (
            "shell",
            "run",
            Dev,
            Allow,
            name("agent.yaml", "bot.allow[1]"),
        ),
        (
            "shell",
            "run",
            Prod,
            Deny,
            name("base.yaml", "environments.prod.deny[0]"),
        ),
    ] {
        let decided = decide(&policy, "bot", tool, operation, Some(environment));
        assert_eq!(
            decided,
            (decision, rule),
            "{tool} {operation} {environment}"
        );
    }
    let action = ToolAction::new("bot", "email", "purge");
    let explanation = policy.explain(&action);
    let place = explanation.place().unwrap();
    assert_eq!(place.file(), Some(file("team.yaml").as_path()));
    assert_eq!(place.line(), Some(5));
    assert_eq!(
        place.to_string(),
        format!("{}:5", file("team.yaml").display())
    );

    // One file is a policy like any other, and its digest tells its bytes.
    let single = PermissionPolicy::layered([file("team.yaml")]);
    let error = single.unwrap_err().to_string();
    assert!(error.contains("unknown role `reader`"), "{error}");
    let alone = PermissionPolicy::layered([file("agent.yaml")]).unwrap();
    let same = PermissionPolicy::from_yaml_file(file("agent.yaml")).unwrap();
    assert_eq!(alone.digest(), same.digest());
    assert_ne!(policy.digest(), same.digest());
}

#[test]
fn a_layer_defines_nothing_anew_and_no_layer_is_no_policy() {
    let directory = written(&[
        (
            "base.yaml",
            "roles: {reader: {allow: [{tool: a, id: one}]}}\nagents: {bot: {roles: [reader]}}\n",
        ),
        (
            "upper.yaml",
            "roles: {reader: {allow: [{tool: b}]}}\nagents: {bot: {deny: [{tool: c, id: one}]}}\n",
        ),
    ]);
    let file = |name: &str| directory.path().join(name);
    let error = PermissionPolicy::layered([file("base.yaml"), file("upper.yaml")]).unwrap_err();
    assert_eq!(error.file(), Some(file("upper.yaml").as_path()));
    let messages: Vec<&str> = error
        .problems()
        .iter()
        .map(aegize::Problem::message)
        .collect();
    let base = file("base.yaml");
    assert_eq!(
        messages,
        [
            format!(
                "role `reader` is already defined in {}:1; give it another name",
                base.display()
            ),
            format!(
                "id `one` is already given in {}:1; give each rule its own",
                base.display()
            ),
        ]
    );

    let nothing: [&str; 0] = [];
    let error = PermissionPolicy::layered(nothing).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Unreadable);
    assert_eq!(error.to_string(), "no file is given; name at least one");
}

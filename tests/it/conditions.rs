//! Conditions on arguments: what has to be proved, and what need only be possible.

use aegize::{Decision, PermissionPolicy, RiskLevel, ToolAction, ToolCall};
use serde_json::{Value, json};

use crate::support::World;

/// What the same matcher does on an argument `x` in an allow rule and in a deny rule.
fn decide(matcher: &str, arguments: Value) -> (bool, bool) {
    let Value::Object(arguments) = arguments else {
        panic!("not an object")
    };
    let policy = |section: &str| {
        let text = format!(
            "agents: {{bot: {{{section}: [{{tool: t, args: {{{matcher}}}}}], {}}}}}",
            if section == "deny" {
                "allow: [{tool: t}]"
            } else {
                ""
            }
        );
        PermissionPolicy::from_yaml_str(&text).unwrap_or_else(|error| panic!("{text}\n{error}"))
    };
    let mut action = ToolAction::new("bot", "t", "run");
    action.arguments = arguments;
    let is_allowed = policy("allow").evaluate(&action).decision() == Decision::Allow;
    let is_denied = policy("deny").evaluate(&action).decision() == Decision::Deny;
    (is_allowed, is_denied)
}

#[test]
fn allow_rules_must_be_proved_and_deny_rules_need_only_be_possible() {
    const PROVED: (bool, bool) = (true, true);
    const RULED_OUT: (bool, bool) = (false, false);
    const UNREADABLE: (bool, bool) = (false, true);
    for (matcher, value, expected) in [
        // Scalars: types matter, numbers are exact.
        ("x: {equals: rm}", json!("rm"), PROVED),
        ("x: {equals: rm}", json!("RM"), RULED_OUT),
        ("x: {equals: ''}", json!(""), PROVED),
        ("x: {equals: 1}", json!("1"), RULED_OUT),
        ("x: {equals: '1'}", json!(1), RULED_OUT),
        ("x: {equals: 1}", json!(1.0), PROVED),
        ("x: {equals: true}", json!(true), PROVED),
        ("x: {equals: true}", json!("true"), RULED_OUT),
        ("x: {equals: 0}", json!(false), RULED_OUT),
        ("x: {equals: 0.1}", json!(0.1), PROVED),
        (
            "x: {equals: 9007199254740993}",
            json!(9_007_199_254_740_993_u64),
            PROVED,
        ),
        (
            "x: {equals: 9007199254740993}",
            json!(9_007_199_254_740_992_u64),
            RULED_OUT,
        ),
        ("x: {equals: 1e2}", json!(100), PROVED),
        ("x: {equals: a}", json!({"a": 1}), UNREADABLE),
        ("x: {one_of: [USD, EUR]}", json!("EUR"), PROVED),
        ("x: {one_of: [USD, EUR]}", json!("eur"), RULED_OUT),
        ("x: {not_one_of: [a, b]}", json!("c"), PROVED),
        ("x: {not_one_of: [a, b]}", json!("a"), RULED_OUT),
        ("x: {not_one_of: [a, b]}", json!({}), UNREADABLE),
        // Ranges.
        ("x: {min: 0, max: 100}", json!(0), PROVED),
        ("x: {min: 0, max: 100}", json!(100), PROVED),
        ("x: {min: 0, max: 100}", json!(-0.0), PROVED),
        (
            "x: {min: 0, max: 100}",
            json!(100.000_000_000_000_01),
            RULED_OUT,
        ),
        ("x: {above: 0, below: 100}", json!(0), RULED_OUT),
        ("x: {above: 0, below: 100}", json!(99.999), PROVED),
        ("x: {max: 0.3}", json!(0.1 + 0.2), RULED_OUT),
        (
            "x: {max: 9007199254740992}",
            json!(9_007_199_254_740_993_i64),
            RULED_OUT,
        ),
        ("x: {max: 18446744073709551615.5}", json!(u64::MAX), PROVED),
        ("x: {max: 100}", json!("50"), UNREADABLE),
        ("x: {max: 100}", json!(true), UNREADABLE),
        // Lengths are counted in characters, or in elements.
        ("x: {max_length: 3}", json!("äöü"), PROVED),
        ("x: {max_length: 3}", json!("äöüß"), RULED_OUT),
        ("x: {max_length: 0}", json!([]), PROVED),
        ("x: {max_length: 1}", json!(["a long text", "b"]), RULED_OUT),
        ("x: {max_length: 1}", json!([["a", "b", "c"]]), PROVED),
        ("x: {max_length: 3}", json!(12345), UNREADABLE),
        // Texts.
        (
            "x: {glob: 'refs/heads/*'}",
            json!("refs/heads/main"),
            PROVED,
        ),
        (
            "x: {glob: 'refs/heads/*'}",
            json!("refs/heads/a/b"),
            RULED_OUT,
        ),
        ("x: {glob: 'refs/**'}", json!("refs/heads/a/b"), PROVED),
        ("x: {glob: '*'}", json!(1), UNREADABLE),
        (r"x: {matches: '[A-Z]{3}-\d+'}", json!("OPS-12"), PROVED),
        (
            r"x: {matches: '[A-Z]{3}-\d+'}",
            json!("OPS-12\n"),
            RULED_OUT,
        ),
        (
            r"x: {matches: '[A-Z]{3}-\d+'}",
            json!("x OPS-12"),
            RULED_OUT,
        ),
        ("x: {matches: 'a|b'}", json!("ab"), RULED_OUT),
        ("x: {matches: ['a', 'b']}", json!("b"), PROVED),
        ("x: {matches: '(?x) a b # a comment'}", json!("ab"), PROVED),
        (
            "x: {matches: '(?x) a b # a comment'}",
            json!("ab\n"),
            RULED_OUT,
        ),
        // Paths, normalised, and both ways where readers differ.
        ("x: {path: './safe/**'}", json!("safe/a"), PROVED),
        ("x: {path: './safe/**'}", json!("safe/../a"), RULED_OUT),
        ("x: {path: './safe/**'}", json!("safe/../../a"), UNREADABLE),
        (
            r"x: {path: './safe/**'}",
            json!(r"safe\..\..\x\safe\a"),
            UNREADABLE,
        ),
        ("x: {path: '**/.env'}", json!("/etc/.env"), UNREADABLE),
        // `not` is readable, and what is in it does not hold.
        ("x: {not: {equals: a}}", json!("b"), PROVED),
        ("x: {not: {equals: a}}", json!("a"), RULED_OUT),
        ("x: {not: {max: 5}}", json!("many"), UNREADABLE),
        ("x: {not: {path: './secret/**'}}", json!("data/a"), PROVED),
        (
            "x: {not: {path: './secret/**'}}",
            json!("secret/a"),
            RULED_OUT,
        ),
        ("x: {not: {max_length: 1}}", json!(["a", "b"]), PROVED),
        // Several keys must all hold.
        ("x: {max_length: 5, glob: 'a*'}", json!("abc"), PROVED),
        ("x: {max_length: 5, glob: 'a*'}", json!("bbc"), RULED_OUT),
        ("x: {max_length: 5, glob: 'a*'}", json!("abcdef"), RULED_OUT),
        ("x: {max: 5, glob: 'a*'}", json!("b"), RULED_OUT),
        // Lists: all elements, or one.
        ("x: {one_of: [a, b]}", json!(["a", "b"]), PROVED),
        ("x: {one_of: [a, b]}", json!(["a", "c"]), UNREADABLE),
        ("x: {one_of: [a, b]}", json!(["c", "d"]), RULED_OUT),
        ("x: {one_of: [a, b]}", json!([]), (true, false)),
        ("x: {one_of: [a, b]}", json!(["a", ["a"]]), UNREADABLE),
        ("x: {one_of: [a, b]}", json!(["a", {"a": "b"}]), UNREADABLE),
        ("x: {one_of: [a, b]}", json!(["c", null]), UNREADABLE),
        ("x: {not: {equals: a}}", json!(["b", "a"]), UNREADABLE),
        ("x: {not: {equals: a}}", json!(["a", "a"]), RULED_OUT),
        (
            "x: {one_of: [a, b], max_length: 1}",
            json!(["a", "b"]),
            RULED_OUT,
        ),
        // One element has to be all that is asked for.
        (
            "x: {glob: 'a*', not: {glob: '*z'}}",
            json!(["az", "by"]),
            RULED_OUT,
        ),
        // Absent.
        ("other: {equals: a}", json!("a"), RULED_OUT),
        ("x: {equals: a}", json!(null), RULED_OUT),
        ("x: {present: true}", json!(null), RULED_OUT),
        ("x: {present: true}", json!([]), PROVED),
        ("x: {present: false}", json!(null), PROVED),
        ("other: {present: false}", json!(1), PROVED),
        ("x: {present: false}", json!(1), RULED_OUT),
        // Within an argument.
        ("'/x/owner': {equals: me}", json!({"owner": "me"}), PROVED),
        (
            "'/x/owner': {equals: me}",
            json!({"owner": "you", "name": "me"}),
            RULED_OUT,
        ),
        (
            "'/x/owner': {equals: me}",
            json!({"a": {"owner": "me"}}),
            RULED_OUT,
        ),
        (
            "'/x/owner': {equals: me}",
            json!({"owner": null}),
            RULED_OUT,
        ),
        ("'/x/owner': {equals: me}", json!("me"), UNREADABLE),
        ("'/x/owner': {equals: me}", json!(["me"]), RULED_OUT),
        (
            "'/x/a/b': {equals: 1}",
            json!({"z": {"b": 2}, "a": {"a": {"b": 3}, "b": 1}}),
            PROVED,
        ),
        (
            "'/x/1/n': {equals: 1}",
            json!([{"n": 0}, {"n": 1}, {"n": 2}]),
            PROVED,
        ),
        (
            "'/x/01/n': {equals: 1}",
            json!([{"n": 0}, {"n": 1}]),
            RULED_OUT,
        ),
        (
            "'/x/1/1': {equals: 1}",
            json!([[5, 6], [7, 1], [1, 1]]),
            PROVED,
        ),
        ("'/x/1': {equals: b}", json!({"1": "b"}), PROVED),
        (
            "'/x/list': {one_of: [a]}",
            json!({"list": ["a", "a"], "other": ["b"]}),
            PROVED,
        ),
        (
            "'/x/a~1b/~0': {equals: 1}",
            json!({"a/b": {"~": 1}}),
            PROVED,
        ),
        ("'/x/owner': {present: false}", json!({"other": 1}), PROVED),
        ("/x-other: {present: false}", json!(1), PROVED),
    ] {
        let decided = decide(matcher, json!({ "x": value }));
        assert_eq!(decided, expected, "{matcher} of {value}");
    }
}

#[test]
fn what_is_optional_may_lack_and_may_not_be_wrong() {
    let policy = PermissionPolicy::from_yaml_str(
        "agents: {bot: {allow: [{tool: t, args: {x: {max: 5, optional: true}}}]}}",
    )
    .unwrap();
    for (arguments, expected) in [
        (json!({}), Decision::Allow),
        (json!({"x": null}), Decision::Allow),
        (json!({"x": 5}), Decision::Allow),
        (json!({"x": 6}), Decision::Deny),
        (json!({"x": "5"}), Decision::Deny),
        (json!({"x": []}), Decision::Allow),
    ] {
        let mut action = ToolAction::new("bot", "t", "run");
        action.arguments = arguments.as_object().unwrap().clone();
        assert_eq!(policy.evaluate(&action).decision(), expected, "{arguments}");
    }
}

#[test]
fn an_exemption_has_to_be_proved() {
    let policy = PermissionPolicy::from_yaml_str(
        "\
agents:
  bot:
    allow:
      - tool: '*'
    require_approval:
      - tool: email
        unless:
          args: {to: {email: ['@acme.com']}, cc: {email: ['@acme.com'], optional: true}}
    deny:
      - id: locked
        tool: files
        unless:
          - {paths: ['./out/**'], risk_level_max: medium}
          - {args: {dry_run: {equals: true}}}
",
    )
    .unwrap();
    use Decision::{Allow, Deny, RequireApproval};
    use RiskLevel::{High, Low};
    for (tool, risk, arguments, expected) in [
        ("email", Low, json!({"to": "a@acme.com"}), Allow),
        (
            "email",
            Low,
            json!({"to": ["a@acme.com", "b@acme.com"]}),
            Allow,
        ),
        (
            "email",
            Low,
            json!({"to": ["a@acme.com", "b@evil.io"]}),
            RequireApproval,
        ),
        (
            "email",
            Low,
            json!({"to": "a@acme.com", "cc": "x@evil.io"}),
            RequireApproval,
        ),
        ("email", Low, json!({"to": "a@acme.com", "cc": null}), Allow),
        (
            "email",
            Low,
            json!({"to": "Ann <a@acme.com>"}),
            RequireApproval,
        ),
        ("email", Low, json!({}), RequireApproval),
        ("files", Low, json!({"path": "./out/a"}), Allow),
        ("files", High, json!({"path": "./out/a"}), Deny),
        ("files", Low, json!({"path": "./out/../a"}), Deny),
        ("files", Low, json!({}), Deny),
        (
            "files",
            High,
            json!({"path": "/etc/passwd", "dry_run": true}),
            Allow,
        ),
        (
            "files",
            High,
            json!({"path": "/etc/passwd", "dry_run": "true"}),
            Deny,
        ),
    ] {
        let mut action = ToolAction::new("bot", tool, "run").risk_level(risk);
        action.arguments = arguments.as_object().unwrap().clone();
        let verdict = policy.evaluate(&action);
        assert_eq!(verdict.decision(), expected, "{tool} {risk} {arguments}");
    }

    let action = ToolAction::new("bot", "files", "run").argument("dry_run", true);
    let explanation = policy.explain(&action);
    assert_eq!(explanation.to_string(), "locked: exempt by its unless[1]");
}

#[test]
fn a_near_miss_names_the_condition_and_never_the_value() {
    let policy = PermissionPolicy::from_yaml_str(
        "agents: {bot: {allow: [
            {tool: pay, args: {amount: {min: 0, max: 100}, to: {one_of: [a, b]}}},
            {tool: pay, args: {note: {present: true}}},
            {tool: pay, args: {secret: {present: false}}},
            {tool: pay, args: {'/filter/owner': {equals: me}}}]}}",
    )
    .unwrap();
    let action = ToolAction::new("bot", "pay", "run")
        .argument("amount", "hunter2")
        .argument("secret", "hunter2")
        .argument("filter", json!({"owner": "hunter2"}));
    let shown = policy.explain(&action).to_string();
    assert_eq!(
        shown,
        "\
bot.allow[0]: argument `amount` cannot be read for min: 0, max: 100
bot.allow[1]: argument `note` is absent
bot.allow[2]: argument `secret` is present
bot.allow[3]: argument `/filter/owner` does not satisfy equals: me"
    );
}

#[test]
fn a_key_that_is_there_twice_proves_nothing_and_rules_out_nothing() {
    struct Twice;

    impl serde::Serialize for Twice {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([
                ("role", json!("guest")),
                ("role", json!("admin")),
                ("team", json!({ "role": "guest" })),
                ("team", json!({})),
            ])
        }
    }

    #[aegize::guarded_tool(tool_name = "t", operation = "run")]
    fn run(user: Twice) -> Result<(), aegize::GuardError> {
        let _ = user;
        Ok(())
    }

    for (rules, is_allowed) in [
        (
            "allow: [{tool: t, args: {/user/role: {equals: guest}}}]",
            false,
        ),
        (
            "allow: [{tool: t, args: {/user/role: {equals: admin}}}]",
            false,
        ),
        (
            "allow: [{tool: t}], deny: [{tool: t, args: {/user/role: {equals: admin}}}]",
            false,
        ),
        // The key that stands twice leads on, and not both values have what follows.
        (
            "allow: [{tool: t, args: {/user/team/role: {equals: guest}}}]",
            false,
        ),
        (
            "allow: [{tool: t, args: {/user/team/role: {present: false}}}]",
            false,
        ),
        (
            "allow: [{tool: t}], deny: [{tool: t, args: {/user/team/role: {equals: admin}}}]",
            false,
        ),
        (
            "allow: [{tool: t}], deny: [{tool: t, args: {/user/other: {equals: admin}}}]",
            true,
        ),
    ] {
        let world = World::new(&format!("agents: {{bot: {{{rules}}}}}"));
        let ran = aegize::with_context(&world.context, || run(Twice)).is_ok();
        assert_eq!(ran, is_allowed, "{rules}");
    }
}

#[test]
fn conditions_see_arguments_of_every_kind() {
    #[derive(Debug)]
    struct Opaque;

    #[derive(serde::Serialize)]
    struct Order {
        amount: u128,
        rate: f32,
        tags: Vec<String>,
    }

    #[aegize::guarded_tool(tool_name = "order", operation = "place")]
    fn place(
        order: Order,
        note: &str,
        file: &std::path::Path,
        handle: Opaque,
    ) -> Result<(), String> {
        let _ = (order, note, file, handle);
        Ok(())
    }

    for (args, is_allowed) in [
        (
            "/order/amount: {max: 340282366920938463463374607431768211455}",
            true,
        ),
        (
            "/order/amount: {max: 340282366920938463463374607431768211454}",
            false,
        ),
        ("/order/rate: {equals: 0.1}", true),
        ("/order/tags: {one_of: [a, b]}", true),
        ("/order/tags/0: {equals: a}", true),
        ("note: {max_length: 4}", true),
        ("file: {path: './in/**'}", true),
        ("file: {glob: 'in/*'}", true),
        ("handle: {present: true}", true),
        ("handle: {equals: Opaque}", false),
        ("/handle/x: {present: false}", false),
    ] {
        let world = World::new(&format!(
            "agents: {{bot: {{allow: [{{tool: order, args: {{{args}}}}}]}}}}"
        ));
        let order = Order {
            amount: u128::MAX,
            rate: 0.1,
            tags: vec!["a".to_owned(), "b".to_owned()],
        };
        let ran = aegize::with_context(&world.context, || {
            place(order, "text", "in/file".as_ref(), Opaque)
        });
        assert_eq!(ran.is_ok(), is_allowed, "{args}: {ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_path_condition_follows_links_where_the_call_is_guarded() {
    let world = World::new("agents: {bot: {}}");
    let root = world.directory.path();
    std::fs::create_dir(root.join("safe")).unwrap();
    std::fs::write(root.join("secret"), "").unwrap();
    std::os::unix::fs::symlink(root.join("secret"), root.join("safe/link")).unwrap();
    for (symlinks, is_allowed) in [("resolve", false), ("ignore", true)] {
        let policy = PermissionPolicy::from_value(&json!({"agents": {"bot": {"allow": [{
            "tool": "t",
            "symlinks": symlinks,
            "args": {"file": {"path": [format!("{}/safe/**", root.display())]}},
        }]}}}))
        .unwrap();
        let context = aegize::GuardContext::new(
            world.context.agent().clone(),
            policy,
            world.context.audit_log().clone(),
        );
        let call = ToolCall::new("t", "run").arguments(json!({"file": root.join("safe/link")}));
        let outcome: Result<(), aegize::GuardError> = context.guard(call).run_blocking(|| Ok(()));
        assert_eq!(outcome.is_ok(), is_allowed, "{symlinks}");
    }
}

#[test]
fn mistakes_in_conditions_say_what_to_write() {
    let error = PermissionPolicy::from_yaml_str(
        "\
agents:
  bot:
    allow:
      - tool: t
        args:
          a: rm
          b: {}
          c: {equal: rm}
          d: {min: 5, max: 4}
          e: {above: 5, max: 5}
          f: {one_of: []}
          g: {matches: '('}
          h: {matches: 'a{1000}{1000}'}
          i: {present: true, equals: a}
          j: {not: {present: true}}
          k: {not: {max_length: 1, glob: 'a*'}}
          l: {equals: null}
          m: {equals: [a]}
          nn: {max: high}
          o: {max_length: -1}
          p: {email: acme.com}
          q: {url: {}}
          r: {url: {port: 70000}}
          s: {optional: true}
          t: {path: []}
          /u~2: {equals: a}
          /: {equals: a}
          v: {equals: yes}
          x-priority: {equals: 1}
        unless: {args: {a: {equals: b}}}
      - tool: t
        args: {}
    deny:
      - tool: t
        args: {a: {equals: b, optional: true}}
        unless: {}
      - tool: t
        unless: []
      - tool: t
        unless: {risk_level_min: low}
",
    )
    .unwrap_err();
    let problems = error.problems().iter();
    let lines: Vec<String> = problems
        .map(|problem| format!("{}: {}", problem.path(), problem.message()))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

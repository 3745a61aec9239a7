//! The explicit style: tools that are values, and calls known as JSON.

use std::cell::Cell;

use aegize::{
    AuditEvent, GuardError, GuardFutureExt, GuardedTool, RiskLevel, ToolCall, with_metadata,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::support::World;

const POLICY: &str = "\
agents:
  bot:
    allow:
      - {tool: web_search, operations: [search], risk_level_max: low}
      - {tool: files, paths: ['in/**']}
      - {tool: github, operations: [create_issue]}
";

#[derive(Serialize)]
struct Copy<'a> {
    from: &'a str,
    note: &'a str,
}

#[test]
fn a_bound_tool_is_guarded_like_any_other() {
    let world = World::new(POLICY);
    let search =
        |query: String| -> Result<String, GuardError> { Ok(format!("results for '{query}'")) };
    let tool = GuardedTool::new("web_search", "search", search);
    let safe = tool.clone().risk_level(RiskLevel::Low).bind(&world.context);
    assert_eq!(
        safe.call("Aegize".to_owned()).unwrap(),
        "results for 'Aegize'"
    );
    let risky = tool.risk_level(RiskLevel::High).bind(&world.context);
    assert!(matches!(
        risky.call("Aegize".to_owned()),
        Err(GuardError::PolicyDenied(_))
    ));
    let records = world.records();
    assert_eq!(records[0].input_summary, "input=\"Aegize\"");
    assert_eq!(
        records[1].result_summary.as_deref(),
        Some("\"results for 'Aegize'\"")
    );
    assert_eq!(
        world.events(),
        [
            AuditEvent::Allowed,
            AuditEvent::ExecutionSucceeded,
            AuditEvent::Denied
        ]
    );
}

#[test]
fn the_fields_of_an_input_are_its_arguments() {
    let world = World::new(POLICY);
    let copy =
        |copy: Copy<'_>| -> Result<usize, GuardError> { Ok(copy.from.len() + copy.note.len()) };
    let tool = GuardedTool::new("files", "copy", copy)
        .path_argument("from")
        .redacted_argument("note")
        .metadata(json!({"team": "files"}))
        .bind(&world.context);
    assert_eq!(
        tool.call(Copy {
            from: "in/x",
            note: "a/b"
        })
        .unwrap(),
        7
    );
    assert!(
        tool.call(Copy {
            from: "out/x",
            note: "in/x"
        })
        .is_err()
    );
    let records = world.records();
    assert_eq!(records[0].input_summary, "from=\"in/x\", note=[redacted]");
    assert_eq!(records[0].metadata["team"], "files");
    let one = GuardedTool::new("files", "read", |_: &str| Ok::<(), GuardError>(()));
    let one = one.path_argument("input").bind(&world.context);
    one.call("in/x").unwrap();
    one.call("out/x").unwrap_err();
}

#[test]
fn asynchronous_tools_and_json_calls_wait_for_their_poll() {
    let world = World::new(POLICY);
    let tool = GuardedTool::new("web_search", "search", |query: String| async move {
        Ok::<_, GuardError>(query.len())
    })
    .bind(&world.context);
    let arguments = json!({"title": "A bug"});
    let call = |operation: &'static str| {
        ToolCall::new("github", operation)
            .arguments(arguments.clone())
            .metadata(json!({"via": "proxy"}))
    };
    let ran = Cell::new(0);
    let run = |operation| {
        world.context.guard(call(operation)).run(|| async {
            ran.set(ran.get() + 1);
            Ok::<Value, GuardError>(json!({"number": 7}))
        })
    };
    drop(tool.call_async("never polled".to_owned()));
    drop(run("create_issue"));
    assert!(world.records().is_empty());

    assert_eq!(
        pollster::block_on(tool.call_async("four".to_owned())).unwrap(),
        4
    );
    let issue = pollster::block_on(run("create_issue").with_metadata(json!({"ticket": "OPS-1"})));
    assert_eq!(issue.unwrap()["number"], 7);
    assert!(pollster::block_on(run("delete")).is_err());
    assert_eq!(ran.get(), 1);
    let records = world.records();
    assert_eq!(records[2].input_summary, "title=\"A bug\"");
    assert_eq!(
        serde_json::to_value(&records[2].metadata).unwrap(),
        json!({"environment": "dev", "ticket": "OPS-1", "via": "proxy"})
    );
    assert_eq!(records[3].result_summary.as_deref(), Some("{\"number\":7}"));
}

#[test]
fn a_call_that_makes_no_sense_is_a_refusal() {
    let world = World::permissive();
    let run = |call: ToolCall| {
        let body = || Ok::<(), GuardError>(());
        world
            .context
            .guard(call)
            .run_blocking(body)
            .map_err(|error| error.to_string())
    };
    let call = || ToolCall::new("t", "o");
    let refused = |problem: &str| {
        Err(format!(
            "tool 't' operation 'o' cannot be called like this: {problem}"
        ))
    };
    assert_eq!(run(call()), Ok(()));
    assert_eq!(
        run(call().arguments(json!([1]))),
        refused("its arguments are not a JSON object")
    );
    assert_eq!(
        run(call().metadata(7)),
        refused("its metadata is not a JSON object")
    );
    let twice = with_metadata(json!({"a": 1}), || run(call().metadata(json!({"a": 2}))));
    assert_eq!(
        twice,
        refused(
            "its metadata key `a` is set by the tool, the agent or another scope; choose another"
        )
    );
}

#[test]
fn what_is_declared_has_to_be_there() {
    let world = World::permissive();
    let tool = GuardedTool::new("t", "o", |_: &str| Ok::<(), GuardError>(()));
    let tool = tool.redacted_argument("token").bind(&world.context);
    assert_eq!(
        tool.call("hunter2").unwrap_err().to_string(),
        "tool 't' operation 'o' cannot be called like this: its input has no argument `token`; a value without fields is named `input`"
    );
    assert!(!world.text().contains("hunter2"));
    let blank = world.context.guard(ToolCall::new("", "o"));
    assert!(blank.run_blocking(|| Ok::<(), GuardError>(())).is_err());
    assert_eq!(world.events(), [AuditEvent::Denied; 2]);
}

#[test]
fn a_key_that_stands_twice_is_a_refusal() {
    #[derive(Serialize)]
    struct Input<'a> {
        path: &'a str,
        #[serde(flatten)]
        more: std::collections::BTreeMap<&'a str, &'a str>,
    }
    let world = World::new(POLICY);
    let tool = GuardedTool::new("files", "read", |_: Input<'_>| Ok::<(), GuardError>(()));
    let tool = tool.path_argument("path").bind(&world.context);
    let input = |key| Input {
        path: "out/x",
        more: [(key, "in/x")].into(),
    };
    let refused = tool.call(input("path")).unwrap_err().to_string();
    assert!(
        refused.contains("does not serialize, or has a key twice"),
        "{refused}"
    );
    assert!(matches!(
        tool.call(input("other")),
        Err(GuardError::PolicyDenied(_))
    ));
}

#[test]
fn names_from_a_model_forge_nothing() {
    let world = World::permissive();
    let run = |call: ToolCall| {
        world
            .context
            .guard(call)
            .run_blocking(|| Ok::<(), GuardError>(()))
    };
    let arguments = json!({"to=\"alice\", bcc": "mallory", "\u{202e}": 1});
    let call = ToolCall::new("mail", "send").arguments(arguments);
    let shown = format!("{:?}", call.clone().redacted_argument("password"));
    assert!(!shown.contains("mallory"), "{shown}");
    run(call).unwrap();
    assert_eq!(
        world.records()[0].input_summary,
        r#""to=\"alice\", bcc"="mallory", "\u{202e}"=1"#
    );
    for name in ["a\nb", "a\u{9b}2J", "a\u{202e}", " "] {
        let refused = run(ToolCall::new("mail", name)).unwrap_err();
        assert!(matches!(refused, GuardError::InvalidCall(_)), "{name:?}");
        assert!(!refused.to_string().contains(['\n', '\u{9b}', '\u{202e}']));
    }
    assert!(!world.text().contains(['\u{9b}', '\u{202e}']));
}

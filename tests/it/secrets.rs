//! Secrets appear neither in the log nor in refusals, wherever they are, and decisions do not
//! change by it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fmt, fs};

use aegize::{
    AuditSink, Batch, GuardContext, GuardError, GuardedTool, PermissionPolicy, Redactor, Shipper,
    SinkError, ToolCall, guarded_tool, with_context, with_metadata,
};
use serde_json::{Map, Value, json};

use crate::support::World;

#[path = "../../aegize-core/src/secrets/canaries.rs"]
mod canaries;

use canaries::{canaries, filler};

/// Readable by people only.
struct Printed(String);

impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printed").field("text", &self.0).finish()
    }
}

/// Returns its note, or fails with it.
#[guarded_tool(tool_name = "notes", operation = "add")]
fn add(
    note: &str,
    printed: &Printed,
    fails: bool,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    if fails {
        return Err(format!("cannot add {note} as {printed:?}").into());
    }
    Ok(note.to_owned())
}

/// What people and models are told by a refusal.
fn told(refusal: &GuardError) -> String {
    let more = match refusal {
        GuardError::PolicyDenied(denied) => format!(
            "{} {}",
            denied.explain(),
            serde_json::to_string(denied.action()).unwrap()
        ),
        GuardError::ApprovalRequired(pending) => serde_json::to_string(pending.action()).unwrap(),
        _ => String::new(),
    };
    format!("{refusal} {refusal:?} {more}")
}

fn assert_hidden(text: &str, secret: &str, why: &str) {
    let escaped = secret.replace('\n', "\\n");
    for part in [
        secret,
        escaped.as_str(),
        &secret[secret.len() / 2 - 3..secret.len() / 2 + 3],
    ] {
        assert!(!text.contains(part), "{why}: {secret} is in {text}");
    }
}

#[test]
fn a_credential_of_any_kind_is_nowhere_to_be_read() {
    let world = World::new(
        "agents: {bot: {allow: [{tool: notes}, {tool: files, paths: ['safe/**']}], require_approval: [{tool: mail}]}}",
    );
    for (rule, before, secret) in canaries() {
        let text = format!("with {before}{secret} in it");
        let path = format!("/tmp/{before}{secret}/a");
        let mut keyed = Map::new();
        keyed.insert(text.clone(), json!(1));
        let arguments = json!({
            "plain": text,
            "nested": {"list": [1, {"deep": text}], "keyed": keyed},
            "path": path,
            text.clone(): "as the name of an argument",
        });
        let metadata = json!({"ticket": text, "nested": [{"note": text}]});
        let start = world.text().len();

        for fails in [false, true] {
            let printed = Printed(text.clone());
            let call = || with_metadata(metadata.clone(), || add(&text, &printed, fails));
            assert_eq!(with_context(&world.context, call).is_err(), fails);
        }
        for tool in ["files", "mail", "notes"] {
            let call = ToolCall::new(tool, "use")
                .arguments(arguments.clone())
                .path_argument("path")
                .metadata(metadata.clone());
            let outcome = world
                .context
                .guard(call)
                .run_blocking(|| Ok::<_, GuardError>(arguments.clone()));
            match outcome {
                Ok(value) => assert_eq!(value, arguments),
                Err(refusal) => assert_hidden(&told(&refusal), &secret, rule),
            }
        }
        // A key that is set twice is told by its name.
        let call = ToolCall::new("notes", "add").metadata(json!({ text.clone(): 1 }));
        let twice = with_metadata(json!({ text.clone(): 2 }), || {
            world
                .context
                .guard(call)
                .run_blocking(|| Ok::<_, GuardError>(()))
        });
        assert_hidden(&told(&twice.unwrap_err()), &secret, rule);

        let written = world.text().split_off(start);
        assert_hidden(&written, &secret, rule);
        let report = format!("\"{rule}\"");
        assert!(
            written.lines().all(|line| line.contains(&report)),
            "{rule}: {written}"
        );
    }
}

/// Keeps what it is given.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<u8>>>);

impl AuditSink for Receiver {
    fn deliver(&mut self, batch: &Batch<'_>) -> Result<(), SinkError> {
        self.0.lock().unwrap().extend_from_slice(batch.bytes());
        Ok(())
    }
}

#[test]
fn no_file_sink_or_event_has_a_secret_also_after_a_panic() {
    let world = World::new("agents: {bot: {allow: [{tool: notes}]}}");
    let received = Receiver::default();
    let shipper = Shipper::start(world.context.audit_log().path(), "siem", received.clone());
    let shipper = shipper.unwrap();
    let canaries = canaries();
    for (_, before, secret) in &canaries {
        let text = format!("{before}{secret}");
        let call = ToolCall::new("notes", "add").arguments(json!({"note": text}));
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
            world
                .context
                .guard(call)
                .run_blocking(|| -> Result<(), GuardError> {
                    // With a message, and without a word on the terminal.
                    panic::resume_unwind(Box::new(text.clone()));
                })
        }));
        assert!(panicked.is_err());
        let call = || add(&text, &Printed(text.clone()), true);
        assert!(with_context(&world.context, call).is_err());
    }
    shipper.drain(Duration::from_secs(60)).unwrap();
    drop(shipper);

    let mut all = String::from_utf8(received.0.lock().unwrap().clone()).unwrap();
    assert_eq!(all, world.text());
    assert_eq!(all.lines().count(), 4 * canaries.len());
    for record in world.records() {
        all.push_str(&record.to_ocsf().to_string());
    }
    for file in fs::read_dir(world.directory.path()).unwrap() {
        all.push_str(&fs::read_to_string(file.unwrap().path()).unwrap());
    }
    for (rule, _, secret) in canaries {
        assert_hidden(&all, &secret, rule);
    }
}

#[test]
fn a_value_under_a_sensitive_name_is_replaced_whole() {
    let world = World::new("agents: {bot: {allow: [{tool: db}]}}");
    let call = ToolCall::new("db", "open")
        .arguments(json!({
            "user": "shop",
            "dbPassword": "hunter2",
            "token": null,
            "options": {"x-api-key": {"id": 1, "value": ["hunter2"]}, "max_tokens": 5},
            "argv": ["connect", "--token", "hunter2", "--verbose"],
        }))
        .metadata(json!({"session": {"cookie": "hunter2"}}));
    let run = || Ok::<_, GuardError>(json!({"token": "hunter2", "rows": 3}));
    world.context.guard(call).run_blocking(run).unwrap();
    let records = world.records();
    assert_eq!(
        records[0].input_summary,
        r#"user="shop", dbPassword=[redacted], token=null, options={"x-api-key":"[redacted]","max_tokens":5}, argv=["connect","--token","[redacted]","--verbose"]"#
    );
    assert_eq!(
        records[0].redacted,
        ["dbPassword", "x-api-key", "--token", "cookie"]
    );
    assert_eq!(
        records[0].metadata["session"],
        json!({"cookie": "[redacted]"})
    );
    assert_eq!(
        records[1].result_summary.as_deref(),
        Some(r#"{"token":"[redacted]","rows":3}"#)
    );
    assert_eq!(
        records[1].redacted,
        ["dbPassword", "x-api-key", "--token", "cookie", "token"]
    );
    assert!(!world.text().contains("hunter2"));
}

#[test]
fn a_record_without_secrets_reports_none() {
    let world = World::permissive();
    with_context(&world.context, || {
        add("hello", &Printed("you".into()), false)
    })
    .unwrap();
    assert!(!world.text().contains("redacted"), "{}", world.text());
    assert_eq!(world.records()[0].redacted, [""; 0]);
}

#[test]
fn decisions_read_what_is_redacted() {
    let world = World::new(
        "agents: {bot: {allow: [{tool: db, args: {password: {one_of: [hunter2]}}, metadata: {}}]}}"
            .replace(", metadata: {}", "")
            .as_str(),
    );
    let open = |password: &str| {
        let call = ToolCall::new("db", "open").arguments(json!({ "password": password }));
        world
            .context
            .guard(call)
            .run_blocking(|| Ok::<_, GuardError>(()))
    };
    assert!(open("hunter2").is_ok());
    assert!(open("[redacted]").is_err());
}

#[test]
fn a_path_under_a_sensitive_name_is_not_told() {
    let world = World::new("agents: {bot: {allow: [{tool: files, paths: ['safe/**']}]}}");
    for (arguments, expected) in [
        (
            json!({"password": "/a/b"}),
            "path of `password` (redacted) is outside safe/**",
        ),
        (
            json!({"login": {"token": "/a/b"}}),
            "path of `login` (redacted) is outside safe/**",
        ),
        (
            json!({"argv": ["--secret", "/a/b"]}),
            "path of `argv` (redacted) is outside safe/**",
        ),
        (
            json!({"login": {"user": "/a/b"}}),
            "path '/a/b' is outside safe/**",
        ),
        (
            json!({"url": "https://u:hunter2@a/"}),
            "path 'https://u:[redacted]@a/' is outside safe/**",
        ),
    ] {
        let call = ToolCall::new("files", "read").arguments(arguments);
        let refused = world
            .context
            .guard(call)
            .run_blocking(|| Ok::<_, GuardError>(()));
        let Err(GuardError::PolicyDenied(denied)) = refused else {
            panic!("{expected}");
        };
        assert_eq!(denied.explain().near_misses()[0].condition(), expected);
    }
}

#[test]
fn what_was_redacted_in_part_is_not_known_to_a_replay() {
    let policy = |name: &str| {
        let text = format!(
            "agents: {{bot: {{allow: [{{id: {name}, tool: '*', paths: ['https:/*@a/**']}}]}}}}"
        );
        PermissionPolicy::from_yaml_str(&text).unwrap()
    };
    let world = World::permissive();
    for (arguments, metadata, expected) in [
        (
            json!({"url": "https://u:hunter2@a/b"}),
            json!({}),
            "argument `url` was redacted",
        ),
        (
            json!({}),
            json!({"path": "https://u:hunter2@a/b"}),
            "argument `path` was redacted",
        ),
        (
            json!({"--password=x": "/b"}),
            json!({}),
            "there may be arguments that are not shown",
        ),
    ] {
        let call = ToolCall::new("files", "read")
            .arguments(arguments)
            .metadata(metadata);
        let run = || Ok::<_, GuardError>(());
        world.context.guard(call).run_blocking(run).unwrap();
        let records = world.records();
        let policy = policy("other");
        let replay = policy.replay(&records[records.len() - 2]).unwrap();
        let doubts: Vec<_> = replay.doubts().iter().map(ToString::to_string).collect();
        assert!(doubts.iter().any(|doubt| doubt == expected), "{doubts:?}");
    }
}

#[test]
fn an_operator_adds_names_and_patterns() {
    let world = World::permissive();
    let redactor = Redactor::new()
        .name("employee_id")
        .pattern("badge", "badge (B-[0-9]{6})")
        .unwrap();
    let context = world.context.redacted_by(redactor);
    let tool =
        GuardedTool::new("door", "open", |input: Value| Ok::<_, GuardError>(input)).bind(&context);
    let input = json!({"employeeId": 7, "note": "for badge B-123456"});
    assert_eq!(tool.call(input.clone()).unwrap(), input);
    let record = &world.records()[0];
    assert_eq!(
        record.input_summary,
        "employeeId=[redacted], note=\"for badge [redacted]\""
    );
    assert_eq!(record.redacted, ["employeeId", "badge"]);

    let without: GuardContext = context.redacted_by(Redactor::new());
    let call = ToolCall::new("door", "open").arguments(input);
    without
        .guard(call)
        .run_blocking(|| Ok::<_, GuardError>(()))
        .unwrap();
    assert_eq!(
        world.records()[2].input_summary,
        "employeeId=7, note=\"for badge B-123456\""
    );
}

#[test]
fn a_summary_that_is_cut_shows_no_beginning_of_a_secret() {
    let world = World::permissive();
    let token = format!("ghp_{}", filler("q7Wz3Kx9Rb5T", 36));
    for length in 100..260 {
        let text = format!("{}{token}{}", "- ".repeat(length / 2), " -".repeat(3000));
        let printed = Printed(text.clone());
        let _ = with_context(&world.context, || add(&text, &printed, length % 2 == 0));
        let _ = with_context(&world.context, || add("", &printed, length % 2 == 0));
    }
    assert!(!world.text().contains("ghp_"));
    assert!(
        world
            .records()
            .iter()
            .all(|record| record.input_summary.chars().count() <= 200)
    );
}

#[test]
fn what_is_large_costs_no_more_than_what_is_looked_at() {
    let world = World::permissive();
    let huge = "password=x ".repeat(3_000_000);
    let call = ToolCall::new("notes", "add")
        .arguments(json!({"token": [vec![0; 2_000_000]], "text": huge, "last": 1}));
    world
        .context
        .guard(call)
        .run_blocking(|| Ok::<_, GuardError>(()))
        .unwrap();
    let records = world.records();
    assert_eq!(
        records[0].input_summary,
        "token=[redacted], text=\"".to_owned() + &"password=[redacted] ".repeat(10)[..175] + "…"
    );
}

//! Every row of `tests/corpus/conditions`, in an allow rule and in a deny rule.

use std::fs;
use std::path::Path;

use aegize::{Decision, PermissionPolicy, ToolAction};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    config: Value,
    #[serde(default = "value_itself")]
    argument: String,
    /// `Null` in the row and no field are different things.
    #[serde(default, deserialize_with = "given")]
    value: Option<Value>,
    allow: bool,
    deny: Option<bool>,
    why: String,
}

fn value_itself() -> String {
    "value".to_owned()
}

fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// What a policy of one agent makes of a call with the argument `value`.
fn decide(sections: &Value, value: Option<&Value>) -> Decision {
    let policy = json!({ "agents": { "bot": sections } }).to_string();
    let policy = PermissionPolicy::from_yaml_str(&policy)
        .unwrap_or_else(|error| panic!("{policy}: {error}"));
    let mut action = ToolAction::new("bot", "tool", "use");
    if let Some(value) = value {
        action = action.argument("value", value.clone());
    }
    policy.evaluate(&action).decision()
}

/// Whether an allow rule with the condition is satisfied.
fn allows(argument: &str, config: &Value, value: Option<&Value>) -> bool {
    let rule = json!({ "tool": "tool", "args": { argument: config } });
    decide(&json!({ "allow": [rule] }), value) == Decision::Allow
}

/// Whether a deny rule with the condition applies.
fn denies(argument: &str, config: &Value, value: Option<&Value>) -> bool {
    let rule = json!({ "tool": "tool", "args": { argument: config } });
    let sections = json!({ "allow": [{ "tool": "tool" }], "deny": [rule] });
    decide(&sections, value) == Decision::Deny
}

#[test]
fn every_row_is_decided_as_the_tables_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/conditions");
    let mut wrong = Vec::new();
    for (table, least) in [
        ("email", 180),
        ("host", 180),
        ("url", 230),
        ("command", 170),
        ("number", 50),
        ("values", 140),
        ("path", 40),
    ] {
        let rows = fs::read_to_string(folder.join(table).with_extension("jsonl")).unwrap();
        for line in rows.lines() {
            let row: Row = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
            let Row {
                config,
                argument,
                value,
                why,
                ..
            } = &row;
            let allow = allows(argument, config, value.as_ref());
            let deny = row.deny.map(|_| denies(argument, config, value.as_ref()));
            if (allow, deny) != (row.allow, row.deny) {
                wrong.push(format!(
                    "{table}: {config} {value:?}: allow {allow}, deny {deny:?}, but {why}"
                ));
            }
        }
        assert!(rows.lines().count() >= least, "{table} is too short");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[derive(Deserialize)]
struct Payload {
    payload: String,
}

#[test]
fn no_published_command_payload_is_a_plain_command() {
    let is_allowed = |line: &str| {
        let config = json!({ "command": ["git", "ls"] });
        allows("value", &config, Some(&json!(line)))
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " /.-%_:+".contains(c);
    let mut payloads = 0;
    for line in include_str!("../corpus/conditions/payloads_command.jsonl").lines() {
        let Payload { payload } = serde_json::from_str(line).unwrap();
        assert!(!is_allowed(&payload), "{payload:?}");
        // Behind an argument, as most are meant to be, only plain words are more of them.
        let is_words = payload.chars().all(is_plain);
        for line in [format!("ls {payload}"), format!("ls x{payload}")] {
            assert_eq!(is_allowed(&line), is_words, "{line:?}");
        }
        payloads += 1;
    }
    assert_eq!(payloads, 262);
}

//! A condition on an argument in the first line, in JSON, and a value in the others: JSON, or else
//! a text.

use aegize::{Decision, PermissionPolicy, ToolAction};
use serde_json::{Value, json};

use super::{Outcome, Target, judged, refusal};

pub(super) const TARGET: Target = Target {
    name: "conditions",
    seeds: &[
        "tests/corpus/conditions/command.jsonl",
        "tests/corpus/conditions/email.jsonl",
        "tests/corpus/conditions/host.jsonl",
        "tests/corpus/conditions/number.jsonl",
        "tests/corpus/conditions/path.jsonl",
        "tests/corpus/conditions/url.jsonl",
        "tests/corpus/conditions/values.jsonl",
    ],
    from_line,
    words: &[
        "\"equals\":",
        "\"one_of\":[",
        "\"not_one_of\":[",
        "\"min\":",
        "\"max\":",
        "\"above\":",
        "\"below\":",
        "\"max_length\":",
        "\"glob\":",
        "\"matches\":",
        "\"path\":[",
        "\"email\":[",
        "\"host\":[",
        "\"url\":{",
        "\"command\":[",
        "\"present\":true",
        "\"not\":{",
        "\"optional\":true,",
        "\"scheme\":[",
        "@",
        "xn--",
        "[::1]",
        "127.1",
        "0x7f.1",
        "://",
        "$(id)",
        "`",
        ";",
        "|",
        "\\u0000",
        "\\n",
        "\\ud83d\\ude00",
        "1e-400",
        "123456789012345678901234567890",
        "(a*)*",
        "\\\\d{1000}",
        "[[]]",
        "{}",
        "null",
    ],
    run,
};

/// A row as in `tests/corpus/conditions`.
fn from_line(row: &str) -> Vec<u8> {
    let row: Value = serde_json::from_str(row).expect("a row");
    let value = row.get("value");
    // A text without its quotes is still a text after most changes.
    let value = value.and_then(Value::as_str).map_or_else(
        || value.map(Value::to_string).unwrap_or_default(),
        str::to_owned,
    );
    format!("{}\n{value}", row["config"]).into()
}

fn run(input: &[u8]) -> Outcome {
    let input = String::from_utf8_lossy(input);
    let (condition, text) = input.split_once('\n').unwrap_or((&input, ""));
    let Ok(condition) = serde_json::from_str::<Value>(condition) else {
        return Outcome::Refused("no JSON".to_owned());
    };
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    let rule = json!({ "tool": "tool", "args": { "value": condition } });
    let action = ToolAction::new("bot", "tool", "use").argument("value", value.clone());
    let decide = |sections: Value| {
        let policy = json!({ "agents": { "bot": sections } });
        let loaded = PermissionPolicy::from_value(&policy).map_err(|error| refusal(&error))?;
        let decision = judged(&loaded, &action);
        // JSON is YAML, and says the same.
        let text = PermissionPolicy::from_yaml_str(&policy.to_string()).expect("the value loads");
        assert_eq!(judged(&text, &action), decision);
        Ok::<_, String>(decision)
    };
    let proved = match decide(json!({ "allow": [rule] })) {
        Ok(decision) => decision == Decision::Allow,
        Err(why) => return Outcome::Refused(why),
    };
    let any = json!([{ "tool": "tool" }]);
    let exempt = json!([{ "tool": "tool", "unless": { "args": { "value": condition } } }]);
    let exempts = decide(json!({ "allow": any, "deny": exempt })).expect("it loads");
    assert_eq!(proved, exempts == Decision::Allow, "proved is proved");

    // `optional` is only for what has to be proved.
    let Ok(refusal) = decide(json!({ "allow": any, "deny": [rule] })) else {
        return Outcome::Read(format!("proved {proved}"));
    };
    let possible = refusal == Decision::Deny;
    let holds_empty_list = value.to_string().contains("[]");
    assert!(
        possible || !proved || holds_empty_list,
        "proved and not possible"
    );
    let matchers: Vec<&String> = condition
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
        .collect();
    Outcome::Read(format!(
        "{matchers:?}: proved {proved}, possible {possible}"
    ))
}

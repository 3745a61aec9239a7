//! A pattern in the first line and a text in the others, as a name, a path and an argument.

use aegize::{Decision, PermissionPolicy, ToolAction};
use serde_json::{Value, json};

use super::{Outcome, Target, judged, refusal};

pub(super) const TARGET: Target = Target {
    name: "patterns",
    seeds: &[],
    from_line: |line| line.into(),
    words: &[
        "**/", "/**", "[a-z]", "[!a]", "[^a]", "{a,b}", "{a/b,c}", "[[]", "[]]", "[é-ü]", "a*a*a*",
        "./", "../", "/../", "//", "C:\\", "\\\\?\\", "~/", "\n", ".env", "%2e%2e", "\u{ff0f}",
    ],
    run,
};

fn run(input: &[u8]) -> Outcome {
    let input = String::from_utf8_lossy(input);
    let (pattern, text) = input.split_once('\n').unwrap_or((&input, ""));
    let call = || ToolAction::new("bot", "tool", "use");
    let mut outcome = String::new();

    let named = ToolAction::new("bot", text.to_owned(), "use");
    let by_name = decisions(&json!({ "tool": pattern }), &named);
    if let Ok((allows, denies)) = by_name {
        // A name is matched or not, to whomever it matters.
        assert_eq!(allows, denies, "{pattern:?} {text:?}");
        if !pattern.contains(['[', ']', '{', '}', '\\']) {
            assert_eq!(allows, naive(pattern, text), "{pattern:?} {text:?}");
        }
    }
    outcome += &told("name", by_name);

    let with_path = call().path_argument("path", text);
    let by_path = decisions(&json!({ "tool": "tool", "paths": [pattern] }), &with_path);
    if let Ok((allows, denies)) = by_path {
        assert!(
            !allows || denies,
            "{pattern:?} proves {text:?}, and it is not possible"
        );
    }
    outcome += &told("path", by_path);

    let rule = json!({ "tool": "tool", "args": { "value": { "glob": pattern } } });
    let by_argument = decisions(&rule, &call().argument("value", text));
    if let Ok((allows, denies)) = by_argument {
        assert_eq!(allows, denies, "{pattern:?} {text:?}");
    }
    outcome += &told("argument", by_argument);
    Outcome::Read(outcome)
}

/// Whether an allow rule and a deny rule apply to a call, or why they are none.
fn decisions(rule: &Value, action: &ToolAction) -> Result<(bool, bool), String> {
    let load = |sections: Value| {
        PermissionPolicy::from_value(&json!({ "agents": { "bot": sections } }))
            .map_err(|error| refusal(&error))
    };
    let allow = load(json!({ "allow": [rule] }))?;
    let deny = load(json!({ "allow": [{ "tool": "*" }], "deny": [rule] }))?;
    Ok((
        judged(&allow, action) == Decision::Allow,
        judged(&deny, action) == Decision::Deny,
    ))
}

fn told(what: &str, decisions: Result<(bool, bool), String>) -> String {
    match decisions {
        Ok((allows, denies)) => format!("{what}: {allows} {denies}\n"),
        Err(why) => format!("{what}: {why}\n"),
    }
}

/// What `*` and `?` mean, by a table of which prefixes match.
fn naive(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut matched = vec![false; text.len() + 1];
    matched[0] = true;
    for wanted in pattern.chars() {
        if wanted == '*' {
            for end in 1..=text.len() {
                matched[end] |= matched[end - 1];
            }
        } else {
            for end in (1..=text.len()).rev() {
                matched[end] = matched[end - 1] && (wanted == '?' || wanted == text[end - 1]);
            }
            matched[0] = false;
        }
    }
    matched[text.len()]
}

//! Published attack strings and vectors, judged by text alone. The same path cases run through
//! the guard on a real tree in `tests/links.rs`.

use std::path::Path;

use aegize::{Decision, PermissionPolicy, PolicyTests, ToolAction};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: String,
    arg: String,
    truth: String,
    lexical: String,
    verdict: String,
}

fn path_cases() -> Vec<Case> {
    include_str!("../corpus/paths/path_cases.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn decide(policy: &PermissionPolicy, action: &ToolAction) -> Decision {
    policy.evaluate(action).decision()
}

#[test]
fn text_alone_decides_every_path_case_that_it_can() {
    let policy = PermissionPolicy::from_yaml_str(
        "agents: {bot: {allow: [{tool: files, operations: [read], paths: ['./safe_data/**']}]}}",
    )
    .unwrap();
    let action = || ToolAction::new("bot", "files", "read");
    let mut counts = [0; 3];
    for case in path_cases() {
        // The tree stands nowhere: an absolute path is one of another namespace.
        let arg = case.arg.replace("{ROOT}", "/srv/ws");
        let declared = decide(&policy, &action().path_argument("path", arg.as_str()));
        let in_metadata = decide(&policy, &action().metadata("path", arg.as_str()));
        let undeclared = decide(&policy, &action().argument("name", arg.as_str()));
        assert_eq!(declared, in_metadata, "{}: {arg:?}", case.id);
        assert_eq!(declared, undeclared, "{}: {arg:?}", case.id);

        let only_a_resolver_can_tell = case.lexical != "inside"
            || case.arg.starts_with("{ROOT}")
            || case.arg.starts_with("../");
        let outside_by_link_only = case.truth != "inside" && case.lexical == "inside";
        match case.verdict.as_str() {
            "deny" if !outside_by_link_only => {
                assert_eq!(declared, Decision::Deny, "{}: {arg:?}", case.id);
                counts[0] += 1;
            }
            "allow" if only_a_resolver_can_tell => {
                assert_eq!(declared, Decision::Deny, "{}: {arg:?}", case.id);
                counts[1] += 1;
            }
            "allow" => {
                assert_eq!(declared, Decision::Allow, "{}: {arg:?}", case.id);
                counts[2] += 1;
            }
            _ => {}
        }
    }
    assert_eq!(counts, [687, 4, 405]);
}

#[test]
fn published_vectors_are_decided_as_published() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/vectors");
    for (name, cases) in [("agt", 10), ("scopeblind", 4)] {
        let file = |kind: &str| folder.join(format!("{name}.{kind}.yaml"));
        let policy = PermissionPolicy::from_yaml_file(file("policy")).unwrap();
        let tests = PolicyTests::from_yaml_file(file("tests")).unwrap();
        let outcomes: Vec<_> = tests.run(&policy).collect();
        assert_eq!(outcomes.len(), cases);
        for outcome in outcomes {
            assert!(outcome.passed(), "{outcome:?}");
        }
    }
}

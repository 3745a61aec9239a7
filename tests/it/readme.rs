//! The README's blocks that are not Rust: policies load, tests pass, outputs are what is printed.
//! Its Rust runs as doc tests of the facade.

use std::path::{Path, PathBuf};
use std::process::Command;

use aegize::{AuditRecord, PermissionPolicy, PolicyTests};

const README: &str = include_str!("../../README.md");
const LANGUAGE: &str = include_str!("../../docs/policy.md");

/// The blocks of a language, without their fences.
fn blocks(language: &str) -> Vec<&'static str> {
    blocks_of(README, language)
}

fn blocks_of(page: &'static str, language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let blocks: Vec<_> = page
        .split(fence.as_str())
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(!blocks.is_empty(), "no block of {language}");
    blocks
}

fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.parent().unwrap().parent().unwrap();
    target.join("examples").join(name)
}

#[test]
fn policies_load_and_their_tests_pass() {
    let (tests, policies): (Vec<_>, Vec<_>) = blocks("yaml")
        .into_iter()
        .partition(|block| block.starts_with("tests:"));
    let policies: Vec<_> = policies
        .into_iter()
        .map(|policy| PermissionPolicy::from_yaml_str(policy).unwrap())
        .collect();
    assert_eq!((policies.len(), tests.len()), (3, 1));
    let tests = PolicyTests::from_yaml_str(tests[0]).unwrap();
    assert!(tests.run(&policies[0]).all(|outcome| outcome.passed()));
}

#[test]
fn policies_of_the_language_load() {
    let policies = blocks_of(LANGUAGE, "yaml");
    assert_eq!(policies.len(), 6);
    for policy in policies {
        PermissionPolicy::from_yaml_str(policy).unwrap();
    }
}

#[test]
fn the_error_is_the_one_that_is_printed() {
    let policy = "\
agents:
  bot:
    allow: []
    denny:
      - tool: shell
    deny:
      - tool: shell
        operations: rm
";
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("aegize.yaml");
    std::fs::write(&file, policy).unwrap();
    let error = PermissionPolicy::from_yaml_file(&file)
        .unwrap_err()
        .to_string();
    let printed = error.replace(&format!("{}/", directory.path().display()), "");
    assert!(
        blocks("text").contains(&format!("{printed}\n").as_str()),
        "{printed}"
    );
}

#[test]
fn the_record_is_a_record() {
    let record: AuditRecord<'_> = serde_json::from_str(blocks("json")[0]).unwrap();
    assert_eq!(
        serde_json::to_string(&record).unwrap(),
        blocks("json")[0].trim()
    );
}

#[test]
fn the_demo_prints_what_is_shown() {
    let output = Command::new(example("demo_story")).output().unwrap();
    assert!(output.status.success());
    let root = format!("{}/", Path::new(env!("CARGO_MANIFEST_DIR")).display());
    let printed = String::from_utf8(output.stdout).unwrap().replace(&root, "");
    assert!(blocks("text").contains(&printed.as_str()), "{printed}");
}

#[test]
fn the_quickstart_is_an_example_that_prints_what_is_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let file = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let code = blocks("rust,no_run")[0];
    assert!(file("main.rs").ends_with(code), "the code has drifted");
    assert_eq!(file("aegize.yaml"), blocks("yaml")[0]);

    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("safe_data")).unwrap();
    for name in ["aegize.yaml", "safe_data/report.md"] {
        std::fs::copy(root.join(name), directory.path().join(name)).unwrap();
    }
    let output = Command::new(example("quickstart"))
        .current_dir(&directory)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(blocks("text").contains(&printed.as_str()), "{printed}");
}

//! What is fed. A target panics at what must not be, and otherwise tells the outcome in words.

mod audit;
mod conditions;
mod patterns;
mod policy;
mod tests;

use std::fs;
use std::path::Path;

use aegize::{LoadError, PermissionPolicy, ToolAction};

pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Files of seeds beside `fuzz/corpus/<name>`, from the root of the repository.
    seeds: &'static [&'static str],
    /// What a line of a file of JSON lines is as an input.
    from_line: fn(&str) -> Vec<u8>,
    /// What readers of this kind of text look for.
    pub(crate) words: &'static [&'static str],
    pub(crate) run: fn(&[u8]) -> Outcome,
}

/// What came of an input, in words.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// It was understood, and led to this.
    Read(String),
    /// It was refused for this reason.
    Refused(String),
}

pub(crate) const TARGETS: [Target; 5] = [
    policy::TARGET,
    patterns::TARGET,
    conditions::TARGET,
    tests::TARGET,
    audit::TARGET,
];

/// The seeds of a target: every file, and every line of a file of JSON lines.
pub(crate) fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = fs::read_dir(fuzz.join("corpus").join(target.name)).expect("a folder of seeds");
    let mut files: Vec<_> = own.map(|entry| entry.expect("an entry").path()).collect();
    files.extend(target.seeds.iter().map(|file| fuzz.join("..").join(file)));
    // So that the same start of randomness gives the same inputs everywhere.
    files.sort();
    let mut seeds = Vec::new();
    for file in files {
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        if file
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            let text = String::from_utf8(bytes).expect("JSON is UTF-8");
            seeds.extend(text.lines().map(target.from_line));
        } else {
            seeds.push(bytes);
        }
    }
    seeds
}

/// An outcome that tells one kind of refusal from another, and not one word of the input.
fn refusal(error: &LoadError) -> String {
    let shown = error.to_string();
    assert!(
        !shown.contains(|c: char| c.is_control() && c != '\n'),
        "{shown:?}"
    );
    let problems = error.problems();
    assert!((1..=100).contains(&problems.len()), "{}", problems.len());
    assert!(shown.len() < 1_000_000, "{}", shown.len());
    let mut kinds: Vec<String> = problems
        .iter()
        .map(|problem| problem.message().split('`').step_by(2).collect())
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds.truncate(3);
    kinds.join("; ")
}

/// Judges an action, and holds the explanation to the verdict.
fn judged(policy: &PermissionPolicy, action: &ToolAction) -> aegize::Decision {
    let verdict = policy.evaluate(action);
    let explanation = policy.explain(action);
    assert_eq!(explanation.decision(), verdict.decision());
    assert_eq!(explanation.reason(), verdict.reason());
    assert_eq!(explanation.rule(), verdict.rule());
    let mut near_misses = explanation.near_misses().iter();
    assert!(near_misses.all(|near_miss| Some(near_miss.rule()) != verdict.rule()));
    verdict.decision()
}

//! A policy file that changes while calls are judged by it.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use aegize::{GuardContext, GuardError, PolicySource, ToolCall};
use tempfile::TempDir;

use crate::support::World;

const NONE: &str = "agents: {bot: {}}";
const ALL: &str = "agents: {bot: {allow: [{tool: '*'}]}}";

/// Replaces a file the way that is asked for.
fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, path).unwrap();
}

fn is_allowed(context: &GuardContext) -> bool {
    let outcome: Result<(), GuardError> = context
        .guard(ToolCall::new("t", "run"))
        .run_blocking(|| Ok(()));
    outcome.is_ok()
}

/// A context under a watched file, and what is reported of it: a digest or an error.
fn watched() -> (World, TempDir, PolicySource, GuardContext, Receiver<String>) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("policy.yaml");
    fs::write(&path, NONE).unwrap();
    let source = PolicySource::watch(&path).unwrap();
    let (sender, reports) = channel();
    source.on_reload(move |outcome| {
        let report = match outcome {
            Ok(policy) => policy.digest().to_owned(),
            Err(error) => error.to_string(),
        };
        let _ = sender.send(report);
    });
    let world = World::permissive();
    let context = GuardContext::new(
        world.context.agent().clone(),
        source.clone(),
        world.context.audit_log().clone(),
    );
    (world, directory, source, context, reports)
}

#[test]
fn a_file_that_changes_is_in_force_and_one_that_breaks_is_not() {
    let (world, directory, source, context, reports) = watched();
    let path = directory.path().join("policy.yaml");
    assert!(!is_allowed(&context));
    let first = source.current();

    replace(&path, ALL);
    assert!(source.reload().unwrap());
    assert!(is_allowed(&context));
    let second = source.current();
    assert_eq!(reports.recv().unwrap(), second.digest());

    // Half a file, and then none at all.
    for broken in [Some("agents: {bot: {allow: [{tool: "), None] {
        match broken {
            Some(text) => replace(&path, text),
            None => fs::remove_file(&path).unwrap(),
        }
        let error = source.reload().unwrap_err();
        assert_eq!(error.file(), Some(path.as_path()));
        assert_eq!(reports.recv().unwrap(), error.to_string());
        assert_eq!(source.error().unwrap().to_string(), error.to_string());
        assert_eq!(source.current().digest(), second.digest());
        assert!(is_allowed(&context));
    }

    replace(&path, NONE);
    assert!(source.reload().unwrap());
    assert!(source.error().is_none());
    assert!(!is_allowed(&context));
    assert_eq!(reports.recv().unwrap(), first.digest());

    // The same text again is no other policy.
    replace(&path, NONE);
    assert!(!source.reload().unwrap());

    // Each record tells the policy that decided.
    let digests: Vec<String> = world
        .records()
        .iter()
        .filter_map(|record| Some(record.policy.as_deref()?.to_owned()))
        .collect();
    let [first, second] = [first.digest(), second.digest()];
    assert_eq!(digests, [first, second, second, second, first]);
}

#[test]
fn the_file_is_looked_at_without_being_asked() {
    let (_world, directory, source, context, reports) = watched();
    let path = directory.path().join("policy.yaml");
    replace(&path, ALL);
    assert_eq!(reports.recv().unwrap(), source.current().digest());
    assert!(is_allowed(&context));
    replace(&path, "agents: [");
    assert!(reports.recv().unwrap().contains("policy.yaml:"));
    assert!(is_allowed(&context));
    replace(&path, NONE);
    assert_eq!(reports.recv().unwrap(), source.current().digest());
    assert!(!is_allowed(&context));
}

#[test]
fn a_policy_is_a_source_that_stays() {
    let world = World::permissive();
    let source = PolicySource::from(world.context.policy());
    assert!(!source.reload().unwrap());
    assert_eq!(source.current().digest(), world.context.policy().digest());
    assert!(PolicySource::watch(world.directory.path().join("missing")).is_err());
}

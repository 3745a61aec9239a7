//! Path cases through the guard, on a real tree with symbolic links.
//!
//! A test binary of its own with one test: it changes the working directory of its process.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use aegize::{
    AgentIdentity, AuditLog, GuardContext, GuardError, PermissionPolicy, guarded_tool, with_context,
};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Case {
    id: String,
    arg: String,
    lexical: String,
    verdict: String,
}

#[derive(Deserialize)]
struct Tree {
    dirs: Vec<String>,
    files: Map<String, Value>,
    symlinks: Map<String, Value>,
}

#[guarded_tool(tool_name = "files", operation = "read")]
fn read(#[guard(path)] path: &str) -> Result<(), GuardError> {
    let _ = path;
    Ok(())
}

#[guarded_tool(tool_name = "files", operation = "read")]
fn read_typed(path: &Path) -> Result<(), GuardError> {
    let _ = path;
    Ok(())
}

fn build(root: &Path) {
    let tree = include_str!("corpus/paths/tree.json");
    let tree: Tree = serde_json::from_str(tree).unwrap();
    for directory in &tree.dirs {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    for (file, text) in &tree.files {
        fs::write(root.join(file), text.as_str().unwrap()).unwrap();
    }
    for (link, target) in &tree.symlinks {
        symlink(target.as_str().unwrap(), root.join(link)).unwrap();
    }
}

#[test]
fn links_are_followed_where_the_call_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap().join("ws");
    fs::create_dir(&root).unwrap();
    build(&root);
    std::env::set_current_dir(&root).unwrap();
    let log = AuditLog::open(directory.path().join("audit.jsonl")).unwrap();
    let context = |policy: &str| {
        let agent = AgentIdentity::new("bot", "Bot", "Tests").unwrap();
        let policy = PermissionPolicy::from_yaml_str(policy).unwrap();
        GuardContext::new(agent, policy, log.clone())
    };
    let permits = |context: &GuardContext, path: &str| {
        with_context(context, || match read(path) {
            Ok(()) => true,
            Err(GuardError::PolicyDenied(denied)) => {
                let explained =
                    denied.rule().is_some() || !denied.explain().near_misses().is_empty();
                assert!(explained, "{path}");
                false
            }
            Err(other) => panic!("{path}: {other}"),
        })
    };

    every_published_case(&context, &permits, &root);
    rules_see_through_links(&context, &permits, &root);
}

fn every_published_case(
    context: &dyn Fn(&str) -> GuardContext,
    permits: &dyn Fn(&GuardContext, &str) -> bool,
    root: &Path,
) {
    let context = context("agents: {bot: {allow: [{tool: files, paths: ['./safe_data/**']}]}}");
    let mut counts = [0; 3];
    for line in include_str!("corpus/paths/path_cases.jsonl").lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let arg = case.arg.replace("{ROOT}", root.to_str().unwrap());
        let permitted = permits(&context, &arg);
        let typed = with_context(&context, || read_typed(Path::new(&arg))).is_ok();
        assert_eq!(permitted, typed, "{}: {arg:?}", case.id);
        match case.verdict.as_str() {
            "deny" => {
                assert!(!permitted, "{}: {arg:?}", case.id);
                counts[0] += 1;
            }
            // Inside, but not as it is written: another namespace, or in through a link.
            "allow"
                if case.lexical != "inside"
                    || case.arg.starts_with("{ROOT}")
                    || case.arg.starts_with("../") =>
            {
                counts[1] += 1;
            }
            "allow" => {
                assert!(permitted, "{}: {arg:?}", case.id);
                counts[2] += 1;
            }
            _ => {}
        }
    }
    assert_eq!(counts, [700, 4, 405]);
}

fn rules_see_through_links(
    context: &dyn Fn(&str) -> GuardContext,
    permits: &dyn Fn(&GuardContext, &str) -> bool,
    root: &Path,
) {
    let root = root.to_str().unwrap();
    let allow = |paths: &str| format!("allow: [{{tool: files, paths: ['{paths}']}}]");
    let deny = |paths: &str| {
        format!("allow: [{{tool: files}}], deny: [{{tool: files, paths: ['{paths}']}}]")
    };
    for (rules, path, expected) in [
        // An allowed directory may itself be a link.
        (allow("link_to_safe/**"), "link_to_safe/report.md", true),
        (
            allow("link_to_safe/**"),
            "link_to_safe/link_out/secret.txt",
            false,
        ),
        (allow("link_to_safe/**"), "safe_data/report.md", false),
        // A file that is allowed by name may not be a link to another.
        (allow("safe_data/link_file"), "safe_data/link_file", false),
        (allow("safe_data/report.md"), "safe_data/report.md", true),
        // Absolute patterns and paths.
        (
            allow(&format!("{root}/safe_data/**")),
            &format!("{root}/safe_data/report.md"),
            true,
        ),
        (
            allow(&format!("{root}/safe_data/**")),
            &format!("{root}/safe_data/link_abs/passwd"),
            false,
        ),
        // A glob before the link.
        (allow("*/sub/**"), "safe_data/sub/a.txt", true),
        (allow("*/sub/**"), "safe_data/sub/up/secret.txt", false),
        // What does not exist yet is taken as written.
        (allow("safe_data/**"), "safe_data/new/deep/file", true),
        (allow("safe_data/**"), "safe_data/link_out/new", false),
        // A denied file cannot be reached by another name.
        (deny("secret.txt"), "safe_data/link_file", false),
        (deny("secret.txt"), "safe_data/sub/up/secret.txt", false),
        (deny("secret.txt"), &format!("{root}/secret.txt"), false),
        (deny("secret.txt"), "safe_data/report.md", true),
        (deny("outside/**"), "safe_data/chain1/inner/x", false),
        (
            deny(&format!("{root}/outside/**")),
            "safe_data/link_out/inner/x",
            false,
        ),
        (deny("**/passwd"), "safe_data/link_abs/passwd", false),
        (deny("nowhere/**"), "safe_data/loop_a", false),
    ] {
        let context = context(&format!("agents: {{bot: {{{rules}}}}}"));
        assert_eq!(permits(&context, path), expected, "{rules} {path}");
    }

    backslashes_are_read_both_ways(context, permits, root);
    names_on_the_way_count(context, permits, root);

    let ignoring =
        "agents: {bot: {allow: [{tool: files, paths: ['safe_data/**'], symlinks: ignore}]}}";
    assert!(permits(&context(ignoring), "safe_data/link_out/secret.txt"));
    let ignoring = "agents: {bot: {allow: [{tool: files}], deny: [{tool: files, paths: [secret.txt], symlinks: ignore}]}}";
    assert!(permits(&context(ignoring), "safe_data/link_file"));
    assert!(!permits(&context(ignoring), "secret.txt"));
}

/// To Unix, a backslash is a letter; to others, it separates. A path has to be inside both ways.
fn backslashes_are_read_both_ways(
    context: &dyn Fn(&str) -> GuardContext,
    permits: &dyn Fn(&GuardContext, &str) -> bool,
    root: &str,
) {
    let allow = context("agents: {bot: {allow: [{tool: files, paths: ['./safe_data/**']}]}}");
    for (path, expected) in [
        (r"safe_data/a\b", true),
        (r"safe_data\a", false),
        (r"outside/a\..\..\safe_data\new", false),
        (r"safe_data/a\..\..\secret.txt", false),
    ] {
        assert_eq!(permits(&allow, path), expected, "{path}");
    }
    let policy = format!(
        "agents: {{bot: {{allow: [{{tool: files, paths: ['/**']}}], deny: [{{tool: files, paths: ['{root}/outside/*']}}]}}}}"
    );
    let deny = context(&policy);
    fs::write(Path::new(root).join(r"outside/a\b"), "x").unwrap();
    assert!(!permits(&deny, &format!(r"{root}/outside/a\b")));
    assert!(!permits(&deny, &format!(r"{root}/outside/y\..\..\tmp\x")));
    assert!(permits(&deny, &format!(r"{root}/safe_data/a\b")));
}

/// A path is known by every name on its way, and acts on the last one that is its own.
fn names_on_the_way_count(
    context: &dyn Fn(&str) -> GuardContext,
    permits: &dyn Fn(&GuardContext, &str) -> bool,
    root: &str,
) {
    let at = |path: &str| Path::new(root).join(path);
    fs::create_dir_all(at("config")).unwrap();
    fs::create_dir_all(at("keys/2026")).unwrap();
    symlink("../secret.txt", at("config/.env")).unwrap();
    symlink("config/.env", at("alias")).unwrap();
    symlink("2026", at("keys/..data")).unwrap();
    symlink("..data/token", at("keys/token")).unwrap();
    fs::write(at("keys/2026/token"), "t").unwrap();
    symlink("keys/token", at("mylink")).unwrap();
    symlink("../safe_data/report.md", at("keys/current")).unwrap();
    symlink("keys", at("kalias")).unwrap();
    let deny = |path: &str| {
        context(&format!(
            "agents: {{bot: {{allow: [{{tool: files}}], deny: [{{tool: files, paths: ['{path}']}}]}}}}"
        ))
    };
    for (pattern, path, expected) in [
        ("config/.env", "alias", false),
        ("config/.env", "secret.txt", false),
        ("**/.env", "alias", false),
        ("config/**", "alias", false),
        ("keys/token", "keys/..data/token", false),
        ("keys/token", "mylink", false),
        ("keys/**", "kalias/current", false),
        ("keys/token", "safe_data/report.md", true),
    ] {
        assert_eq!(permits(&deny(pattern), path), expected, "{pattern} {path}");
    }

    // What is removed is the link, and that is outside, though it leads inside.
    symlink("../safe_data/report.md", at("outside/inward")).unwrap();
    let allow = context("agents: {bot: {allow: [{tool: files, paths: ['./safe_data/**']}]}}");
    assert!(!permits(&allow, "safe_data/link_out/inward"));

    // The names of a process's files in /proc are not where they are.
    fs::write(at("safe_data/open"), "x").unwrap();
    symlink("/proc/self/cwd/safe_data/open", at("safe_data/magic")).unwrap();
    assert!(permits(&allow, "safe_data/open"));
    assert!(!permits(&allow, "safe_data/magic"));

    // A link that is only reached by a path longer than the system takes at once.
    let name = "d".repeat(200);
    let long = vec![name; 9].join("/");
    let mut directory = at("safe_data");
    for level in 0..3 {
        let below = std::env::current_dir().unwrap();
        std::env::set_current_dir(&directory).unwrap();
        fs::create_dir_all(&long).unwrap();
        symlink(&long, format!("l{level}")).unwrap();
        std::env::set_current_dir(below).unwrap();
        directory = directory.join(format!("l{level}"));
    }
    symlink(at("secret.txt"), directory.join("out")).unwrap();
    assert!(fs::read(at("safe_data/l0/l1/l2/out")).is_ok());
    assert!(!permits(&allow, "safe_data/l0/l1/l2/out"));
}

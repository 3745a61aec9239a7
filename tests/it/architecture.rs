//! Who may import whom, read from the core's own `use` lines.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room of the core and the rooms it may import from.
const ROOMS: [(&str, &[&str]); 21] = [
    ("text", &[]),
    ("secrets", &["text"]),
    ("identity", &[]),
    ("action", &["identity"]),
    ("pattern", &["text"]),
    ("yaml", &["text"]),
    ("arguments", &["action", "identity", "secrets", "text"]),
    (
        "policy",
        &[
            "action",
            "arguments",
            "identity",
            "pattern",
            "secrets",
            "text",
            "yaml",
        ],
    ),
    ("source", &["policy", "yaml"]),
    ("observe", &[]),
    ("audit", &["action", "observe", "text"]),
    (
        "approval",
        &["action", "arguments", "audit", "policy", "secrets", "text"],
    ),
    ("replay", &["arguments", "audit", "policy", "secrets"]),
    (
        "suggest",
        &[
            "action",
            "arguments",
            "audit",
            "pattern",
            "policy",
            "replay",
            "text",
        ],
    ),
    ("error", &["action", "approval", "audit", "policy", "text"]),
    ("foreign", &["error"]),
    (
        "guard",
        &[
            "action",
            "approval",
            "arguments",
            "audit",
            "error",
            "identity",
            "observe",
            "pattern",
            "policy",
            "secrets",
            "source",
            "text",
        ],
    ),
    (
        "context",
        &[
            "approval", "audit", "guard", "identity", "policy", "secrets", "source",
        ],
    ),
    (
        "tool",
        &["action", "arguments", "context", "error", "guard"],
    ),
    ("tools", &["action", "policy"]),
    (
        "__private",
        &["action", "arguments", "context", "error", "guard", "tools"],
    ),
];

/// What rooms that are pure may not touch, in files other than those that are at the door.
const IMPURE: [&str; 7] = [
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "now_utc",
    "Instant",
];

/// The files of `audit` that are pure: whoever verifies a log depends on nothing else.
const PURE_FILES: [&str; 14] = [
    "audit/chain.rs",
    "audit/checkpoint.rs",
    "audit/consistency.rs",
    "audit/inclusion.rs",
    "audit/key.rs",
    "audit/note.rs",
    "audit/ocsf.rs",
    "audit/proof.rs",
    "audit/record.rs",
    "audit/tlog_error.rs",
    "audit/verify/check.rs",
    "audit/verify/outline.rs",
    "audit/verify/suspect.rs",
    "audit/verify/verdict.rs",
];

/// The files of `audit` with which a log is verified, and what those may import.
const VERIFIER: [&str; 8] = [
    "chain",
    "checkpoint",
    "error",
    "files",
    "inclusion",
    "key",
    "proof",
    "tlog_error",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn core_sources() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("aegize-core/src");
    sources(&root)
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(&root).unwrap().to_owned(), text)
        })
        .collect()
}

fn room(path: &Path) -> String {
    let first = path.iter().next().unwrap().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn rooms_import_only_from_the_rooms_below_them() {
    let mut checked = 0;
    for (path, text) in core_sources() {
        let room = room(&path);
        if room == "lib" {
            continue;
        }
        let (_, allowed) = ROOMS
            .iter()
            .find(|(name, _)| *name == room)
            .unwrap_or_else(|| panic!("room `{room}` is not in the table"));
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        let text: String = text.lines().filter(is_code).collect();
        for (index, _) in text.match_indices("crate::") {
            let is_path =
                !text[..index].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            let other = text[index + 7..]
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap();
            if is_path && ROOMS.iter().any(|(name, _)| *name == other) && other != room {
                assert!(
                    allowed.contains(&other),
                    "{}: imports {other}",
                    path.display()
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "only {checked} imports were seen");
}

#[test]
fn pure_rooms_touch_no_clock_disk_or_environment() {
    let mut checked = 0;
    for (path, text) in core_sources() {
        let is_pure = matches!(
            room(&path).as_str(),
            "pattern" | "secrets" | "arguments" | "policy" | "error"
        );
        if is_pure || PURE_FILES.iter().any(|file| path.ends_with(file)) {
            for word in IMPURE {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 10);
}

#[test]
fn what_verifies_a_log_imports_nothing_that_writes_one() {
    let sources = core_sources();
    for file in PURE_FILES {
        let text = &sources[Path::new(file)];
        for other in ["error", "log", "read", "recover", "writer"] {
            let import = format!("super::{other}::");
            assert!(!text.contains(&import), "{file}: {import}");
        }
    }
}

#[test]
fn the_verifier_imports_only_what_no_writer_is_behind() {
    let mut checked = 0;
    for (path, text) in core_sources() {
        if !path.starts_with("audit/verify") {
            continue;
        }
        let above = if path.ends_with("mod.rs") {
            "super::"
        } else {
            "super::super::"
        };
        let is_import = |line: &&str| line.contains("use super::");
        for line in text.lines().filter(is_import) {
            let Some((_, room)) = line.split_once(above) else {
                continue;
            };
            let room = room.split(':').next().unwrap();
            let is_own = room.contains(['*', '{']) || path.ends_with(room);
            assert!(
                is_own || VERIFIER.contains(&room),
                "{}: imports {room}",
                path.display()
            );
            checked += 1;
        }
        assert!(!text.contains("crate::audit"), "{}", path.display());
    }
    assert!(checked > 10, "only {checked} imports were seen");
    let sources = core_sources();
    for room in VERIFIER {
        let text = &sources[&Path::new("audit").join(format!("{room}.rs"))];
        for other in ["abandoned", "log", "read", "recover", "writer"] {
            let import = format!("super::{other}::");
            assert!(!text.contains(&import), "{room}: {import}");
        }
    }
}

#[test]
fn files_stay_small() {
    for (path, text) in core_sources() {
        let lines = text.lines().count();
        assert!(lines <= 450, "{}: {lines} lines", path.display());
    }
}

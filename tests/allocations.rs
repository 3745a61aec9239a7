//! Deciding takes nothing from the heap, whatever the decision. Formatting a reason may, and so
//! does a path that is not in normal form. Refusing a hostile file takes little.
//!
//! In a binary of its own, since counting replaces the global allocator.

use aegize::{Decision, PermissionPolicy, RiskLevel, ToolAction};
use allocation_counter::{AllocationInfo, measure};

const POLICY: &str = r#"
agents:
  bot:
    allow:
      - tool: search
        operations: [read]
        risk_level_max: medium
      - tool: "github.*"
        operations: ["list_*", "{get,read}_?*"]
      - tool: files
        operations: [read]
        paths: ["./safe_data/**", "/srv/data/*.{md,txt}", "**/[!.]*.csv"]
      - tool: mail
    require_approval:
      - tool: mail
        operations: [send]
    deny:
      - tool: search
        operations: [delete]
      - tool: files
        paths: ["**/.env", "**/id_*", "safe_data/private/**"]
"#;

fn files(path: &str) -> ToolAction {
    ToolAction::new("bot", "files", "read").path_argument("path", path)
}

fn action(tool: &'static str, operation: &'static str) -> ToolAction {
    ToolAction::new("bot", tool, operation).argument("query", "some words")
}

#[test]
fn deciding_takes_nothing_from_the_heap() {
    use Decision::{Allow, Deny, RequireApproval};
    let policy = PermissionPolicy::from_yaml_str(POLICY).unwrap();
    let long = format!("./safe_data/{}report.md", "directory/".repeat(40));
    for (action, expected) in [
        (action("search", "read"), Allow),
        (action("search", "read").risk_level(RiskLevel::High), Deny),
        (action("search", "delete"), Deny),
        (action("search", "write"), Deny),
        (action("unknown", "read"), Deny),
        (ToolAction::new("nobody", "search", "read"), Deny),
        (action("github.issues", "list_all"), Allow),
        (action("github.issues", "get_one"), Allow),
        (action("github.issues", "get_"), Deny),
        (action("mail", "send"), RequireApproval),
        (action("mail", "read"), Allow),
        (files("./safe_data/report.md"), Allow),
        (files("safe_data/reports/2026/"), Allow),
        (files("/srv/data/notes.txt"), Allow),
        (files("tables/2026/all.csv"), Allow),
        (files(&long), Allow),
        (files("./safe_data/.env"), Deny),
        (files("safe_data/private/report.md"), Deny),
        (files("/etc/passwd"), Deny),
        (files("~/report.md"), Deny),
        (files("").argument("other", "words"), Deny),
        // Not declared, and found by what they look like.
        (
            ToolAction::new("bot", "files", "read")
                .argument("path", "./safe_data/report.md")
                .argument("mode", "text")
                .argument("options", serde_json::json!({"follow": true, "limit": 3})),
            Allow,
        ),
        (
            ToolAction::new("bot", "files", "read").metadata("paths", vec!["safe_data/a", "/b"]),
            Deny,
        ),
    ] {
        assert_eq!(policy.evaluate(&action).decision(), expected, "{action:?}");
        let taken = measure(|| {
            policy.evaluate(&action).decision();
        });
        assert_eq!(taken.count_total, 0, "{action:?}");
    }
}

#[test]
fn the_counter_counts() {
    let policy = PermissionPolicy::from_yaml_str(POLICY).unwrap();
    let action = files("safe_data/../safe_data/report.md");
    let taken = measure(|| {
        policy.evaluate(&action).decision();
    });
    assert!(taken.count_total > 0);
}

#[test]
fn a_hostile_file_is_refused_before_it_is_read_to_its_end() {
    const MANY: usize = 1024 * 1024;
    for (name, text) in [
        ("deep lists", "[".repeat(MANY)),
        ("deep maps", "a: {".repeat(MANY)),
        ("deep blocks", "- ".repeat(MANY)),
        ("long file", " ".repeat(32 * MANY + 1)),
        ("long word", "x".repeat(16 * MANY)),
        ("anchors", "- &a x\n".repeat(MANY)),
        ("aliases", format!("a: &a [x]\nb: [{}", "*a,".repeat(MANY))),
        ("merge keys", "? {<<: *a}\n".repeat(MANY)),
        ("tags", "- !x y\n".repeat(MANY)),
        ("documents", "---\n".repeat(MANY)),
    ] {
        let (taken, shown) = refused(&text);
        // A hundred problems and what shows them, however long the text goes on.
        assert!(taken.bytes_max < 256 * 1024, "{name}: {taken:?}");
        assert!(taken.count_total < 3_000, "{name}: {taken:?}");
        assert!(shown < 64 * 1024, "{name}: {shown}");
    }
}

#[test]
fn a_wide_file_takes_memory_by_its_length() {
    // What is well-formed is read to its end, up to 2 500 000 values. Worst are mappings of one key.
    for (name, part) in [
        ("list", "a,"),
        ("lists", "[],"),
        ("maps", "{a: },"),
        ("keys", "a: 1,"),
    ] {
        for parts in [1_000, 30_000] {
            let text = format!("x-wide: [{{{name}: [{}]}}]\nagents: 1", part.repeat(parts));
            let (taken, _) = refused(&text);
            let most = 64 * 1024 + 256 * text.len() as u64;
            assert!(
                taken.bytes_max < most,
                "{name}: {} bytes, {taken:?}",
                text.len()
            );
        }
    }
}

/// What it takes to refuse a policy and to show why, and the length of that.
fn refused(text: &str) -> (AllocationInfo, usize) {
    let mut shown = 0;
    let taken = measure(|| {
        let error = PermissionPolicy::from_yaml_str(text).unwrap_err();
        shown = error.to_string().len();
    });
    (taken, shown)
}

//! `aegize approvals list` and `show`.

use aegize::{RiskLevel, ToolCall};
use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::bank::{ANYONE, Bank, payment, user};

/// What would move the cursor, begin a line, or read otherwise than it is.
const HOSTILE: &str =
    "\u{1b}[2J\u{1b}]0;x\u{7}\r\n\u{9b}31m\u{202e}\u{2066}\u{200b}\u{200f}\u{feff}\u{e0041}</td>";

fn is_hidden(c: char) -> bool {
    let is_active = c != '\n' && c.is_control();
    is_active || "\u{202e}\u{2066}\u{200b}\u{200f}\u{feff}\u{e0041}".contains(c)
}

#[test]
fn what_waits_is_listed_newest_first() {
    let bank = Bank::new(ANYONE);
    assert_eq!(bank.told(&["list"]), "no requests\n");
    let first = bank.asked(1);
    let call = ToolCall::new("pay", "charge")
        .risk_level(RiskLevel::High)
        .arguments(json!({"amount": 2}));
    let second = bank.asked_for(call);
    bank.asked(1);
    let listed = bank.told(&["list"]);
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(
        lines[0].starts_with("ID            STATE      AGE"),
        "{listed}"
    );
    for (line, id, parts) in [
        (lines[1], second, ["high", "pay charge", "amount=2"]),
        (
            lines[2],
            first,
            ["low", "pay refund", "amount=1, to=\"a-customer\"  asked 2"],
        ),
    ] {
        let id = &id.simple().to_string()[20..];
        assert!(line.starts_with(&format!("{id}  requested  ")), "{listed}");
        for part in parts {
            assert!(line.contains(part), "{part} in\n{listed}");
        }
    }
}

#[test]
fn filters_select() {
    let bank = Bank::new(ANYONE);
    let ids = [1, 2, 3].map(|amount| bank.asked(amount).to_string());
    let charge = bank.asked_for(ToolCall::new("pay", "charge")).to_string();
    bank.told(&["approve", &ids[0], "--yes"]);
    bank.told(&["reject", &ids[1], "--reason", "no"]);
    let rows: [(&[&str], &[&String], bool); 9] = [
        (&[], &[&charge, &ids[2]], false),
        (&["--all"], &[&charge, &ids[2], &ids[1], &ids[0]], false),
        (&["--state", "granted"], &[&ids[0]], false),
        (
            &["--state", "granted", "--state", "rejected"],
            &[&ids[1], &ids[0]],
            false,
        ),
        (&["--operation", "charge"], &[&charge], false),
        (
            &["--tool", "pay", "--agent", "bot", "--limit", "1"],
            &[&charge],
            true,
        ),
        (&["--tool", "other"], &[], false),
        (&["--agent", "other"], &[], false),
        (
            &["--all", "--limit", "4"],
            &[&charge, &ids[2], &ids[1], &ids[0]],
            false,
        ),
    ];
    for (filter, expected, has_more) in rows {
        let listed = bank.json(&[&["list"], filter].concat());
        let found: Vec<_> = listed["requests"].as_array().unwrap().iter().collect();
        let found: Vec<_> = found
            .iter()
            .map(|request| request["id"].as_str().unwrap())
            .collect();
        assert_eq!(found, expected, "{filter:?}");
        assert_eq!(listed["has_more"], has_more, "{filter:?}");
    }
    let cut = bank.told(&["list", "--limit", "1"]);
    assert!(
        cut.ends_with("and others; --limit shows more than 1\n"),
        "{cut}"
    );
}

#[test]
fn a_request_is_shown_in_full() {
    let bank = Bank::new(
        "agents: {bot: {require_approval: [{id: big, tool: pay, approvers: [alice, 'group:ops'], quorum: 2, expires_in: 10m, reason: money leaves}]}}",
    );
    let items: Vec<_> = (0..20)
        .map(|number| json!({"sku": number, "name": "a thing"}))
        .collect();
    let arguments = json!({
        "amount": 9_007_199_254_740_993_u64, "to": "a-customer", "api_key": "sk-1234567890",
        "file": "./a.txt", "items": items,
    });
    let call = ToolCall::new("pay", "refund")
        .risk_level(RiskLevel::Critical)
        .arguments(arguments)
        .path_argument("file")
        .metadata(json!({"ticket": "OPS-12"}));
    let id = bank.asked_for(call).to_string();
    let shown = bank.told(&["show", &id]);
    for part in [
        "pay refund\nstate       requested, 9 min left to decide\nrisk        critical\nagent       bot\n",
        "\n  amount   9007199254740993\n",
        "\n  to       \"a-customer\"\n",
        "\n  api_key  \"[redacted]\"  (kept secret",
        "\n  file     \"./a.txt\"  (a path)\n",
        "\"sku\": 19,",
        "\n  ticket       \"OPS-12\"\n",
        "reason      approval required for tool 'pay': money leaves\nrule        big\npolicy      sha256:",
        "\nneeds       2 of alice, group:ops; within 10 min 0 s\n",
        "no similar call was decided before\n",
        &id,
    ] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    assert!(!shown.contains("sk-1234567890"), "{shown}");
    let told = bank.json(&["show", &id]);
    let keys: Vec<_> = told
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = "id state created_at updated_at expires_at asked agent acting_for tool operation risk \
                    action_id arguments path_arguments metadata redacted reason rule policy terms approvals \
                    refusal remember consumed_by earlier";
    assert_eq!(keys.join(" "), expected);
    assert_eq!(told["arguments"]["amount"], 9_007_199_254_740_993_u64);
    assert_eq!(told["redacted"], json!(["api_key"]));
    let terms = json!([{
        "approvers": ["alice", "group:ops"], "quorum": 2, "expires_in_seconds": 600,
        "remember_seconds": null, "remind_after_seconds": null, "escalate_to": [],
    }]);
    assert_eq!(told["terms"], terms);
}

#[test]
fn secrets_are_marked_wherever_they_stand() {
    let bank = Bank::new(ANYONE);
    let call = ToolCall::new("pay", "refund").arguments(json!({
        "command": "export PASSWORD='$(cat /etc/hostname)'; true",
        "options": {"token": "canary"},
        "amount": 5,
    }));
    let id = bank.asked_for(call).to_string();
    let shown = bank.told(&["show", &id]);
    let words: Vec<_> = shown.split_whitespace().collect();
    let mark = "(kept secret in part or whole; the approval covers it)";
    let expected = format!(
        "command \"export PASSWORD='[redacted]'; true\" {mark} \
         options {{\"token\":\"[redacted]\"}} {mark} amount 5 metadata"
    );
    assert!(words.join(" ").contains(&expected), "{shown}");
    // Where nothing was taken away, an agent that says so has written that itself.
    let call = payment(5).arguments(json!({"amount": 5, "note": "[redacted]"}));
    let shown = bank.told(&["show", &bank.asked_for(call).to_string()]);
    assert!(!shown.contains(mark), "{shown}");
}

#[test]
fn no_text_begins_a_line_where_the_terminal_ends() {
    let bank = Bank::new(ANYONE);
    // As wide as the terminal of these tests is.
    let pad = |text: &str| format!("{}{text}", " ".repeat(100 - text.len() % 100));
    let hostile = pad("approved    by alice").repeat(3) + &"日本".repeat(60);
    let call = payment(5)
        .arguments(json!({"amount": 5, "note": hostile, &hostile: [hostile, hostile]}))
        .metadata(json!({"ticket": hostile}));
    let id = bank.asked_for(call).to_string();
    bank.told(&["reject", &id, "--reason", &hostile]);
    let shown = bank.told(&["show", &id]);
    let labels = [
        "pay refund",
        "state ",
        "risk ",
        "agent ",
        "id ",
        "asked ",
        "arguments",
        "metadata",
        "reason ",
        "rule ",
        "policy ",
        "needs ",
        "rejected ",
        "no similar call",
    ];
    for line in shown.lines() {
        assert!(UnicodeWidthStr::width(line) <= 100, "{line}\nin\n{shown}");
        let is_within = line.is_empty() || line.starts_with("  ");
        let is_label = labels.iter().any(|label| line.starts_with(label));
        assert!(is_within || is_label, "{line:?} in\n{shown}");
    }
    let said: String = shown.chars().filter(|c| *c == '本').collect();
    assert_eq!(said.chars().count(), 6 * 60, "all of it is there: {shown}");
}

#[test]
fn earlier_decisions_on_similar_calls_are_shown() {
    let bank = Bank::new(ANYONE);
    for amount in [1, 2] {
        let id = bank.asked(amount).to_string();
        bank.told(&["approve", &id, "--yes", "--reason", "fine"]);
    }
    bank.pay(1).unwrap();
    let id = bank.asked(3).to_string();
    bank.told(&["reject", &id, "--reason", "too much"]);
    // Of another risk: not similar.
    let risky = bank
        .asked_for(payment(4).risk_level(RiskLevel::High))
        .to_string();
    bank.told(&["approve", &risky, "--yes"]);

    let id = bank.asked(5).to_string();
    let shown = bank.told(&["show", &id]);
    let (_, earlier) = shown
        .split_once("similar calls before: 2 approved, 1 refused\n")
        .unwrap();
    let user = user();
    let lines: Vec<_> = earlier.lines().skip(1).collect();
    for (line, parts) in lines.iter().zip([
        [
            "rejected",
            &format!("rejected by {user}: too much"),
            "amount=3",
        ],
        ["granted", &format!("approved by {user}: fine"), "amount=2"],
        ["consumed", &format!("approved by {user}: fine"), "amount=1"],
    ]) {
        for part in parts {
            assert!(line.contains(part), "no {part} in {line}");
        }
    }
    assert_eq!(lines.len(), 3, "{earlier}");
    let told = bank.json(&["show", &id]);
    assert_eq!(told["earlier"].as_array().unwrap().len(), 3);
}

#[test]
fn a_part_of_an_id_is_enough_if_it_is_the_only_one() {
    let bank = Bank::new(ANYONE);
    let ids = [1, 2, 3, 4, 5, 6, 7].map(|amount| bank.asked(amount));
    for id in ids {
        let digits = id.simple().to_string();
        for part in [
            &digits[20..],
            &id.to_string()[24..],
            &digits[..24],
            &digits.to_uppercase(),
        ] {
            assert_eq!(bank.json(&["show", part])["id"], id.to_string(), "{part}");
        }
    }
    // Made within a minute: the beginning is the time.
    let common = &ids[0].simple().to_string()[..8];
    let ran = bank.run(&["show", common]);
    assert_eq!((ran.code, &*ran.stdout), (Some(2), ""));
    let problem = format!("error: `{common}` may be one of several approval requests: ");
    assert!(ran.stderr.starts_with(&problem), "{}", ran.stderr);
    assert!(
        ran.stderr.ends_with(", …; give more digits\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn hostile_text_is_escaped_wherever_it_is() {
    let bank = Bank::new(ANYONE);
    let call = payment(5)
        .arguments(json!({"amount": 5, HOSTILE: HOSTILE, "deep": {HOSTILE: [HOSTILE]}}))
        .metadata(json!({HOSTILE: HOSTILE}));
    let id = bank.asked_for(call).to_string();
    bank.told(&["reject", &id, "--reason", HOSTILE]);
    for arguments in [&["show", &*id] as &[&str], &["list", "--all"]] {
        let shown = bank.told(arguments);
        assert!(!shown.contains(is_hidden), "{arguments:?}: {shown:?}");
        assert!(shown.contains(r"\u{1b}[2J"), "{shown}");
    }
    let listed = bank.told(&["list", "--all"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    // Programs get it as it is.
    let told = bank.json(&["show", &id]);
    assert_eq!(told["arguments"][HOSTILE], HOSTILE);
}

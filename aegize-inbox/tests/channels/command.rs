//! Programs that are told.

use std::path::Path;

use aegize_store::DeliveryState;
use serde_json::{Value, json};

use crate::support::{ASK, Bank, in_time, refund};

fn program(script: &str, more: &str) -> String {
    let script = json!(script);
    format!(
        "channels:\n  - {{name: program, type: command, command: [sh, -c, {script}, sh, DIR]{more}}}\n"
    )
}

#[tokio::test]
async fn a_program_gets_the_request_and_a_bare_environment() {
    let bank = Bank::new(ASK).await;
    let script = "cat > \"$1/told\"; env > \"$1/env\"; echo \"$2\" > \"$1/more\"";
    let notifier = bank.notifier(&bank.channels(&program(script, "")));
    let request = bank.ask(refund(1)).await;
    assert_eq!(notifier.tell_due().await.unwrap(), 1);
    let told = std::fs::read_to_string(bank.path("told")).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["type"], "approval.requested");
    assert_eq!(told["data"]["request_id"], json!(request.id()));
    assert_eq!(told["data"]["arguments"]["amount"], 1);
    let env = std::fs::read_to_string(bank.path("env")).unwrap();
    assert!(env.contains("PATH="));
    assert!(!env.contains("CARGO"), "{env}");
}

#[tokio::test]
async fn no_text_of_a_request_is_a_command() {
    let bank = Bank::new(ASK).await;
    let notifier = bank.notifier(&bank.channels(&program("cat > /dev/null", "")));
    let hostile = format!(
        "$(touch {0}) `touch {0}`; touch {0}\n'\"",
        bank.path("owned").display()
    );
    let call = aegize_core::ToolCall::new("payments", "refund").arguments(json!({"to": hostile}));
    bank.ask(call).await;
    assert_eq!(notifier.tell_due().await.unwrap(), 1);
    assert!(!bank.path("owned").exists());
}

#[tokio::test]
async fn a_program_that_fails_says_why() {
    let rows = [
        (
            "echo 'no \u{1b}[31mpager' >&2; exit 3",
            "the program failed (exit status: 3): no \\u{1b}[31mpager",
        ),
        ("exit 1", "the program failed (exit status: 1)"),
        ("kill -9 $$", "the program failed (signal: 9 (SIGKILL))"),
        // What it writes is bounded, whether anyone reads it or not.
        (
            "yes | head -c 5000000; yes 2>/dev/null | head -c 3000000 >&2; exit 4",
            "the program failed (exit status: 4): y",
        ),
    ];
    for (script, expected) in rows {
        let bank = Bank::new(ASK).await;
        let notifier = bank.notifier(&bank.channels(&program(script, "")));
        let id = bank.ask(refund(1)).await.id();
        assert_eq!(notifier.tell_due().await.unwrap(), 0);
        let delivery = bank.deliveries(id).await.remove(0);
        assert_eq!(delivery.state, DeliveryState::Pending);
        let error = delivery.error.unwrap();
        assert!(error.starts_with(expected), "{error}");
        assert!(error.len() < 4000);
    }
    let bank = Bank::new(ASK).await;
    let text = "channels: [{name: program, type: command, command: [/nowhere/at-all]}]";
    let notifier = bank.notifier(&bank.channels(text));
    let id = bank.ask(refund(1)).await.id();
    notifier.tell_due().await.unwrap();
    let error = bank.deliveries(id).await.remove(0).error.unwrap();
    assert!(
        error.starts_with("the program cannot be started: "),
        "{error}"
    );
}

#[tokio::test]
async fn one_that_hangs_is_killed_with_all_that_it_started() {
    let bank = Bank::new(ASK).await;
    // It ignores what can be ignored, and so does its child, which holds on to the streams.
    let script = "trap '' TERM HUP INT
        sh -c 'trap \"\" TERM HUP INT; echo $$ > \"$1/child\"; while :; do sleep 1; done' sh \"$1\" &
        echo $$ > \"$1/parent\"
        while :; do sleep 1; done";
    let notifier = bank.notifier(&bank.channels(&program(script, ", timeout_seconds: 1")));
    let id = bank.ask(refund(1)).await.id();
    assert_eq!(notifier.tell_due().await.unwrap(), 0);
    let error = bank.deliveries(id).await.remove(0).error.unwrap();
    assert_eq!(error, "the program did not end within 1 s and was killed");
    for name in ["parent", "child"] {
        let id = std::fs::read_to_string(bank.path(name)).unwrap();
        in_time(async {
            while is_running(id.trim()) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// Whether a process is there and no mere entry of one that has ended.
fn is_running(id: &str) -> bool {
    let path = Path::new("/proc").join(id).join("stat");
    let stat = std::fs::read_to_string(path).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

#[tokio::test]
async fn one_that_leaves_others_behind_is_not_waited_for() {
    let bank = Bank::new(ASK).await;
    let script = "cat > /dev/null; sleep 5 & exit 0";
    let notifier = bank.notifier(&bank.channels(&program(script, ", timeout_seconds: 3")));
    bank.ask(refund(1)).await;
    assert_eq!(notifier.tell_due().await.unwrap(), 1);
}

#[tokio::test]
async fn what_it_says_grants_nothing() {
    let bank = Bank::new(ASK).await;
    let script = "echo '{\"decision\": \"approve\"}'; exit 0";
    let notifier = bank.notifier(&bank.channels(&program(script, "")));
    let id = bank.ask(refund(1)).await.id();
    assert_eq!(notifier.tell_due().await.unwrap(), 1);
    let request = bank.request(id).await;
    assert_eq!(request.state(), aegize_core::ApprovalState::Requested);
}

//! The file of channels, and what is told of one that has no meaning.

mod rows;

use aegize_inbox::Channels;

use self::rows::ROWS;
use crate::support::{ASK, BOT_TOKEN, Bank, CALLBACK_SECRET, SECRET, SIGNING_SECRET};

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place() {
    let bank = Bank::new(ASK).await;
    bank.write("empty", " \n");
    bank.write("short", "whsec_AAAA");
    bank.write("spaced", "xoxb 1");
    for (text, expected) in ROWS {
        let text = text.replace("DIR", &bank.directory.path().display().to_string());
        let error = Channels::from_yaml_str(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}\n{error}");
        assert!(!error.contains("hunter2"), "{error}");
        assert!(!error.ends_with('.'), "{error}");
    }
}

#[tokio::test]
async fn a_file_is_named_and_no_secret_is_shown() {
    let bank = Bank::new(ASK).await;
    let path = bank.path("channels.yaml");
    let error = Channels::from_file(&path).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: cannot be read: ", path.display())));
    bank.write("channels.yaml", "channels:\n  - nme: a\n");
    let error = Channels::from_file(&path).unwrap_err();
    assert_eq!(error.place(), Some((2, 5)));
    let shown = format!(
        "{}:2:5: unknown key `nme`; did you mean `name`?",
        path.display()
    );
    assert_eq!(error.to_string(), shown);
    let text = "channels:\n  - {name: a, type: command, command: [a], timeout: 1}\n";
    bank.write("channels.yaml", text);
    let error = Channels::from_file(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("`timeout`; did you mean `timeout_seconds`?"),
        "{error}"
    );

    let text = "
url: https://approvals.acme.com
channels:
  - {name: hook, type: webhook, url: 'https://a.example', secret_file: DIR/webhook,
     callback_secret_file: DIR/callback}
  - {name: slack, type: slack, channel: C1, bot_token_env: CARGO_PKG_NAME,
     signing_secret_file: DIR/signing, tools: ['pay*'], risk_level_min: high, environments: [prod]}
  - {name: program, type: command, command: [notify-send, Aegize], timeout_seconds: 5}
  - {name: here, type: terminal}
";
    let shown = format!("{:?}", bank.channels(text));
    for secret in [
        SECRET,
        CALLBACK_SECRET,
        BOT_TOKEN,
        SIGNING_SECRET,
        "aegize-inbox",
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("notify-send"));
}

#[tokio::test]
async fn the_file_in_the_documentation_is_one() {
    let bank = Bank::new(ASK).await;
    let page = include_str!("../../../docs/approvals.md");
    let (_, section) = page.split_once("## Channels").unwrap();
    let (_, block) = section.split_once("```yaml\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let text = block
        .replace(
            "bot_token_env: SLACK_BOT_TOKEN",
            "bot_token_file: DIR/token",
        )
        .replace(
            "signing_secret_env: SLACK_SIGNING_SECRET",
            "signing_secret_file: DIR/signing",
        )
        .replace("/etc/aegize/pager.secret", "DIR/webhook")
        .replace("/etc/aegize/pager-callback.secret", "DIR/callback");
    let shown = format!("{:?}", bank.channels(&text));
    for name in ["finance", "pager", "desktop", "here"] {
        assert!(shown.contains(name), "{shown}");
    }
}

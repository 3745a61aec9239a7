//! What agents and others may write, in every place.

use aegize_core::{AgentIdentity, GuardContext, PermissionPolicy, ToolCall};
use aegize_store::DeliveryKind;
use serde_json::json;

use super::driver::Browser;
use super::looks::pictures;
use crate::support::{Served, ask, person, runtime};

/// Markup that would run a script wherever it were taken for some, and end whatever it stands in.
const MARKUP: &str = "--></title></textarea></style>'\"><img src=x onerror=alert(1)>\
    <script>alert(2)</script><b class=hostile>{{7*7}}</b><a href=javascript:alert(3)>";

/// A text that reads otherwise than it is.
const BIDI: &str = "pay\u{202e}gnp.exe\u{2066}\u{200b}\u{e0041}\u{7}";

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn hostile_text_stays_text_in_every_field() {
    let served = Served::new();
    let both = format!("{MARKUP}{BIDI}");
    let boss = format!("{MARKUP}boss");
    let policy = json!({"agents": {
        MARKUP: {"require_approval": [
            {"tool": "*", "reason": MARKUP, "approvers": [MARKUP, "group:ops"], "quorum": 2},
        ]},
        &boss: {"allow": [{"tool": "*"}]},
    }});
    let agent = |id: &str| AgentIdentity::new(id, "Bot", "Tests").unwrap();
    let policy = PermissionPolicy::from_yaml_str(&policy.to_string()).unwrap();
    let context = GuardContext::new(agent(MARKUP), policy, served.log.clone())
        .approvals(served.approvals.clone())
        .acting_for(agent(&boss));
    let call = || {
        ToolCall::new(MARKUP, MARKUP)
            .arguments(json!({
                &both: both,
                "nested": {&both: [both, {&both: both}]},
                "long": both.repeat(30),
                "long_word": "x".repeat(3000),
                &"k".repeat(300): 1,
                "deep": [[[[[[[[both]]]]]]]],
                "path": both,
            }))
            .path_argument("path")
            .metadata(json!({&both: {&both: both}}))
    };
    let id = ask(&context, call());
    let desk = served.desk();
    let mallory = person(&format!("{MARKUP}mallory")).group("ops").unwrap();
    pollster::block_on(desk.approve(id, &mallory, Some(&both))).unwrap();
    let other = ask(&context, call().risk_level(aegize_core::RiskLevel::High));
    pollster::block_on(desk.reject(other, &mallory, Some(&both))).unwrap();
    let outbox = served.store.outbox();
    pollster::block_on(async {
        outbox
            .enqueue(id, &both, DeliveryKind::Asked)
            .await
            .unwrap();
        let due = std::time::Duration::from_mins(1);
        let claimed = outbox.claim(&both, 1, due).await.unwrap();
        outbox.failed(claimed[0].id, &both, None).await.unwrap();
    });
    let token = pollster::block_on(served.directory.create_token(&mallory, None)).unwrap();

    runtime().block_on(async {
        let browser = Browser::new().await;
        browser.sign_in(&served.url("/"), token.text()).await;
        let pages = [
            "/".to_owned(),
            format!("/requests/{id}"),
            format!("/requests/{other}"),
            "/history".to_owned(),
            "/deliveries".to_owned(),
            "/history?agent=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E".to_owned(),
            "/history?state=%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
            "/%22%3E%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
            "/sign-in?next=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        ];
        for page in pages {
            for width in [1200, 360] {
                browser.look("light", width).await;
                browser.open(&served.url(&page)).await;
                browser.see("main").await;
                assert!(!browser.has_alert().await, "{page}");
                for (css, count) in [
                    ("script", 1),
                    ("img", 1),
                    (".hostile", 0),
                    ("[onerror]", 0),
                    ("a[href^='javascript']", 0),
                    ("iframe, object, embed, style, base", 0),
                ] {
                    assert_eq!(browser.count(css).await, count, "{page}: {css}");
                }
                let wide = browser
                    .run("return document.documentElement.scrollWidth")
                    .await;
                assert!(
                    wide.as_u64().unwrap() <= width.into(),
                    "{page} is {wide} at {width}"
                );
            }
        }
        browser.open(&served.url(&format!("/requests/{id}"))).await;
        browser.read("<script>alert(2)</script>").await;
        browser.picture(&pictures().join("hostile.png")).await;
        for unseen in ["U+202E", "U+2066", "U+200B", "U+E0041", "U+0007"] {
            browser.read(unseen).await;
        }
        let left = browser
            .run("return /[\\u202a-\\u202e\\u2066-\\u2069\\u200b]/.test(document.body.textContent)")
            .await;
        assert_eq!(left, false, "nothing changes the direction of a text");
        browser.close().await;
    });
}

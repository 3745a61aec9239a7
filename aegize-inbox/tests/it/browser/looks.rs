//! How pages look.

use std::path::PathBuf;

use aegize_core::ToolCall;
use serde_json::json;

use super::driver::Browser;
use crate::support::{POLICY, Served, ask, payment, runtime};

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where pictures are left.
pub(super) fn pictures() -> PathBuf {
    repository().join("target/screenshots")
}

/// Requests of every kind.
fn populate(served: &Served) -> uuid::Uuid {
    let policy = "
agents:
  billing_bot:
    allow: [{tool: '*'}]
    require_approval:
      - {tool: payments, reason: money leaves the company, approvers: [alice@acme.com, 'group:ops'], quorum: 2, expires_in: 4h}
      - {tool: mail, reason: customers read this}
      - {tool: deploy, reason: 'it is Friday, and this is production', expires_in: 3m}
";
    let desk = served.desk();
    let alice = aegize_core::Approver::new("alice@acme.com").unwrap();
    let context = served.context(POLICY);
    for amount in [120, 80, 4200] {
        let id = ask(&context, payment(amount));
        if amount > 1000 {
            pollster::block_on(desk.reject(id, &alice, Some("not without an invoice"))).unwrap();
        } else {
            pollster::block_on(desk.approve(id, &alice, Some("as agreed"))).unwrap();
            context
                .guard(payment(amount))
                .run_blocking(|| Ok::<_, aegize_core::GuardError>(()))
                .unwrap();
        }
    }
    let context = served.context(policy);
    let mail = ToolCall::new("mail", "send").arguments(json!({"to": ["team@acme.com", "ops@acme.com"], "subject": "Planned maintenance on Sunday", "body": "Dear customers,\n".repeat(60)}));
    ask(&context, mail);
    let deploy = || {
        ToolCall::new("deploy", "rollout").risk_level(aegize_core::RiskLevel::High).arguments(json!({"service": "checkout", "version": "2026.11.2", "api_key": "canary-12345", "options": {"canary": true, "percent": 5, "regions": ["eu-west-1", "us-east-1"]}})).metadata(json!({"ticket": "OPS-81"}))
    };
    ask(&context, deploy());
    ask(&context, deploy());
    let id = ask(&context, payment(2_400));
    let bob = aegize_core::Approver::new("bob@acme.com")
        .unwrap()
        .group("ops")
        .unwrap();
    pollster::block_on(desk.approve(
        id,
        &bob,
        Some("I have seen the invoice; it matches the order."),
    ))
    .unwrap();
    let granted = ask(
        &context,
        ToolCall::new("mail", "send")
            .risk_level(aegize_core::RiskLevel::Medium)
            .arguments(json!({"to": "ana@example.com", "subject": "Your refund"})),
    );
    pollster::block_on(desk.approve(granted, &bob, None)).unwrap();
    id
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn pages_fit_every_screen() {
    let served = Served::new();
    let id = populate(&served);
    runtime().block_on(async {
        let browser = Browser::new().await;
        browser.open(&served.url("/sign-in")).await;
        for (scheme, width) in [
            ("light", 1200),
            ("dark", 1200),
            ("light", 360),
            ("dark", 360),
        ] {
            browser.look(scheme, width).await;
            browser
                .picture(&pictures().join(format!("sign-in-{scheme}-{width}.png")))
                .await;
        }
        browser.sign_in(&served.url("/"), &served.alice).await;
        let request = format!("/requests/{id}");
        for (name, path) in [
            ("list", "/"),
            ("request", &request),
            ("history", "/history"),
        ] {
            browser.open(&served.url(path)).await;
            for (scheme, width) in [
                ("light", 1200),
                ("dark", 1200),
                ("light", 360),
                ("dark", 360),
            ] {
                browser.look(scheme, width).await;
                let wide = browser
                    .client
                    .execute("return document.documentElement.scrollWidth", vec![])
                    .await
                    .unwrap();
                assert!(
                    wide.as_u64().unwrap() <= u64::from(width),
                    "{name} is {wide} wide at {width}"
                );
                browser
                    .picture(&pictures().join(format!("{name}-{scheme}-{width}.png")))
                    .await;
            }
        }
        if std::env::var_os("AEGIZE_DOCS").is_some() {
            browser.open(&served.url(&request)).await;
            browser.look("light", 1120).await;
            let size =
                json!({"width": 1120, "height": 880, "deviceScaleFactor": 1, "mobile": false});
            browser
                .tell("Emulation.setDeviceMetricsOverride", size)
                .await;
            browser.see("#connection:not([hidden])").await;
            let path = repository().join("docs/inbox.png");
            let part = json!({"clip": {"x": 0, "y": 0, "width": 1120, "height": 880, "scale": 1}});
            browser.picture_of(&path, part).await;
        }
        browser.close().await;
    });
}

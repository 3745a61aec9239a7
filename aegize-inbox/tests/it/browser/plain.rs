//! The inbox without JavaScript.

use aegize_core::ApprovalState;

use super::driver::Browser;
use crate::support::{Served, payment, runtime};

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn everything_works_without_javascript() {
    let served = Served::new();
    let ids = [10, 20, 30].map(|amount| served.ask(payment(amount)));
    runtime().block_on(async {
        let browser = Browser::without_javascript().await;
        browser
            .sign_in(&served.url("/history"), &served.alice)
            .await;
        assert!(
            browser.address().await.ends_with("/history"),
            "where they wanted to go"
        );
        browser.open(&served.url("/")).await;
        // The page is loaded anew now and then.
        browser.see("noscript meta[http-equiv=refresh]").await;
        assert_eq!(
            browser.count("#connection:not([hidden])").await,
            0,
            "no script runs"
        );
        for (id, button, state) in [
            (ids[0], "#approve", ApprovalState::Granted),
            (ids[1], "#reject", ApprovalState::Rejected),
        ] {
            browser.open(&served.url("/")).await;
            browser.press(&format!("#request-{id}")).await;
            browser.write("#reason", "as agreed").await;
            browser.press(button).await;
            browser.see(&format!(".standing.{state}")).await;
            browser.read("as agreed").await;
            assert_eq!(served.state(id), state);
        }
        browser
            .open(&served.url(&format!("/requests/{}", ids[0])))
            .await;
        browser.press("#revoke").await;
        browser.see(".standing.revoked").await;
        browser.open(&served.url("/history")).await;
        browser.press("#filters option[value=rejected]").await;
        browser.press("#filters button").await;
        browser.see(&format!("#request-{}", ids[1])).await;
        assert_eq!(browser.count(".entry").await, 1);
        browser.press(".person button").await;
        browser.see("#token").await;
        browser.open(&served.url("/")).await;
        browser.see("#token").await;
        browser.close().await;
    });
}

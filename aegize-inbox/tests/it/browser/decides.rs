//! People decide, and see what others decide meanwhile.

use aegize_core::ApprovalState;

use super::driver::Browser;
use crate::support::{Client, Served, ask, payment, runtime};

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn a_person_signs_in_approves_and_rejects() {
    let served = Served::new();
    let (first, second) = (served.ask(payment(10)), served.ask(payment(20)));
    runtime().block_on(async {
        let browser = Browser::new().await;
        browser.open(&served.url("/")).await;
        browser.write("#token", "agz_00_11").await;
        browser.press("main button").await;
        browser.read("this token is not accepted").await;
        browser.sign_in(&served.url("/"), &served.alice).await;

        browser.press(&format!("#request-{first}")).await;
        browser.write("#reason", "as agreed").await;
        browser.press("#approve").await;
        browser.see(".standing.granted").await;
        browser.read("as agreed").await;
        assert_eq!(served.state(first), ApprovalState::Granted);

        // The other by keys alone.
        browser.press(".crumb a").await;
        browser.see(".entry").await;
        browser.keys("j").await;
        browser.keys("\u{e007}").await;
        browser.see("#reason").await;
        browser.keys("r").await;
        browser.keys("too much").await;
        browser.keys("\u{e004}\u{e004}\u{e007}").await;
        browser.see(".standing.rejected").await;
        browser.read("too much").await;
        assert_eq!(served.state(second), ApprovalState::Rejected);
        browser.keys("?").await;
        browser.see("#keys[open]").await;
        browser.close().await;
    });
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn nothing_is_decided_by_enter_in_a_field() {
    let served = Served::new();
    let policy = "agents: {billing_bot: {require_approval: [{tool: payments, remember: 1h}]}}";
    let id = ask(&served.context(policy), payment(10));
    runtime().block_on(async {
        let browser = Browser::new().await;
        browser.sign_in(&served.url("/"), &served.alice).await;
        browser.open(&served.url(&format!("/requests/{id}"))).await;
        browser.press(".remember summary").await;
        browser.write("[name=minutes]", "\u{e007}").await;
        browser.write("[name=uses]", "\u{e007}").await;
        // Whatever the keys have done is done before the next page.
        browser.press(".crumb a").await;
        browser.see(".entry").await;
        assert_eq!(served.state(id), ApprovalState::Requested);
        browser.close().await;
    });
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn pages_are_fresh_and_keep_what_is_typed() {
    let served = Served::new();
    let first = served.ask(payment(10));
    let bob = Client::signed_in(&served, &served.bob);
    runtime().block_on(async {
        let browser = Browser::new().await;
        browser.sign_in(&served.url("/"), &served.alice).await;
        browser.mark().await;
        let second = served.ask(payment(20));
        browser.see(&format!("#request-{second}")).await;
        browser.read("2 requests wait").await;
        assert!(browser.is_marked().await, "the page was not loaded again");
        assert_eq!(browser.text("#said").await, "2 requests wait");

        browser
            .open(&served.url(&format!("/requests/{second}")))
            .await;
        browser.mark().await;
        browser.write("#reason", "half a sen").await;
        // Another call asks for the same.
        served.ask(payment(20));
        browser.read("asked by 2 calls").await;
        browser.keys("tence").await;
        let typed = browser
            .run("return document.getElementById('reason').value")
            .await;
        assert_eq!(typed, "half a sentence");
        assert_eq!(bob.decide(second, "reject", "not again").status, 303);
        browser.see(".standing.rejected").await;
        assert_eq!(browser.count("#approve").await, 0);
        assert!(browser.is_marked().await);
        assert_eq!(served.state(first), ApprovalState::Requested);
        browser.close().await;
    });
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn a_request_expires_before_their_eyes() {
    let served = Served::new();
    let policy = "agents: {billing_bot: {require_approval: [{tool: payments, expires_in: 4s}]}}";
    runtime().block_on(async {
        let browser = Browser::new().await;
        browser.sign_in(&served.url("/"), &served.alice).await;
        let id = ask(&served.context(policy), payment(10));
        browser.open(&served.url(&format!("/requests/{id}"))).await;
        browser.mark().await;
        browser.see(".standing.expired").await;
        assert_eq!(browser.count("#approve").await, 0);
        assert!(browser.is_marked().await);
        assert_eq!(served.state(id), ApprovalState::Expired);
        browser.close().await;
    });
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn who_is_too_late_is_told_kindly() {
    let served = Served::new();
    let id = served.ask(payment(10));
    let bob = Client::signed_in(&served, &served.bob);
    runtime().block_on(async {
        // Without the script, the page does not tell that somebody was faster.
        let browser = Browser::without_javascript().await;
        browser.sign_in(&served.url("/"), &served.alice).await;
        browser.open(&served.url(&format!("/requests/{id}"))).await;
        browser.see("#approve").await;
        assert_eq!(bob.decide(id, "reject", "no invoice").status, 303);
        browser.press("#approve").await;
        browser.read("Nothing was approved by you just now").await;
        browser.see(".standing.rejected").await;
        browser.read("no invoice").await;
        assert_eq!(served.state(id), ApprovalState::Rejected);
        browser.close().await;
    });
}

#[test]
#[ignore = "needs Chromium; .ci/run installs it and runs this"]
fn a_quorum_is_met_by_different_people() {
    let served = Served::new();
    let policy = "agents: {billing_bot: {require_approval: [{tool: payments, quorum: 2}]}}";
    let id = ask(&served.context(policy), payment(10));
    let bob = Client::signed_in(&served, &served.bob);
    runtime().block_on(async {
        let browser = Browser::new().await;
        browser.sign_in(&served.url("/"), &served.alice).await;
        browser.read("0 of 2 approvals").await;
        browser.press(&format!("#request-{id}")).await;
        browser.press("#approve").await;
        browser.read("1 of 2 approvals").await;
        browser.read("has already approved").await;
        assert_eq!(browser.count("#approve").await, 0);
        assert_eq!(served.state(id), ApprovalState::Requested);
        browser.mark().await;
        assert_eq!(bob.decide(id, "approve", "seen").status, 303);
        browser.see(".standing.granted").await;
        assert!(browser.is_marked().await);
        assert_eq!(served.state(id), ApprovalState::Granted);
        browser.close().await;
    });
}

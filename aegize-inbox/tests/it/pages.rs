//! The pages, by HTTP.

use aegize_core::{ApprovalState, AuditEvent};

use crate::support::{Client, Served, payment};

#[test]
fn a_person_signs_in_sees_what_waits_and_decides() {
    let served = Served::new();
    let client = Client::signed_in(&served, &served.alice);
    assert!(client.get("/").text.contains("Nothing waits"));
    let (first, second) = (served.ask(payment(10)), served.ask(payment(20)));
    let page = client.get("/").text;
    let place = |id| page.find(&format!("/requests/{id}")).unwrap();
    assert!(place(second) < place(first), "the newest first");

    let page = client.get(&format!("/requests/{first}")).text;
    for text in [
        "Ana Núñez",
        "billing_bot",
        "prod",
        "money leaves the company",
        "critical",
        "1 person, anyone but the agent",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let approved = client.decide(first, "approve", "as agreed");
    assert_eq!(approved.status, 303);
    assert_eq!(approved.header("location"), format!("/requests/{first}"));
    let rejected = client.decide(second, "reject", "too much");
    assert_eq!(rejected.status, 303);
    assert_eq!(served.state(first), ApprovalState::Granted);
    assert_eq!(served.state(second), ApprovalState::Rejected);
    let page = client.get(&format!("/requests/{first}")).text;
    assert!(
        page.contains("as agreed") && page.contains("Take back"),
        "{page}"
    );
    assert_eq!(client.decide(first, "revoke", "").status, 303);
    assert_eq!(served.state(first), ApprovalState::Revoked);

    let decided: Vec<_> = served
        .records()
        .into_iter()
        .filter(|record| record.event != AuditEvent::ApprovalRequired)
        .map(|record| (record.event, record.approvers.concat()))
        .collect();
    let alice = || "alice@acme.com".to_owned();
    assert_eq!(
        decided,
        [
            (AuditEvent::ApprovalGranted, alice()),
            (AuditEvent::ApprovalRejected, alice()),
            (AuditEvent::ApprovalRevoked, alice()),
        ]
    );
}

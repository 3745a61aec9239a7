//! The pages, by HTTP.

use aegize_core::{ApprovalState, AuditEvent, GuardError, ToolCall};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Client, POLICY, Served, ask, payment, person};

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

#[test]
fn history_is_filtered_and_paged() {
    let served = Served::new();
    let context = served.context(POLICY);
    let ids: Vec<_> = (0..60)
        .map(|amount| ask(&context, payment(amount)))
        .collect();
    let alice = Client::signed_in(&served, &served.alice);
    alice.decide(ids[3], "approve", "");
    let entries = |page: &str| {
        let parts = page.split("data-id=\"").skip(1);
        let ids = parts.map(|part| part.split('"').next().unwrap().parse().unwrap());
        ids.collect::<Vec<Uuid>>()
    };
    let newest: Vec<_> = ids.iter().rev().copied().collect();
    for (path, all) in [
        ("/history", newest.clone()),
        (
            "/history?tool=payments&operation=refund&agent=billing_bot",
            newest.clone(),
        ),
        (
            "/",
            newest.iter().copied().filter(|id| *id != ids[3]).collect(),
        ),
    ] {
        let page = alice.get(path).text;
        let (_, next) = page.split_once("rel=\"next\" href=\"").unwrap();
        let next = next.split('"').next().unwrap().replace("&amp;", "&");
        let rest = alice.get(&next).text;
        let mut seen = entries(&page);
        assert_eq!(seen.len(), if path == "/" { 51 } else { 50 });
        // The grant stands below those that wait.
        seen.retain(|id| path != "/" || *id != ids[3]);
        seen.extend(
            entries(&rest)
                .iter()
                .filter(|id| path != "/" || **id != ids[3]),
        );
        assert_eq!(seen, all, "{path}");
        assert!(!rest.contains("rel=\"next\""));
    }
    assert_eq!(entries(&alice.get("/history?state=granted").text), [ids[3]]);
    for query in [
        "state=rejected",
        "agent=other",
        "tool=mail",
        "operation=charge",
    ] {
        let page = alice.get(&format!("/history?{query}")).text;
        assert!(page.contains("No requests"), "{query}");
    }
    for query in ["state=open", "before=7"] {
        assert_eq!(
            alice.get(&format!("/history?{query}")).status,
            400,
            "{query}"
        );
    }
    let page = alice.get(&format!("/requests/{}", ids[59])).text;
    assert!(page.contains("Of the last 50 calls"), "{page}");
    let page = alice.get(&format!("/requests/{}", ids[4])).text;
    assert!(
        page.contains("Of the last 4 calls") && page.contains("1 approved"),
        "{page}"
    );
}

#[test]
fn values_are_shown_as_what_they_are() {
    let served = Served::new();
    let alice = Client::signed_in(&served, &served.alice);
    let call = ToolCall::new("payments", "refund").arguments(json!({
        "number": 9_007_199_254_740_993_u64,
        "float": 1.0,
        "text_of_a_number": "5",
        "text_of_nothing": "null",
        "nothing": null,
        "empty": "",
        "list": [],
        "map": {},
        "spaces": " x ",
        "zero_width": "a\u{200b}b",
        "lines": "one\ntwo",
        "long": "word ".repeat(200),
        "tall": "b\n".repeat(20),
        "many": (0..40).collect::<Vec<_>>(),
        "password": "canary-1",
    }));
    let id = served.ask(call);
    let page = alice.get(&format!("/requests/{id}")).text;
    let row = |name: &str| {
        let (_, row) = page.split_once(&format!("<bdi>{name}</bdi>")).unwrap();
        row.split_once("<td>").unwrap().1
    };
    for (name, shown) in [
        ("number", "<code class=\"literal\">9007199254740993</code>"),
        ("float", "<code class=\"literal\">1.0</code>"),
        (
            "text_of_a_number",
            "<div class=\"text\">&quot;<bdi>5</bdi>&quot;</div>",
        ),
        (
            "text_of_nothing",
            "<div class=\"text\">&quot;<bdi>null</bdi>&quot;</div>",
        ),
        ("nothing", "<code class=\"literal\">null</code>"),
        ("empty", "<span class=\"empty\">empty text</span>"),
        ("list", "<span class=\"empty\">empty list</span>"),
        ("map", "<span class=\"empty\">empty mapping</span>"),
        (
            "spaces",
            "<div class=\"text\">&quot;<bdi> x </bdi>&quot;</div>",
        ),
        (
            "zero_width",
            "<div class=\"text\"><bdi>a<span class=\"unseen\" title=\"a character that no reader sees\">U+200B</span>b</bdi></div>",
        ),
        ("lines", "<div class=\"text\"><bdi>one\ntwo</bdi></div>"),
        ("long", "<details class=\"long\">"),
        (
            "password",
            "<div class=\"text\"><mark class=\"redacted\">redacted</mark></div>",
        ),
    ] {
        let row = row(name);
        assert!(
            row.starts_with(shown),
            "{name}: {}",
            &row[..300.min(row.len())]
        );
    }
    assert!(row("many").contains("<summary>15 more</summary>"));
    // Whoever does not unfold a text sees that there is more of it, and how much.
    let summary = |name: &str| row(name).split_once("</summary>").unwrap().0;
    let marks =
        "… <span class=\"more\">840 more</span></span> <span class=\"kind\">1000 characters</span>";
    assert!(summary("long").ends_with(marks), "{}", summary("long"));
    let marks = "</bdi></span> <span class=\"kind\">40 characters</span>";
    assert!(summary("tall").ends_with(marks), "{}", summary("tall"));
    assert!(page.contains("Secrets are not shown") && !page.contains("canary"));
    // What only looks redacted is not marked as that.
    let id = served.ask(payment(1).arguments(json!({"note": "[redacted]"})));
    let page = alice.get(&format!("/requests/{id}")).text;
    assert!(
        page.contains("<bdi>[redacted]</bdi>") && !page.contains("<mark"),
        "{page}"
    );
}

#[test]
fn a_grant_is_remembered_only_where_the_rules_let_it() {
    let served = Served::new();
    let alice = Client::signed_in(&served, &served.alice);
    let plain = served.ask(payment(1));
    let page = alice.get(&format!("/requests/{plain}")).text;
    assert!(!page.contains("Remember this approval"));
    let policy = "agents: {billing_bot: {require_approval: [{tool: payments, remember: 2h}]}}";
    let context = served.context(policy);
    let id = ask(&context, payment(2));
    let page = alice.get(&format!("/requests/{id}")).text;
    assert!(
        page.contains("Remember this approval") && page.contains("max=\"120\""),
        "{page}"
    );
    let remember = |id: Uuid, minutes: &str, uses: &str, conditions: &str| {
        let fields = [
            ("form_token", &*alice.form_token),
            ("remember", "yes"),
            ("minutes", minutes),
            ("uses", uses),
            ("conditions", conditions),
        ];
        alice.post(&format!("/requests/{id}/approve"), &fields)
    };
    for (id, minutes, uses, conditions, text) in [
        (plain, "60", "5", "", "remember"),
        (id, "121", "5", "", "remember"),
        (id, "x", "5", "", "`x` is no number of minutes"),
        (id, "60", "0", "", "1 to 1000 calls"),
        (id, "60", "5", "argz: 1", "do not load"),
    ] {
        let answer = remember(id, minutes, uses, conditions);
        assert!(
            [403, 422].contains(&answer.status.as_u16()),
            "{}",
            answer.status
        );
        assert!(answer.text.contains(text), "{text}: {}", answer.text);
        assert_eq!(served.state(id), ApprovalState::Requested);
    }
    let answer = remember(id, "60", "2", "args: {amount: {max: 100}}");
    assert_eq!(answer.status, 303);
    let page = alice.get("/").text;
    assert!(page.contains("Approved, not used up"));
    assert!(page.contains("0 of 2 calls"), "{page}");
    for amount in [2, 99] {
        context
            .guard(payment(amount))
            .run_blocking(|| Ok::<_, GuardError>(()))
            .unwrap();
    }
    ask(&context, payment(3));
    let page = alice.get(&format!("/requests/{id}")).text;
    assert!(
        page.contains("Approved and used") && page.contains("args: {amount: {max: 100}}"),
        "{page}"
    );
}

#[test]
fn who_may_not_decide_is_told_why() {
    let served = Served::new();
    let policy =
        "agents: {billing_bot: {require_approval: [{tool: payments, approvers: ['group:ops']}]}}";
    let id = ask(&served.context(policy), payment(1));
    let alice = Client::signed_in(&served, &served.alice);
    let page = alice.get(&format!("/requests/{id}")).text;
    assert!(
        page.contains("is not among the approvers") && !page.contains("id=\"approve\""),
        "{page}"
    );
    let answer = alice.decide(id, "approve", "");
    assert_eq!(answer.status, 403);
    assert!(
        answer.text.contains("is not among the approvers"),
        "{}",
        answer.text
    );
    let none = alice.decide(Uuid::nil(), "approve", "");
    assert_eq!(none.status, 404);
    assert_eq!(alice.get("/requests/x").status, 404);
    assert_eq!(
        alice
            .post("/requests/x/approve", &[("form_token", &alice.form_token)])
            .status,
        404
    );
    // A group that is taken away does not count from then on.
    let bob = Client::signed_in(&served, &served.bob);
    pollster::block_on(served.directory.create_token(&person("bob@acme.com"), None)).unwrap();
    assert_eq!(bob.decide(id, "approve", "").status, 403);
    assert_eq!(served.state(id), ApprovalState::Requested);
}

#[test]
fn an_answer_that_comes_too_late_is_told_the_state() {
    let served = Served::new();
    let id = served.ask(payment(1));
    let alice = Client::signed_in(&served, &served.alice);
    let bob = Client::signed_in(&served, &served.bob);
    assert_eq!(bob.decide(id, "reject", "no invoice").status, 303);
    for what in ["approve", "reject", "revoke"] {
        let answer = alice.decide(id, what, "");
        assert_eq!(answer.status, 409);
        assert!(
            answer
                .text
                .contains("this request was already <strong>rejected</strong>"),
            "{}",
            answer.text
        );
        assert!(answer.text.contains("no invoice"), "{}", answer.text);
    }
}

#[test]
fn a_request_that_cannot_be_read_hides_no_other() {
    let served = Served::new();
    let damaged = served.ask(payment(1));
    let healthy = served.ask(payment(2));
    served.tamper(&format!(
        "UPDATE aegize_requests SET body = '{{}}' WHERE id = x'{}'",
        damaged.simple()
    ));
    let client = Client::signed_in(&served, &served.alice);
    let told = format!("1 request cannot be read: <a href=\"/requests/{damaged}\">");
    let similar = format!("/requests/{healthy}");
    for path in ["/", "/history", &*similar] {
        let page = client.get(path);
        assert_eq!(page.status, 200, "{path}\n{}", page.text);
        assert!(page.text.contains(&told), "{path}\n{}", page.text);
        assert!(page.text.contains(&healthy.to_string()), "{path}");
    }
    let page = client.get(&format!("/requests/{damaged}"));
    assert_eq!(page.status, 503);
    for part in ["It cannot be read", "missing field `id`"] {
        assert!(page.text.contains(part), "{}", page.text);
    }
    assert_eq!(client.decide(damaged, "approve", "").status, 503);
    assert_eq!(client.decide(healthy, "approve", "").status, 303);
    assert_eq!(served.state(healthy), ApprovalState::Granted);
}

#[test]
fn what_failed_is_counted_while_people_are_asked() {
    let served = Served::new();
    let id = served.ask(payment(1));
    let alice = Client::signed_in(&served, &served.alice);
    assert!(!alice.get("/").text.contains("/deliveries"));
    let outbox = served.store.outbox();
    pollster::block_on(async {
        let kind = aegize_store::DeliveryKind::Asked;
        outbox.enqueue(id, "finance", kind).await.unwrap();
        let lease = std::time::Duration::from_hours(1);
        let claimed = outbox.claim("finance", 1, lease).await.unwrap();
        let failed = outbox.failed(claimed[0].id, "no route", None);
        failed.await.unwrap();
    });
    let badge = "1<span class=\"unheard\"> failed</span>";
    let page = alice.get("/").text;
    assert!(
        page.contains("/deliveries") && page.contains(badge),
        "{page}"
    );
    alice.decide(id, "reject", "");
    let page = alice.get("/").text;
    assert!(
        page.contains("/deliveries") && !page.contains(badge),
        "{page}"
    );
}

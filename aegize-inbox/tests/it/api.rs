//! The API, and that it is what its document says.

use std::collections::BTreeSet;

use aegize_core::{ApprovalState, ToolCall};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Served, ask, payment};

/// The document, and calls that are checked against it.
struct Api<'s> {
    client: Client<'s>,
    document: Value,
}

impl<'s> Api<'s> {
    fn new(served: &'s Served) -> Self {
        let client = Client::new(served);
        let document = client.get("/api/v1/openapi.json");
        assert_eq!(document.header("content-type"), "application/json");
        let document = serde_json::from_str(&document.text).unwrap();
        Self { client, document }
    }

    fn call(&self, method: &str, path: &str, token: &str, body: Option<&str>) -> (u16, Value) {
        let token = format!("Bearer {token}");
        let headers = [("authorization", &*token)];
        let full = format!("/api/v1{path}");
        let answer = match method {
            "get" => self.client.get_with(&full, &headers),
            _ => self.client.send(&full, body.unwrap_or_default(), &headers),
        };
        self.check(method, path, &answer)
    }

    /// An answer is what the document says of that operation and status.
    fn check(&self, method: &str, path: &str, answer: &Answer) -> (u16, Value) {
        let path = path.split('?').next().unwrap();
        let place = match path
            .strip_prefix("/requests/")
            .map(|rest| rest.split_once('/'))
        {
            Some(Some((_, act))) => format!("/requests/{{id}}/{act}"),
            Some(None) => "/requests/{id}".to_owned(),
            None => path.to_owned(),
        };
        let responses = &self.document["paths"][&place][method]["responses"];
        let status = answer.status.as_u16();
        let told = responses.get(status.to_string());
        let told = told.or_else(|| responses.get("default").filter(|_| status >= 500));
        let told = told.unwrap_or_else(|| panic!("{method} {place} may not answer {status}"));
        let kind = answer.header("content-type").to_owned();
        let schema = &told["content"][&kind]["schema"];
        assert!(schema.is_object(), "{method} {place} {status} {kind}");
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.document["components"],
            "$ref": schema["$ref"],
        });
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap();
        let value: Value = serde_json::from_str(&answer.text).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert!(
            errors.is_empty(),
            "{method} {place} {status}: {errors:?} {value}"
        );
        if status >= 400 {
            assert_eq!(kind, "application/problem+json");
            assert_eq!(value["status"], status);
        }
        (status, value)
    }
}

/// Payments are for the group `ops`, and mail takes two people.
const OPS: &str = "agents: {billing_bot: {require_approval: [
    {tool: payments, approvers: ['group:ops'], expires_in: 1h, remember: 30m},
    {tool: mail, quorum: 2}]}}";

/// Who, what, about which payment, the body, the status, and the state after that.
type Row<'a> = (&'a str, &'a str, usize, Option<&'a str>, u16, ApprovalState);

#[test]
fn programs_list_and_see() {
    let served = Served::new();
    let api = Api::new(&served);
    let (alice, bob) = (&*served.alice, &*served.bob);
    let me = api.call("get", "/me", bob, None).1;
    assert_eq!(me, json!({"name": "bob@acme.com", "groups": ["ops"]}));

    let context = served.context(OPS);
    let payments: Vec<_> = (1..=3).map(|n| ask(&context, payment(n))).collect();
    ask(&context, ToolCall::new("mail", "send"));

    let list = |query: &str| api.call("get", &format!("/requests{query}"), alice, None);
    let ids = |answer: &Value| {
        let requests = answer["requests"].as_array().unwrap();
        let ids = requests
            .iter()
            .map(|request| request["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let (_, first) = list("?tool=payments&limit=2");
    assert_eq!(
        ids(&first),
        [payments[2].to_string(), payments[1].to_string()]
    );
    let next = first["next"].as_str().unwrap();
    let (_, rest) = list(&format!("?tool=payments&limit=2&before={next}"));
    assert_eq!(ids(&rest), [payments[0].to_string()]);
    assert_eq!(rest["next"], Value::Null);
    for query in ["?state=granted", "?agent=other", "?operation=charge"] {
        assert!(ids(&list(query).1).is_empty(), "{query}");
    }
    for query in [
        "?state=open",
        "?before=7",
        "?limit=0",
        "?limit=201",
        "?limit=x",
    ] {
        assert_eq!(list(query).0, 400, "{query}");
    }
    // A mistyped name would otherwise give all there are.
    let (status, problem) = list("?stat=granted&limit=1");
    assert_eq!(status, 400);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("`stat` is no parameter"), "{detail}");
    let path = format!("/requests/{}", payments[0]);
    for act in ["approve?reason=no", "approve?dry", "reject?x=1", "revoke?x"] {
        let (status, problem) = api.call("post", &format!("{path}/{act}"), alice, None);
        assert_eq!(status, 400, "{act}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("has no parameters"), "{detail}");
    }
    assert_eq!(served.state(payments[0]), ApprovalState::Requested);
    let parameters = &api.document["paths"]["/requests"]["get"]["parameters"];
    for parameter in parameters.as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        assert!(detail.contains(name), "no {name} in {detail}");
        assert_ne!(list(&format!("?{name}=")).1["detail"], problem["detail"]);
    }

    let (_, shown) = api.call("get", &format!("/requests/{}", payments[0]), alice, None);
    assert_eq!(shown["arguments"]["amount"], 1);
    assert_eq!(shown["terms"][0]["remember_seconds"], 1800);
}

#[test]
fn a_list_names_what_cannot_be_read() {
    let served = Served::new();
    let api = Api::new(&served);
    let (damaged, healthy) = (served.ask(payment(1)), served.ask(payment(2)));
    served.tamper(&format!(
        "UPDATE aegize_requests SET body = '' WHERE id = x'{}'",
        damaged.simple()
    ));
    let (status, list) = api.call("get", "/requests", &served.alice, None);
    assert_eq!(status, 200);
    assert_eq!(list["requests"][0]["id"], json!(healthy));
    assert_eq!(list["unreadable"], json!([damaged]));
    let (status, problem) = api.call("get", &format!("/requests/{damaged}"), &served.alice, None);
    assert_eq!(status, 503);
    let told = format!("approval request `{damaged}` cannot be read: ");
    assert!(problem["detail"].as_str().unwrap().starts_with(&told));
}

#[test]
fn programs_decide() {
    let served = Served::new();
    let api = Api::new(&served);
    let (alice, bob) = (&*served.alice, &*served.bob);
    let context = served.context(OPS);
    let payments: Vec<_> = (1..=3).map(|n| ask(&context, payment(n))).collect();
    let mail = ask(&context, ToolCall::new("mail", "send"));
    let rows: [Row<'_>; 15] = [
        (
            "agz_00_00",
            "approve",
            0,
            None,
            401,
            ApprovalState::Requested,
        ),
        (alice, "approve", 0, None, 403, ApprovalState::Requested),
        (bob, "approve", 0, Some("{"), 400, ApprovalState::Requested),
        (bob, "approve", 0, Some("[]"), 400, ApprovalState::Requested),
        (
            bob,
            "approve",
            0,
            Some(r#"{"remember":[60,2,"args: {amount: {max: 9}}"]}"#),
            400,
            ApprovalState::Requested,
        ),
        (
            bob,
            "approve",
            0,
            Some(r#"{"reasons":"x"}"#),
            400,
            ApprovalState::Requested,
        ),
        (
            bob,
            "approve",
            0,
            Some(r#"{"remember":{"seconds":0,"uses":1}}"#),
            422,
            ApprovalState::Requested,
        ),
        (
            bob,
            "approve",
            0,
            Some(r#"{"remember":{"seconds":60,"uses":2,"conditions":"argz: 1"}}"#),
            422,
            ApprovalState::Requested,
        ),
        (
            bob,
            "approve",
            0,
            Some(r#"{"remember":{"seconds":60,"uses":2,"conditions":"args: {amount: {max: 9}}"}}"#),
            200,
            ApprovalState::Granted,
        ),
        (bob, "approve", 0, None, 409, ApprovalState::Granted),
        (
            bob,
            "revoke",
            0,
            Some(r#"{"reason":"a mistake"}"#),
            200,
            ApprovalState::Revoked,
        ),
        (
            bob,
            "reject",
            1,
            Some(r#"{"reason":"no"}"#),
            200,
            ApprovalState::Rejected,
        ),
        (bob, "reject", 1, None, 409, ApprovalState::Rejected),
        (bob, "approve", 2, Some("{}"), 200, ApprovalState::Granted),
        (alice, "revoke", 2, None, 403, ApprovalState::Granted),
    ];
    for (token, act, which, body, status, state) in rows {
        let id = payments[which];
        let (found, answer) = api.call("post", &format!("/requests/{id}/{act}"), token, body);
        assert_eq!(found, status, "{act} {body:?}: {answer}");
        assert_eq!(served.state(id), state, "{act} {body:?}");
    }
    let (_, one) = api.call("post", &format!("/requests/{mail}/approve"), alice, None);
    assert_eq!(
        (&one["state"], &one["approvals"][0]["by"]["name"]),
        (&json!("requested"), &json!("alice@acme.com"))
    );
    let unknown = format!("/requests/{}", uuid::Uuid::nil());
    for (method, path) in [
        ("get", unknown.clone()),
        ("post", unknown + "/approve"),
        ("get", "/requests/x".to_owned()),
    ] {
        assert_eq!(api.call(method, &path, bob, None).0, 404, "{path}");
    }
}

#[test]
fn the_document_names_the_routes_and_no_others() {
    let served = Served::new();
    let api = Api::new(&served);
    let meta = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "components": api.document["components"]});
    jsonschema::meta::validate(&meta).unwrap();
    for schema in api.document["components"]["schemas"]
        .as_object()
        .unwrap()
        .values()
    {
        jsonschema::draft202012::meta::validate(schema).unwrap();
    }
    let source = include_str!("../../src/api/mod.rs");
    let routes: BTreeSet<(String, String)> = source
        .lines()
        .filter_map(|line| {
            let rest = line.trim().strip_prefix(".route(\"")?;
            let (path, rest) = rest.split_once("\", ")?;
            let (method, _) = rest.split_once('(')?;
            Some((path.to_owned(), method.to_owned()))
        })
        .collect();
    let paths = api.document["paths"].as_object().unwrap().iter();
    let told: BTreeSet<_> = paths
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys();
            methods.map(move |method| (path.clone(), method.clone()))
        })
        .collect();
    assert_eq!(routes, told);
    for (path, method) in &told {
        let path = format!(
            "/api/v1{}",
            path.replace("{id}", &uuid::Uuid::nil().to_string())
        );
        let answer = match &**method {
            "get" => api.client.get(&path),
            _ => api.client.send(&path, "", &[]),
        };
        let status = if path.ends_with("openapi.json") {
            200
        } else {
            401
        };
        assert_eq!(answer.status, status, "{path}");
        let other = match &**method {
            "get" => api.client.send(&path, "", &[]),
            _ => api.client.get(&path),
        };
        assert_eq!(other.status, 405, "{path}");
        assert_eq!(other.header("content-type"), "application/problem+json");
    }
    let none = api.client.get("/api/v1/none");
    assert_eq!(
        (none.status.as_u16(), none.header("content-type")),
        (404, "application/problem+json")
    );
}

#[test]
fn a_cookie_is_no_token() {
    let served = Served::new();
    let id = served.ask(payment(1));
    let alice = Client::signed_in(&served, &served.alice);
    assert_eq!(alice.get("/api/v1/me").status, 401);
    let path = format!("/api/v1/requests/{id}/approve");
    let origin = served.url("");
    let answer = alice.send(&path, "{}", &[("origin", &origin)]);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    for scheme in ["Basic", "Bearer", ""] {
        let value = format!("{scheme} x");
        assert_eq!(
            alice
                .get_with("/api/v1/me", &[("authorization", &value)])
                .status,
            401
        );
    }
    assert_eq!(served.state(id), ApprovalState::Requested);
    // And a token is no cookie.
    let header = format!("Bearer {}", served.alice);
    assert_eq!(
        Client::new(&served)
            .get_with("/", &[("authorization", &header)])
            .status,
        303
    );
}

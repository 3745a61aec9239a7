//! What a grant is bound to: exactly one call.

use std::collections::BTreeMap;

use aegize::GuardedTool;
use serde::ser::{Serialize, Serializer};

use super::*;

#[test]
fn another_call_is_another_request() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let first = asked(pay(&bank.context, payment(5)));
    bank.approve(first).unwrap();
    let arguments = |arguments: Value| ToolCall::new("pay", "refund").arguments(arguments);
    let others = [
        payment(6),
        payment(5.0),
        payment("5"),
        payment(json!([5])),
        arguments(json!({"amount": 5, "to": "e\u{301}"})),
        arguments(json!({"amount": 5, "to": "é", "more": null})),
        arguments(json!({"amount": 5})),
        payment(5).risk_level(RiskLevel::High),
        payment(5).path_argument("to"),
        payment(5).metadata(json!({"path": "a"})),
        payment(5).metadata(json!({"paths": ["a"]})),
        ToolCall::new("pay", "charge").arguments(json!({"amount": 5, "to": "é"})),
    ];
    let mut seen = vec![first];
    for call in others {
        let id = asked(pay(&bank.context, call));
        assert!(!seen.contains(&id));
        seen.push(id);
    }
    let principal = AgentIdentity::new("bot", "Other", "Tests").unwrap();
    let id = asked(pay(&bank.context.acting_for(principal), payment(5)));
    assert!(!seen.contains(&id));

    // Neither the order of keys nor what no policy reads makes another call of it.
    let same = arguments(json!({"to": "é", "amount": 5})).metadata(json!({"ticket": "OPS-1"}));
    pay(&bank.context, same).unwrap();
}

#[test]
fn bindings_are_equal_exactly_when_calls_are() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let values = [
        json!(null),
        json!(false),
        json!(0),
        json!(0.0),
        json!(-0.0),
        json!("0"),
        json!("#0"),
        json!("##0"),
        json!(1),
        json!(1.0),
        json!("#1.0"),
        json!(9_007_199_254_740_991_u64),
        json!(9_007_199_254_740_992_u64),
        json!(9_007_199_254_740_993_u64),
        json!(9_007_199_254_740_992.0),
        json!("9007199254740993"),
        json!("#9007199254740993"),
        json!(-9_007_199_254_740_993_i64),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e23),
        json!(1e300),
        json!(0.1),
        json!(0.1 + f64::EPSILON),
        json!([]),
        json!({}),
        json!([[]]),
        json!([1, 2]),
        json!([2, 1]),
        json!([12]),
        json!({"a": 1}),
        json!({"b": 1}),
        json!({"a": {"b": 1}}),
        json!({"a\",\"b": 1}),
        json!("\u{0}"),
        json!("é"),
        json!("e\u{301}"),
        json!(""),
        json!([""]),
        json!({"": null}),
        deep.clone(),
        json!([deep]),
    ];
    let mut ids = Vec::new();
    for value in &values {
        let id = asked(pay(&bank.context, payment(value.clone())));
        assert!(!ids.contains(&id), "{value}");
        assert_eq!(
            asked(pay(&bank.context, payment(value.clone()))),
            id,
            "{value}"
        );
        ids.push(id);
    }
}

#[test]
fn any_byte_that_changes_is_another_call() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let call = |tool: &str, operation: &str, key: &str, text: &str, path: &str| {
        let call = ToolCall::new(tool.to_owned(), operation.to_owned());
        let call = call.arguments(json!({key: {"to": text}}));
        call.metadata(json!({"path": path}))
    };
    let approved = ["pay", "refund", "payee", "IBAN DE02 1203, ü", "./out/1.csv"];
    let [tool, operation, key, text, path] = approved;
    let id = asked(pay(&bank.context, call(tool, operation, key, text, path)));
    bank.approve(id).unwrap();
    let policy = ASK.replace("tool: pay", "tool: '*'");
    let any = bank.world.directory.path().join("any.jsonl");
    let agent = AgentIdentity::new("bot", "Bot", "Tests").unwrap();
    let context = GuardContext::new(
        agent,
        PermissionPolicy::from_yaml_str(&policy).unwrap(),
        aegize::AuditLog::open(any).unwrap(),
    )
    .approvals(bank.approvals.clone());
    let mut changed = 0;
    for place in 0..approved.len() {
        for at in 0..approved[place].len() {
            for bit in [1, 0x20] {
                let mut bytes = approved[place].as_bytes().to_vec();
                bytes[at] ^= bit;
                // What is no text is no call; a name with a control character is refused anyway.
                let Ok(text) = String::from_utf8(bytes) else {
                    continue;
                };
                let mut parts = approved;
                parts[place] = &text;
                let [tool, operation, key, text, path] = parts;
                let refused = pay(&context, call(tool, operation, key, text, path));
                assert!(refused.is_err(), "{parts:?}");
                changed += 1;
            }
        }
    }
    assert!(changed > 80, "{changed}");
    pay(&context, call(tool, operation, key, text, path)).unwrap();
}

#[test]
fn what_cannot_be_read_exactly_cannot_be_approved() {
    struct Opaque;

    struct Twice;

    impl Serialize for Twice {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([("a", 1), ("a", 2)])
        }
    }

    #[aegize::guarded_tool(tool_name = "pay", operation = "opaque")]
    fn opaque(handle: Opaque) -> Result<(), GuardError> {
        let Opaque = handle;
        Ok(())
    }

    #[aegize::guarded_tool(tool_name = "pay", operation = "twice")]
    fn with_twice(value: Twice) -> Result<(), GuardError> {
        let Twice = value;
        Ok(())
    }

    let bank = Bank::new(ASK, Approvals::in_memory());
    let large = payment("x".repeat(300_000));
    let mut deep = json!(1);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    let refusals = [
        aegize::with_context(&bank.context, || opaque(Opaque)),
        aegize::with_context(&bank.context, || with_twice(Twice)),
        pay(&bank.context, large),
        // Every value takes many times of these two bytes in the memory of those who read it.
        pay(&bank.context, payment(vec![0; 10_000])),
        pay(&bank.context, payment(deep)),
    ];
    let texts = [
        "cannot be read",
        "has a key twice",
        "is larger",
        "is larger",
        "nests too deep",
    ];
    for (refusal, text) in refusals.into_iter().zip(texts) {
        match refusal {
            Err(GuardError::ApprovalUnavailable(refused)) => {
                assert_eq!(refused.kind(), ApprovalErrorKind::Inexact);
                assert!(refused.to_string().contains(text), "{refused}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    let desk = bank.approvals.desk(bank.context.audit_log());
    assert!(
        pollster::block_on(desk.requests(&ApprovalQuery::newest(9)))
            .unwrap()
            .requests
            .is_empty()
    );
}

#[test]
fn people_see_no_secret_and_the_binding_knows_it() {
    let bank = Bank::new(ASK, Approvals::in_memory());
    let call = |secret: &str| ToolCall::new("pay", "x").arguments(json!({"password": secret}));
    let id = asked(pay(&bank.context, call("canary-1")));
    assert_ne!(asked(pay(&bank.context, call("canary-2"))), id);
    let request = bank.approve(id).unwrap();
    let kept = serde_json::to_string(&request).unwrap();
    assert!(!kept.contains("canary"), "{kept}");
    let read: ApprovalRequest = serde_json::from_str(&kept).unwrap();
    assert_eq!(read, request);
    // What is no state that the transitions lead to is not read.
    for (from, to) in [
        ("alice", "bot"),
        ("granted", "consumed"),
        ("\"quorum\":1", "\"quorum\":2"),
    ] {
        let forged = kept.replacen(from, to, 1);
        assert_ne!(forged, kept);
        assert!(
            serde_json::from_str::<ApprovalRequest>(&forged).is_err(),
            "{from}"
        );
    }
}

/// A value that JSON does not have, or the text that stands for it.
#[derive(Clone, Copy)]
enum Odd {
    Float(f64),
    Large(i128),
    Bytes(&'static [u8]),
    Text(&'static str),
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Float(value) => serializer.serialize_f64(value),
            Self::Large(value) => serializer.serialize_i128(value),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::Text(value) => serializer.serialize_str(value),
        }
    }
}

#[test]
fn an_approval_of_a_text_is_none_of_what_it_stands_for() {
    type Input = BTreeMap<&'static str, [Odd; 1]>;
    let input = |value: Odd| Input::from([("content", [value])]);
    let bank = Bank::new(ASK, Approvals::in_memory());
    let upload = |_: Input| -> Result<(), GuardError> { Ok(()) };
    let tool = GuardedTool::new("pay", "upload", upload).bind(&bank.context);
    let pairs = [
        (Odd::Float(f64::NAN), "NaN"),
        (Odd::Float(f64::NEG_INFINITY), "-inf"),
        (
            Odd::Large(i128::MAX),
            "170141183460469231731687303715884105727",
        ),
        (Odd::Bytes(b"abc"), "<3 bytes>"),
    ];
    for (value, text) in pairs {
        let id = asked(tool.call(input(Odd::Text(text))));
        bank.approve(id).unwrap();
        match tool.call(input(value)) {
            Err(GuardError::ApprovalUnavailable(refused)) => {
                assert_eq!(refused.kind(), ApprovalErrorKind::Inexact);
                assert!(refused.to_string().contains("`content`"), "{refused}");
            }
            other => panic!("{text}: {other:?}"),
        }
        tool.call(input(Odd::Text(text))).unwrap();
    }

    // Where nobody is asked, they are arguments as others are.
    let open = Bank::new(
        "agents: {bot: {allow: [{tool: pay}]}}",
        Approvals::in_memory(),
    );
    let tool = GuardedTool::new("pay", "upload", upload).bind(&open.context);
    for (value, _) in pairs {
        tool.call(input(value)).unwrap();
    }
}

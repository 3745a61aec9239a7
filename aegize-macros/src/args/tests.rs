use insta::assert_snapshot;
use proc_macro2::{Delimiter, Group, TokenStream};
use quote::quote;

use super::{Extra, Options, ResultCapture, RiskLevel, parse};
use crate::errors::Errors;

fn read(arguments: &str) -> Option<Options> {
    parse(tokens(arguments), &mut Errors::default())
}

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("the test's tokens are balanced")
}

/// One mistake a line.
fn mistakes(arguments: &str) -> String {
    let mut errors = Errors::default();
    let options = parse(tokens(arguments), &mut errors);
    let messages = errors.messages();
    assert!(options.is_some() || !messages.is_empty(), "{arguments}");
    messages.join("\n")
}

#[test]
fn reads_every_key() {
    let options = read(
        r#"tool_name = "email", operation = r"send", risk_level = "critical",
           metadata(team = "ops", type = "a", r#loop = ""), result = "skip","#,
    )
    .expect("nothing is wrong");
    assert_eq!(options.tool_name.value(), "email");
    assert_eq!(options.operation.value(), "send");
    assert_eq!(options.risk_level, RiskLevel::Critical);
    let metadata: Vec<(&str, String)> = options
        .metadata
        .iter()
        .map(|(key, value)| (key.as_str(), value.value()))
        .collect();
    assert_eq!(
        metadata,
        [
            ("team", "ops".into()),
            ("type", "a".into()),
            ("loop", String::new())
        ]
    );
    assert_eq!(options.result, ResultCapture::Skip);
}

/// As when a `macro_rules!` macro is called with them.
#[test]
fn keys_and_values_may_be_in_invisible_groups() {
    let invisible = |text| Group::new(Delimiter::None, tokens(text));
    let (key, value) = (invisible("tool_name"), invisible(r#""email""#));
    let arguments = quote!(#key = #value, operation = #value);
    let options = parse(arguments, &mut Errors::default()).expect("nothing is wrong");
    assert_eq!(options.tool_name.value(), "email");
    assert_eq!(options.operation.value(), "email");
}

#[test]
fn what_is_left_out_has_a_default() {
    let options = read(r#"tool_name = "a", operation = "b""#).expect("nothing is wrong");
    assert_eq!(options.risk_level, RiskLevel::Low);
    assert_eq!(options.result, ResultCapture::Record);
    assert!(options.metadata.is_empty());
}

#[test]
fn required_keys() {
    assert_snapshot!(mistakes(""), @r#"missing keys `tool_name` and `operation`: a policy knows a tool by its name and operation; write `tool_name = "…", operation = "…"`"#);
    assert_snapshot!(mistakes(r#"tool_name = "a""#), @r#"missing key `operation`: a policy knows a tool by its name and operation; write `operation = "…"`"#);
    assert_snapshot!(mistakes(r#"operation = "a""#), @r#"missing key `tool_name`: a policy knows a tool by its name and operation; write `tool_name = "…"`"#);
}

#[test]
fn unknown_keys() {
    assert_snapshot!(mistakes(r#"tool = "a", operation = "b""#), @"unknown key `tool`; did you mean `tool_name`?");
    assert_snapshot!(mistakes(r#"tool_name = "a", operation = "b", retries = 3"#), @"unknown key `retries`; the keys are `tool_name`, `operation`, `risk_level`, `metadata`, `args`, `result`, `refuse_with` and `crate`");
    assert_snapshot!(mistakes(r#"toolname = "a", op = "b", risk = "high", meta(a = "b")"#), @r#"
    unknown key `toolname`; did you mean `tool_name`?
    unknown key `op`; did you mean `operation`?
    unknown key `risk`; did you mean `risk_level`?
    unknown key `meta`; did you mean `metadata`?
    "#);
}

#[test]
fn duplicate_keys() {
    assert_snapshot!(mistakes(r#"tool_name = "a", operation = "b", tool_name = "c""#), @"duplicate key `tool_name`; give it once");
    assert_snapshot!(
        mistakes(r#"tool_name = "a", operation = "b", metadata(k = "1", k = "2"), metadata()"#),
        @r#"
    duplicate metadata key `k`; give it once
    duplicate key `metadata`; give it once
    "#
    );
}

#[test]
fn coordinates() {
    assert_snapshot!(mistakes(r#"tool_name = "", operation = " ""#), @r#"
    `tool_name` is empty; give it the name that policies use
    `operation` is empty; give it the name that policies use
    "#);
    assert_snapshot!(mistakes(r#"tool_name = " a", operation = "b\n""#), @r#"
    `tool_name` begins or ends with white space, which no policy would match; remove it
    `operation` begins or ends with white space, which no policy would match; remove it
    "#);
    assert_snapshot!(mistakes(r#"tool_name = "a\u{7}b", operation = "a b""#), @"`tool_name` contains a control character; remove it");
}

#[test]
fn values_that_are_no_string_literals() {
    assert_snapshot!(mistakes("tool_name = NAME, operation = 3"), @r#"
    the value of `tool_name` must be a string literal; write `tool_name = "…"`
    the value of `operation` must be a string literal; write `operation = "…"`
    "#);
    assert_snapshot!(mistakes(r#"tool_name = concat!("a", "b"), operation = b"x""#), @r#"
    the value of `tool_name` must be a string literal; write `tool_name = "…"`
    the value of `operation` must be a string literal; write `operation = "…"`
    "#);
    assert_snapshot!(mistakes(r#"tool_name, operation("b")"#), @r#"
    `tool_name` takes a value; write `tool_name = "…"`
    `operation` takes a value; write `operation = "…"`
    "#);
    assert_snapshot!(mistakes(r#"tool_name =, operation: "b""#), @r#"
    missing value; write `tool_name = "…"`
    `operation` takes a value; write `operation = "…"`
    "#);
    assert_snapshot!(mistakes(r#"tool_name = "a", operation = "b", metadata = "c""#), @r#"`metadata` takes a list; write `metadata(key = "value")`"#);
    assert_snapshot!(mistakes(r#"tool_name = "a", operation = "b", metadata(k, j = 1, "l")"#), @r#"
    expected a key with a value, such as `team = "ops"`
    `k` takes a value; write `k = "…"`
    the value of `j` must be a string literal; write `j = "…"`
    "#);
}

#[test]
fn risk_levels() {
    let with = |level: &str| {
        mistakes(&format!(
            r#"tool_name = "a", operation = "b", risk_level = "{level}""#
        ))
    };
    assert_snapshot!(with("hihg"), @"unknown risk level `hihg`; did you mean `high`?");
    assert_snapshot!(with("High"), @"unknown risk level `High`; did you mean `high`?");
    assert_snapshot!(with("severe"), @"unknown risk level `severe`; the risk levels are `low`, `medium`, `high` and `critical`");
}

#[test]
fn result_has_one_value() {
    assert_snapshot!(mistakes(r#"tool_name = "a", operation = "b", result = "redact""#), @"unknown value `redact` for `result`; the only one is `skip`, and without the key results are recorded");
}

#[test]
fn further_arguments() {
    let options = read(
        r#"tool_name = "a", operation = "b",
           args(path = &self.root, r#type = a::<B, C>(x), size = { 1 + 2 },)"#,
    )
    .expect("nothing is wrong");
    let extras: Vec<String> = options
        .extras
        .iter()
        .map(|Extra { name, value, .. }| format!("{name}: {}", quote!(#value)))
        .collect();
    assert_snapshot!(extras.join("\n"), @r#"
    path: & self . root
    type: a :: < B , C > (x)
    size: { 1 + 2 }
    "#);
    let with = |list: &str| mistakes(&format!(r#"tool_name = "a", operation = "b", {list}"#));
    assert_snapshot!(with("args"), @"`args` takes a list; write `args(name = expression)`");
    assert_snapshot!(with("args()"), @"`args` takes a list; write `args(name = expression)`");
    assert_snapshot!(with("args = path"), @"`args` takes a list; write `args(name = expression)`");
    assert_snapshot!(with("args(a = 1, a = 2)"), @"duplicate argument `a`; give it once");
    assert_snapshot!(with("args(a = (b.await), c = d?.e, f = return)"), @r#"
    an argument can neither wait nor return: it is looked at before the decision; leave it out, or look at something that is there already
    an argument can neither wait nor return: it is looked at before the decision; leave it out, or look at something that is there already
    an argument can neither wait nor return: it is looked at before the decision; leave it out, or look at something that is there already
    "#);
    assert_snapshot!(with("args(a, b =, &c, d = 1 2, e = 1, f = 2 redact)"), @r#"
    expected an argument; write `args(name = expression)`
    expected an argument; write `args(name = expression)`
    expected an argument; write `args(name = expression)`
    expected an argument; write `args(name = expression)`
    expected an argument; write `args(name = expression)`
    "#);
}

#[test]
fn paths_of_the_crate_and_of_refusals() {
    let options = read(
        r#"tool_name = "a", operation = "b", crate = ::renamed::guards,
           refuse_with = <Reply as From<_>>::from"#,
    )
    .expect("nothing is wrong");
    let (path, refuse) = (options.crate_path, options.refuse_with);
    assert_snapshot!(quote!(#path #refuse), @":: renamed :: guards < Reply as From < _ > > :: from");
    let with = |key: &str| mistakes(&format!(r#"tool_name = "a", operation = "b", {key}"#));
    assert_snapshot!(with("crate"), @"`crate` takes a path; write the path of the crate as it is known here, such as `crate = ::my_aegize`");
    assert_snapshot!(with("crate ="), @"missing value; write the path of the crate as it is known here, such as `crate = ::my_aegize`");
    assert_snapshot!(with(r#"crate = "aegize""#), @"the value of `crate` must be a path; write the path of the crate as it is known here, such as `crate = ::my_aegize`");
    assert_snapshot!(with("refuse_with(f)"), @"`refuse_with` takes a path; write the path of a function that takes a `GuardError`, such as `refuse_with = refused`");
    assert_snapshot!(with("refuse_with = |error| error"), @"the value of `refuse_with` must be a path; write the path of a function that takes a `GuardError`, such as `refuse_with = refused`");
}

#[test]
fn what_is_not_an_entry() {
    assert_snapshot!(mistakes(r#""email", "send""#), @r#"
    expected a key with a value, such as `tool_name = "email"`
    expected a key with a value, such as `tool_name = "email"`
    "#);
    assert_snapshot!(mistakes(r#"tool_name = "a",, operation = "b""#), @r#"expected a key with a value, such as `tool_name = "email"`"#);
}

#[test]
fn all_mistakes_are_reported() {
    assert_snapshot!(
        mistakes(r#"tool_name = "", risk_level = "hihg", colour = "red", result = "no", 7"#),
        @r#"
    expected a key with a value, such as `tool_name = "email"`
    `tool_name` is empty; give it the name that policies use
    unknown risk level `hihg`; did you mean `high`?
    unknown key `colour`; the keys are `tool_name`, `operation`, `risk_level`, `metadata`, `args`, `result`, `refuse_with` and `crate`
    unknown value `no` for `result`; the only one is `skip`, and without the key results are recorded
    "#
    );
}

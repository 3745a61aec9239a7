use insta::assert_snapshot;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::{Callable, Kind, Shape, inferred, parse};
use crate::errors::Errors;

fn read(item: TokenStream) -> Callable {
    let mut errors = Errors::default();
    let callable = parse(item, false, &mut errors);
    assert_eq!(errors.messages(), Vec::<String>::new());
    callable.expect("nothing is wrong")
}

/// One mistake a line.
fn mistakes(item: TokenStream) -> String {
    let mut errors = Errors::default();
    parse(item, false, &mut errors);
    errors.messages().join("\n")
}

#[test]
fn every_name_of_a_pattern_is_a_binding() {
    let callable = read(quote! {
        fn f(
            &self, a: u8, mut b: u8, ref c: u8, r#type: u8, (d, e): (u8, u8),
            Point { x, y: (z, _), .. }: Point, Parameters(request): P, _: u8, w @ Some(v): O,
            [first, .., last]: [u8; 4], (A(k) | B(k)): E, &s: &u8,
        ) -> R {}
    });
    let found: Vec<(Vec<&str>, Shape)> = callable
        .parameters
        .iter()
        .map(|parameter| {
            let names = parameter.bindings.iter().map(|binding| &*binding.name);
            (names.collect(), parameter.shape)
        })
        .collect();
    assert_eq!(
        found,
        [
            (vec!["a"], Shape::Name),
            (vec!["b"], Shape::Name),
            (vec!["c"], Shape::Part),
            (vec!["type"], Shape::Name),
            (vec!["d", "e"], Shape::Whole),
            (vec!["x", "z"], Shape::Part),
            (vec!["request"], Shape::Whole),
            (vec![], Shape::Nothing),
            (vec!["w", "v"], Shape::Part),
            (vec!["first", "last"], Shape::Part),
            (vec!["k"], Shape::Whole),
            (vec!["s"], Shape::Whole),
        ]
    );
}

#[test]
fn conditions_reach_the_bindings() {
    let callable = read(quote! {
        fn f(
            #[cfg(unix)] #[allow(unused)] a: u8,
            #[cfg_attr(test, cfg(unix))] #[cfg_attr(test, allow(unused))] b: u8,
            #[cfg(unix)] P { #[cfg(test)] c, d }: P,
        ) -> R {}
    });
    let found: Vec<String> = callable
        .parameters
        .iter()
        .flat_map(|parameter| &parameter.bindings)
        .map(|binding| {
            let conditions = &binding.conditions;
            format!("{}: {}", binding.name, quote!(#(#conditions)*))
        })
        .collect();
    assert_snapshot!(found.join("\n"), @r#"
    a: # [cfg (unix)]
    b: # [cfg_attr (test , cfg (unix))]
    c: # [cfg (unix)] # [cfg (test)]
    d: # [cfg (unix)]
    "#);
}

#[test]
fn guard_attributes_are_read_and_removed() {
    let callable = read(quote! {
        fn f(
            #[guard(path)] a: u8, #[guard(redact)] b: u8, #[guard(skip)] c: u8,
            #[guard(redact, path)] d: u8, #[guard(path)] #[guard(redact)] #[allow(unused)] e: u8,
            f: u8, #[guard(skip)] pattern!(): u8, #[guard(rename = "h-1", redact)] (h, ..): H,
        ) -> R {}
    });
    let found: Vec<String> = callable
        .parameters
        .iter()
        .map(|parameter| {
            let names = parameter.bindings.iter().map(|binding| &*binding.name);
            format!("{:?} {:?}", names.collect::<Vec<_>>(), parameter.treatment)
        })
        .collect();
    assert_snapshot!(found.join("\n"), @r#"
    ["a"] Treatment { path: true, redact: false, skip: false }
    ["b"] Treatment { path: false, redact: true, skip: false }
    ["c"] Treatment { path: false, redact: false, skip: true }
    ["d"] Treatment { path: true, redact: true, skip: false }
    ["e"] Treatment { path: true, redact: true, skip: false }
    ["f"] Treatment { path: false, redact: false, skip: false }
    [] Treatment { path: false, redact: false, skip: true }
    ["h-1"] Treatment { path: false, redact: true, skip: false }
    "#);
    assert_snapshot!(callable.function.signature.to_token_stream(), @"fn f (a : u8 , b : u8 , c : u8 , d : u8 , # [allow (unused)] e : u8 , f : u8 , pattern ! () : u8 , (h , ..) : H ,) -> R");
}

#[test]
fn kinds_of_functions() {
    for (function, kind, result) in [
        ("fn f() -> R {}", Kind::Sync, "R"),
        ("fn f() -> Pin<R> {}", Kind::Sync, "Pin < R >"),
        ("fn f() -> impl A {}", Kind::Sync, "impl A"),
        ("fn f() -> impl Future {}", Kind::Sync, "impl Future"),
        ("async fn f() -> R {}", Kind::Async, "R"),
        (
            "async fn f((a, b): (u8, u8), _: u8) -> R {}",
            Kind::Async,
            "R",
        ),
        ("async fn f(ref a: u8) -> R {}", Kind::KeptAsync, "R"),
        ("async fn f((a, _): (u8, u8)) -> R {}", Kind::KeptAsync, "R"),
        (
            "fn f() -> impl Future<Output = R> + Send {}",
            Kind::Future,
            "R",
        ),
        (
            "fn f() -> impl A + core::future::Future<Output = R> {}",
            Kind::Future,
            "R",
        ),
        (
            "fn f() -> Pin<Box<dyn Future<Output = R>>> {}",
            Kind::BoxedFuture,
            "R",
        ),
        (
            "fn f() -> a::Pin<b::Box<dyn c::Future<Output = R> + 'd>> {}",
            Kind::BoxedFuture,
            "R",
        ),
        ("fn f() -> BoxFuture<'a, R> {}", Kind::BoxedFuture, "R"),
        (
            "fn f() -> futures::future::LocalBoxFuture<'static, R> {}",
            Kind::BoxedFuture,
            "R",
        ),
        (
            "fn f() -> BoxFuture<R, E> {}",
            Kind::Sync,
            "BoxFuture < R , E >",
        ),
    ] {
        let output = read(function.parse().expect("the test's tokens are balanced")).output;
        assert_eq!(output.kind, kind, "{function}");
        assert_eq!(
            output.result.to_token_stream().to_string(),
            result,
            "{function}"
        );
    }
}

#[test]
fn attributes_that_have_to_see_an_async_function() {
    for (attribute, kind) in [
        (
            r#"#[inline] #[doc = "…"] #[expect(unused, reason = "…")]"#,
            Kind::Async,
        ),
        (
            "#[clippy::cognitive_complexity = \"9\"] #[rustfmt::skip]",
            Kind::Async,
        ),
        ("#[cfg_attr(test, cold, allow(dead_code))]", Kind::Async),
        ("#[cfg_attr(test, cfg_attr(unix, cold))]", Kind::Async),
        ("#[tool]", Kind::KeptAsync),
        ("#[inline] #[tokio::test]", Kind::KeptAsync),
        ("#[cfg_attr(test, cold, tokio::test)]", Kind::KeptAsync),
        (
            "#[cfg_attr(test, cfg_attr(unix, tool(x = 1)))]",
            Kind::KeptAsync,
        ),
    ] {
        let function = format!("{attribute} async fn f() -> R {{}}");
        let callable = read(function.parse().expect("the test's tokens are balanced"));
        assert_eq!(callable.output.kind, kind, "{attribute}");
    }
}

#[test]
fn attributes_inside_the_body_move_above_the_function() {
    let callable = read(quote! {
        #[inline]
        fn f() -> R { #![allow(unused)] let x = #[cfg(test)] { 1 }; x }
    });
    let attributes = &callable.function.attributes;
    assert_snapshot!(quote!(#(#attributes)*), @"# [inline] # [allow (unused)]");
    assert_snapshot!(callable.function.body.to_token_stream(), @"{ let x = # [cfg (test)] { 1 } ; x }");
}

#[test]
fn opaque_types_are_left_to_inference() {
    for (written, inferable) in [
        ("Result < impl Display , E >", "Result < _ , E >"),
        (
            "Result < Vec < (u8 , impl A + 'a) > , E >",
            "Result < Vec < (u8 , _) > , E >",
        ),
        (
            "Result < Box < dyn Iterator < Item = impl A > > , E >",
            "Result < Box < dyn Iterator < Item = _ > > , E >",
        ),
        ("& 'a [impl A ; 3]", "& 'a [_ ; 3]"),
        ("Result < fn () -> u8 , E >", "Result < fn () -> u8 , E >"),
    ] {
        let ty = syn::parse_str(written).expect("the test's type is a type");
        assert_eq!(inferred(ty).to_token_stream().to_string(), inferable);
    }
}

#[test]
fn functions_that_cannot_be_guarded() {
    assert_snapshot!(mistakes(quote!(const fn f() -> R {})), @"a `const fn` cannot be guarded: whether it may run is decided when it is called; remove `const`");
    assert_snapshot!(mistakes(quote!(extern "C" fn f(n: u8, ...) -> R {})), @r#"
    an `extern` function cannot be guarded: its foreign caller cannot receive a refusal; guard the Rust function that it calls
    a variadic function cannot be guarded: its arguments have no names to be recorded under
    "#);
    assert_snapshot!(mistakes(quote!(fn f(&self) -> R;)), @"this function has no body to guard; put `#[guarded_tool]` on the method of the impl");
    assert_snapshot!(mistakes(quote!(fn f() {})), @"a guarded tool must return `Result<T, E>` with `E: From<GuardError>`, so that a refusal can be returned; or say what to do instead with `refuse_with = path`, a `fn(GuardError)`");
    assert_snapshot!(mistakes(quote!(#[aegize::guarded_tool()] fn f() -> R {})), @"this function is guarded already; keep one `#[guarded_tool]`");
    assert_snapshot!(mistakes(quote!(#[track_caller] fn f() -> R {})), @"a guarded tool cannot be `#[track_caller]`: the guard would be the caller that it sees; remove it");
}

#[test]
fn items_that_are_no_functions() {
    for item in [
        "struct S;",
        "pub(crate) mod m {}",
        "const X: u8 = 1;",
        "unsafe impl A for B {}",
        "extern \"C\" {}",
        "#[inline] static X: u8 = 1;",
    ] {
        let found = mistakes(item.parse().expect("the test's tokens are balanced"));
        assert!(
            found.contains("goes on a function with a body"),
            "{item}: {found}"
        );
    }
}

#[test]
fn mistakes_in_guard_attributes() {
    assert_snapshot!(mistakes(quote!(fn f(#[guard(redcat, log, path, path)] a: u8) -> R {})), @r#"
    unknown word `redcat`; did you mean `redact`?
    unknown word `log`; the words are `path`, `redact`, `rename` and `skip`
    duplicate word `path`; give it once
    "#);
    assert_snapshot!(mistakes(quote!(fn f(#[guard(skip, redact)] a: u8) -> R {})), @"`skip` keeps the parameter out of policy and records, so nothing else can be said of it; keep one of the words");
    assert_snapshot!(mistakes(quote!(fn f(#[guard] a: u8, #[guard(path = "x")] b: u8) -> R {})), @r#"
    write `#[guard(path)]`, `#[guard(redact)]`, `#[guard(rename = "…")]` or `#[guard(skip)]`
    `path` takes no value; write `#[guard(path)]`
    "#);
    assert_snapshot!(mistakes(quote!(fn f(#[guard()] a: u8, #[guard = "path"] b: u8, #[guard("path")] c: u8) -> R {})), @r#"
    write `#[guard(path)]`, `#[guard(redact)]`, `#[guard(rename = "…")]` or `#[guard(skip)]`
    write `#[guard(path)]`, `#[guard(redact)]`, `#[guard(rename = "…")]` or `#[guard(skip)]`
    expected `path`, `redact`, `rename = "…"` or `skip`
    "#);
    assert_snapshot!(mistakes(quote!(fn f(#[guard(path)] #[guard(path)] a: u8) -> R {})), @"duplicate word `path`; give it once");
    assert_snapshot!(mistakes(quote!(fn f(#[guard(rename)] a: u8, #[guard(rename = " b")] b: u8, #[guard(rename = "x")] (c, d): C) -> R {})), @r#"
    `rename` takes a value; write `rename = "…"`
    `rename` begins or ends with white space, which no policy would match; remove it
    `rename` names one value, and this pattern does not bind exactly one name; bind the parameter to a name
    "#);
    assert_snapshot!(mistakes(quote!(fn f(#[guard(skip)] &self) -> R {})), @"the receiver is not recorded, so there is nothing to declare; remove this attribute");
    assert_snapshot!(mistakes(quote!(fn f(#[guard(path)] (a, b): (u8, u8)) -> R {})), @"`path` declares one value, and this pattern does not bind exactly one name; bind the parameter to a name");
    assert_snapshot!(mistakes(quote!(fn f(#[guard(path)] _: u8, pattern!(): u8) -> R {})), @r#"
    `path` declares one value, and this pattern does not bind exactly one name; bind the parameter to a name
    the names that this pattern binds cannot be told; bind the parameter to a name, or write `#[guard(skip)]`, and `args(name = expr)` in `#[guarded_tool(…)]` for what policies have to see of it
    "#);
}

#[test]
fn all_mistakes_are_reported() {
    assert_snapshot!(
        mistakes(quote! {
            #[track_caller]
            const extern "C" fn f(#[guard(skip)] self, #[guard(paht)] a: u8, ...) {}
        }),
        @r#"
    a `const fn` cannot be guarded: whether it may run is decided when it is called; remove `const`
    an `extern` function cannot be guarded: its foreign caller cannot receive a refusal; guard the Rust function that it calls
    a variadic function cannot be guarded: its arguments have no names to be recorded under
    a guarded tool cannot be `#[track_caller]`: the guard would be the caller that it sees; remove it
    the receiver is not recorded, so there is nothing to declare; remove this attribute
    unknown word `paht`; did you mean `path`?
    a guarded tool must return `Result<T, E>` with `E: From<GuardError>`, so that a refusal can be returned; or say what to do instead with `refuse_with = path`, a `fn(GuardError)`
    "#
    );
}

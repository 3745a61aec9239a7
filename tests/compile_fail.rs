//! What the compiler says about mistakes with `#[guarded_tool]`: one folder per topic. And what only
//! a crate that allows `unsafe` code can show.

#[test]
fn mistakes_are_explained_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*/*.rs");
    cases.pass("tests/ui/unsafe_functions.rs");
}

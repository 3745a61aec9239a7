//! What the attribute writes gives no lint a reason to fire: clippy reads this module, too.
#![deny(
    warnings,
    let_underscore,
    nonstandard_style,
    rust_2018_idioms,
    unused,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    missing_copy_implementations,
    missing_debug_implementations,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_pub,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::cargo,
    clippy::nursery,
    clippy::pedantic
)]
#![deny(
    clippy::absolute_paths,
    clippy::allow_attributes_without_reason,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::default_numeric_fallback,
    clippy::else_if_without_else,
    clippy::exhaustive_structs,
    clippy::expect_used,
    clippy::if_then_some_else_none,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    clippy::let_underscore_untyped,
    clippy::min_ident_chars,
    clippy::mod_module_files,
    clippy::panic,
    clippy::pattern_type_mismatch,
    clippy::question_mark_used,
    clippy::ref_patterns,
    clippy::same_name_method,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::single_char_lifetime_names,
    clippy::str_to_string,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use aegize::{GuardError, guarded_tool, with_context};

use crate::support::World;

#[guarded_tool(
    tool_name = "l",
    operation = "sync",
    risk_level = "high",
    metadata(team = "ops")
)]
fn sync(_unused: u8, text: &str, #[guard(redact)] key: &str, _: u8) -> Result<usize, String> {
    Ok(text.len().saturating_add(key.len()))
}

#[guarded_tool(tool_name = "l", operation = "async", args(both = (left, right)))]
async fn pair((left, right): (u8, u8), #[guard(skip)] _handle: &str) -> Result<u8, GuardError> {
    Ok(left.max(right))
}

#[guarded_tool(tool_name = "l", operation = "future", result = "skip")]
fn future(text: &str) -> impl Future<Output = Result<usize, GuardError>> + Send {
    let length = text.len();
    async move { Ok(length) }
}

#[guarded_tool(tool_name = "l", operation = "boxed")]
fn boxed<'text>(
    text: &'text str,
) -> Pin<Box<dyn Future<Output = Result<&'text str, GuardError>> + Send + 'text>> {
    Box::pin(async move { Ok(text) })
}

fn none<T>(error: GuardError) -> Option<T> {
    drop(error);
    None
}

#[guarded_tool(tool_name = "l", operation = "mapped", refuse_with = none)]
fn mapped(text: &str) -> Option<&str> {
    text.strip_prefix('l')
}

#[guarded_tool(tool_name = "l", operation = "mapped", refuse_with = drop)]
async fn unit(count: &mut u8) {
    *count = count.saturating_add(1);
}

#[guarded_tool(tool_name = "l", operation = "unit", refuse_with = drop)]
fn unit_sync(count: &mut u8) {
    *count = count.saturating_add(1);
}

struct Shelf {
    root: Box<Path>,
}

impl Shelf {
    #[guarded_tool(tool_name = "l", operation = "field", args(path = &self.root, size = 3_u8))]
    fn holds(&self, #[guard(path, rename = "file")] name: &Path) -> Result<bool, GuardError> {
        Ok(name.starts_with(&self.root))
    }

    #[guarded_tool(tool_name = "l", operation = "field", crate = ::aegize)]
    async fn take(self) -> Result<Box<Path>, GuardError> {
        Ok(self.root)
    }
}

#[test]
fn guarded_functions_run_under_strict_lints() {
    let world = World::permissive();
    let mut count = 0_u8;
    let shelf = Shelf {
        root: Path::new("/shelf").into(),
    };
    with_context(&world.context, || {
        assert_eq!(sync(1, "two", "three", 4), Ok(8));
        assert!(pollster::block_on(pair((1, 2), "handle")).is_ok_and(|most| most == 2));
        assert!(pollster::block_on(future("four")).is_ok_and(|length| length == 4));
        assert!(pollster::block_on(boxed("text")).is_ok_and(|text| text == "text"));
        assert_eq!(mapped("list"), Some("ist"));
        pollster::block_on(unit(&mut count));
        unit_sync(&mut count);
        assert!(shelf.holds(Path::new("/shelf/a")).is_ok_and(|held| held));
        assert!(pollster::block_on(shelf.take()).is_ok());
    });
    assert_eq!(count, 2);
}

//! The attribute allows nothing that a crate forbids, for under `forbid` that is an error. A
//! parameter named `_x`, which `clippy::used_underscore_binding` is about, is the one exception.
#![forbid(
    dead_code,
    elided_lifetimes_in_paths,
    let_underscore_drop,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_code,
    unreachable_pub,
    unsafe_code,
    unused_braces,
    unused_imports,
    unused_must_use,
    unused_mut,
    unused_parens,
    unused_qualifications,
    unused_variables,
    clippy::absolute_paths,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::future_not_send,
    clippy::let_underscore_must_use,
    clippy::let_underscore_untyped,
    clippy::manual_async_fn,
    clippy::missing_const_for_fn,
    clippy::needless_pass_by_value,
    clippy::redundant_closure_call,
    clippy::trivially_copy_pass_by_ref,
    clippy::type_complexity,
    clippy::unused_async,
    clippy::used_underscore_binding
)]

use std::future::ready;

use aegize::{GuardError, guarded_tool, with_context};

use crate::support::World;

struct Shelf(u8);

impl Shelf {
    #[guarded_tool(tool_name = "f", operation = "sync", metadata(team = "ops"), args(of = self.0))]
    fn sum(&self, (left, right): (u8, u8), _: &str) -> Result<u8, String> {
        let mut sum = left;
        sum = sum.saturating_add(right).saturating_add(self.0);
        Ok(sum)
    }

    #[guarded_tool(tool_name = "f", operation = "async")]
    async fn take(self, #[guard(redact)] key: &str) -> Result<usize, GuardError> {
        let waited = ready(usize::from(self.0)).await;
        Ok(waited.saturating_add(key.len()))
    }

    #[guarded_tool(tool_name = "f", operation = "mapped", refuse_with = Err)]
    fn mapped(&self) -> Result<u8, GuardError> {
        Ok(self.0)
    }
}

#[test]
fn guarded_functions_run_where_lints_are_forbidden() {
    let world = World::permissive();
    let shelf = Shelf(3);
    with_context(&world.context, || {
        assert_eq!(shelf.sum((1, 2), ""), Ok(6));
        assert!(shelf.mapped().is_ok_and(|value| value == 3));
        assert!(pollster::block_on(shelf.take("key")).is_ok_and(|length| length == 6));
    });
}

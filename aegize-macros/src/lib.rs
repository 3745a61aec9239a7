//! The `#[guarded_tool]` attribute of Aegize.
//!
//! Use it through the `aegize` crate, which re-exports it together with what it expands to, and
//! where the examples are.
//!
//! A compilation of one attribute goes through these modules, in this order:
//!
//! * `args`: the attribute's tokens → options;
//! * `signature`: the function's tokens → a description of the function;
//! * `expand`: both → the guarded function, which cannot fail;
//! * `fallback`: instead, if anything was wrong: the function as it was, and every mistake.
//!
//! Before that, `conditional` makes two functions of one whose `#[guard(…)]` is under `cfg_attr`.
//! `entries` reads the lists that `args` and `signature` have in common, `names` compares the names
//! that both give to arguments, `errors` collects mistakes.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::todo
    )
)]

use proc_macro2::TokenStream;
use quote::quote;

use crate::conditional::Case;
use crate::errors::Errors;

mod args;
mod conditional;
mod entries;
mod errors;
mod expand;
mod fallback;
mod names;
mod signature;

/// Guards a tool: a call runs the function only if the policy of its context allows it, and is
/// recorded either way.
///
/// Its name, visibility, parameters, generics, documentation, other attributes and return type stay
/// as they are, so callers do not change. Its body is run between two records in the audit log: the
/// decision, before the first instruction of the body, and the outcome, however the body ends. A
/// call that is denied or has to be approved returns an error and does not run the body.
///
/// The attribute goes on free functions, on methods of an `impl` with any receiver, and on methods
/// of a trait that have a body.
///
/// # Keys
///
/// | key | value | |
/// |---|---|---|
/// | `tool_name` | `"…"` | required; the tool, as policies name it |
/// | `operation` | `"…"` | required; what it does, as policies name it |
/// | `risk_level` | `"low"`, `"medium"`, `"high"` or `"critical"` | default: `"low"` |
/// | `metadata(…)` | `key = "…", …` | attached to every call, for policies and the audit log |
/// | `args(…)` | `name = expression, …` | further arguments: a field of `self`, or what is made of others |
/// | `result` | `"skip"` | keeps the returned value out of the audit log, but not an error |
/// | `refuse_with` | a path | `fn(GuardError) -> R`: what the function returns if it is refused |
/// | `crate` | a path | where the `aegize` crate is, if not at `::aegize` |
///
/// `tool_name` and `operation` are what a reviewer reads in a policy. They are never derived from
/// the function's name, so that renaming a function does not change what it is allowed to do.
///
/// # Parameters
///
/// Every name that a parameter binds is captured under that name, without `r#`: `to` of `to: &str`,
/// both `a` and `b` of `(a, b): (u8, u8)`, `request` of `Parameters(request): Parameters<Request>`.
/// The receiver and `_` are not captured. Policy sees paths, text and values that are `Serialize`;
/// of other values it knows that they are there, and the audit log shows their `Debug` form if they
/// have one. Values are borrowed for as long as the decision takes, not copied.
///
/// | attribute of a parameter | |
/// |---|---|
/// | `#[guard(path)]` | declares a file path; `Path`, `PathBuf` and the like declare themselves |
/// | `#[guard(redact)]` | keeps the value out of records and messages; policy still sees it |
/// | `#[guard(rename = "…")]` | the name in policies and records, of a parameter that binds one name |
/// | `#[guard(skip)]` | keeps the parameter out of policy and records: connections, handles |
///
/// All but `skip` go together, as `#[guard(path, redact)]`. A parameter under `#[cfg]` is captured
/// under the same condition, and `#[cfg_attr(…, guard(…))]` is what it says under its own. No two arguments of a tool may have the same name.
///
/// What the names of the parameters do not say is added with `args(name = expression)`, of which
/// `args(path = &self.root)` captures a field. Each expression is evaluated once, before the
/// decision, whether or not the call is then allowed, so it should only look: it may use `self` and
/// the parameters, and whatever it makes is dropped before the body runs. To declare a path, make
/// it one: `args(path = Path::new(&self.root))`. Such an argument is always recorded; to hide one,
/// leave it out.
///
/// # Return types
///
/// `Result<T, E>` with `E: From<GuardError>`, under any alias: a refusal is returned as an `E`.
/// `std::io::Error`, `anyhow::Error`, `Box<dyn Error + Send + Sync>` and `String` work as they are.
///
/// With `refuse_with = path`, any type: the function at that path makes it of the [`GuardError`].
/// What the body then returns counts as a success, unless it is a `Result` that is `Err`.
///
/// [`GuardError`]: https://docs.rs/aegize/latest/aegize/enum.GuardError.html
///
/// # Asynchronous tools
///
/// These are guarded when the future is first polled, not when it is made; a future that is dropped
/// before it ends is recorded as such.
///
/// * `async fn`, in traits and their impls too. It is written as a function that returns
///   `impl Future`, so that its arguments are stored once. It stays an `async fn` if there are
///   attributes below this one that may need to see it, such as `#[tokio::test]`, or if a
///   parameter's pattern borrows its argument or takes only a part of it.
/// * `-> impl Future<Output = Result<T, E>>` and `-> Pin<Box<dyn Future<Output = Result<T, E>>>>`
///   (or an alias of that by the name of `BoxFuture` or `LocalBoxFuture`),
///   which is what `#[async_trait]` makes of an `async fn`. All of the body is run when the future
///   is first polled, so the future borrows whatever the arguments borrow.
///
/// # What it costs
///
/// One static and one call for each function, and one reference for each argument; what decides and
/// records is compiled once. The future of a guarded `async fn` is at most 128 bytes larger than the
/// plain one. `benches/attribute.sh` measures text size and compile time.
///
/// # What cannot be guarded
///
/// `const fn`, `extern` functions, variadic functions, functions with `#[track_caller]`,
/// functions that are guarded already, and functions without a body. All mistakes of one attribute and its function are reported together.
#[proc_macro_attribute]
pub fn guarded_tool(
    attribute: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    guarded(&attribute.into(), item.into()).into()
}

// Input:  the tokens between the attribute's parentheses, the item below it
// Output: the guarded function, or the item as it was and the mistakes; once for each case, if
//         `#[guard(…)]` is under a condition
fn guarded(attribute: &TokenStream, item: TokenStream) -> TokenStream {
    guarded_under(&TokenStream::new(), attribute, item)
}

fn guarded_under(
    conditions: &TokenStream,
    attribute: &TokenStream,
    item: TokenStream,
) -> TokenStream {
    if let Some(cases) = conditional::split(&item) {
        let cases = cases.map(|Case { condition, item }| {
            let conditions = quote!(#conditions #condition);
            guarded_under(&conditions, attribute, quote!(#condition #item))
        });
        return cases.into_iter().collect();
    }
    let mut errors = Errors::default();
    let any_output = args::maps_refusals(attribute);
    let options = args::parse(attribute.clone(), &mut errors);
    let callable = signature::parse(item.clone(), any_output, &mut errors);
    if let (Some(options), Some(callable)) = (&options, &callable) {
        names::report_duplicates(&callable.parameters, &options.extras, &mut errors);
    }
    match (options, callable, errors.into_compile_errors(conditions)) {
        (Some(options), Some(callable), None) => expand::expand(&options, &callable),
        (_, _, mistakes) => fallback::fallback(item, mistakes.unwrap_or_default()),
    }
}

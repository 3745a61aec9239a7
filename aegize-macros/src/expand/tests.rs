use proc_macro2::TokenStream;
use quote::quote;

use crate::guarded;

/// Compares the expansion with `snapshots/<name>.snap`.
fn check(name: &str, arguments: &TokenStream, item: TokenStream) {
    compare(name, guarded(arguments, item));
}

/// The same for a function that can only stand in an `impl`.
fn check_method(name: &str, arguments: &TokenStream, item: TokenStream) {
    let method = guarded(arguments, item);
    compare(name, quote!(impl Vault { #method }));
}

fn compare(name: &str, expansion: TokenStream) {
    let file = syn::parse2(expansion).expect("an expansion is an item");
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, prettyplease::unparse(&file)));
}

#[test]
fn free_function() {
    let arguments = quote! {
        tool_name = "email", operation = "send", risk_level = "high", metadata(team = "ops")
    };
    let item = quote! {
        /// Send an email.
        pub fn send<T: Display>(
            to: &str,
            (subject, mut body): (T, String),
            #[guard(path)] attachment: &Path,
            #[guard(redact)] token: String,
            #[guard(skip)] connection: &Connection,
            #[cfg(unix)] r#type: u8,
            _: u8,
        ) -> Result<impl Display, Error>
        where
            T: Clone,
        {
            #![allow(unused_mut)]
            connection.send(to)?;
            Ok(subject)
        }
    };
    check("free_function", &arguments, item);
}

#[test]
fn without_parameters() {
    let arguments = quote!(tool_name = "clock", operation = "read");
    let item = quote! {
        fn now() -> Result<u64, Error> { Ok(0) }
    };
    check("without_parameters", &arguments, item);
}

#[test]
fn method() {
    let arguments = quote!(tool_name = "vault", operation = "get", result = "skip");
    let item = quote! {
        fn get(&mut self, name: &str) -> Result<&mut Secret, Error> {
            self.secrets.get_mut(name).ok_or(Error::Unknown)
        }
    };
    check_method("method", &arguments, item);
}

#[test]
fn async_method() {
    let arguments = quote!(tool_name = "vault", operation = "rotate");
    let item = quote! {
        pub(crate) async fn rotate(
            mut self,
            name: &str,
            #[cfg(test)] (a, b): (u8, u8),
            #[guard(skip)] _: Lock,
        ) -> Result<Vec<impl Display>, Error> {
            Ok(vec![name.len()])
        }
    };
    check_method("async_method", &arguments, item);
}

#[test]
fn async_function_with_a_partial_pattern() {
    let arguments = quote!(tool_name = "search", operation = "query");
    let item = quote! {
        async fn query(text: &str, Page { size, .. }: Page) -> Result<usize, Error> {
            Ok(text.len() / size)
        }
    };
    check("async_function_with_a_partial_pattern", &arguments, item);
}

#[test]
fn async_function_with_a_foreign_attribute() {
    let arguments = quote!(tool_name = "search", operation = "query");
    let item = quote! {
        #[tracing::instrument]
        async fn query(_text: &str, (a, b): (u8, u8)) -> Result<usize, Error> {
            Ok(0)
        }
    };
    check("async_function_with_a_foreign_attribute", &arguments, item);
}

#[test]
fn opaque_future() {
    let arguments = quote!(tool_name = "search", operation = "query");
    let item = quote! {
        fn query(text: &str) -> impl Future<Output = Result<usize, Error>> + Send {
            let length = text.len();
            async move { Ok(length) }
        }
    };
    check("opaque_future", &arguments, item);
}

#[test]
fn boxed_future() {
    let arguments = quote!(tool_name = "search", operation = "query");
    let item = quote! {
        fn query<'a, 't>(
            &'a self,
            #[guard(redact, path)] text: &'a str,
        ) -> Pin<Box<dyn Future<Output = Result<usize, Error>> + Send + 't>>
        where
            'a: 't,
            Self: 't,
        {
            Box::pin(async move { Ok(text.len()) })
        }
    };
    check_method("boxed_future", &arguments, item);
}

#[test]
fn further_arguments_and_another_path() {
    let arguments = quote! {
        tool_name = "disk", operation = "write", args(path = self.root.join(name)),
        refuse_with = Reply::refused, crate = crate::guards
    };
    let item = quote! {
        async fn write(
            &self,
            #[guard(rename = "file")] name: &str,
            #[guard(skip)] text: &str,
        ) {
            self.put(name, text).await;
        }
    };
    check_method("further_arguments_and_another_path", &arguments, item);
}

#[test]
fn mapped_refusals() {
    let arguments = quote! {
        tool_name = "clock", operation = "read", result = "skip", refuse_with = refused::<u64>
    };
    let item = quote! {
        fn now() -> Result<u64, Error> { Ok(0) }
    };
    check("mapped_refusals", &arguments, item);
}

#[test]
fn a_mistake_leaves_the_function_as_it_was() {
    let arguments = quote!(tool = "email", operation = "");
    let item = quote! {
        #[inline]
        pub fn send(
            #[guard(redcat)] #[allow(unused)] to: &str,
            #[guard(path)] file: &str,
        ) -> Result<(), Error> {
            Ok(())
        }
    };
    check("a_mistake_leaves_the_function_as_it_was", &arguments, item);
}

#[test]
fn a_mistake_leaves_any_item_as_it_was() {
    let arguments = quote!(tool_name = "email", operation = "send");
    let item = quote! {
        pub struct Email { to: String }
    };
    check("a_mistake_leaves_any_item_as_it_was", &arguments, item);
}

#[test]
fn conditions_on_what_is_said_of_a_parameter() {
    let arguments = quote!(tool_name = "door", operation = "open", result = "skip");
    let item = quote! {
        /// Opens.
        fn open(
            #[cfg_attr(feature = "quiet", guard(redact), allow(unused))] code: u8,
            #[cfg_attr(feature = "quiet", guard(skip))] key: &Key,
            #[cfg_attr(test, allow(unused))] turns: u8,
        ) -> Result<(), Error> {
            Ok(())
        }
    };
    check(
        "conditions_on_what_is_said_of_a_parameter",
        &arguments,
        item,
    );
}

#[test]
fn a_mistake_under_a_condition_is_one_only_there() {
    let item = quote! {
        fn open(#[cfg_attr(test, guard(hide))] code: u8) -> Result<(), Error> { Ok(()) }
    };
    let arguments = quote!(tool_name = "door", operation = "open");
    check(
        "a_mistake_under_a_condition_is_one_only_there",
        &arguments,
        item,
    );
}

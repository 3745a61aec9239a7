use aegize::guarded_tool;

use std::pin::Pin;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(to: &str) -> BoxFuture<'_, usize> {
    Box::pin(async move { to.len() })
}

fn main() {}

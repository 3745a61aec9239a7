#![deny(unreachable_code, deprecated)]

use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(to: &str) -> Result<usize, String> {
    return Ok(to.len());
    Err("late".to_owned())
}

#[guarded_tool(tool_name = "email", operation = "send")]
#[deprecated = "use `send`"]
fn send_old(to: &str) -> Result<usize, String> {
    send(to)
}

fn main() {
    send_old("a").unwrap();
}

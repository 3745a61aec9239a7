#![deny(dead_code, unused_variables, unused_mut, unused_must_use)]

use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn unused_variable(to: &str, mut cc: String) -> Result<(), String> {
    let body = 1;
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send")]
#[must_use]
fn must_be_used() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send")]
async fn must_be_awaited() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send")]
fn dead() -> Result<(), String> {
    Ok(())
}

fn main() {
    unused_variable("", String::new()).unwrap();
    must_be_used();
    must_be_awaited();
}

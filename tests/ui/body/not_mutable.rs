use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(to: String) -> Result<(), String> {
    to.push('x');
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send")]
async fn send_later(to: String) -> Result<(), String> {
    to.push('x');
    Ok(())
}

fn main() {}

use aegize::guarded_tool;

fn consume(_: String) {}

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(to: String) -> Result<(), String> {
    consume(to);
    consume(to);
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send")]
async fn send_later(to: String) -> Result<(), String> {
    consume(to);
    consume(to);
    Ok(())
}

fn main() {}

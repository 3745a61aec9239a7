use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
#[guarded_tool(tool_name = "email", operation = "queue")]
async fn send(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

fn main() {}

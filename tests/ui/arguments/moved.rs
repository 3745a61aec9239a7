use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", args(size = body.into_bytes().len()))]
fn send(body: String) -> Result<usize, String> {
    Ok(body.len())
}

fn main() {}

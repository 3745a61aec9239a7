use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", args(to = to.len()))]
fn send(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

fn main() {}

use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", args(size = 1, size = 2))]
fn send(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

fn main() {}

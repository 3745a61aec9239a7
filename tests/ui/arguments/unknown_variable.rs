use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", args(size = body.len()))]
fn send(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

#[guarded_tool(tool_name = "email", operation = "send", args(root = self.root))]
async fn send_later(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

fn main() {}

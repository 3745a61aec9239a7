use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", args(to, cc =, &bcc, size = 1 redact))]
fn send(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

fn main() {}

use aegize::guarded_tool;

async fn size() -> usize {
    1
}

#[guarded_tool(tool_name = "email", operation = "send", args(size = size().await))]
async fn send(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

#[guarded_tool(tool_name = "email", operation = "send", args(size = to.parse::<u8>()?))]
async fn send_many(to: &str) -> Result<usize, String> {
    Ok(to.len())
}

fn main() {}

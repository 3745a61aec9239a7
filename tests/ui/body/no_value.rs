use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(to: &str) -> Result<usize, String> {
    to.len();
}

#[guarded_tool(tool_name = "email", operation = "send")]
async fn send_later(to: &str) -> Result<usize, String> {
    to.len();
}

fn main() {}

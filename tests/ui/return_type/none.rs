use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(to: &str) {
    let _ = to;
}

#[guarded_tool(tool_name = "email", operation = "send")]
async fn send_later(to: &str) {
    let _ = to;
}

fn main() {}

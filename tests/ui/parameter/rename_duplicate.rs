use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(#[guard(rename = "body")] text: &str, body: &str) -> Result<usize, String> {
    Ok(text.len() + body.len())
}

fn main() {}

use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(#[guard(skip, rename = "body")] text: &str) -> Result<usize, String> {
    Ok(text.len())
}

fn main() {}

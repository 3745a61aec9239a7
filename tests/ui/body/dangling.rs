use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send")]
fn send(to: String) -> Result<&'static str, String> {
    Ok(to.as_str())
}

fn main() {}

use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", result = "redact")]
fn send() -> Result<(), String> {
    Ok(())
}

fn main() {}

use aegize::guarded_tool;

// A mistake in the body is reported in the body.
#[guarded_tool(tool_name = "email", operation = "read")]
fn wrong_value(id: u64) -> Result<String, String> {
    Ok(id)
}

#[guarded_tool(tool_name = "email", operation = "read")]
async fn wrong_error(file: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(file)?;
    Ok(text)
}

fn main() {}

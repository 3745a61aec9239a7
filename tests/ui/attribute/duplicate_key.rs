use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", tool_name = "mail")]
fn key() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send", metadata(team = "ops", team = "dev"))]
fn metadata_key() -> Result<(), String> {
    Ok(())
}

fn main() {}

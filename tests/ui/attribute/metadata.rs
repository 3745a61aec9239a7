use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", metadata = "ops")]
fn not_a_list() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send", metadata(team, level = 3, "ops"))]
fn values() -> Result<(), String> {
    Ok(())
}

fn main() {}

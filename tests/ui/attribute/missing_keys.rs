use aegize::guarded_tool;

#[guarded_tool]
fn neither() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "email")]
fn no_operation() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(operation = "send", risk_level = "high")]
fn no_tool_name() -> Result<(), String> {
    Ok(())
}

fn main() {}

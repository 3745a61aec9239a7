use aegize::guarded_tool;

#[guarded_tool(tool_name = "email", operation = "send", risk_level = "hihg")]
fn misspelt() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send", risk_level = "severe")]
fn unknown() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send", risk_level = RiskLevel::High)]
fn not_a_literal() -> Result<(), String> {
    Ok(())
}

fn main() {}

use aegize::guarded_tool;

#[guarded_tool(tool_name = "", operation = "  ")]
fn empty() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "email ", operation = "send\n")]
fn white_space() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "e\u{0}mail", operation = "send")]
fn control_character() -> Result<(), String> {
    Ok(())
}

fn main() {}

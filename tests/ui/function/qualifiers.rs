use aegize::guarded_tool;

#[guarded_tool(tool_name = "clock", operation = "read")]
const fn constant() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "clock", operation = "read")]
extern "C" fn foreign() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "clock", operation = "read")]
#[track_caller]
fn tracked() -> Result<(), String> {
    Ok(())
}

fn main() {}

use aegize::guarded_tool;

// A misspelt key is not a missing key as well.
#[guarded_tool(tool = "email", operation = "send")]
fn near() -> Result<(), String> {
    Ok(())
}

#[guarded_tool(tool_name = "email", operation = "send", retries = 3)]
fn far() -> Result<(), String> {
    Ok(())
}

fn main() {}
